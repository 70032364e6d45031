#include "client/expiry.hpp"

#include "os/clock.hpp"

namespace spillring::client {

bool is_over(const layout::Expiry& expiry, std::uint64_t timestamp, std::uint64_t boot) noexcept {
  // The tick lies behind the clock that `at` was read from: nothing is over too early.
  if (expiry.boot == boot) return os::tick() >= expiry.at;
  const std::uint64_t now = os::wall_clock();
  return now >= timestamp && now - timestamp >= expiry.ttl;
}

}  // namespace spillring::client
