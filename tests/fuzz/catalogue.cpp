// Rows of the catalogue, which is a file that anybody with the rights may have edited: what a queue
// can be, and that what is written is what is read.
#include "daemon/catalogue.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <optional>
#include <tuple>

#include "daemon/queue_options.hpp"
#include "daemon/saved_row.hpp"
#include "layout/last_sequence.hpp"
#include "spillring/error.hpp"
#include "target.hpp"
#include "temporary_directory.hpp"

namespace spillring::fuzz {
namespace {

using daemon::SavedGroup;
using daemon::SavedQueue;

constexpr std::array columns{"owner",
                             "owner_group",
                             "mode",
                             "capacity",
                             "slots",
                             "lease_ns",
                             "ttl_ns",
                             "\"full\"",
                             "keep",
                             "prealloc",
                             "durability",
                             "sync_ms",
                             "retain_ns",
                             "retain_bytes",
                             "exclusive_producer",
                             "next",
                             "base",
                             "skipped",
                             "max_deliveries",
                             "group_expiry_ns",
                             "complete",
                             "base_settled",
                             "stall_timeout_ns"};

/// The catalogue, and another's hand in it.
struct Shelf {
  Shelf() {
    const std::string path = directory.path() / "catalogue";
    catalogue.emplace(path);
    require(sqlite3_open(path.c_str(), &hand) == SQLITE_OK, "a catalogue is a database");
  }
  void edit(const std::string& sql) const {
    sqlite3_exec(hand, sql.c_str(), nullptr, nullptr, nullptr);
  }
  TemporaryDirectory directory;
  std::optional<daemon::Catalogue> catalogue;
  sqlite3* hand = nullptr;
};

Shelf& shelf() {
  static Shelf the;
  return the;
}

std::uint64_t odd_number(Input& in) {
  std::uint64_t value = in.number<std::uint8_t>();
  if (value < 192) return value;
  if (value < 224) value = layout::last_sequence - (value - 192);
  forge(in, std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

SavedGroup group_from(Input& in) {
  SavedGroup group;
  group.name = in.text();
  group.kind = GroupKind{static_cast<std::uint8_t>(in.number<std::uint8_t>() % 3)};
  group.floor = odd_number(in);
  const Bytes standing = in.sized_run();
  for (const std::byte each : standing) {
    group.standing.push_back(std::to_integer<std::uint8_t>(each));
  }
  group.settled = odd_number(in);
  return group;
}

SavedQueue queue_from(Input& in) {
  SavedQueue queue;
  layout::Request& options = queue.options;
  options.capacity = 65536;
  options.slots = 64;
  options.stall_timeout_ns = 1'000'000'000;
  options.full = 2;
  queue.access = {1, 1, 0600};
  const auto how = in.number<std::uint8_t>();
  queue.name = (how & 8U) != 0 ? in.text() : "name";
  queue.id = (how & 16U) != 0 ? odd_number(in) : 1;
  for (unsigned forged = how & 7U; forged != 0; --forged) {
    forge(in, std::as_writable_bytes(std::span(&options, 1))
                  .subspan(offsetof(layout::Request, capacity)));
  }
  if ((how & 32U) != 0) {
    queue.next = odd_number(in);
    queue.base = odd_number(in);
    queue.skipped = odd_number(in);
  }
  if ((how & 64U) != 0) forge(in, std::as_writable_bytes(std::span(&queue.access, 1)));
  queue.complete = (how & 128U) != 0;
  for (int groups = in.number<std::uint8_t>() % 4; groups != 0; --groups) {
    queue.groups.push_back(group_from(in));
  }
  return queue;
}

/// Those of the options that a row has.
auto options_of(const layout::Request& o) {
  return std::tuple(o.capacity, o.slots, o.stall_timeout_ns, o.lease_ns, o.full, o.keep, o.prealloc,
                    o.durability, o.sync_ms, o.retain_ns, o.retain_bytes, o.dead_letter.view(),
                    o.max_deliveries, o.exclusive_producer, o.ttl_ns, o.group_expiry_ns);
}

/// Options that were checked are right, and checking them again changes nothing.
void check_options(const layout::Request& options, bool has_journal) {
  layout::Request once{};
  try {
    once = daemon::checked(options, has_journal);
  } catch (const Error& error) {
    require(error.code() == Code::invalid, "options that cannot be had are invalid");
    return;
  }
  require(options_of(daemon::checked(once, has_journal)) == options_of(once),
          "options that were checked are right");
  require(once.slots >= layout::min_slots && once.slots <= layout::max_slots,
          "there are as many slots as a ring can have");
  require(once.capacity <= layout::max_capacity && once.capacity % layout::page == 0,
          "a capacity is whole pages");
}

bool is_possible(const SavedQueue& queue) {
  try {
    daemon::require_possible(queue);
  } catch (const Error& error) {
    require(error.code() == Code::corrupt && !error.why().empty(), "a damaged row says its field");
    return false;
  }
  require(queue.misfit.empty(), "a number that its type does not have cannot be");
  require(options_of(daemon::checked(queue.options, true)) == options_of(queue.options),
          "the options of a queue that can be are right");
  require(queue.next <= layout::last_sequence, "the next message has a number");
  return true;
}

void require_same(const SavedQueue& left, const SavedQueue& right) {
  require(left.id == right.id && left.name == right.name, "a queue comes back by its name");
  require(options_of(left.options) == options_of(right.options), "its options come back");
  require(left.access.owner == right.access.owner && left.access.group == right.access.group &&
              left.access.mode == right.access.mode,
          "its owner and mode come back");
  require(std::tuple(left.complete, left.next, left.base, left.skipped, left.base_settled) ==
              std::tuple(right.complete, right.next, right.base, right.skipped, right.base_settled),
          "its numbers come back");
}

/// The groups of a queue are a set, by their names.
void require_groups(const SavedQueue& written, const SavedQueue& loaded) {
  for (const SavedGroup& group : loaded.groups) {
    const auto same =
        std::find_if(written.groups.rbegin(), written.groups.rend(),
                     [&](const SavedGroup& other) { return other.name == group.name; });
    require(same != written.groups.rend(), "no group comes from nowhere");
    require(same->kind == group.kind && same->floor == group.floor &&
                same->standing == group.standing && same->settled == group.settled,
            "a group comes back as it was");
  }
}

}  // namespace

void catalogue(Bytes input) {
  Input in(input);
  const SavedQueue queue = queue_from(in);
  check_options(queue.options, true);
  check_options(queue.options, false);
  const bool possible = is_possible(queue);
  daemon::Catalogue& catalogue = *shelf().catalogue;
  catalogue.put(queue);
  const std::vector<SavedQueue> loaded = catalogue.load();
  require(loaded.size() == 1, "what was written is there");
  require_same(queue, loaded[0]);
  require_groups(queue, loaded[0]);
  require(is_possible(loaded[0]) == possible || loaded[0].groups.size() != queue.groups.size(),
          "a row is as possible as it was");
  // Somebody edits it, and whatever he writes it is read, and refused or not.
  shelf().edit(fmt::format("UPDATE queues SET {} = {}",
                           columns[in.number<std::uint8_t>() % columns.size()],
                           in.number<std::int64_t>()));
  for (const SavedQueue& edited : catalogue.load()) static_cast<void>(is_possible(edited));
  catalogue.remove(queue.id);
  require(catalogue.load().empty(), "what was removed is gone");
}

}  // namespace spillring::fuzz
