#include "os/group_id.hpp"

#include <grp.h>

#include <cerrno>
#include <charconv>
#include <vector>

namespace spillring::os {

std::optional<gid_t> group_id(const std::string& name) {
  gid_t number = 0;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data(), end, number);
  if (error == std::errc{} && rest == end) return number;
  std::vector<char> buffer(1024);
  group entry{};
  group* found = nullptr;
  while (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == ERANGE) {
    buffer.resize(buffer.size() * 2);
  }
  return found == nullptr ? std::nullopt : std::optional<gid_t>(found->gr_gid);
}

}  // namespace spillring::os
