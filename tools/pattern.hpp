// A regular expression, as grep -E reads it.
#pragma once

#include <regex.h>

#include <cstddef>
#include <span>
#include <string>

namespace spillring::tools {

class Pattern {
 public:
  /// Throws `Failure` (usage), naming `label`.
  Pattern(const std::string& label, const std::string& text);
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  ~Pattern() { regfree(&compiled_); }

  /// Whether it is anywhere in there; the bytes may be of any kind.
  [[nodiscard]] bool is_in(std::span<const std::byte> bytes) const;

 private:
  regex_t compiled_{};
};

}  // namespace spillring::tools
