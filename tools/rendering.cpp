#include "rendering.hpp"

#include <fmt/format.h>

#include "arguments.hpp"
#include "failure.hpp"

namespace spillring::tools {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Takes the escape after a backslash from the front of `rest`; -1 where there is none.
int take_escape(std::string_view& rest) {
  if (rest.empty()) return -1;
  const char kind = rest.front();
  rest.remove_prefix(1);
  switch (kind) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    case 'x':
      break;
    default:
      return -1;
  }
  if (rest.size() < 2 || hex_digit(rest[0]) < 0 || hex_digit(rest[1]) < 0) return -1;
  const int value = hex_digit(rest[0]) * 16 + hex_digit(rest[1]);
  rest.remove_prefix(2);
  return value;
}

std::string without_escapes(const std::string& label, const std::string& text) {
  std::string result;
  for (std::string_view rest = text; !rest.empty();) {
    const char c = rest.front();
    rest.remove_prefix(1);
    const int byte = c == '\\' ? take_escape(rest) : static_cast<unsigned char>(c);
    if (byte < 0) {
      throw usage_failure(fmt::format("{} '{}' has an unknown escape", label, text),
                          "a backslash begins an escape", R"(known are \n \t \r \0 \\ and \xHH)");
    }
    result += static_cast<char>(byte);
  }
  return result;
}

}  // namespace

void Delimiter::add_options(CLI::App& app) {
  CLI::Option* text = add_value(
      app, "-D,--delimiter", "DELIM", R"(what ends a message (default \n; also \t \0 \xHH ...))",
      [this](const std::string& label, const std::string& value) {
        if (value.empty()) {
          throw usage_failure(fmt::format("{} is empty", label), "nothing would end a message",
                              "-o raw writes payloads one after the other; send -f - reads all of "
                              "stdin as one message");
        }
        set(without_escapes(label, value));
      });
  app.add_flag_callback(
         "-0,--null", [this] { set(std::string(1, '\0')); }, "end messages with a zero byte")
      ->excludes(text);
}

void Delimiter::set(std::string text) {
  text_ = std::move(text);
  given_ = true;
}

Rendering::Rendering(const Settings& settings, const Delimiter& delimiter, const std::string& verb)
    : format_(settings.format()), delimiter_(delimiter.text()) {
  settings.refuse_formats(verb, {Format::table, Format::tsv});
  if (format_ != Format::automatic && delimiter.given()) {
    throw usage_failure("a delimiter and '-o' do not go together",
                        "-D and -0 end the messages of a stream of text", "leave one of them out");
  }
}

void Rendering::append(const Envelope& envelope, Gather& out) const {
  if (format_ == Format::json || format_ == Format::ndjson) {
    out.keep(to_json_line(envelope));
    return;
  }
  for (const auto part : envelope.parts()) {
    out.refer(part);
    if (format_ != Format::raw) out.refer(std::as_bytes(std::span(delimiter_)));
  }
}

}  // namespace spillring::tools
