#include "users.hpp"

#include <grp.h>
#include <pwd.h>

namespace spillring::tools {

std::string user_name(unsigned user) {
  const passwd* entry = ::getpwuid(user);
  return entry != nullptr ? std::string(entry->pw_name) : std::to_string(user);
}

std::string group_name(unsigned number) {
  const group* entry = ::getgrgid(number);
  return entry != nullptr ? std::string(entry->gr_name) : std::to_string(number);
}

}  // namespace spillring::tools
