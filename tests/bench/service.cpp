#include "service.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace spillring::bench {
namespace {

using namespace std::chrono_literals;

[[noreturn]] void become(const std::vector<std::string>& command, const std::filesystem::path& log,
                         const std::vector<std::string>& environment, int at_death) {
  ::prctl(PR_SET_PDEATHSIG, at_death);
  ::setsid();
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
  ::dup2(file, 1);
  ::dup2(file, 2);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  for (const std::string& variable : environment) {
    ::putenv(const_cast<char*>(variable.c_str()));
  }
  ::execvp(arguments.front(), arguments.data());
  ::_exit(127);
}

}  // namespace

Service::Service(const std::vector<std::string>& command, const std::filesystem::path& directory,
                 const std::vector<std::string>& environment, int at_death)
    : log_(directory / (std::filesystem::path(command.front()).filename().string() + ".log")),
      process_(::fork()) {
  if (process_ < 0) throw std::runtime_error("cannot fork");
  if (process_ == 0) become(command, log_, environment, at_death);
}

void Service::signal(int number) const { ::kill(-process_, number); }

Service::~Service() {
  ::kill(process_, SIGTERM);
  signal(SIGCONT);
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (::waitpid(process_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) ::kill(-process_, SIGKILL);
    std::this_thread::sleep_for(1ms);
  }
  ::kill(-process_, SIGTERM);  // what it may have started
}

void Service::await(const std::filesystem::path& path) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!std::filesystem::exists(path)) {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid != 0 || std::chrono::steady_clock::now() > end) {
      std::stringstream output;
      output << std::ifstream(log_).rdbuf();
      const std::string text = output.str();
      throw std::runtime_error(path.filename().string() + " did not appear: " +
                               text.substr(text.size() - std::min<std::size_t>(text.size(), 200)));
    }
    std::this_thread::sleep_for(1ms);
  }
}

}  // namespace spillring::bench
