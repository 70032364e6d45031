#include "pattern.hpp"

#include <fmt/format.h>

#include <array>

#include "failure.hpp"

namespace spillring::tools {

Pattern::Pattern(const std::string& label, const std::string& text) {
  const int error = regcomp(&compiled_, text.c_str(), REG_EXTENDED | REG_NEWLINE);
  if (error == 0) return;
  std::array<char, 256> why{};
  regerror(error, &compiled_, why.data(), why.size());
  throw usage_failure(fmt::format("{} '{}' is no regular expression", label, text), why.data(),
                      "write it as for grep -E");
}

bool Pattern::is_in(std::span<const std::byte> bytes) const {
  regmatch_t range{};
  range.rm_so = 0;
  range.rm_eo = static_cast<regoff_t>(bytes.size());
  const auto* const text = reinterpret_cast<const char*>(bytes.data());
  return regexec(&compiled_, bytes.empty() ? "" : text, 1, &range, REG_STARTEND) == 0;
}

}  // namespace spillring::tools
