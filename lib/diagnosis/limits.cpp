// How much of everything there may be.
#include <fmt/format.h>
#include <sys/resource.h>

#include <fstream>

#include "diagnosis/checks.hpp"
#include "os/available_memory.hpp"

namespace spillring::diagnosis {

namespace {

constexpr std::uint64_t least_memory = 1 * MiB;    // the smallest queue, and a group
constexpr std::uint64_t fair_memory = 64 * MiB;    // a few default queues at their limits
constexpr std::uint64_t fair_files = 1024;         // some hundred clients and queues
constexpr std::uint64_t least_files = 64;          // a supervisor with a queue and two clients
constexpr std::uint64_t default_queue = 22 * MiB;  // at its limits (README)

std::string mebibytes(std::uint64_t bytes) { return fmt::format("{} MiB", bytes / MiB); }

rlimit limit_of(__rlimit_resource_t resource) {
  rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  ::getrlimit(resource, &limit);
  return limit;
}

std::string words_for(rlim_t value) {
  return value == RLIM_INFINITY ? "no limit" : std::to_string(value);
}

/// A line of /proc/meminfo, in bytes.
std::uint64_t memory_info(const std::string& wanted) {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::uint64_t kilobytes = 0;
  for (std::string rest; file >> key >> kilobytes && std::getline(file, rest);) {
    if (key == wanted) return kilobytes * KiB;
  }
  return 0;
}

}  // namespace

Findings memory(const Patient& /*patient*/) {
  const std::uint64_t left = os::available_memory();
  const std::uint64_t in_groups = os::memory_left_by_control_groups();
  const bool by_group = in_groups == left;
  const std::string what = fmt::format("{} may still be allocated", mebibytes(left));
  if (left >= fair_memory) {
    return {{Verdict::ok, what + (by_group ? ", as a control group says" : "")}};
  }
  return {{left < least_memory ? Verdict::broken : Verdict::warning, what,
           fmt::format("{}; a default queue takes up to {}",
                       by_group ? "a control group has a limit of memory" : "memory is scarce",
                       mebibytes(default_queue)),
           by_group ? "raise the limit (MemoryMax= of the service, --memory of the container)"
                    : "free memory, or create queues with a smaller --capacity"}};
}

Findings overcommit(const Patient& /*patient*/) {
  constexpr int strict = 2;
  int mode = 0;
  std::ifstream("/proc/sys/vm/overcommit_memory") >> mode;
  if (mode != strict) return {{Verdict::ok, "memory is not committed strictly"}};
  const std::uint64_t limit = memory_info("CommitLimit:");
  const std::uint64_t used = memory_info("Committed_AS:");
  const std::uint64_t left = limit > used ? limit - used : 0;
  const std::string what =
      fmt::format("memory is committed strictly, {} may still be", mebibytes(left));
  if (left >= fair_memory) return {{Verdict::ok, what}};
  return {{Verdict::warning, what, "queues are refused although memory is free",
           "raise vm.overcommit_ratio (sysctl)"}};
}

Findings open_files(const Patient& /*patient*/) {
  const rlimit limit = limit_of(RLIMIT_NOFILE);
  const std::string what = fmt::format("open files: {}, at most {}", words_for(limit.rlim_cur),
                                       words_for(limit.rlim_max));
  // A supervisor raises its limit as far as it may.
  if (limit.rlim_max >= fair_files) return {{Verdict::ok, what}};
  return {{limit.rlim_max < least_files ? Verdict::broken : Verdict::warning, what,
           "a supervisor that is started here needs two for each client and five or more for each "
           "queue",
           "raise the limit (ulimit -Hn, LimitNOFILE= of the service)"}};
}

Findings file_size(const Patient& /*patient*/) {
  const rlimit limit = limit_of(RLIMIT_FSIZE);
  if (limit.rlim_cur == RLIM_INFINITY) return {{Verdict::ok, "no limit of the size of files"}};
  return {{limit.rlim_cur < least_memory ? Verdict::broken : Verdict::warning,
           fmt::format("files have at most {} bytes", limit.rlim_cur),
           "queues are files in memory: no ring of a supervisor that is started here can be larger",
           "ulimit -f unlimited"}};
}

Findings locked_memory(const Patient& /*patient*/) {
  return {{Verdict::ok, fmt::format("locked memory: {} bytes; this version locks none",
                                    words_for(limit_of(RLIMIT_MEMLOCK).rlim_cur))}};
}

}  // namespace spillring::diagnosis
