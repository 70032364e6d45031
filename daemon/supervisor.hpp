// The supervisor: creates queues, hands them out, and repairs what the dead leave behind.
// One thread; it sleeps in epoll and has no periodic tick.
//
// It may be killed at any instruction. What it has is in shared memory and with its keeper before
// anybody is told of it, and a request stays in its connection until it is answered; so the next
// supervisor finds the same clients, the same queues, and at most one request (notes) that may have
// been carried out already: that one comes first, marked as repeated.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>  // Asio 1.74 needs it before its own headers
#include <vector>

#include "access.hpp"
#include "accounts.hpp"
#include "control/channel.hpp"
#include "instance.hpp"
#include "keeper_line.hpp"
#include "queue.hpp"
#include "session.hpp"
#include "spooler.hpp"
#include "state.hpp"
#include "watch.hpp"

namespace spillring::daemon {

class Supervisor {
 public:
  struct Options {
    std::string socket;
    bool without_recovery = false;  // for tests: deaths are noticed, nothing is repaired
    unsigned socket_mode = 0600;    // who may connect; each queue decides for itself beyond that
    Quota quota;
    // Ends after so long without clients and messages; 0: never.
    std::chrono::nanoseconds idle_exit{0};
    std::string state_dir = {};  // where queues outlive it; empty: nowhere
    std::uint64_t segment_size = std::uint64_t{64} << 20;   // of the journals
    std::uint64_t disk_reserve = std::uint64_t{256} << 20;  // bytes that journals leave free
    std::uint64_t max_journal_per_queue = 0;                // bytes; 0: no limit
    std::string configuration = {};  // the text of the file that these come from
  };

  /// A keeper, and what it has kept so far.
  struct Keeper {
    KeeperLine line;
    std::vector<KeptPacket> kept;
  };
  using KeeperMaker = std::function<KeeperLine()>;

  /// Listens, or goes on where another supervisor has ended; throws `Error`. Clients are served by
  /// run(). Without a keeper its queues end with it, as one embedded in a process does.
  explicit Supervisor(Options options, Keeper keeper = {}, KeeperMaker new_keeper = {});
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  /// Without a keeper: as leave(). Queues live on in the clients that map them.
  ~Supervisor();

  /// After run(): the keeper is to end too; the socket is removed.
  void leave() noexcept;

  /// Serves until stop().
  void run();
  /// From any thread, or from a handler of the loop.
  void stop() { loop_.stop(); }
  [[nodiscard]] boost::asio::io_context& loop() noexcept { return loop_; }

 private:
  using Sessions = std::list<Session>;
  struct Served {
    template <typename... Arguments>
    explicit Served(boost::asio::io_context& loop, Arguments&&... arguments)
        : queue(std::forward<Arguments>(arguments)...), timer(loop) {}
    Queue queue;
    boost::asio::steady_timer timer;
    std::unique_ptr<Watch> watch;
    Accounts::Charge charge;
  };

  // -- the keeper (adopt.cpp)
  void adopt(std::vector<KeptPacket> kept);
  void adopt_session(KeptPacket kept);
  void adopt_queue(KeptQueue kept);
  void adopt_handles(Served& served);
  void watch_keeper();
  void replace_keeper();
  void try_keeper_again();
  void deposit_all();
  void deposit_session(const Session& session) noexcept;
  void deposit_settings() noexcept;

  // -- the state directory (restart.cpp)
  void open_state(std::vector<KeptPacket>& kept);
  void restore();
  void save() noexcept;
  void finish_writing();
  void require_loaded(std::string_view name) const;

  // -- its place among others (presence.cpp)
  void guard_socket();
  void look_after_socket();
  void consider_leaving();
  [[nodiscard]] bool has_messages() const;

  // -- connections (connections.cpp)
  void accept();
  void receive(os::Fd socket);
  void turn_away_without_descriptor();
  void expect_greeting(Session& session);
  void close_silent();
  void admit(Sessions::iterator session);
  void read(Sessions::iterator session);
  /// False: the connection is to be closed.
  bool carry_out(Session& session, const layout::Request& request);
  bool answer(Session& session, const layout::Request& request, bool repeated);
  bool refuse(Session& session, const layout::Request& request, const Error& error);
  void withdraw(Session& session, const layout::Request& request);
  [[nodiscard]] std::optional<std::uint32_t> handle_made_by(const Session& session,
                                                            const layout::Request& request) const;
  void dispatch(Session& session, const layout::Request& request, bool repeated,
                control::Answer& answer);
  void detach(Session& session, std::uint64_t queue, std::uint32_t handle);
  /// True for a repeated request that may have removed already what it is to remove.
  [[nodiscard]] bool was_begun(const Requester& requester) const noexcept;
  void connection_ended(Sessions::iterator session);
  void process_ended(Sessions::iterator session);
  void retire_all(Session& session);
  void retire_if_dead(std::uint64_t session);

  void create(const Requester& requester, const layout::Request& request, control::Answer& answer);
  void open(const Requester& requester, std::string_view name, control::Answer& answer);
  void list(const Requester& requester, const layout::Request& request,
            control::Answer& answer) const;
  void remove(const Requester& requester, std::string_view name);
  void purge(const Requester& requester, std::uint64_t id, control::Answer& answer);
  void remove_group(const Requester& requester, const layout::Request& request);
  void forget(std::uint64_t id) noexcept;
  void sync_catalogue() noexcept;
  void serve(std::unique_ptr<Served> made);
  static os::Instant look_after(Queue& queue, os::Instant now) noexcept;
  void service(std::uint64_t id);
  [[nodiscard]] Served& served(std::uint64_t id);
  /// The same, for somebody who has this right. Throws `Error` (deleted, denied).
  [[nodiscard]] Queue& queue_for(const Requester& requester, std::uint64_t id, Right right);
  [[nodiscard]] Queue& queue_of_owner(const Requester& requester, std::uint64_t id);
  [[nodiscard]] Served& served(std::string_view name);
  [[nodiscard]] bool still_maps_something(const Session& session) const;

  Options options_;
  boost::asio::io_context loop_;
  KeeperLine keeper_;
  KeeperMaker new_keeper_;
  Instance instance_;
  os::Fd settings_;  // their text, for the next supervisor
  std::unique_ptr<Watch> listener_watch_;
  boost::asio::steady_timer keeper_timer_{loop_};
  os::Fd removals_;
  std::unique_ptr<Watch> removals_watch_;
  boost::asio::steady_timer socket_timer_{loop_};
  boost::asio::steady_timer idle_timer_{loop_};
  std::unique_ptr<Watch> keeper_watch_;
  Accounts accounts_{options_.quota};
  os::Fd reserve_ = os::reserve_descriptor();  // so that there is one to turn somebody away with
  boost::asio::steady_timer greeting_timer_{loop_};
  std::pair<std::uint64_t, std::uint64_t> unanswered_;  // session and request; 0: none
  std::unique_ptr<State> state_;                        // none: no state directory
  Spooler spooler_{loop_};                              // ends before what it writes to
  Sessions sessions_;
  bool stopping_ = false;
  std::map<std::uint64_t, std::unique_ptr<Served>> queues_;
  std::map<std::string, std::uint64_t, std::less<>> names_;
  std::map<std::string, std::string, std::less<>> not_loaded_;  // name: why; it stays on the disk
};

}  // namespace spillring::daemon
