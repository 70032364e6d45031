#include "os/kernel.hpp"

#include <cpuid.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "os/memory.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "spillring/error.hpp"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace spillring::os {

namespace {

/// A call without which nothing here works. Asked for something that it refuses: a kernel that has
/// it says EINVAL, EBADF or EFAULT.
struct Call {
  const char* name;
  const char* since;
  long (*ask)();
};

constexpr int nowhere = -1;
constexpr unsigned nonsense = ~0U;

constexpr std::array needed{
    Call{"memfd_create", "3.17", [] { return ::syscall(SYS_memfd_create, "", nonsense); }},
    Call{"fallocate", "2.6.23", [] { return ::syscall(SYS_fallocate, nowhere, 0, 0, 0); }},
    Call{"pidfd_open", "5.3", [] { return ::syscall(SYS_pidfd_open, nowhere, 0); }},
    Call{"pidfd_send_signal", "5.1",
         [] { return ::syscall(SYS_pidfd_send_signal, nowhere, 0, nullptr, 0); }},
    Call{"getrandom", "3.17", [] { return ::syscall(SYS_getrandom, nullptr, 0, nonsense); }},
    Call{"epoll_create1", "2.6.27", [] { return ::syscall(SYS_epoll_create1, nonsense); }},
    Call{"eventfd2", "2.6.27", [] { return ::syscall(SYS_eventfd2, 0, nonsense); }},
    Call{"inotify_init1", "2.6.27", [] { return ::syscall(SYS_inotify_init1, nonsense); }},
    Call{"accept4", "2.6.28", [] { return ::syscall(SYS_accept4, nowhere, nullptr, nullptr, 0); }},
};

}  // namespace

void require_calls() {
  for (const Call& call : needed) {
    if (call.ask() >= 0 || (errno != ENOSYS && errno != EPERM)) continue;
    const bool forbidden = errno == EPERM;
    throw Error(Code::unsupported,
                fmt::format("this kernel does not {} {}", forbidden ? "permit" : "have", call.name),
                fmt::format("it came with Linux {}; this is {}, which, or a filter of system calls "
                            "here, {} it",
                            call.since, kernel_release(), forbidden ? "forbids" : "does not know"),
                "run it on a newer kernel, or where its system calls are permitted");
  }
}

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? names.release : "unknown";
}

bool gives_pidfd_of_peer() {
  const auto ends = socket_pair();
  return static_cast<bool>(kernel_pidfd_of_peer(ends.first));
}

bool waits_for_several_futexes() noexcept {
  // A wait for none is refused, by a kernel that knows what was asked.
  return ::syscall(SYS_futex_waitv, nullptr, 0, 0, nullptr, 0) >= 0 || errno != ENOSYS;
}

bool populates_pages() {
  void* page =
      ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  const bool populated = ::madvise(page, page_size, MADV_POPULATE_WRITE) == 0;
  ::munmap(page, page_size);
  return populated;
}

bool swaps_sixteen_bytes() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_CMPXCHG16B) != 0;
}

bool in_first_pid_namespace() {
  constexpr const char* first = "pid:[4026531836]";  // PROC_PID_INIT_INO of the kernel's interface
  std::error_code error;
  const auto name = std::filesystem::read_symlink("/proc/self/ns/pid", error);
  return error || name == first;
}

}  // namespace spillring::os
