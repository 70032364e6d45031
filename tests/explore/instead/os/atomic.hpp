// Stands in for lib/os/atomic.hpp: shared words whose every access the explorer schedules, and
// whose orders it takes at their word. As large as what it stands in for, so that layouts stay.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace explore {

std::uint64_t load(const void* at, unsigned size, std::memory_order order) noexcept;
void store(void* at, unsigned size, std::uint64_t value, std::memory_order order) noexcept;
/// As compare_exchange_strong: `expected` becomes what was found.
bool swap(void* at, unsigned size, std::uint64_t& expected, std::uint64_t desired,
          std::memory_order success, std::memory_order failure) noexcept;
/// Returns what was there.
std::uint64_t exchange(void* at, unsigned size, std::uint64_t value,
                       std::memory_order order) noexcept;
std::uint64_t add(void* at, unsigned size, std::uint64_t value, std::memory_order order) noexcept;
void fence(std::memory_order order) noexcept;

}  // namespace explore

namespace spillring::os {

template <typename T>
class Atomic {
  static_assert(std::is_unsigned_v<T>);

 public:
  Atomic() noexcept = default;
  constexpr Atomic(T value) noexcept : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
    return static_cast<T>(explore::load(&value_, sizeof(T), order));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    explore::store(&value_, sizeof(T), value, order);
  }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    return static_cast<T>(explore::exchange(&value_, sizeof(T), value, order));
  }
  T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    return static_cast<T>(explore::add(&value_, sizeof(T), value, order));
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                               std::memory_order failure) noexcept {
    std::uint64_t seen = expected;
    const bool done = explore::swap(&value_, sizeof(T), seen, desired, success, failure);
    expected = static_cast<T>(seen);
    return done;
  }
  bool compare_exchange_strong(T& expected, T desired,
                               std::memory_order order = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, desired, order, of_failure(order));
  }
  // The processors that this runs on never fail one without a reason.
  bool compare_exchange_weak(T& expected, T desired,
                             std::memory_order order = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, desired, order);
  }

 private:
  static constexpr std::memory_order of_failure(std::memory_order order) noexcept {
    if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
    return order == std::memory_order_release ? std::memory_order_relaxed : order;
  }
  T value_;
};

inline void fence(std::memory_order order) noexcept { explore::fence(order); }

}  // namespace spillring::os
