// What messages consist of: words that are the sender's number and rows of a table, and their sum.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace spillring::bench {

/// Word 0 of a message is its stamp: the producer in the highest byte, below it the message's
/// number among those of that producer. The other words are those of the table from row (number %
/// 8) on, a row being 64 bytes. So bytes of another message, or of none, give another sum.
class Payload {
 public:
  static constexpr unsigned producer_shift = 56;

  explicit Payload(std::size_t size) : size_(size), table_(size / word + rows * row) {
    std::uint64_t value = 0x9e3779b97f4a7c15;
    for (std::uint64_t& w : table_) w = value *= 0xd1342543de82ef95;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t w = 1; w < size / word; ++w) sums_[i] += table_[i * row + w];
    }
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  void write(std::byte* to, std::uint64_t stamp) const {
    copy(to, &table_[(stamp % rows) * row]);
    std::memcpy(to, &stamp, word);
  }
  /// The stamp, if this is the whole message; else `damaged`.
  [[nodiscard]] std::uint64_t read(const std::byte* from) const {
    std::uint64_t stamp = 0;
    std::memcpy(&stamp, from, word);
    return sum(from) == sums_[stamp % rows] + stamp ? stamp : damaged;
  }
  static constexpr std::uint64_t damaged = ~std::uint64_t{0};

 private:
  static constexpr std::size_t word = 8;
  static constexpr std::size_t rows = 8;
  static constexpr std::size_t row = 8;  // words

  // The smallest sizes as constants: no call, no loop.
  void copy(std::byte* to, const std::uint64_t* from) const {
    if (size_ == 64) {
      std::memcpy(to, from, 64);
    } else if (size_ == word) {
      std::memcpy(to, from, word);
    } else {
      std::memcpy(to, from, size_);
    }
  }
  [[nodiscard]] std::uint64_t sum(const std::byte* from) const {
    if (size_ == 64) return sum_of(from, 8);
    return sum_of(from, size_ / word);
  }
  static std::uint64_t sum_of(const std::byte* from, std::size_t words) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < words; ++i) {
      std::uint64_t value = 0;
      std::memcpy(&value, from + i * word, word);
      sum += value;
    }
    return sum;
  }

  std::size_t size_;
  std::vector<std::uint64_t> table_;
  std::array<std::uint64_t, rows> sums_{};
};

}  // namespace spillring::bench
