// Whether a message's time is over: of a descriptor in a ring, or an entry in the journal.
#pragma once

#include <algorithm>
#include <cstdint>

#include "layout/ring.hpp"
#include "spillring/options.hpp"

namespace spillring::client {

/// Each field loaded once: a producer may write there whatever it likes.
template <typename Head>
[[nodiscard]] layout::Expiry expiry_of(const Head& head) noexcept {
  const auto once = [](const auto& field) { return __atomic_load_n(&field, __ATOMIC_RELAXED); };
  return {once(head.expiry.at), once(head.expiry.boot), once(head.expiry.ttl)};
}

template <typename Head>
[[nodiscard]] bool expires(const Head& head) noexcept {
  return (__atomic_load_n(&head.flags, __ATOMIC_RELAXED) & layout::expires) != 0;
}

/// `boot`: the present one. The monotonic clock decides while the machine runs; what was sent
/// before it was started last is judged by the wall clock, which alone has seen the time between.
[[nodiscard]] bool is_over(const layout::Expiry& expiry, std::uint64_t timestamp,
                           std::uint64_t boot) noexcept;

/// Apart, so that what has no time pays for nothing of it. REQUIRES: expires(head).
template <typename Head>
[[nodiscard, gnu::noinline, gnu::cold]] bool is_past(const Head& head,
                                                     const std::uint64_t& boot) noexcept {
  return is_over(expiry_of(head), __atomic_load_n(&head.timestamp, __ATOMIC_RELAXED), boot);
}

template <typename Head>
[[nodiscard]] bool is_over(const Head& head, const std::uint64_t& boot) noexcept {
  return expires(head) && is_past(head, boot);
}

/// What it was sent with; zero: nothing.
template <typename Head>
[[nodiscard]] Timeout ttl_of(const Head& head) noexcept {
  if (!expires(head)) return no_wait;
  return Timeout(std::min<std::uint64_t>(expiry_of(head).ttl, INT64_MAX));
}

}  // namespace spillring::client
