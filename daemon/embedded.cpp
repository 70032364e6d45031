#include "spillring/embedded.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "os/failure.hpp"
#include "os/fork.hpp"
#include "supervisor.hpp"

namespace spillring {

namespace {

/// A directory of one's own, mode 0700.
std::string private_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string base = runtime != nullptr && std::filesystem::is_directory(runtime)
                               ? std::string(runtime)
                               : std::filesystem::temp_directory_path().string();
  std::string path = base + "/spillring-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) os::fail("cannot make a directory below " + base);
  return path;
}

}  // namespace

struct Embedded::State {
  explicit State(const Options& options)
      : directory(options.socket.empty() ? private_directory() : std::string{}),
        socket(directory.empty() ? options.socket : directory + "/spillringd.sock"),
        fork_generation(os::fork_generation()) {
    try {
      daemon::Supervisor::Options settings;
      settings.socket = socket;
      settings.state_dir = options.state_dir;
      settings.segment_size = options.segment_size;
      settings.disk_reserve = options.disk_reserve;
      settings.max_journal_per_queue = options.max_journal_per_queue;
      settings.without_recovery = options.without_recovery;
      supervisor = std::make_unique<daemon::Supervisor>(std::move(settings));
    } catch (...) {
      remove_directory();
      throw;
    }
    // The application's signals are for the application's threads.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread([this] { supervisor->run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    supervisor->stop();
    thread.join();
    supervisor.reset();
    remove_directory();
  }

  void remove_directory() const {
    std::error_code ignored;
    if (!directory.empty()) std::filesystem::remove_all(directory, ignored);
  }

  std::string directory;  // to be removed; empty where the socket's place was given
  std::string socket;
  std::uint32_t fork_generation;
  std::unique_ptr<daemon::Supervisor> supervisor;
  std::thread thread;
};

Embedded::Embedded() : Embedded(Options{}) {}

Embedded::Embedded(const Options& options) : state_(std::make_unique<State>(options)) {}

Embedded::Embedded(Embedded&&) noexcept = default;

Embedded& Embedded::operator=(Embedded&&) noexcept = default;

Embedded::~Embedded() {
  // In a forked child there is no thread to end, and the socket is the parent's.
  if (state_ && state_->fork_generation != os::fork_generation()) (void)state_.release();
}

Client Embedded::connect() const { return Client({.socket = state_->socket}); }

const std::string& Embedded::socket() const { return state_->socket; }

}  // namespace spillring
