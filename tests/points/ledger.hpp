// What those who take part in a scenario were told, message by message: in memory that they share,
// so that it outlives each of them. What is about to be asked is written before, what was answered
// after; so what stays "trying" is in doubt, and nothing else is.
#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>

namespace points {

/// What must not happen.
enum class Fault : std::uint8_t {
  lost,      // a message that was sent does not come
  damaged,   // one comes that is not whole, or changes while it is looked at
  ghost,     // one comes that was given up, or never sent
  again,     // one comes again that was acknowledged
  unmarked,  // one comes again, and nothing says so
  disorder,  // a stream sees them in another order than they were sent in
  stuck,     // somebody who goes on is not served
  refused,   // a call of somebody who goes on fails
  count
};
constexpr std::array<const char*, static_cast<std::size_t>(Fault::count)> fault_names = {
    "lost", "damaged", "ghost", "again", "unmarked", "disorder", "stuck", "refused"};

enum class Sent : std::uint8_t { no, trying, yes, never };

struct Fate {
  std::atomic<Sent> sent;
  std::atomic<std::uint8_t> shown;     // deliveries of the last time somebody of the group saw it
  std::atomic<std::uint8_t> acks;      // good ones
  std::atomic<std::uint8_t> trying;    // acknowledgements without an answer
  std::atomic<std::uint8_t> streamed;  // finished by the stream's reader, or about to be
  std::atomic<std::uint16_t> size;
  std::atomic<std::uint32_t> shown_at;  // on the ledger's clock
  std::atomic<std::uint32_t> acked_at;
};

struct Ledger {
  static constexpr std::uint32_t most = 2048;
  std::atomic<std::uint32_t> used;
  std::atomic<std::uint32_t> clock;  // counts what was shown and acknowledged
  std::atomic<std::uint32_t> stale;  // calls that were told so
  std::array<std::atomic<std::uint32_t>, static_cast<std::size_t>(Fault::count)> faults;
  std::array<Fate, most> fates;

  void complain(Fault fault) noexcept { ++faults[static_cast<std::size_t>(fault)]; }
  [[nodiscard]] std::uint32_t complaints() const noexcept {
    std::uint32_t sum = 0;
    for (const auto& fault : faults) sum += fault.load();
    return sum;
  }
};

/// A ledger in memory that forked processes share.
class SharedLedger {
 public:
  SharedLedger()
      : place_(::mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0)) {
    if (place_ == MAP_FAILED) throw std::bad_alloc();
  }
  explicit SharedLedger(const Ledger& copied) : SharedLedger() {
    std::memcpy(place_, static_cast<const void*>(&copied), sizeof copied);
  }
  SharedLedger(const SharedLedger&) = delete;
  SharedLedger& operator=(const SharedLedger&) = delete;
  ~SharedLedger() { ::munmap(place_, sizeof(Ledger)); }

  [[nodiscard]] Ledger& operator*() const noexcept { return *static_cast<Ledger*>(place_); }
  Ledger* operator->() const noexcept { return static_cast<Ledger*>(place_); }

 private:
  void* place_;
};

/// Message `n` of that size: its number, its size, and bytes that follow from both.
inline constexpr std::size_t least_size = 8;

inline std::byte byte_at(std::uint32_t n, std::size_t i) noexcept {
  return static_cast<std::byte>(n * 31 + i * 7 + (i >> 8));
}

inline void fill(std::span<std::byte> bytes, std::uint32_t n) noexcept {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  for (std::size_t i = least_size; i < bytes.size(); ++i) bytes[i] = byte_at(n, i);
  std::memcpy(bytes.data() + sizeof n, &size, sizeof size);
  std::memcpy(bytes.data(), &n, sizeof n);
}

/// Its number; `Ledger::most`: it is not whole.
inline std::uint32_t number_of(std::span<const std::byte> bytes) noexcept {
  std::uint32_t n = 0;
  std::uint32_t size = 0;
  if (bytes.size() < least_size) return Ledger::most;
  std::memcpy(&n, bytes.data(), sizeof n);
  std::memcpy(&size, bytes.data() + sizeof n, sizeof size);
  if (size != bytes.size() || n >= Ledger::most) return Ledger::most;
  for (std::size_t i = least_size; i < bytes.size(); ++i) {
    if (bytes[i] != byte_at(n, i)) return Ledger::most;
  }
  return n;
}

}  // namespace points
