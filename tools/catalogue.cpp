#include "catalogue.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "spillring/client.hpp"

namespace spillring::tools {
namespace {

struct Close {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

// Positions that are nobody's are the greatest number there is, which is -1 here.
constexpr const char* query =
    "SELECT id, name, complete, next, base,"
    " (SELECT min(floor) FROM groups WHERE queue = queues.id AND floor >= 0),"
    " durability <> 0 OR retain_ns <> 0 OR retain_bytes <> 0, durability <> 0"
    " FROM queues ORDER BY name";

bool is_there(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

/// The path as a URI: whatever it is made of, it is no syntax.
std::string uri_of(const std::string& path) {
  std::string uri = "file://";
  for (const char c : std::filesystem::absolute(path).string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

/// Without a log of changes beside it nobody has it open, and SQLite is told so: it would make the
/// log otherwise, in a directory that is not ours to change.
std::string source_of(const std::string& path) {
  return uri_of(path) + (is_there(path + "-wal") ? "" : "?immutable=1");
}

std::uint64_t number(const Statement& row, int column) {
  return static_cast<std::uint64_t>(sqlite3_column_int64(row.get(), column));
}

CataloguedQueue queue_in(const Statement& row) {
  CataloguedQueue queue;
  queue.id = number(row, 0);
  if (const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(row.get(), 1))) {
    if (valid_name(name)) queue.name = name;  // else it is damaged
  }
  queue.complete = number(row, 2) != 0;
  queue.next = number(row, 3);
  const bool has_groups = sqlite3_column_type(row.get(), 5) != SQLITE_NULL;
  // What the queue keeps for want of a group is noted at a clean stop alone.
  queue.needed = std::min(queue.complete ? number(row, 4) : UINT64_MAX,
                          has_groups ? number(row, 5) : UINT64_MAX);
  queue.follows = number(row, 6) != 0;
  queue.durable = number(row, 7) != 0;
  return queue;
}

/// False: something failed, and the database knows what.
bool read_all(sqlite3* database, std::vector<CataloguedQueue>& queues) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database, query, -1, &prepared, nullptr) != SQLITE_OK) return false;
  const Statement row(prepared);
  int result = sqlite3_step(row.get());
  for (; result == SQLITE_ROW; result = sqlite3_step(row.get())) queues.push_back(queue_in(row));
  return result == SQLITE_DONE;
}

}  // namespace

Catalogue read_catalogue(const std::string& path) {
  Catalogue catalogue;
  if (!is_there(path)) {
    catalogue.problem = fmt::format("there is no catalogue at '{}'", path);
    return catalogue;
  }
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(source_of(path).c_str(), &opened,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  const Database database(opened);
  sqlite3_busy_timeout(opened, 2000);  // a supervisor may be writing to it
  if (result != SQLITE_OK || !read_all(opened, catalogue.queues)) {
    catalogue.problem = fmt::format("the catalogue '{}' cannot be read: {}", path,
                                    opened == nullptr ? "no memory" : sqlite3_errmsg(opened));
  }
  return catalogue;
}

}  // namespace spillring::tools
