// What threads may see of one another's words: an operational model of C++'s memory orders.
//
// Each word has its history: the messages that were stored to it, in the order in which they were.
// Each thread has a view: for each word the oldest message that it may still read. To read a
// message raises the view to it; to acquire it joins the view that its writer released with it. So
// a load has a choice wherever its order leaves one, and what is stored without a release does not
// bring along what was stored before: both as C++ says, whatever this processor does.
//
//   seq_cst       besides, no older than the last seq_cst store to the word, or what a thread saw
//                 before a seq_cst fence that came first
//   the pair      (lock cmpxchg16b) is such a fence
//   plain bytes   (payloads) have no history: to read one that is not the newest in one's view, or
//                 to write one that somebody may still be reading, is a race, and an error
//
// Stronger than C++ in two ways: a store always comes last in its word's history, and nobody reads
// what is stored later (so there is no load buffering, which x86-64 and gcc do not do either).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace explore {

inline constexpr unsigned most_roles = 6;
inline constexpr unsigned most_places = 256;  // written words and plain units of one scenario

/// A stamp for each place; the first are the roles' own clocks.
struct alignas(16) View {
  std::array<std::uint16_t, most_places> at;
  void clear(unsigned places) noexcept;
  void join(const View& other, unsigned places) noexcept;
};

/// What a thread knows.
struct Knowledge {
  View now;
  View released;  // before its last release fence: goes with its relaxed stores
  View pending;   // came with its relaxed loads: its next acquire fence joins it
};

class Memory {
 public:
  /// Words lie in [base, base + size).
  Memory(std::byte* base, std::size_t size);

  /// Forgets everything: another scenario.
  void clear();
  /// All words and units as they were when they were first met.
  void begin() noexcept;

  /// How many older messages than the newest a load of `at` may find.
  [[nodiscard]] unsigned older(const Knowledge& who, const void* at,
                               std::memory_order order) const noexcept;
  /// Reads the message that is `back` older than the newest. `stamp`: which one that was.
  std::uint64_t read(Knowledge& who, const void* at, unsigned size, std::memory_order order,
                     unsigned back, std::uint16_t& stamp) noexcept;
  /// Stores. `of_rmw`: to the message read just before, whose release goes on with this one.
  std::uint16_t write(Knowledge& who, void* at, unsigned size, std::uint64_t value,
                      std::memory_order order, bool of_rmw) noexcept;
  void fence(Knowledge& who, std::memory_order order) noexcept;

  /// Without a thread: before an execution, or after it.
  static std::uint64_t peek(const void* at, unsigned size) noexcept;
  void poke(void* at, unsigned size, std::uint64_t value) noexcept;
  /// From now on what poke() changes is taken back by begin().
  void remember() noexcept { remembers_ = true; }

  // -- plain bytes, in units of a cache line; false: a race
  void alias(const std::byte* begin, std::size_t size) noexcept;  // twice in a row
  bool plain_write(Knowledge& who, unsigned role, const std::byte* at, std::size_t size,
                   std::uint64_t tag) noexcept;
  bool plain_read(Knowledge& who, unsigned role, const std::byte* at, std::size_t size,
                  std::uint64_t& tag) noexcept;
  void plain_poke(const std::byte* at, std::size_t size, std::uint64_t tag) noexcept;
  std::uint64_t plain_peek(const std::byte* at) noexcept;

  [[nodiscard]] unsigned places() const noexcept { return places_; }
  [[nodiscard]] std::uint64_t fences() const noexcept { return fences_; }
  [[nodiscard]] bool exhausted() const noexcept { return exhausted_; }
  void fence_hash(std::uint64_t hash) noexcept { fences_ = fences_ * 0x9E3779B97F4A7C15 + hash; }

 private:
  struct Message {
    std::uint64_t value;
    std::uint32_t before;
    std::uint16_t stamp;
    View view;
  };
  struct Word {
    void* at;
    unsigned size;
    std::uint64_t initial;
    std::uint16_t place;
    std::uint32_t newest;
  };
  struct Unit {
    std::uintptr_t line;
    std::uint16_t place;
    std::uint16_t stamp;
    std::uint64_t tag;
    std::uint64_t initial;
    std::array<std::uint16_t, most_roles> reads;
  };
  [[nodiscard]] Word* find(const void* at) const noexcept;
  Word& found_or_made(void* at, unsigned size) noexcept;
  Unit& unit(std::uintptr_t line) noexcept;
  [[nodiscard]] std::uintptr_t line_of(const std::byte* at) const noexcept;
  std::uint16_t new_place() noexcept;
  Message& new_message() noexcept;
  void begin(Word& word) noexcept;

  std::byte* base_;
  std::size_t size_;
  std::vector<std::uint16_t> index_;  // of the words, by four bytes; 0: not written so far
  std::vector<Word> words_;
  std::vector<Unit> units_;
  std::vector<Message> pool_;
  std::uint32_t used_ = 0;
  unsigned places_ = most_roles;
  View sc_{};
  std::uint64_t fences_ = 0;
  bool remembers_ = false;
  bool exhausted_ = false;
  struct Alias {
    const std::byte* begin;
    std::size_t size;
  };
  std::vector<Alias> aliases_;
};

}  // namespace explore
