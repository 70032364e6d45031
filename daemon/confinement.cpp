// A list of what is refused, not of what is allowed: what the C library calls changes from one
// release to the next, and a daemon that dies of that would be no safer. The unit of systemd allows
// less (packaging/systemd).
#include "confinement.hpp"

#include <seccomp.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "os/failure.hpp"

namespace spillring::daemon {

namespace {

struct Release {
  void operator()(void* filter) const noexcept { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

void require(int result) {
  if (result != 0) os::fail("the daemon cannot be confined", -result, "");
}

constexpr int refused[] = {
    // other processes
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp),
    SCMP_SYS(process_madvise),
#ifndef __SANITIZE_ADDRESS__  // its search for leaks needs it
    SCMP_SYS(ptrace),
#endif
    // who one is, and where
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
    SCMP_SYS(capset), SCMP_SYS(chroot), SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(keyctl),
    SCMP_SYS(add_key), SCMP_SYS(request_key),
    // the machine
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(open_tree),
    SCMP_SYS(move_mount), SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
    SCMP_SYS(mount_setattr), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(reboot),
    SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(delete_module), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(acct),
    SCMP_SYS(quotactl), SCMP_SYS(syslog), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    // ways into the kernel that have been many
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(open_by_handle_at),
    SCMP_SYS(lookup_dcookie), SCMP_SYS(personality), SCMP_SYS(modify_ldt)};

}  // namespace

void confine() {
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (filter == nullptr) require(-ENOMEM);
  constexpr std::uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
  for (const int call : refused) require(seccomp_rule_add(filter.get(), refuse, call, 0));
  constexpr scmp_arg_cmp not_unix{0, SCMP_CMP_NE, AF_UNIX, 0};
  require(seccomp_rule_add(filter.get(), refuse, SCMP_SYS(socket), 1, not_unix));
  require(seccomp_load(filter.get()));
}

}  // namespace spillring::daemon
