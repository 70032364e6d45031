#include "access.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

[[noreturn]] void deny(const Access& access, const os::Peer& who, const std::string& what,
                       const std::string& queue) {
  throw Error(Code::denied, fmt::format("user {} may not {} queue '{}'", who.uid, what, queue),
              fmt::format("it belongs to user {}, group {}, mode {:04o}", access.owner,
                          access.group, access.mode),
              "ask its owner to create it with another mode or owner_group");
}

}  // namespace

bool is_operator(uid_t user) noexcept { return user == 0 || user == ::geteuid(); }

bool is_member(const os::Peer& who, gid_t group) noexcept {
  return who.gid == group ||
         std::find(who.groups.begin(), who.groups.end(), group) != who.groups.end();
}

bool Access::is_owner(const os::Peer& who) const noexcept {
  return who.uid == owner || is_operator(who.uid);
}

bool Access::permits(const os::Peer& who, Right right) const noexcept {
  if (is_operator(who.uid)) return true;
  // As for a file: the first class that fits decides, even if a later one would permit more.
  const unsigned shift = who.uid == owner ? 6 : is_member(who, group) ? 3 : 0;
  return ((mode >> shift) & static_cast<unsigned>(right)) != 0;
}

void Access::require(const os::Peer& who, Right right, const std::string& queue) const {
  if (permits(who, right)) return;
  deny(*this, who,
       right == Right::publish   ? "publish to"
       : right == Right::consume ? "consume from"
                                 : "use",
       queue);
}

void Access::require_owner(const os::Peer& who, const std::string& queue) const {
  if (!is_owner(who)) deny(*this, who, "administer", queue);
}

}  // namespace spillring::daemon
