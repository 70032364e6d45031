#include "failure.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace spillring::tools {
namespace {

/// What to do about it at a terminal, where the library has nothing to say.
std::string_view hint_for(Code code) noexcept {
  switch (code) {
    case Code::full:
      return "receive from it, or create one with more --capacity or --slots";
    case Code::timeout:
      return "try again, or allow more time with --timeout";
    case Code::interrupted:
    case Code::stale:
    case Code::busy:
      return "try again";
    case Code::empty:
    case Code::not_found:
    case Code::deleted:
      return "spillring ls shows what is there";
    case Code::poisoned:
    case Code::corrupt:
      return "save what can be seen with 'spillring peek', then remove the queue";
    case Code::too_large:
      return "a message may have a quarter of the queue's capacity, key and headers 64 KiB";
    case Code::invalid:
    case Code::unsupported:
      return "--help shows what is possible";
    case Code::exists:
      return "choose another name, or take the one that is there";
    case Code::denied:
      return "ask the owner of the queue or of the socket";
    case Code::no_memory:
      return "ask for less --capacity, or make room";
    case Code::unavailable:
      return "start spillringd, or name its socket with --socket";
    case Code::version_mismatch:
      return "use a command and a supervisor of one version";
    case Code::no_space:
      return "free some space on the disk of the state directory";
    case Code::in_doubt:
      return "look whether it is there: spillring peek";
    case Code::io:
      return "look at the disk of the state directory (dmesg)";
    case Code::ok:
    case Code::closed:
    case Code::forked:
    case Code::internal:
      break;
  }
  return "this is a bug; please report it";
}

std::string why_of(const Error& error) {
  return error.why().empty() ? Error(error.code()).summary() : error.why();
}

std::string hint_of(const Error& error) {
  return error.hint().empty() ? std::string(hint_for(error.code())) : error.hint();
}

}  // namespace

Failure::Failure(Exit exit, const std::string& what, std::string why, std::string hint)
    : std::runtime_error(what), exit_(exit), why_(std::move(why)), hint_(std::move(hint)) {}

Failure::Failure(const Error& error)
    : Failure(exit_for(error.code()), error.summary(), why_of(error), hint_of(error)) {}

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
  return {exit_for(code), what, words.summary(), hint_of(words)};
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
