#include "failure.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace spillring::tools {
Failure::Failure(Exit exit, const std::string& what, std::string why, std::string hint)
    : std::runtime_error(what), exit_(exit), why_(std::move(why)), hint_(std::move(hint)) {}

Failure::Failure(const Error& error)
    : Failure(exit_for(error.code()), error.summary(), error.why(), error.hint()) {}

Exit exit_for(Code code) noexcept {
  switch (code) {
    case Code::ok:
      return Exit::ok;
    case Code::empty:
      return Exit::nothing;
    case Code::invalid:
    case Code::unsupported:
      return Exit::usage;
    case Code::too_large:
    case Code::poisoned:
    case Code::corrupt:
      return Exit::bad_data;
    case Code::not_found:
    case Code::deleted:
    case Code::unavailable:
    case Code::version_mismatch:
      return Exit::unavailable;
    case Code::exists:
    case Code::no_memory:
      return Exit::cannot_create;
    case Code::full:
    case Code::timeout:
    case Code::interrupted:
    case Code::stale:
    case Code::busy:
      return Exit::try_again;
    case Code::denied:
      return Exit::denied;
    case Code::no_space:
    case Code::io:
    case Code::in_doubt:
      return Exit::io;
    case Code::closed:
    case Code::forked:
    case Code::internal:
      break;
  }
  return Exit::bug;
}

Failure data_failure(Code code, const std::string& what) {
  const Error words(code);
  return {exit_for(code), what, words.summary(), words.hint()};
}

Failure file_failure(int error, const std::string& what) {
  const std::string why = std::generic_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
      return {Exit::no_input, what, why, "check the path"};
    case EACCES:
    case EPERM:
      return {Exit::denied, what, why, "check who may use it: ls -l"};
    default:
      return {Exit::io, what, why, "what was not read or written is where it was"};
  }
}

Failure usage_failure(const std::string& what, std::string why, std::string hint) {
  return {Exit::usage, what, std::move(why), std::move(hint)};
}

void report(const Failure& failure) {
  fmt::print(stderr, "error: {}\n", failure.what());
  if (!failure.why().empty()) fmt::print(stderr, "  why: {}\n", failure.why());
  if (!failure.hint().empty()) fmt::print(stderr, "  hint: {}\n", failure.hint());
}

}  // namespace spillring::tools
