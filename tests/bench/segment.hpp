// Anonymous shared memory for carriers whose processes are forked.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <stdexcept>

namespace spillring::bench {

class Segment {
 public:
  /// Touched in full: no page is missing later.
  explicit Segment(std::size_t size)
      : size_(size),
        at_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE,
                   -1, 0)) {
    if (at_ == MAP_FAILED) throw std::runtime_error("no shared memory");
  }
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment() { ::munmap(at_, size_); }

  [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(at_); }

 private:
  std::size_t size_;
  void* at_;
};

}  // namespace spillring::bench
