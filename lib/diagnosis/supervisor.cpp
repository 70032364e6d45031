// The supervisor and its keeper.
#include <fmt/format.h>

#include "diagnosis/checks.hpp"
#include "os/process_state.hpp"
#include "spillring/version.hpp"

namespace spillring::diagnosis {

namespace {

constexpr std::uint64_t many = 80;  // percent of a limit

/// The process, if it can be seen from here.
Findings look_at(const char* role, pid_t pid) {
  if (pid == 0) return {};
  switch (os::state_of(pid)) {
    case os::ProcessState::runs:
      return {{Verdict::ok, fmt::format("the {}, process {}, runs", role, pid)}};
    case os::ProcessState::stopped:
      return {{Verdict::broken, fmt::format("the {}, process {}, is stopped", role, pid),
               "a signal or a debugger stopped it", fmt::format("kill -CONT {}", pid)}};
    case os::ProcessState::unseen:
      break;
  }
  return {{Verdict::warning, fmt::format("the {}, process {}, is not to be seen", role, pid),
           "it has just ended, or is in another PID namespace", "look again"}};
}

Findings use_of(const char* role, pid_t pid) {
  const auto use = pid == 0 ? std::nullopt : os::descriptor_use(pid);
  if (!use) return {};
  if (use->limit == UINT64_MAX) {
    return {{Verdict::ok, fmt::format("the {} has {} open files, without limit", role, use->used)}};
  }
  const std::string what =
      fmt::format("the {} has {} of {} open files", role, use->used, use->limit);
  if (use->used < use->limit / 100 * many) return {{Verdict::ok, what}};
  return {{Verdict::warning, what, "without them, clients and queues are refused",
           "raise its limit (LimitNOFILE= of the service), or close connections"}};
}

Findings both(const Findings& first, const Findings& second) {
  Findings all = first;
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

}  // namespace

Findings supervisor(const Patient& patient) {
  if (patient.client) {
    return {{Verdict::ok, fmt::format("a supervisor answers at {}", patient.socket.path)}};
  }
  const Error& refusal = *patient.refusal;
  if (refusal.code() != Code::unavailable || !patient.has_socket) {
    if (!patient.has_socket) return {};  // the socket has been found missing already
    return {{Verdict::broken, refusal.summary(), refusal.why(), refusal.hint()}};
  }
  return {{patient.may_start ? Verdict::warning : Verdict::broken,
           fmt::format("nobody listens at {}", patient.socket.path),
           "the socket is stale: its supervisor and its keeper were killed",
           patient.may_start ? "nothing: the first use replaces it"
                             : fmt::format("start one, which replaces it: spillringd --socket {}",
                                           patient.socket.path)}};
}

Findings versions(const Patient& patient) {
  if (!patient.client) return {};  // one of another version has been found by `supervisor`
  return {{Verdict::ok, fmt::format("both sides speak protocol {} and layout {}", protocol_version,
                                    layout_version)}};
}

Findings processes(const Patient& patient) {
  if (!patient.client && patient.refusal->code() != Code::timeout) return {};
  return both(look_at("supervisor", patient.processes.supervisor),
              look_at("keeper", patient.processes.keeper));
}

Findings descriptors(const Patient& patient) {
  if (!patient.client) return {};
  return both(use_of("supervisor", patient.processes.supervisor),
              use_of("keeper", patient.processes.keeper));
}

}  // namespace spillring::diagnosis
