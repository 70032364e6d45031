#include "queue_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "layout/manifest.hpp"
#include "os/memory.hpp"
#include "spillring/error.hpp"
#include "spillring/options.hpp"

namespace spillring::daemon {

namespace {

constexpr std::uint32_t longest_sync_ms = 3'600'000;

}  // namespace

void require(bool condition, const std::string& what, const std::string& why,
             const std::string& hint) {
  if (!condition) throw Error(Code::invalid, what, why, hint);
}

bool is_followed(const layout::Request& options) noexcept {
  return options.durability != 0 || options.retain_ns != 0 || options.retain_bytes != 0;
}

layout::Request checked(layout::Request options, bool has_journal) {
  if (options.full == static_cast<std::uint8_t>(Full::standard)) {
    options.full = static_cast<std::uint8_t>(has_journal ? Full::spill : Full::block);
  }
  require(has_journal || options.full != static_cast<std::uint8_t>(Full::spill),
          "this queue cannot spill", "its supervisor has no state directory to spill to",
          "start it with --state-dir, or take another full policy");
  require(options.durability <= static_cast<std::uint8_t>(Durability::disk), "unknown durability",
          fmt::format("durability {} is not built in this version", options.durability));
  require(options.sync_ms == 0 || options.durability != 0, "this queue syncs nothing",
          "it is not durable, and has no need for a sync interval",
          "create it with durability disk, or leave the sync interval out");
  require(options.sync_ms <= longest_sync_ms || options.sync_ms == layout::sync_never,
          fmt::format("a sync interval of {} ms cannot be had", options.sync_ms),
          fmt::format("it lies between 1 ms and {} ms, or is never", longest_sync_ms));
  require(has_journal || !is_followed(options),
          options.durability != 0 ? "this queue cannot be durable" : "this queue cannot retain",
          "its supervisor has no state directory to write to",
          "start it with --state-dir, or leave durability and retain out");
  require(options.slots >= 1 && options.slots <= layout::max_slots,
          fmt::format("{} slots cannot be had", options.slots),
          fmt::format("slots lie between 1 and {}", layout::max_slots));
  require(options.capacity >= layout::min_capacity && options.capacity <= layout::max_capacity,
          fmt::format("a capacity of {} bytes cannot be had", options.capacity),
          fmt::format("capacities lie between {} and {} bytes", layout::min_capacity,
                      layout::max_capacity));
  require(options.full <= static_cast<std::uint8_t>(Full::drop_oldest), "unknown full policy",
          fmt::format("policy {} is not built in this version", options.full),
          "take block, reject, spill or drop-oldest");
  require(
      options.full != static_cast<std::uint8_t>(Full::drop_oldest) || !is_followed(options),
      options.durability != 0 ? "a durable queue cannot drop its oldest messages"
                              : "a queue that retains cannot drop its oldest messages",
      "all of its messages are kept on the disk, and what is dropped would be there all the same",
      "take full policy spill, or leave durability and retain out");
  require(options.keep <= static_cast<std::uint8_t>(Keep::attached), "unknown keep policy",
          fmt::format("policy {} is not built in this version", options.keep));
  require(options.stall_timeout_ns >= 1'000'000, "the stall timeout is too short",
          "a loan needs at least 1 ms before it may be revoked");
  require(options.lease_ns == 0 || options.lease_ns >= 1'000'000, "the lease is too short",
          "a lease lasts at least 1 ms; 0 means none");
  require(options.ttl_ns == 0 || options.ttl_ns >= 1'000'000, "the ttl is too short",
          "messages are delivered for at least 1 ms; 0 means no matter how long");
  require(options.ttl_ns <= INT64_MAX, "the ttl is too long", "it must fit 63 bits");
  require(options.retain_ns <= INT64_MAX, "the history is too long", "its age must fit 63 bits");
  require(options.group_expiry_ns == 0 || options.group_expiry_ns >= 1'000'000,
          "the groups' expiry is too short",
          "a group stays for at least 1 ms without members; 0 means for good");
  require(options.group_expiry_ns <= INT64_MAX, "the groups' expiry is too long",
          "it must fit 63 bits");
  require(options.max_deliveries <= layout::most_deliveries,
          fmt::format("{} deliveries cannot be had", options.max_deliveries),
          fmt::format("max_deliveries lies between 0, which is without end, and {}",
                      layout::most_deliveries));
  if (!options.dead_letter.view().empty() && options.max_deliveries == 0) {
    options.max_deliveries = layout::default_deliveries;
  }
  options.slots = std::bit_ceil(std::max(options.slots, layout::min_slots));
  options.capacity = os::whole_pages(options.capacity);
  return options;
}

}  // namespace spillring::daemon
