// A queue of small things in one piece of memory, which it keeps: std::deque takes four times as
// many instructions for what a consumer does with every message.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace spillring::client {

template <typename T>
class Row {
  static_assert(std::is_trivially_copyable_v<T>, "items are moved as bytes");

 public:
  Row() = default;
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;

  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  /// Items that there is memory for.
  [[nodiscard]] std::size_t capacity() const noexcept { return count(memory_.data(), limit_); }
  [[nodiscard]] std::size_t size() const noexcept { return count(begin_, end_); }

  [[nodiscard]] T* begin() noexcept { return begin_; }
  [[nodiscard]] T* end() noexcept { return end_; }
  [[nodiscard]] const T* begin() const noexcept { return begin_; }
  [[nodiscard]] const T* end() const noexcept { return end_; }

  // REQUIRES: !empty()
  [[nodiscard]] T& front() noexcept { return *begin_; }
  [[nodiscard]] const T& front() const noexcept { return *begin_; }
  [[nodiscard]] T& back() noexcept { return *(end_ - 1); }
  [[nodiscard]] const T& back() const noexcept { return *(end_ - 1); }

  void push_back(const T& item) {
    if (end_ == limit_) [[unlikely]]
      return insert(end_, item);
    *end_++ = item;
  }
  void insert(T* at, const T& item) {
    const T copy = item;  // it may be one of these
    if (begin_ != memory_.data() && at == begin_) {
      *--begin_ = copy;
      return;
    }
    const std::size_t place = count(begin_, at);
    if (end_ == limit_) make_room();
    at = begin_ + place;
    std::copy_backward(at, end_, end_ + 1);
    *at = copy;
    ++end_;
  }
  void pop_front() noexcept {
    if (++begin_ == end_) clear();
  }
  void pop_back() noexcept {
    if (begin_ == --end_) clear();
  }
  void clear() noexcept { begin_ = end_ = memory_.data(); }

 private:
  static std::size_t count(const T* from, const T* to) noexcept {
    return static_cast<std::size_t>(to - from);
  }
  // What has left at the front is used again before more memory is. Every item is moved at most
  // once for each one that has left, as at least half have; or for each that there is.
  [[gnu::noinline]] void make_room() {
    const std::size_t size = this->size();
    if (const std::size_t now = capacity(); now != 0 && size <= now / 2) {
      std::copy(begin_, end_, memory_.data());
    } else {
      const std::size_t more = std::max<std::size_t>(8, 2 * now);
      std::vector<T> memory(more);
      std::copy(begin_, end_, memory.data());
      memory_ = std::move(memory);
      limit_ = memory_.data() + more;
    }
    begin_ = memory_.data();
    end_ = begin_ + size;
  }

  std::vector<T> memory_;
  T* begin_ = nullptr;  // items before it have left
  T* end_ = nullptr;
  T* limit_ = nullptr;
};

}  // namespace spillring::client
