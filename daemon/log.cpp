#include "log.hpp"

#include <poll.h>
#include <unistd.h>

namespace spillring::daemon {

void log(const std::string& line) noexcept try {
  // Where nobody reads it (a terminal that was stopped, a full pipe), it is not said.
  pollfd entry{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&entry, 1, 0) != 1 || (entry.revents & POLLOUT) == 0) return;
  const std::string text = "spillringd: " + line + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
} catch (...) {  // no memory for a line of text: there is nobody to tell
}

}  // namespace spillring::daemon
