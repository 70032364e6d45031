// Has a running process fail at one system call: `refuse CALL CHOICE PROCESS`.
//
// Counts what all of its threads call from now on, of those that can fail for want of memory, of
// descriptors, or of a disk that works; the CALLth is not carried out, and returns the error that
// CHOICE stands for. Prints an empty object when it counts, and when it gets SIGTERM which
// there were, with how many errors, which one failed with what, and how the process ended, if it
// has. Then the process goes on by itself.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <vector>

#include "traced.hpp"

namespace {

using namespace traced;

struct Call {
  const char* name;
  std::vector<int> errors;
};

const std::map<long, Call> calls{
    {SYS_openat, {"openat", {EMFILE, ENOSPC, EIO}}},
    {SYS_read, {"read", {EIO}}},
    {SYS_pread64, {"pread64", {EIO}}},
    {SYS_write, {"write", {ENOSPC, EIO}}},
    {SYS_writev, {"writev", {ENOSPC, EIO}}},
    {SYS_pwrite64, {"pwrite64", {ENOSPC, EIO}}},
    {SYS_pwritev, {"pwritev", {ENOSPC, EIO}}},
    {SYS_fsync, {"fsync", {EIO, ENOSPC}}},
    {SYS_fdatasync, {"fdatasync", {EIO, ENOSPC}}},
    {SYS_sync_file_range, {"sync_file_range", {EIO}}},
    {SYS_ftruncate, {"ftruncate", {EIO, ENOSPC}}},
    {SYS_fallocate, {"fallocate", {ENOSPC, EIO}}},
    {SYS_newfstatat, {"newfstatat", {ENOMEM, EIO}}},
    {SYS_statx, {"statx", {ENOMEM, EIO}}},
    {SYS_fstatfs, {"fstatfs", {EIO}}},
    {SYS_statfs, {"statfs", {EIO}}},
    {SYS_getdents64, {"getdents64", {EIO}}},
    {SYS_readlink, {"readlink", {ENOMEM}}},
    {SYS_rename, {"rename", {ENOSPC, EIO}}},
    {SYS_renameat2, {"renameat2", {ENOSPC, EIO}}},
    {SYS_unlink, {"unlink", {EIO}}},
    {SYS_unlinkat, {"unlinkat", {EIO}}},
    {SYS_rmdir, {"rmdir", {EIO}}},
    {SYS_mkdir, {"mkdir", {ENOSPC, EIO}}},
    {SYS_mmap, {"mmap", {ENOMEM}}},
    {SYS_mprotect, {"mprotect", {ENOMEM}}},
    {SYS_mremap, {"mremap", {ENOMEM}}},
    {SYS_memfd_create, {"memfd_create", {EMFILE, ENOMEM}}},
    {SYS_eventfd2, {"eventfd2", {EMFILE, ENOMEM}}},
    {SYS_epoll_create1, {"epoll_create1", {EMFILE, ENOMEM}}},
    {SYS_timerfd_create, {"timerfd_create", {EMFILE, ENOMEM}}},
    {SYS_epoll_ctl, {"epoll_ctl", {ENOMEM, ENOSPC}}},
    {SYS_pidfd_open, {"pidfd_open", {EMFILE, ENOMEM}}},
    {SYS_dup, {"dup", {EMFILE}}},
    {SYS_fcntl, {"fcntl", {EMFILE}}},
    {SYS_socket, {"socket", {EMFILE, ENOMEM}}},
    {SYS_connect, {"connect", {ENOMEM}}},
    {SYS_accept4, {"accept4", {EMFILE, ENFILE, ENOMEM}}},
    {SYS_sendmsg, {"sendmsg", {ENOBUFS, ENOMEM}}},
    {SYS_recvmsg, {"recvmsg", {ENOMEM}}},
    {SYS_clone, {"clone", {EAGAIN}}},
    {SYS_clone3, {"clone3", {EAGAIN}}},
};

volatile sig_atomic_t over = 0;

class Process {
 public:
  Process(pid_t pid, std::uint64_t call, std::uint64_t choice)
      : pid_(pid), wanted_(call), choice_(choice) {}

