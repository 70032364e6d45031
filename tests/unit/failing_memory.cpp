// The global operator new of the unit tests.
#include "failing_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> is_armed{false};
std::atomic<int> allocations_left{-1};
thread_local bool is_spared = false;

bool fails_now() noexcept {
  return is_armed.load(std::memory_order_relaxed) && !is_spared &&
         allocations_left.fetch_sub(1, std::memory_order_relaxed) == 0;
}

}  // namespace

namespace spillring::failing_memory {

void arm(int left) noexcept {
  is_spared = true;
  allocations_left = left;
  is_armed = true;
}

bool disarm() noexcept {
  is_armed = false;
  is_spared = false;
  return allocations_left < 0;
}

}  // namespace spillring::failing_memory

void* operator new(std::size_t size) {
  void* const memory = fails_now() ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
