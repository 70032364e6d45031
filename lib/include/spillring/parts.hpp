// The messages in a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

namespace spillring {

/// Those of an atomic batch, in the order in which they were sent; of any other message itself, as
/// the only one. A view, of the lifetime of the message's bytes. Each part is aligned to 8. Where
/// the sender wrote a batch that makes no sense, parts are empty or missing; none lies outside of
/// the message.
class Parts {
 public:
  /// REQUIRES, of a batch: aligned to 4.
  Parts(std::span<const std::byte> payload, bool batch) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// REQUIRES: index < size().
  [[nodiscard]] std::span<const std::byte> operator[](std::size_t index) const noexcept;

  class Iterator {
   public:
    using value_type = std::span<const std::byte>;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Iterator() = default;
    [[nodiscard]] value_type operator*() const noexcept { return (*parts_)[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    Iterator operator++(int) noexcept {
      Iterator before = *this;
      ++index_;
      return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class Parts;
    Iterator(const Parts* parts, std::size_t index) noexcept : parts_(parts), index_(index) {}
    const Parts* parts_ = nullptr;
    std::size_t index_ = 0;
  };
  /// Of this object: it has to outlive them.
  [[nodiscard]] Iterator begin() const noexcept { return {this, 0}; }
  [[nodiscard]] Iterator end() const noexcept { return {this, count_}; }

 private:
  std::span<const std::byte> payload_;
  std::size_t count_ = 1;
  bool batch_ = false;
};

}  // namespace spillring
