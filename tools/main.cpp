// The command `spillring`.
#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "failure.hpp"
#include "interruption.hpp"

namespace spillring::tools {
namespace {

/// Occupies the numbers of standard streams that were closed: a socket that got one of them would
/// be written to as stdout. Opened the wrong way round, so that using them fails.
void occupy_closed_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    [[maybe_unused]] const int opened = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

Exit fail(const Failure& failure) {
  report(failure);
  return failure.exit();
}

int run(const std::vector<std::string>& arguments) try {
  occupy_closed_streams();
  handle_signals();
  CommandLine line;
  return static_cast<int>(line.understood(arguments)());
} catch (const Failure& failure) {
  return static_cast<int>(fail(failure));
} catch (const Error& error) {
  return static_cast<int>(fail(Failure(error)));
} catch (const ReaderGone&) {
  return static_cast<int>(Exit::ok);
} catch (const Interrupted& interrupted) {
  return 128 + interrupted.signal;
} catch (const std::exception& error) {
  return static_cast<int>(fail({Exit::bug, "this is a bug", error.what()}));
}

}  // namespace
}  // namespace spillring::tools

int main(int argc, char** argv) {
  return spillring::tools::run(std::vector<std::string>(argv + 1, argv + argc));
}
