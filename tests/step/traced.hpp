// Processes as ptrace shows them.
#pragma once

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <bit>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace traced {

using Word = std::uintptr_t;

/// What is waited for does not come any more: the process has ended, or the time is up.
struct Missed {};

inline Word trace(int request, pid_t thread, Word address = 0, Word data = 0) {
  errno = 0;
  const long result = ::ptrace(static_cast<__ptrace_request>(request), thread,
                               std::bit_cast<void*>(address), std::bit_cast<void*>(data));
  if (result == -1 && errno == ESRCH) throw Missed();
  if (result == -1 && errno != 0) throw std::system_error(errno, std::generic_category(), "ptrace");
  return static_cast<Word>(result);
}

constexpr std::size_t instruction_pointer = offsetof(user_regs_struct, rip);
constexpr std::size_t stack_pointer = offsetof(user_regs_struct, rsp);
constexpr std::size_t system_call = offsetof(user_regs_struct, orig_rax);

inline Word get(pid_t thread, std::size_t which) { return trace(PTRACE_PEEKUSER, thread, which); }
inline void set(pid_t thread, std::size_t which, Word value) {
  trace(PTRACE_POKEUSER, thread, which, value);
}

/// Exchanges a byte of a stopped thread's program; returns the former one.
inline Word exchange_byte(pid_t thread, Word address, Word byte) {
  constexpr Word low_byte = 0xff;
  const Word word = trace(PTRACE_PEEKTEXT, thread, address);
  trace(PTRACE_POKETEXT, thread, address, (word & ~low_byte) | byte);
  return word & low_byte;
}

/// Why a thread has stopped, or ended.
struct Stop {
  pid_t thread = 0;
  int status = 0;

  [[nodiscard]] bool stopped() const noexcept { return WIFSTOPPED(status); }
  [[nodiscard]] int event() const noexcept { return stopped() ? status >> 16 : 0; }
  /// A breakpoint, or a single step.
  [[nodiscard]] bool trap() const noexcept {
    return stopped() && event() == 0 && WSTOPSIG(status) == SIGTRAP;
  }
  /// The beginning or the end of a system call.
  [[nodiscard]] bool call() const noexcept {
    constexpr int marked = SIGTRAP | 0x80;
    return stopped() && event() == 0 && WSTOPSIG(status) == marked;
  }
  /// The signal that it is about to get.
  [[nodiscard]] Word signal() const noexcept {
    if (!stopped() || event() != 0 || trap() || call()) return 0;
    return static_cast<Word>(WSTOPSIG(status));
  }
};

/// An address as file and offset, the same in each process.
struct Place {
  std::string file;
  Word offset = 0;
};

inline Place place_of(pid_t process, Word address) {
  std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
  std::string line;
  Place place;
  Word base = 0;
  while (std::getline(maps, line)) {
    std::istringstream words(line);
    Word from = 0;
    Word to = 0;
    char dash = 0;
    std::string skipped;
    std::string file;
    words >> std::hex >> from >> dash >> to >> skipped >> skipped >> skipped >> skipped >> file;
    if (file != place.file) base = from;
    place.file = file;
    if (address >= from && address < to) {
      return {std::filesystem::path(file).filename().string(), address - base};
    }
  }
  return {"", address};
}

/// Where a process's program lies.
struct Program {
  Word begin = 0;
  Word end = 0;
  [[nodiscard]] bool contains(Word address) const noexcept {
    return address >= begin && address < end;
  }
};

inline Program program_of(pid_t process) {
  const std::string self = "/proc/" + std::to_string(process);
  const std::string file = std::filesystem::read_symlink(self + "/exe").string();
  std::ifstream maps(self + "/maps");
  Program program;
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with(file)) continue;
    if (program.begin == 0) program.begin = std::stoull(line, nullptr, 16);
    program.end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
  }
  if (program.begin == 0) throw Missed();
  return program;
}

}  // namespace traced
