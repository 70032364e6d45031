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

#include "control/channel.hpp"
#include "instance.hpp"
#include "keeper_line.hpp"
#include "queue.hpp"
#include "session.hpp"
#include "watch.hpp"

namespace spillring::daemon {

class Supervisor {
 public:
  struct Options {
    std::string socket;
    bool without_recovery = false;      // for tests: deaths are noticed, nothing is repaired
    std::chrono::seconds idle_exit{0};  // ends after so long without clients and messages; 0: never
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
  /// Removes the socket. Queues live on in the clients that map them.
  ~Supervisor();

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
  };

  // -- the keeper (adopt.cpp)
  void adopt(std::vector<KeptPacket> kept);
  void adopt_session(KeptPacket kept);
  void adopt_queue(KeptQueue kept);
  void adopt_handles(Served& served);
  void watch_keeper();
  void replace_keeper();
  void deposit_all();
  void deposit_session(const Session& session) noexcept;

  // -- its place among others (presence.cpp)
  void guard_socket();
  void look_after_socket();
  void consider_leaving();
  [[nodiscard]] bool has_messages() const;

  void accept();
  void admit(Sessions::iterator session);
  void read(Sessions::iterator session);
  /// False: the connection is to be closed.
  bool answer(Session& session, const layout::Request& request);
  void dispatch(Session& session, const layout::Request& request, control::Answer& answer);
  void connection_ended(Sessions::iterator session);
  void process_ended(Sessions::iterator session);
  void retire_all(Session& session);

  void create(const Requester& requester, const layout::Request& request, control::Answer& answer);
  void list(const layout::Request& request, control::Answer& answer) const;
  void remove(const Requester& requester, std::string_view name);
  void remove_group(const Requester& requester, const layout::Request& request);
  void serve(std::unique_ptr<Served> made);
  void service(std::uint64_t id);
  [[nodiscard]] Served& served(std::uint64_t id);
  [[nodiscard]] Served& served(std::string_view name);
  [[nodiscard]] bool still_maps_something(const Session& session) const;

  Options options_;
  boost::asio::io_context loop_;
  KeeperLine keeper_;
  KeeperMaker new_keeper_;
  Instance instance_;
  std::unique_ptr<Watch> listener_watch_;
  os::Fd removals_;
  std::unique_ptr<Watch> removals_watch_;
  boost::asio::steady_timer socket_timer_{loop_};
  boost::asio::steady_timer idle_timer_{loop_};
  std::unique_ptr<Watch> keeper_watch_;
  std::pair<std::uint64_t, std::uint64_t> unanswered_;  // session and request; 0: none
  Sessions sessions_;
  std::map<std::uint64_t, std::unique_ptr<Served>> queues_;
  std::map<std::string, std::uint64_t, std::less<>> names_;
};

}  // namespace spillring::daemon
