// The checks. Each looks at one thing and says what it has found: nothing where there is nothing to
// be said, one finding for each place otherwise.
#pragma once

#include <vector>

#include "diagnosis/patient.hpp"
#include "spillring/diagnosis.hpp"

namespace spillring::diagnosis {

using Findings = std::vector<Finding>;

// -- machine.cpp
Findings kernel(const Patient& patient);
Findings sealed_memory(const Patient& patient);
Findings pidfd(const Patient& patient);
Findings pidfd_of_peer(const Patient& patient);
Findings several_futexes(const Patient& patient);
Findings populated_pages(const Patient& patient);
Findings sixteen_bytes(const Patient& patient);
Findings pid_namespace(const Patient& patient);

// -- limits.cpp
Findings memory(const Patient& patient);
Findings overcommit(const Patient& patient);
Findings open_files(const Patient& patient);
Findings file_size(const Patient& patient);
Findings locked_memory(const Patient& patient);

// -- place.cpp
Findings program(const Patient& patient);
Findings directory(const Patient& patient);
Findings socket(const Patient& patient);
Findings lock(const Patient& patient);

// -- supervisor.cpp
Findings supervisor(const Patient& patient);
Findings versions(const Patient& patient);
Findings processes(const Patient& patient);
Findings descriptors(const Patient& patient);

// -- queues.cpp
Findings queues(const Patient& patient);

}  // namespace spillring::diagnosis
