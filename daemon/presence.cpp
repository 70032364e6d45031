// When a supervisor is to be found, and when it leaves.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "log.hpp"
#include "os/directory.hpp"
#include "supervisor.hpp"

namespace spillring::daemon {

namespace {

constexpr auto retry = std::chrono::seconds(1);

}  // namespace

/// Its socket may be removed under it: by somebody who cleans up, with its whole directory at a
/// logout.
void Supervisor::guard_socket() try {
  removals_watch_.reset();
  removals_ = os::watch_removals(os::directory_of(options_.socket));
  removals_watch_ = std::make_unique<Watch>(loop_, removals_, [this] {
    os::clear_removals(removals_);
    look_after_socket();
  });
} catch (const Error& error) {  // as good as it gets: whoever is connected is served
  log(fmt::format("{} ({}): its socket would not come back if it vanished", error.summary(),
                  error.why()));
}

void Supervisor::look_after_socket() {
  if (!instance_.present(options_.socket)) {
    try {
      os::make_private_directory(os::directory_of(options_.socket));
      listener_watch_.reset();
      instance_.renew(options_.socket, options_.socket_mode);
      instance_.deposit(keeper_);
      if (keeper_.attached()) instance_.write_processes(::getpid(), keeper_.pid());
      log(fmt::format("its socket or lock had vanished; at {} again", options_.socket));
    } catch (const Error& error) {
      log(fmt::format("its socket or lock has vanished: {} ({})", error.summary(), error.why()));
      if (error.code() == Code::exists) return;  // somebody else took the place: theirs it is
      socket_timer_.expires_after(retry);
      socket_timer_.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled) look_after_socket();
      });
      return;
    }
    guard_socket();  // the directory may be another one
  }
  if (!listener_watch_) {
    listener_watch_ = std::make_unique<Watch>(loop_, instance_.listener(), [this] { accept(); });
  }
}

bool Supervisor::has_messages() const {
  return std::any_of(queues_.begin(), queues_.end(),
                     [](const auto& entry) { return entry.second->queue.record().messages != 0; });
}

void Supervisor::consider_leaving() {
  if (options_.idle_exit.count() == 0 || !sessions_.empty()) return;
  idle_timer_.expires_after(options_.idle_exit);
  idle_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled || !sessions_.empty()) return;
    if (has_messages()) return consider_leaving();
    log("nobody has needed it for a while");
    stop();
  });
}

}  // namespace spillring::daemon
