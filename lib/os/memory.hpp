// Shared memory: sealed memfds and their mappings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "os/fd.hpp"

namespace spillring::os {

inline constexpr std::size_t page_size = 4096;
constexpr std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + page_size - 1) / page_size * page_size;
}

/// Makes a memfd of `size` bytes (whole pages), all of them allocated, so that no later access can
/// run out of memory (SIGBUS); mode 0600, so that who was handed a read-only descriptor cannot open
/// it for writing through /proc; sealed against shrinking and growing.
/// Throws `Error` (no_memory, busy).
Fd create_memory(const std::string& name, std::size_t size);

/// A text to be handed to another process; it has no byte zero. Throws `Error`.
Fd create_text(const std::string& name, const std::string& text);
/// What it says. Throws `Error`.
std::string read_text(const Fd& memory);

/// The same memory through a descriptor that can only read.
Fd reopen_read_only(const Fd& memory);

/// Throws `Error` (corrupt) unless `memory` has exactly `size` bytes and the seals of
/// `create_memory`. To be asked before mapping: what is mapped past the end raises SIGBUS.
void check_memory(const Fd& memory, std::size_t size);

/// The inode, which names the memory in /proc/PID/maps.
std::uint64_t inode_of(const Fd& memory);

enum class Rights : std::uint8_t { read, read_write };

/// A mapped segment. Not inherited by fork; a child's copy of the object does nothing.
class Mapping {
 public:
  Mapping() noexcept;
  /// Maps `size` bytes of `memory`. Throws `Error`.
  Mapping(const Fd& memory, std::size_t size, Rights rights);
  /// Maps `head + tail` bytes, and the `tail` once more right behind, so that a range that begins
  /// in the tail may run over its end. REQUIRES: both are whole pages.
  Mapping(const Fd& memory, std::size_t head, std::size_t tail, Rights rights);
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  /// Brings each page of it into this process's table at once, so that nobody who touches one for
  /// the first time waits for the kernel. Some 0.2 s for a GiB. Where it cannot be done (before
  /// Linux 5.14), each comes when it is touched.
  void populate() const noexcept;

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  template <typename T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(data_);
  }

 private:
  struct Regions;
  struct Unmap;
  template <typename... Range>
  static std::shared_ptr<Regions> map(const Fd& memory, Rights rights, Range... range);
  std::shared_ptr<Regions> regions_;
  std::byte* data_ = nullptr;
};

}  // namespace spillring::os
