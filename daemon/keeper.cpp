#include "keeper.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "log.hpp"
#include "os/notify.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/socket.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

// A supervisor that ends sooner has not started: the next one waits longer.
constexpr os::Instant settled_after = 1'000'000'000;
constexpr os::Instant first_pause = 10'000'000;
constexpr os::Instant longest_pause = 200'000'000;
// How long a supervisor may take to read what there is; it has to be loaded from disk first.
constexpr os::Instant reads_within = 10'000'000'000;
// Failures after which the program that this keeper runs is tried in the place of that on disk.
constexpr int doubts_program_after = 6;
// How a supervisor ends that is asked to before it can be.
// So many supervisors may die while they save the queues.
constexpr int most_stops = 5;

constexpr int ended_by_request = 128 + SIGTERM;

}  // namespace

// ---- roles --------------------------------------------------------------------------------------

Role::Role(std::vector<std::string> arguments)
    : program_(os::own_program()), arguments_(std::move(arguments)) {}

Role::Started Role::start(Kind kind, bool unchanged) const {
  std::pair<os::Fd, os::Fd> ends = os::socket_pair();
  std::vector<std::string> arguments = arguments_;
  arguments.emplace_back(kind == Kind::keeper ? "--role=keeper" : "--role=supervisor");
  const pid_t pid = os::spawn(unchanged ? "/proc/self/exe" : program_, arguments, ends.second);
  Started started;
  started.process = os::pidfd_of(pid);
  started.line = std::move(ends.first);
  started.pid = pid;
  return started;
}

// ---- the keeper ---------------------------------------------------------------------------------

Keeper::Keeper(Role role, std::function<void()> on_ready, os::Fd listener)
    : role_(std::move(role)),
      myself_(os::pidfd_of(::getpid())),
      on_ready_(std::move(on_ready)),
      signals_(os::signal_descriptor({SIGTERM, SIGINT, SIGHUP})) {
  if (listener) {
    KeptPacket passed{keeping_record(layout::Keeping::keep, layout::Kept::listener), {}};
    passed.descriptors.push_back(std::move(listener));
    take(std::move(passed));
  }
  start_supervisor();
}

Keeper::Keeper(Role role, os::Fd line)
    : role_(std::move(role)),
      myself_(os::pidfd_of(::getpid())),
      signals_(os::signal_descriptor({SIGTERM, SIGINT, SIGHUP})),
      line_(std::move(line)),
      started_(os::now()) {
  // First of all the supervisor says who it is.
  if (auto packet = receive_kept(line_)) take(std::move(*packet));
}

void Keeper::start_supervisor() {
  // A new program that cannot go on with what there is must not be the end of it.
  const bool unchanged = failures_ > doubts_program_after && failures_ % 2 == 0;
  Role::Started started = role_.start(Role::Kind::supervisor, unchanged);
  line_ = std::move(started.line);
  supervisor_ = std::move(started.process);
  supervisor_pid_ = started.pid;
  started_ = os::now();
  told_to_stop_ = false;
  hand_over();
}

/// A supervisor that dies meanwhile is noticed by its pidfd.
void Keeper::hand_over() {
  auto me = keeping_record(layout::Keeping::keep, layout::Kept::process,
                           static_cast<std::uint64_t>(::getpid()));
  bool taken = send_kept(line_, me, std::array{myself_.get()}, reads_within);
  for (const auto& [key, packet] : kept_) {
    std::vector<int> numbers;
    for (const os::Fd& descriptor : packet.descriptors) numbers.push_back(descriptor.get());
    taken = taken && send_kept(line_, packet.record, numbers, reads_within);
  }
  const auto all = keeping_record(layout::Keeping::complete, layout::Kept::process);
  taken = taken && send_kept(line_, all, {}, reads_within);
  if (!taken) os::send_signal(supervisor_, SIGKILL);
}

bool Keeper::take() {
  auto packet = receive_kept(line_);
  if (!packet) return false;
  take(std::move(*packet));
  return true;
}

void Keeper::take(KeptPacket packet) {
  const layout::KeepingRecord& record = packet.record;
  // From its first word on it waits for signals.
  if (asked_to_stop_ && !std::exchange(told_to_stop_, true)) os::send_signal(supervisor_, SIGTERM);
  switch (static_cast<layout::Keeping>(record.op)) {
    case layout::Keeping::keep:
      if (static_cast<layout::Kept>(record.kind) == layout::Kept::process) {
        if (packet.descriptors.empty()) return;
        supervisor_ = std::move(packet.descriptors[0]);
        supervisor_pid_ = static_cast<pid_t>(record.id);
      } else {
        const Key key{record.kind, record.id, record.number};
        kept_.insert_or_assign(key, std::move(packet));
      }
      return;
    case layout::Keeping::drop:
      return drop(record);
    case layout::Keeping::complete:
      return all_is_said();
    case layout::Keeping::stop:
      if (!asked_to_stop_) os::notify("STOPPING=1");
      stopping_ = true;
      return;
  }
}

