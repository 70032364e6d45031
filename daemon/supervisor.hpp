// The supervisor: creates queues, hands them out, and repairs what the dead leave behind.
// One thread; it sleeps in epoll and has no periodic tick.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>  // Asio 1.74 needs it before its own headers

#include "control/channel.hpp"
#include "os/fork.hpp"
#include "queue.hpp"
#include "session.hpp"
#include "watch.hpp"

namespace spillring::daemon {

class Supervisor {
 public:
  struct Options {
    std::string socket;
    bool without_recovery = false;  // for tests: deaths are noticed, nothing is repaired
  };

  /// Listens; throws `Error`. Clients are served by run().
  explicit Supervisor(Options options);
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
    Served(boost::asio::io_context& loop, std::uint64_t id, std::string name,
           const layout::Request& options)
        : queue(id, std::move(name), options), timer(loop) {}
    Queue queue;
    boost::asio::steady_timer timer;
    std::unique_ptr<Watch> watch;
  };

  void accept();
  void read(Sessions::iterator session);
  /// False: the connection is to be closed.
  bool answer(Session& session, const layout::Request& request);
  void dispatch(Session& session, const layout::Request& request, control::Answer& answer);
  void connection_ended(Sessions::iterator session);
  void process_ended(Sessions::iterator session);
  void retire_all(Session& session);

  void create(const layout::Request& request, control::Answer& answer);
  void list(const layout::Request& request, control::Answer& answer) const;
  void remove(std::string_view name);
  void service(std::uint64_t id);
  [[nodiscard]] Served& served(std::uint64_t id);
  [[nodiscard]] Served& served(std::string_view name);
  [[nodiscard]] bool still_maps_something(const Session& session) const;

  Options options_;
  boost::asio::io_context loop_;
  os::Fd listener_;
  os::NotInherited listener_not_inherited_{listener_};
  std::unique_ptr<Watch> listener_watch_;
  Sessions sessions_;
  std::map<std::uint64_t, std::unique_ptr<Served>> queues_;
  std::map<std::string, std::uint64_t, std::less<>> names_;
  std::uint64_t last_id_ = 0;
};

}  // namespace spillring::daemon
