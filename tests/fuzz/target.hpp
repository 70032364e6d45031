// What the fuzz targets share. A target is a function that takes any bytes and leads production
// code through them; it ends the process where a promise is broken, and the fuzzer keeps the bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace spillring::fuzz {

using Bytes = std::span<const std::byte>;

/// What has to hold whatever the bytes are.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violation: %s\n", what);
  std::abort();
}

/// All of `inner` lies in `outer`. An empty one lies anywhere.
inline bool is_within(Bytes inner, Bytes outer) {
  const auto at = [](const std::byte* address) {
    return reinterpret_cast<std::uintptr_t>(address);
  };
  return inner.empty() || (at(inner.data()) >= at(outer.data()) &&
                           at(inner.data()) + inner.size() <= at(outer.data()) + outer.size());
}

inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Looks at every byte, so that a view of what is not there is noticed.
inline void touch(Bytes bytes) {
  unsigned sum = 0;
  for (const std::byte byte : bytes) sum += std::to_integer<unsigned>(byte);
  asm volatile("" : : "r"(sum));
}

/// Takes numbers and runs of bytes from an input; behind its end there are zeros, and nothing.
class Input {
 public:
  explicit Input(Bytes bytes) : left_(bytes) {}

  template <typename T>
  T number() {
    T value{};
    const Bytes bytes = run(sizeof value);
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  /// At most `size` bytes.
  Bytes run(std::size_t size) {
    const Bytes taken = left_.first(std::min(size, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  /// A run whose size, below 256, comes before it.
  Bytes sized_run() { return run(number<std::uint8_t>()); }
  std::string text() { return text_of(sized_run()); }
  Bytes rest() { return run(left_.size()); }
  [[nodiscard]] bool done() const { return left_.empty(); }

 private:
  Bytes left_;
};

/// Writes into `memory`, at a place, of a width and of a value that the input says: any, one that
/// is near to what was there, or one of those at which code makes mistakes. False: there is no
/// room for it.
inline void forge(Input& in, std::span<std::byte> memory) {
  const std::uint8_t how = in.number<std::uint8_t>();
  const std::size_t width = std::size_t{1} << (how & 3U);
  const std::uint64_t place = in.number<std::uint32_t>();
  if (memory.size() < width) return;
  // As a rule a whole word.
  std::uint64_t at = place % (memory.size() - width + 1);
  if ((how & 4U) == 0) at -= at % width;
  std::uint64_t value = 0;
  std::memcpy(&value, memory.data() + at, width);
  switch (how >> 6U) {
    case 0:
      value += static_cast<std::uint64_t>(std::int64_t{in.number<std::int8_t>()});
      break;
    case 1:
      value ^= std::uint64_t{1} << (in.number<std::uint8_t>() & 63U);
      break;
    case 2:
      value = std::uint64_t{0} - in.number<std::uint8_t>();
      break;
    default: {
      const Bytes bytes = in.run(width);
      value = 0;
      if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    }
  }
  std::memcpy(memory.data() + at, &value, width);
}

// One file each.
void answers(Bytes input);
void arguments(Bytes input);
void catalogue(Bytes input);
void configuration(Bytes input);
void envelope(Bytes input);
void journal(Bytes input);
void message(Bytes input);
void names(Bytes input);
void quantities(Bytes input);
void requests(Bytes input);
void ring(Bytes input);

}  // namespace spillring::fuzz
