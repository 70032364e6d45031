// A value, or the code of why there is none. The hot path's way to fail.
#pragma once

#include <optional>
#include <utility>

#include "spillring/error.hpp"

namespace spillring {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Code code) noexcept : code_(code) {}    // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return value_.has_value(); }
  /// `Code::ok` if there is a value.
  [[nodiscard]] Code error() const noexcept { return code_; }

  /// REQUIRES: there is a value.
  T& operator*() & noexcept { return *value_; }
  const T& operator*() const& noexcept { return *value_; }
  T&& operator*() && noexcept { return *std::move(value_); }
  T* operator->() noexcept { return &*value_; }
  const T* operator->() const noexcept { return &*value_; }

  /// The value; throws `Error` where there is none.
  T& value() & {
    if (!value_) throw Error(code_);
    return *value_;
  }
  T value() && {
    if (!value_) throw Error(code_);
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
  Code code_ = Code::ok;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() noexcept = default;
  Result(Code code) noexcept : code_(code) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return code_ == Code::ok; }
  [[nodiscard]] Code error() const noexcept { return code_; }
  /// Throws `Error` unless it succeeded.
  void value() const {
    if (code_ != Code::ok) throw Error(code_);
  }

 private:
  Code code_ = Code::ok;
};

}  // namespace spillring
