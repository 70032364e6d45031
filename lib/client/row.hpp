// A queue of small things in one piece of memory, which it keeps: std::deque takes four times as
// many instructions for what a consumer does with every message.
#pragma once

#include <cstddef>
#include <vector>

namespace spillring::client {

template <typename T>
class Row {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == items_.size(); }
  /// Items that there is memory for.
  [[nodiscard]] std::size_t capacity() const noexcept { return items_.capacity(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size() - first_; }

  [[nodiscard]] T* begin() noexcept { return items_.data() + first_; }
  [[nodiscard]] T* end() noexcept { return items_.data() + items_.size(); }
  [[nodiscard]] const T* begin() const noexcept { return items_.data() + first_; }
  [[nodiscard]] const T* end() const noexcept { return items_.data() + items_.size(); }

  // REQUIRES: !empty()
  [[nodiscard]] T& front() noexcept { return items_[first_]; }
  [[nodiscard]] const T& front() const noexcept { return items_[first_]; }
  [[nodiscard]] T& back() noexcept { return items_.back(); }
  [[nodiscard]] const T& back() const noexcept { return items_.back(); }

  void push_back(const T& item) {
    // What has left at the front is used again before more memory is.
    if (first_ != 0 && items_.size() == items_.capacity()) close_up();
    items_.push_back(item);
  }
  void insert(T* at, const T& item) {
    if (first_ != 0 && at == begin()) {
      items_[--first_] = item;
      return;
    }
    const std::ptrdiff_t place = at - begin();
    if (first_ != 0 && items_.size() == items_.capacity()) close_up();
    items_.insert(items_.begin() + static_cast<std::ptrdiff_t>(first_) + place, item);
  }
  void pop_front() noexcept {
    if (++first_ == items_.size()) clear();
  }
  void pop_back() noexcept {
    items_.pop_back();
    if (first_ == items_.size()) clear();
  }
  void clear() noexcept {
    items_.clear();
    first_ = 0;
  }

 private:
  // Every item is moved at most once for each one that has left, as long as half have.
  void close_up() {
    if (first_ < items_.size() / 2) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  std::vector<T> items_;
  std::size_t first_ = 0;  // items before it have left
};

}  // namespace spillring::client
