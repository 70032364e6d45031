// A descriptor that the supervisor's loop watches.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <utility>  // Asio 1.74 needs it before its own headers

#include "log.hpp"
#include "os/fd.hpp"

namespace spillring::daemon {

/// Calls `on_readable` in the loop whenever `fd` can be read, for as long as it exists.
class Watch {
 public:
  /// `fd` is borrowed and must outlive this object.
  Watch(boost::asio::io_context& loop, const os::Fd& fd, std::function<void()> on_readable)
      : descriptor_(loop, fd.get()),
        on_readable_(std::make_shared<std::function<void()>>(std::move(on_readable))) {
    arm();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { descriptor_.release(); }

 private:
  void arm() {
    // The handler may come after this object is gone, and may end it.
    descriptor_.async_wait(
        boost::asio::posix::descriptor_base::wait_read,
        [this, alive = std::weak_ptr(on_readable_)](const boost::system::error_code& error) {
          if (error || alive.expired()) return;
          const auto handler = alive.lock();
          try {
            (*handler)();
          } catch (const std::exception& failure) {  // no memory, most likely: it is tried again
            log(failure.what());
          }
          if (handler.use_count() > 1) arm();
        });
  }

  boost::asio::posix::stream_descriptor descriptor_;
  std::shared_ptr<std::function<void()>> on_readable_;
};

}  // namespace spillring::daemon
