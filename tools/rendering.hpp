// What a message looks like on its way out.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "envelope.hpp"
#include "gather.hpp"
#include "settings.hpp"

namespace spillring::tools {

/// What ends a message in a stream of text: -D or -0.
class Delimiter {
 public:
  /// Adds the two options.
  void add_options(CLI::App& app);
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool given() const noexcept { return given_; }

 private:
  void set(std::string text);

  std::string text_ = "\n";
  bool given_ = false;
};

/// Payload and delimiter, the payload alone, or envelopes. Of an atomic batch each part as a
/// payload.
class Rendering {
 public:
  /// Chooses by -o and --json; refuses, in the name of `verb`, what is no way to write messages.
  Rendering(const Settings& settings, const Delimiter& delimiter, const std::string& verb);

  /// Adds one message to `out`, which refers to its payload and to this rendering.
  void append(const Envelope& envelope, Gather& out) const;

 private:
  Format format_;
  std::string delimiter_;
};

}  // namespace spillring::tools
