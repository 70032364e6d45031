#include "catalogue.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <limits>
#include <span>

#include "os/fd.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

constexpr int schema_version = 6;

constexpr const char* schema = R"(
CREATE TABLE queues (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  owner INTEGER NOT NULL,
  owner_group INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  capacity INTEGER NOT NULL,
  slots INTEGER NOT NULL,
  stall_timeout_ns INTEGER NOT NULL,
  lease_ns INTEGER NOT NULL,
  ttl_ns INTEGER NOT NULL,
  "full" INTEGER NOT NULL,
  keep INTEGER NOT NULL,
  prealloc INTEGER NOT NULL,
  exclusive_producer INTEGER NOT NULL,
  durability INTEGER NOT NULL,
  sync_ms INTEGER NOT NULL,
  retain_ns INTEGER NOT NULL,
  retain_bytes INTEGER NOT NULL,
  max_deliveries INTEGER NOT NULL,
  dead_letter TEXT NOT NULL,
  group_expiry_ns INTEGER NOT NULL,
  complete INTEGER NOT NULL,
  next INTEGER NOT NULL,
  base INTEGER NOT NULL,
  base_settled INTEGER NOT NULL,
  skipped INTEGER NOT NULL
) STRICT;
CREATE TABLE groups (
  queue INTEGER NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  kind INTEGER NOT NULL,
  floor INTEGER NOT NULL,
  standing BLOB NOT NULL,
  settled INTEGER NOT NULL,
  dropped INTEGER NOT NULL,
  told INTEGER NOT NULL,
  unused_ns INTEGER NOT NULL,
  PRIMARY KEY (queue, name)
) STRICT;
)";

/// Nobody else may read it, whatever the umask. SQLite makes its other files of the same mode.
void make_private(const std::string& path) {
  const os::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file) ::fchmod(file.get(), 0600);  // else SQLite says why
}

// Numbers are 64 bits without a sign here, and with one there.
sqlite3_int64 stored(std::uint64_t value) noexcept { return static_cast<sqlite3_int64>(value); }
std::uint64_t loaded(sqlite3_int64 value) noexcept { return static_cast<std::uint64_t>(value); }

}  // namespace

void Catalogue::Close::operator()(sqlite3* database) const noexcept { sqlite3_close(database); }

void Catalogue::fail(const std::string& what) const {
  const int result = sqlite3_errcode(database_.get());
  Code code = Code::io;
  if (result == SQLITE_FULL) code = Code::no_space;
  if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB) code = Code::corrupt;
  throw Error(code, what, fmt::format("{}: {}", path_, sqlite3_errmsg(database_.get())));
}

/// One statement; columns and parameters count from 0.
class Catalogue::Statement {
 public:
  Statement(Catalogue& catalogue, const char* sql) : catalogue_(catalogue) {
    if (sqlite3_prepare_v2(catalogue.database_.get(), sql, -1, &statement_, nullptr) != SQLITE_OK) {
      catalogue.fail("the catalogue cannot be used");
    }
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  Statement& bind(std::uint64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, stored(value));
    return *this;
  }
  Statement& bind(const std::string& value) {
    sqlite3_bind_text(statement_, ++bound_, value.data(), static_cast<int>(value.size()),
                      SQLITE_TRANSIENT);  // NOLINT: the library's own cast
    return *this;
  }
  Statement& bind(std::span<const std::uint8_t> value) {
    sqlite3_bind_blob64(statement_, ++bound_, value.empty() ? &nothing : value.data(), value.size(),
                        SQLITE_TRANSIENT);  // NOLINT: the library's own cast
    return *this;
  }
  /// True: there is a row.
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) catalogue_.fail("the catalogue fails");
    return result == SQLITE_ROW;
  }
  [[nodiscard]] std::uint64_t number(int column) const noexcept {
    return loaded(sqlite3_column_int64(statement_, column));
  }
  /// The same of a type that has fewer numbers. One that it does not have is told in `misfit`.
  template <typename Narrow>
  [[nodiscard]] Narrow number(int column, std::string& misfit) const {
    const std::uint64_t value = number(column);
    if (misfit.empty() && value > std::numeric_limits<Narrow>::max()) {
      misfit = fmt::format("{} {}", sqlite3_column_name(statement_, column), value);
    }
    return static_cast<Narrow>(value);
  }
  [[nodiscard]] std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  [[nodiscard]] std::vector<std::uint8_t> blob(int column) const {
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return {bytes, bytes + sqlite3_column_bytes(statement_, column)};
  }

 private:
  static constexpr std::uint8_t nothing = 0;  // a null pointer would be NULL, not an empty blob
  Catalogue& catalogue_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