/// There may be a new supervisor, and this may be a new keeper: the service manager is told either.
void Keeper::all_is_said() {
  has_all_ = true;
  if (const auto ready = std::exchange(on_ready_, {})) ready();
  os::notify(fmt::format("READY=1\nMAINPID={0}\nSTATUS=Keeper {0}, supervisor {1}.", ::getpid(),
                         supervisor_pid_));
  if (std::exchange(asked_to_reload_, false)) reload();
}

/// The next supervisor is the program and the settings as they are on disk now. This one need not
/// be asked to end: it may be killed at any instruction, once everything it has is here.
void Keeper::reload() {
  if (!has_all_) {
    asked_to_reload_ = true;
    return;
  }
  os::notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", os::now() / 1000));
  os::send_signal(supervisor_, SIGKILL);
}

void Keeper::drop(const layout::KeepingRecord& record) {
  if (static_cast<layout::Kept>(record.kind) != layout::Kept::queue) {
    kept_.erase({record.kind, record.id, record.number});
    return;
  }
  std::erase_if(kept_, [&](const auto& entry) {
    const auto kind = static_cast<layout::Kept>(std::get<0>(entry.first));
    const bool part =
        kind == layout::Kept::queue || kind == layout::Kept::ring || kind == layout::Kept::words;
    return part && std::get<1>(entry.first) == record.id;
  });
}

bool Keeper::has_instance() const noexcept {
  return kept_.contains({static_cast<std::uint16_t>(layout::Kept::instance), 0, 0});
}

/// A living supervisor never closes its line: this one is dying, which its pidfd reports.
void Keeper::line_ended() { line_.reset(); }

void Keeper::supervisor_ended() {
  try {
    while (line_ && take()) {  // what it said before it ended counts
    }
  } catch (const Error& error) {
    log(error.what());
  }
  line_.reset();
  supervisor_.reset();
  const auto status = os::reap(supervisor_pid_);
  // One that has left nothing behind could not even begin.
  // One that was killed while it saved the queues has not finished: the next one does, unless that
  // is hopeless, or nobody wants to wait.
  const bool given_up = asked_to_stop_ && (impatient_ || ++stops_ == most_stops);
  if (stopping_ || given_up || !has_instance()) {
    const bool well = stopping_ || (asked_to_stop_ && status == ended_by_request);
    status_ = well ? 0 : status.value_or(0);
    return;
  }
  failures_ = os::now() - started_ < settled_after ? failures_ + 1 : 0;
  const pid_t ended = supervisor_pid_;
  plan_next_start();
  try_to_start_supervisor();
  log(fmt::format("the supervisor, process {}, has ended; the next one takes its place", ended));
}

void Keeper::plan_next_start() {
  // The first few at once: somebody may be killing them.
  const int shift = std::clamp(failures_ - 3, 0, 7);
  const os::Instant wait = failures_ <= 3 ? 0 : std::min(first_pause << shift, longest_pause);
  start_at_ = os::now() + wait;
}

/// Whatever is wanting (processes, memory, descriptors), this one holds what there is and tries
/// again.
void Keeper::try_to_start_supervisor() {
  if (supervisor_ || milliseconds_to_start() != 0) return;
  try {
    start_supervisor();
  } catch (const Error& error) {
    ++failures_;
    plan_next_start();
    log(fmt::format("no supervisor could be started: {}", error.what()));
  }
}

void Keeper::take_signal() {
  const int number = os::take_signal(signals_);
  if (number == 0) return;
  if (number == SIGHUP) return reload();
  os::notify("STOPPING=1");
  // Who asks twice does not want to wait.
  impatient_ = asked_to_stop_;
  asked_to_stop_ = true;
  start_at_ = 0;
  if (!supervisor_) {
    if (impatient_ || !has_instance()) status_ = 0;
    return;
  }
  told_to_stop_ = true;
  os::send_signal(supervisor_, impatient_ ? SIGKILL : SIGTERM);
}

int Keeper::milliseconds_to_start() const noexcept {
  if (supervisor_) return -1;
  const os::Instant left = start_at_ - os::now();
  return left <= 0 ? 0 : static_cast<int>(left / 1'000'000 + 1);
}

int Keeper::run() {
  while (!status_) {
    std::array<pollfd, 3> events{{{signals_.get(), POLLIN, 0},
                                  {supervisor_ ? supervisor_.get() : -1, POLLIN, 0},
                                  {line_ ? line_.get() : -1, POLLIN, 0}}};
    ::poll(events.data(), events.size(), milliseconds_to_start());
    if (events[0].revents != 0) take_signal();
    if (events[1].revents != 0) {
      supervisor_ended();
    } else if (events[2].revents != 0 && !take()) {
      line_ended();
    }
    if (!status_) try_to_start_supervisor();
  }
  return *status_;
}

}  // namespace spillring::daemon
