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
  /// Of a batch that is not aligned to 4, as an honest sender's is, there are none.
  Parts(std::span<const std::byte> payload, bool batch) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// REQUIRES: index < size(). Where a sender has forged the table, parts may overlap.
  [[nodiscard]] std::span<const std::byte> operator[](std::size_t index) const noexcept;

  /// Goes on behind what it has shown, so all parts together are at most as long as the payload,
  /// whatever the table says.
  class Iterator {
   public:
    using value_type = std::span<const std::byte>;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Iterator() = default;
    [[nodiscard]] value_type operator*() const noexcept { return part_; }
    Iterator& operator++() noexcept {
      ++index_;
      look();
      return *this;
    }
    Iterator operator++(int) noexcept {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& left, const Iterator& right) noexcept {
      return left.parts_ == right.parts_ && left.index_ == right.index_;
    }

   private:
    friend class Parts;
    Iterator(const Parts* parts, std::size_t index) noexcept : parts_(parts), index_(index) {
      look();
    }
    void look() noexcept;

    const Parts* parts_ = nullptr;
    std::size_t index_ = 0;
    value_type part_;        // the table is read once
    std::size_t shown_ = 0;  // bytes of the payload, up to the end of this part
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