class Catalogue::Transaction {
 public:
  explicit Transaction(Catalogue& catalogue) : catalogue_(catalogue) {
    catalogue.run("BEGIN IMMEDIATE");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (!done_) sqlite3_exec(catalogue_.database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void commit() {
    catalogue_.run("COMMIT");
    done_ = true;
  }

 private:
  Catalogue& catalogue_;
  bool done_ = false;
};

void Catalogue::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail("the catalogue fails");
  }
}

Catalogue::Catalogue(const std::string& path) : path_(path) {
  make_private(path);
  sqlite3* database = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &database,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, nullptr);
  database_.reset(database);
  if (result != SQLITE_OK) fail("the catalogue cannot be opened");
  // Somebody may be looking at it with a tool.
  sqlite3_busy_timeout(database, 2000);
  run("PRAGMA journal_mode = WAL");
  run("PRAGMA synchronous = NORMAL");
  run("PRAGMA foreign_keys = ON");
  Statement version(*this, "PRAGMA user_version");
  version.step();
  const std::uint64_t found = version.number(0);
  if (found == schema_version) return;
  if (found != 0) {
    throw Error(
        Code::version_mismatch, "the catalogue is of another version",
        fmt::format("{} has version {}, this is for version {}", path, found, schema_version),
        "start the release that wrote it, or choose another state directory");
  }
  Transaction transaction(*this);
  run(schema);
  run(fmt::format("PRAGMA user_version = {}", schema_version).c_str());
  transaction.commit();
}

Catalogue::~Catalogue() = default;

std::uint64_t Catalogue::last_id() {
  Statement query(*this, "SELECT seq FROM sqlite_sequence WHERE name = 'queues'");
  return query.step() ? query.number(0) : 0;
}

std::map<std::string, std::uint64_t, std::less<>> Catalogue::floors_of(std::uint64_t queue) {
  std::map<std::string, std::uint64_t, std::less<>> floors;
  Statement groups(*this, "SELECT name, floor FROM groups WHERE queue = ?");
  groups.bind(queue);
  while (groups.step()) floors.emplace(groups.text(0), groups.number(1));
  return floors;
}

std::vector<SavedQueue> Catalogue::load() {
  std::vector<SavedQueue> queues;
  Statement query(*this, R"(SELECT id, name, owner, owner_group, mode, capacity, slots,
      stall_timeout_ns, lease_ns, "full", keep, prealloc, durability, sync_ms, retain_ns,
      retain_bytes, complete, next, base, max_deliveries, dead_letter, ttl_ns, group_expiry_ns,
      base_settled, skipped, exclusive_producer
      FROM queues)");
  while (query.step()) {
    SavedQueue queue{};
    std::string& misfit = queue.misfit;
    queue.id = query.number(0);
    queue.name = query.text(1);
    queue.access = {query.number<uid_t>(2, misfit), query.number<gid_t>(3, misfit),
                    query.number<std::uint32_t>(4, misfit)};
    queue.options.capacity = query.number(5);
    queue.options.slots = query.number(6);
    queue.options.stall_timeout_ns = query.number(7);
    queue.options.lease_ns = query.number(8);
    queue.options.full = query.number<std::uint8_t>(9, misfit);
    queue.options.keep = query.number<std::uint8_t>(10, misfit);
    queue.options.prealloc = query.number<std::uint8_t>(11, misfit);
    queue.options.durability = query.number<std::uint8_t>(12, misfit);
    queue.options.sync_ms = query.number<std::uint32_t>(13, misfit);
    queue.options.retain_ns = query.number(14);
    queue.options.retain_bytes = query.number(15);
    queue.complete = query.number(16) != 0;
    queue.next = query.number(17);
    queue.base = query.number(18);
    queue.options.max_deliveries = query.number<std::uint32_t>(19, misfit);
    const std::string dead_letter = query.text(20);
    if (dead_letter.size() > layout::name_size) misfit = "dead_letter is longer than a name";
    queue.options.dead_letter.set(dead_letter);
    queue.options.ttl_ns = query.number(21);
    queue.options.group_expiry_ns = query.number(22);
    queue.base_settled = query.number(23);
    queue.skipped = query.number(24);
    queue.options.exclusive_producer = query.number<std::uint32_t>(25, misfit);
    Statement groups(*this, R"(SELECT name, kind, floor, standing, unused_ns, settled, dropped, told
        FROM groups WHERE queue = ?)");
    groups.bind(queue.id);
    while (groups.step()) {
      queue.groups.push_back({groups.text(0), GroupKind{groups.number<std::uint8_t>(1, misfit)},
                              groups.number(2), groups.blob(3), groups.number(4), groups.number(5),
                              groups.number(6), groups.number(7)});
    }
    queues.push_back(std::move(queue));
  }
  return queues;
}

