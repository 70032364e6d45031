#include "log.hpp"

#include <unistd.h>

namespace spillring::daemon {

void log(const std::string& line) noexcept try {
  const std::string text = "spillringd: " + line + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
} catch (...) {  // no memory for a line of text: there is nobody to tell
}

}  // namespace spillring::daemon