  void seize() {
    const std::filesystem::path tasks = "/proc/" + std::to_string(pid_) + "/task";
    std::set<pid_t> seized;
    for (bool more = true; more;) {
      more = false;
      for (const auto& task : std::filesystem::directory_iterator(tasks)) {
        const pid_t thread = std::stoi(task.path().filename().string());
        if (!seized.insert(thread).second) continue;
        trace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD);
        trace(PTRACE_INTERRUPT, thread);
        more = true;
      }
    }
  }

  /// Until somebody says that it is enough, and no call is between its beginning and its end.
  void watch() {
    while (over == 0 || failing_ != 0) {
      Stop stop;
      stop.thread = ::waitpid(-1, &stop.status, __WALL);
      if (stop.thread < 0 && errno == EINTR) continue;
      if (stop.thread < 0) return;  // it has ended
      if (!stop.stopped()) {
        if (stop.thread == pid_) ended_ = stop.status;
        if (stop.thread == failing_) failing_ = 0;
        continue;
      }
      try {
        if (stop.call()) look_at_call(stop.thread);
        trace(PTRACE_SYSCALL, stop.thread, 0, stop.signal());
      } catch (const Missed&) {  // one that is dying
      }
    }
  }

  void report() const {
    std::printf("{\"refused\": \"%s\", \"error\": %d, \"ended\": %d, \"seen\": [", name_, error_,
                ended_);
    const char* separator = "";
    for (const Call* call : seen_) {
      std::printf("%s[\"%s\", %zu]", separator, call->name, call->errors.size());
      separator = ", ";
    }
    std::printf("]}\n");
  }

 private:
  void look_at_call(pid_t thread) {
    __ptrace_syscall_info info{};
    trace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, std::bit_cast<Word>(&info));
    if (info.op == PTRACE_SYSCALL_INFO_EXIT && thread == failing_) {
      set(thread, offsetof(user_regs_struct, rax), static_cast<Word>(-static_cast<long>(error_)));
      failing_ = 0;
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !may_fail(info)) return;
    const Call& call = calls.at(static_cast<long>(info.entry.nr));
    seen_.push_back(&call);
    if (seen_.size() != wanted_) return;
    name_ = call.name;
    error_ = call.errors[choice_ % call.errors.size()];
    failing_ = thread;
    set(thread, system_call, static_cast<Word>(-1));
  }

  [[nodiscard]] bool may_fail(const __ptrace_syscall_info& info) const {
    const auto number = static_cast<long>(info.entry.nr);
    if (number == SYS_epoll_ctl) return info.entry.args[1] == EPOLL_CTL_ADD;
    if (number == SYS_fcntl) return info.entry.args[1] == F_DUPFD_CLOEXEC;
    if (number == SYS_read || number == SYS_write) return is_file(info.entry.args[0]);
    return calls.contains(number);
  }

  /// Counters and pipes do not fail for such reasons.
  [[nodiscard]] bool is_file(std::uint64_t fd) const {
    const std::string self = "/proc/" + std::to_string(pid_) + "/fd/" + std::to_string(fd);
    std::error_code unreadable;
    return std::filesystem::read_symlink(self, unreadable).string().starts_with('/');
  }

  pid_t pid_;
  std::uint64_t wanted_;
  std::uint64_t choice_;
  std::vector<const Call*> seen_;
  pid_t failing_ = 0;  // the thread whose call is not carried out
  const char* name_ = "";
  int error_ = 0;
  int ended_ = 0;  // as wait() says it
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fputs("usage: refuse CALL CHOICE PROCESS\n", stderr);
    return 64;
  }
  struct sigaction action = {};
  action.sa_handler = [](int) { over = 1; };  // without SA_RESTART: it ends a wait
  ::sigaction(SIGTERM, &action, nullptr);
  Process process(std::stoi(argv[3]), std::stoull(argv[1]), std::stoull(argv[2]));
  process.seize();
  std::puts("{}");
  std::fflush(stdout);
  process.watch();
  process.report();
  return 0;
} catch (const traced::Missed&) {
  std::fputs("refuse: the process was not there any more\n", stderr);
  return 1;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "refuse: %s\n", failure.what());
  return 1;
}
