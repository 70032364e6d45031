#include "os/kernel.hpp"

#include <cpuid.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "os/memory.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace spillring::os {

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