void Catalogue::insert(const SavedQueue& queue, const char* how) {
  Statement statement(*this,
                      (std::string(how) + R"( INTO queues (id, name, owner, owner_group, mode,
      capacity, slots, stall_timeout_ns, lease_ns, "full", keep, prealloc, durability, sync_ms,
      retain_ns, retain_bytes, complete, next, base, max_deliveries, dead_letter, ttl_ns,
      group_expiry_ns, base_settled, skipped, exclusive_producer)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))")
                          .c_str());
  statement.bind(queue.id).bind(queue.name);
  statement.bind(queue.access.owner).bind(queue.access.group).bind(queue.access.mode);
  statement.bind(queue.options.capacity).bind(queue.options.slots);
  statement.bind(queue.options.stall_timeout_ns).bind(queue.options.lease_ns);
  statement.bind(queue.options.full).bind(queue.options.keep).bind(queue.options.prealloc);
  statement.bind(queue.options.durability).bind(queue.options.sync_ms);
  statement.bind(queue.options.retain_ns).bind(queue.options.retain_bytes);
  statement.bind(queue.complete ? 1 : 0).bind(queue.next).bind(queue.base);
  statement.bind(queue.options.max_deliveries);
  statement.bind(std::string(queue.options.dead_letter.view())).bind(queue.options.ttl_ns);
  statement.bind(queue.options.group_expiry_ns).bind(queue.base_settled).bind(queue.skipped);
  statement.bind(queue.options.exclusive_producer);
  statement.step();
  for (const SavedGroup& group : queue.groups) insert(queue.id, group);
}

void Catalogue::insert(std::uint64_t queue, const SavedGroup& group) {
  Statement statement(
      *this,
      R"(INSERT OR REPLACE INTO groups (queue, name, kind, floor, standing, unused_ns,
      settled, dropped, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?))");
  statement.bind(queue).bind(group.name).bind(static_cast<std::uint64_t>(group.kind));
  statement.bind(group.floor).bind(std::span(group.standing)).bind(group.unused_ns);
  statement.bind(group.settled).bind(group.dropped).bind(group.told);
  statement.step();
}

void Catalogue::put(const SavedQueue& queue) {
  Transaction transaction(*this);
  insert(queue, "INSERT OR REPLACE");
  transaction.commit();
}

void Catalogue::put_definition(const SavedQueue& queue) { insert(queue, "INSERT OR IGNORE"); }

void Catalogue::put_settings(std::uint64_t queue, const layout::Request& options) {
  Statement statement(*this, R"(UPDATE queues SET stall_timeout_ns = ?, lease_ns = ?, sync_ms = ?,
      retain_ns = ?, retain_bytes = ?, ttl_ns = ?, group_expiry_ns = ? WHERE id = ?)");
  statement.bind(options.stall_timeout_ns).bind(options.lease_ns).bind(options.sync_ms);
  statement.bind(options.retain_ns).bind(options.retain_bytes).bind(options.ttl_ns);
  statement.bind(options.group_expiry_ns).bind(queue);
  statement.step();
}

void Catalogue::put_next(std::uint64_t queue, std::uint64_t next) {
  Statement(*this, "UPDATE queues SET next = ? WHERE id = ?").bind(next).bind(queue).step();
}

void Catalogue::put(std::uint64_t queue, const SavedGroup& group) { insert(queue, group); }

void Catalogue::remove(std::uint64_t id) {
  Statement(*this, "DELETE FROM queues WHERE id = ?").bind(id).step();
}

void Catalogue::remove(std::uint64_t queue, const std::string& group) {
  Statement(*this, "DELETE FROM groups WHERE queue = ? AND name = ?")
      .bind(queue)
      .bind(group)
      .step();
}

void Catalogue::save(const std::vector<SavedQueue>& queues) {
  {
    Transaction transaction(*this);
    for (const SavedQueue& queue : queues) insert(queue, "INSERT OR REPLACE");
    transaction.commit();
  }
  run("PRAGMA wal_checkpoint(TRUNCATE)");  // syncs what is in the log, and the database
}

/// A commit that syncs the log, and so all that is in it; whoever reads is in nobody's way.
void Catalogue::sync() {
  run("PRAGMA synchronous = FULL");
  run(fmt::format("PRAGMA user_version = {}", schema_version).c_str());
  run("PRAGMA synchronous = NORMAL");
}

void Catalogue::begin(const std::vector<std::uint64_t>& ids) {
  Transaction transaction(*this);
  for (const std::uint64_t id : ids) {
    Statement(*this, "UPDATE queues SET complete = 0 WHERE id = ? AND complete <> 0")
        .bind(id)
        .step();
  }
  transaction.commit();
}

}  // namespace spillring::daemon
