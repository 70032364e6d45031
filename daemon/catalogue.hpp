// What of the queues outlives all processes, but for their messages: a SQLite database.
//
// Nothing fast goes through it: it is written when a queue or a group comes or goes, when a piece
// of the journal has been consumed, and at a clean stop.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access.hpp"
#include "layout/control.hpp"
#include "spillring/options.hpp"

struct sqlite3;

namespace spillring::daemon {

/// A group's position: `standing[i]` is how sequence `floor + i` stands: 0 never delivered, 255
/// finished, 254 passed, else how often it was delivered.
struct SavedGroup {
  static constexpr std::uint8_t finished = 255;
  std::string name;
  GroupKind kind = GroupKind::shared;
  std::uint64_t floor = 0;
  std::vector<std::uint8_t> standing;
  std::uint64_t unused_ns = 0;  // so long it had no members
  // Where the oldest are dropped: of layout::GroupCursor
  std::uint64_t settled = 0;
  std::uint64_t dropped = 0;
  std::uint64_t told = 0;

  /// How many messages that it had settled lie in its window below `s`.
  [[nodiscard]] std::uint64_t finished_below(std::uint64_t s) const noexcept {
    const std::uint64_t behind = s > floor ? s - floor : 0;
    const auto end = standing.begin() +
                     static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(behind, standing.size()));
    return static_cast<std::uint64_t>(std::count(standing.begin(), end, finished));
  }
};

struct SavedQueue {
  std::uint64_t id = 0;
  std::string name;
  layout::Request options{};  // of its creation
  Access access;
  bool complete = false;  // saved at a clean stop: the journal has all messages
  // complete: the number of the first message to come. Else, of a queue whose every message goes to
  // the journal: that has, or had, everything below.
  std::uint64_t next = 0;
  std::uint64_t base = 0;  // complete: layout::Manifest::base
  // complete, where the oldest are dropped: numbers below `next` that are no messages, and
  // layout::Manifest::base_settled
  std::uint64_t skipped = 0;
  std::uint64_t base_settled = 0;
  std::vector<SavedGroup> groups;
  // As loaded: the first field whose value its type does not have. Empty: there is none.
  std::string misfit;
};

class Catalogue {
 public:
  /// Opens the database, or makes it. Throws `Error` (corrupt, version_mismatch, io).
  explicit Catalogue(const std::string& path);
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;
  ~Catalogue();

  [[nodiscard]] std::vector<SavedQueue> load();
  /// Where the groups of a queue were when that was noted last, by their names.
  [[nodiscard]] std::map<std::string, std::uint64_t, std::less<>> floors_of(std::uint64_t queue);
  /// The greatest id ever given out.
  [[nodiscard]] std::uint64_t last_id();

  // Each of these is done, or not, as a whole. They throw `Error` (no_space, io). Killed processes
  // undo none of it; a power cut may, what is not followed by sync(), the latest first.
  void put(const SavedQueue& queue);
  /// The same, unless it is there.
  void put_definition(const SavedQueue& queue);
  /// Those of the options that can be changed (layout::Setting).
  void put_settings(std::uint64_t queue, const layout::Request& options);
  void put_next(std::uint64_t queue, std::uint64_t next);
  void remove(std::uint64_t id);
  void put(std::uint64_t queue, const SavedGroup& group);
  void remove(std::uint64_t queue, const std::string& group);
  /// All of them are saved completely, or none; what came before is on the disk then.
  void save(const std::vector<SavedQueue>& queues);
  /// What was done so far is on the disk.
  void sync();
  /// The queues run again: what was saved is not complete any more.
  void begin(const std::vector<std::uint64_t>& ids);

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  class Statement;
  class Transaction;
  void run(const char* sql);
  void insert(const SavedQueue& queue, const char* how);
  void insert(std::uint64_t queue, const SavedGroup& group);
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace spillring::daemon
