#include "cast.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "processor_time.hpp"

namespace spillring::bench {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 30s;

/// Bytes of a line of /proc/PID/status.
std::uint64_t memory_of(pid_t process, const std::string& line) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string text; std::getline(status, text);) {
    if (text.rfind(line + ":", 0) == 0) return std::stoull(text.substr(line.size() + 1)) << 10;
  }
  return 0;
}

/// Inherited by the programs that processes become.
int make_window_file() {
  const int file = ::memfd_create("window", 0);
  if (file < 0 || ::ftruncate(file, sizeof(Window)) != 0) {
    throw std::runtime_error("no shared memory for the harness");
  }
  return file;
}

Window* map_window(int file) {
  void* at = ::mmap(nullptr, sizeof(Window), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (at == MAP_FAILED) throw std::runtime_error("no shared memory for the harness");
  return static_cast<Window*>(at);  // zeros are what it begins with
}

void fail_as(const Seat& seat) {
  if (seat.wrong != 0) throw Wrong(seat.failure.data());
  if (seat.failed != 0) throw std::runtime_error(seat.failure.data());
}

}  // namespace

Cast::Cast(const Peer& peer, const Work& work, const std::filesystem::path& directory)
    : work_(work),
      length_(std::max(work.window(), peer.window)),
      seats_(peer.alone ? work.producers : work.producers + work.consumers),
      stage_(peer.set(work, directory)),
      window_file_(make_window_file()),
      window_(map_window(window_file_)) {
  try {
    for (unsigned seat = 0; seat < seats_; ++seat) begin_process(seat);
    await("set up", [](const Seat& seat) { return seat.ready == 1; });
  } catch (...) {
    stop();
    throw;
  }
}

Cast::~Cast() { stop(); }

void Cast::begin_process(unsigned seat) {
  std::fflush(nullptr);
  const pid_t process = ::fork();
  if (process < 0) throw std::runtime_error("cannot fork");
  if (process > 0) {
    processes_.push_back(process);
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  Role role(*window_, window_file_, work_, seat);
  try {
    stage_->play(role);
  } catch (const std::exception& error) {
    role.fail(error.what());
  }
  ::_exit(0);
}

Cast::Outcome Cast::run(std::uint64_t pace) {
  const bool counts_processors = work_.kind == Kind::cpu;
  const std::uint32_t number = window_->go + 1;
  const auto begin = std::chrono::steady_clock::now();
  std::optional<ProcessorTime> before;
  if (counts_processors) before.emplace(processes_);
  window_->pace = pace;
  window_->go = number;
  if (work_.kind != Kind::attach) std::this_thread::sleep_for(length_);
  window_->stop = number;
  await("finish", [&](const Seat& seat) { return seat.done == number; });
  Outcome outcome;
  if (counts_processors) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    measure_processors(outcome, ProcessorTime(processes_).since(*before), seconds.count());
  }
  std::uint64_t first = ~std::uint64_t{0};
  std::uint64_t last = 0;
  std::uint64_t busy = 0;
  outcome.round_trips = std::make_unique<Histogram>();
  for (unsigned i = 0; i < seats_; ++i) {
    const Seat& seat = window_->seats.at(i);
    if (i < work_.producers) first = std::min(first, seat.began);
    last = std::max(last, seat.ended);
    busy += seat.busy;
    outcome.round_trips->add(seat.histogram);
  }
  outcome.seconds = static_cast<double>(busy != 0 ? busy : last - first) / 1e9;
  outcome.messages = received() - messages_before_;
  messages_before_ += outcome.messages;
  measure_memory(outcome);
  return outcome;
}

void Cast::measure_processors(Outcome& outcome, const std::vector<std::uint64_t>& used,
                              double seconds) const {
  for (std::size_t i = 0; i < used.size(); ++i) {
    const std::size_t side = i == processes_.size() ? 2 : i < work_.producers ? 0 : 1;
    outcome.processors.at(side) += static_cast<double>(used.at(i)) / 1e9 / seconds;
  }
}

void Cast::measure_memory(Outcome& outcome) const {
  for (const pid_t process : processes_) {
    outcome.shared = std::max(outcome.shared, memory_of(process, "RssShmem"));
    outcome.own = std::max(outcome.own, memory_of(process, "RssAnon"));
  }
}

/// As the slowest consumer has it, where each gets all.
std::uint64_t Cast::received() const {
  std::uint64_t sent = 0;
  for (unsigned i = 0; i < work_.producers; ++i) sent += window_->seats.at(i).sent;
  return sent;
}

template <typename Reached>
void Cast::await(const char* what, const Reached& reached) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (unsigned i = 0; i < seats_; ++i) {
    while (!reached(window_->seats.at(i))) {
      look_for_failure();
      if (std::chrono::steady_clock::now() > end) {
        throw std::runtime_error("process " + std::to_string(i) + " did not " + what + " within " +
                                 std::to_string(patience.count()) + " s");
      }
      std::this_thread::sleep_for(200us);
    }
  }
}

void Cast::look_for_failure() {
  for (unsigned i = 0; i < seats_; ++i) {
    const Seat& seat = window_->seats.at(i);
    fail_as(seat);
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(processes_.at(i)), &info, WEXITED | WNOHANG | WNOWAIT) ==
            0 &&
        info.si_pid != 0) {
      fail_as(seat);
      throw std::runtime_error("process " + std::to_string(i) + " ended before its time, status " +
                               std::to_string(info.si_status));
    }
  }
}

void Cast::stop() {
  window_->quit = 1;
  const auto end = std::chrono::steady_clock::now() + 10s;
  for (const pid_t process : processes_) {
    while (::waitpid(process, nullptr, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > end) ::kill(process, SIGKILL);
      std::this_thread::sleep_for(200us);
    }
  }
  processes_.clear();
  ::munmap(window_, sizeof(Window));
  ::close(window_file_);
}

}  // namespace spillring::bench
