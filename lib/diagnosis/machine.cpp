// What the kernel and the processor can do.
#include <fmt/format.h>
#include <unistd.h>

#include "diagnosis/checks.hpp"
#include "os/kernel.hpp"
#include "os/memory.hpp"
#include "os/process.hpp"

namespace spillring::diagnosis {

Findings kernel(const Patient& /*patient*/) {
  return {{Verdict::ok, "Linux " + os::kernel_release()}};
}

Findings sealed_memory(const Patient& /*patient*/) {
  os::check_memory(os::create_memory("spillring:doctor", os::page_size), os::page_size);
  return {{Verdict::ok, "shared memory can be made and sealed (memfd_create)"}};
}

Findings pidfd(const Patient& /*patient*/) {
  static_cast<void>(os::pidfd_of(::getpid()));
  return {{Verdict::ok, "the death of a process is noticed at once (pidfd_open)"}};
}

Findings pidfd_of_peer(const Patient& /*patient*/) {
  if (os::gives_pidfd_of_peer()) {
    return {{Verdict::ok, "the kernel says who is at the other end (SO_PEERPIDFD)"}};
  }
  return {{Verdict::warning, "the kernel gives no pidfd of who is at the other end (SO_PEERPIDFD)",
           "it is found by its process id instead, so clients in a PID namespace that the "
           "supervisor does not see are refused",
           "use Linux 6.5 or newer for clients in containers"}};
}

Findings several_futexes(const Patient& /*patient*/) {
  return {{Verdict::ok, os::waits_for_several_futexes()
                            ? "futex_waitv is there"
                            : "futex_waitv is not there; this version does without it"}};
}

Findings populated_pages(const Patient& /*patient*/) {
  return {{Verdict::ok, os::populates_pages()
                            ? "MADV_POPULATE_WRITE is there"
                            : "MADV_POPULATE_WRITE is not there; pages of queues made with "
                              "prealloc come when they are touched"}};
}

Findings sixteen_bytes(const Patient& /*patient*/) {
  if (os::swaps_sixteen_bytes()) {
    return {{Verdict::ok, "the processor swaps 16 bytes at once (cmpxchg16b)"}};
  }
  return {{Verdict::broken, "the processor cannot swap 16 bytes at once",
           "it has no cmpxchg16b, or a virtual machine hides it: no message can be claimed",
           "give the virtual machine another model of processor"}};
}

Findings pid_namespace(const Patient& /*patient*/) {
  if (os::in_first_pid_namespace()) return {};
  return {{Verdict::ok,
           "this is a PID namespace of its own (a container): process ids are not the host's"}};
}

}  // namespace spillring::diagnosis
