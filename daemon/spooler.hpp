// Work that may take long, such as writing to a disk: done by threads beside the supervisor's loop,
// its outcome told in the loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <functional>
#include <utility>  // Asio 1.74 needs it before its own headers

namespace spillring::daemon {

class Spooler {
 public:
  explicit Spooler(boost::asio::io_context& loop) : loop_(loop) {}
  Spooler(const Spooler&) = delete;
  Spooler& operator=(const Spooler&) = delete;
  /// Waits for what is being done; nobody is told of it any more.
  ~Spooler();

  using Work = std::function<void()>;
  using Done = std::function<void(std::exception_ptr)>;
  /// Work of one lane is done in the order in which it came, one piece at a time.
  using Lane = boost::asio::strand<boost::asio::thread_pool::executor_type>;
  [[nodiscard]] Lane new_lane() { return boost::asio::make_strand(threads_.get_executor()); }

  /// Does `work` in a thread beside the loop, then calls `done` in the loop, with what `work`
  /// threw.
  void submit(const Lane& lane, Work work, Done done);
  /// Until all work of the lane that was submitted so far is done, whoever is still to be told.
  void wait_for(const Lane& lane);

 private:
  boost::asio::io_context& loop_;
  boost::asio::thread_pool threads_{2};
};

}  // namespace spillring::daemon
