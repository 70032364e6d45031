#include "settings.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <chrono>

#include "text/quantity.hpp"

namespace spillring::daemon {

namespace {

constexpr std::chrono::hours longest_idle{10 * 365 * 24};

/// Why it is no path to begin with; empty: it is one.
std::string no_path(std::string_view value) {
  if (value.empty()) return "names nothing; write a path, or leave it out";
  if (value.find('\0') != std::string_view::npos) return "has a byte zero, where a path would end";
  return value.starts_with('/') ? "" : "is not an absolute path; begin it with a slash";
}

std::string take_socket(std::string_view value, std::string& path) {
  if (std::string problem = no_path(value); !problem.empty()) return problem;
  constexpr std::size_t most = sizeof(sockaddr_un::sun_path) - 1;
  if (value.size() > most) {
    return fmt::format("is too long: a socket's path has at most {} bytes; choose a shorter one",
                       most);
  }
  path = value;
  return {};
}

std::string take_directory(std::string_view value, std::string& path) {
  if (std::string problem = no_path(value); !problem.empty()) return problem;
  path = value;
  return {};
}

std::string take_mode(std::string_view value, unsigned& mode) {
  unsigned read = 0;
  const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), read, 8);
  const bool whole = error == std::errc{} && rest == value.data() + value.size();
  if (!whole || (read & ~0666U) != 0) {
    return "is not a mode of a socket: it is octal, of read and write; take 0600, 0660 or 0666";
  }
  mode = read;
  return {};
}

std::string take_idle(std::string_view value, std::chrono::nanoseconds& idle) {
  const text::Quantity read = text::duration_of(value);
  if (!read.problem.empty()) {
    return fmt::format("is not a duration: {}; write seconds, or a unit: 600, 10m, 2h",
                       read.problem);
  }
  if (std::chrono::nanoseconds(read.value) > longest_idle) {
    return "is too long: at most ten years; write 0 for never";
  }
  idle = std::chrono::nanoseconds(read.value);
  return {};
}

std::string take_count(std::string_view value, std::uint64_t& count) {
  const text::Quantity read = text::count_of(value);
  if (!read.problem.empty()) {
    return fmt::format("is not a whole number: {}; write digits only: 1024", read.problem);
  }
  if (read.value == 0) return "is too small: at least 1";
  count = read.value;
  return {};
}

std::string take_size(std::string_view value, std::uint64_t& bytes) {
  const text::Quantity read = text::size_of(value);
  if (!read.problem.empty()) {
    return fmt::format("is not a size: {}; write a number and a unit: 512MiB, 4GiB", read.problem);
  }
  if (read.value == 0) return "is too small: at least 1 byte";
  bytes = read.value;
  return {};
}

/// A size that 0 takes away.
std::string take_limit(std::string_view value, std::uint64_t& bytes) {
  if (text::size_of(value).value == 0 && text::size_of(value).problem.empty()) {
    bytes = 0;
    return {};
  }
  return take_size(value, bytes);
}

/// The most that a queue may have on the disk. It has it in several files, each of whole batches.
std::string take_queue_limit(std::string_view value, std::uint64_t& bytes) {
  constexpr std::uint64_t least = std::uint64_t{1} << 20;
  std::uint64_t read = 0;
  std::string problem = take_limit(value, read);
  if (!problem.empty()) return problem;
  if (read != 0 && read < least) return "is too small: at least 1MiB; write 0 for no limit";
  bytes = read;
  return {};
}

using Form = Setting::Form;

constexpr std::array settings{
    Setting{"socket", Form::path, "PATH",
            "Where clients connect (default: $SPILLRING_SOCKET, else the user's own)",
            [](Settings& s, std::string_view v) { return take_socket(v, s.socket); }},
    Setting{"socket_mode", Form::text, "MODE",
            "Who may connect, in octal (0600); each queue has a mode of its own",
            [](Settings& s, std::string_view v) { return take_mode(v, s.socket_mode); }},
    Setting{"idle_exit", Form::either, "DURATION",
            "End after so long without clients and messages (0: never)",
            [](Settings& s, std::string_view v) { return take_idle(v, s.idle_exit); }},
    Setting{"state_dir", Form::path, "DIR",
            "Where queues outlive the daemon and spill to (default: for the user's own\n"
            "socket ~/.local/state/spillring, else none)",
            [](Settings& s, std::string_view v) { return take_directory(v, s.state_dir); }},
    Setting{"segment_size", Form::either, "SIZE", "Size of the files that queues spill to (64MiB)",
            [](Settings& s, std::string_view v) { return take_size(v, s.segment_size); }},
    Setting{"disk_reserve", Form::either, "SIZE",
            "What journals leave free on the disk, at most a tenth of it (256MiB;\n0: nothing)",
            [](Settings& s, std::string_view v) { return take_limit(v, s.disk_reserve); }},
    Setting{"max_journal_per_queue", Form::either, "SIZE",
            "Most disk space of one queue's journal (0: no limit)",
            [](Settings& s, std::string_view v) {
              return take_queue_limit(v, s.max_journal_per_queue);
            }},
    Setting{"max_queues", Form::number, "N", "Most queues of one user (1024)",
            [](Settings& s, std::string_view v) { return take_count(v, s.quota.queues); }},
    Setting{"max_clients", Form::number, "N", "Most connections of one user (1024)",
            [](Settings& s, std::string_view v) { return take_count(v, s.quota.clients); }},
    Setting{"max_memory", Form::either, "SIZE", "Most shared memory of one user's queues (4GiB)",
            [](Settings& s, std::string_view v) { return take_size(v, s.quota.memory); }},
    Setting{"max_journal", Form::either, "SIZE",
            "Most disk space of one user's journals (64GiB; 0: no limit)",
            [](Settings& s, std::string_view v) { return take_queue_limit(v, s.quota.journal); }},
};

}  // namespace

std::span<const Setting> all_settings() noexcept { return settings; }

}  // namespace spillring::daemon
