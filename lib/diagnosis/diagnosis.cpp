#include "spillring/diagnosis.hpp"

#include "diagnosis/checks.hpp"

namespace spillring {

namespace {

struct Check {
  const char* name;
  diagnosis::Findings (*look)(const diagnosis::Patient&);
};

// In the order in which they are read: what one finds explains what those below it find.
constexpr Check checks[] = {
    {"kernel", diagnosis::kernel},
    {"sealed-memory", diagnosis::sealed_memory},
    {"pidfd", diagnosis::pidfd},
    {"peer-pidfd", diagnosis::pidfd_of_peer},
    {"futex-waitv", diagnosis::several_futexes},
    {"populate", diagnosis::populated_pages},
    {"cmpxchg16b", diagnosis::sixteen_bytes},
    {"pid-namespace", diagnosis::pid_namespace},
    {"memory", diagnosis::memory},
    {"overcommit", diagnosis::overcommit},
    {"open-files", diagnosis::open_files},
    {"file-size", diagnosis::file_size},
    {"locked-memory", diagnosis::locked_memory},
    {"program", diagnosis::program},
    {"directory", diagnosis::directory},
    {"socket", diagnosis::socket},
    {"lock", diagnosis::lock},
    {"supervisor", diagnosis::supervisor},
    {"versions", diagnosis::versions},
    {"processes", diagnosis::processes},
    {"descriptors", diagnosis::descriptors},
    {"queues", diagnosis::queues},
};

/// A check that fails itself has found something, too.
diagnosis::Findings findings_of(const Check& check, const diagnosis::Patient& patient) {
  try {
    return check.look(patient);
  } catch (const Error& error) {
    return {{Verdict::broken, error.summary(), error.why(), error.hint()}};
  }
}

}  // namespace

std::vector<Finding> diagnose(const ConnectOptions& options) {
  const diagnosis::Patient patient(options);
  std::vector<Finding> all;
  for (const Check& check : checks) {
    for (Finding& finding : findings_of(check, patient)) {
      finding.check = check.name;
      all.push_back(std::move(finding));
    }
  }
  return all;
}

}  // namespace spillring
