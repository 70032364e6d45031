#include <algorithm>
#include <string_view>

#include "layout/control.hpp"
#include "spillring/client.hpp"

namespace spillring {

static_assert(max_name == layout::name_size, "a name must fit into a control record");

bool valid_name(std::string_view name) noexcept {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= max_name && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace spillring
