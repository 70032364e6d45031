#include "spillring/error.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/failure.hpp"

namespace spillring {

namespace {

struct Words {
  Code code;
  std::string_view name;
  std::string_view text;
};

constexpr std::array<Words, 25> words{{
    {Code::ok, "ok", "no error"},
    {Code::full, "full", "the queue is full"},
    {Code::empty, "empty", "no message is there"},
    {Code::timeout, "timeout", "timed out"},
    {Code::interrupted, "interrupted", "the wait was interrupted"},
    {Code::stale, "stale", "too late: the loan was revoked or the message was given away"},
    {Code::closed, "closed", "the handle is closed"},
    {Code::deleted, "deleted", "the queue was removed"},
    {Code::poisoned, "poisoned", "the queue's memory is damaged"},
    {Code::corrupt, "corrupt", "what was read contradicts itself"},
    {Code::too_large, "too_large", "the message is larger than the queue allows"},
    {Code::invalid, "invalid", "invalid argument"},
    {Code::not_found, "not_found", "not found"},
    {Code::exists, "exists", "it exists already"},
    {Code::denied, "denied", "permission denied"},
    {Code::no_memory, "no_memory", "shared memory was refused"},
    {Code::busy, "busy", "all slots are taken"},
    {Code::unavailable, "unavailable", "no supervisor answers"},
    {Code::version_mismatch, "version", "the other side speaks another version"},
    {Code::unsupported, "unsupported", "not built in this version"},
    {Code::forked, "forked", "the handle belongs to the parent process"},
    {Code::no_space, "no_space", "the journal's disk is full"},
    {Code::io, "io", "the journal's disk fails"},
    {Code::in_doubt, "in_doubt", "it was sent, but whether it has reached the disk is not known"},
    {Code::internal, "internal", "(BUG) internal error"},
}};

const Words& words_of(Code code) noexcept {
  for (const auto& entry : words) {
    if (entry.code == code) return entry;
  }
  return words.back();
}

std::string joined(const std::string& what, const std::string& why) {
  return why.empty() ? what : fmt::format("{}: {}", what, why);
}

}  // namespace

std::string_view name(Code code) noexcept { return words_of(code).name; }

Error::Error(Code code, std::string what, std::string why, std::string hint)
    : std::runtime_error(joined(what, why)),
      code_(code),
      summary_(std::move(what)),
      why_(std::move(why)),
      hint_(std::move(hint)) {}

Error::Error(Code code) : Error(code, std::string(words_of(code).text)) {}

namespace os {

Code code_of(int error) noexcept {
  switch (error) {
    case EACCES:
    case EPERM:
      return Code::denied;
    case ENOMEM:
    case ENOSPC:
    case EFBIG:
    case EDQUOT:
      return Code::no_memory;
    case EMFILE:
    case ENFILE:
      return Code::busy;
    case ENOENT:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
      return Code::unavailable;
    case ETIMEDOUT:
      return Code::timeout;
    case EEXIST:
    case EADDRINUSE:
      return Code::exists;
    default:
      return Code::internal;
  }
}

void fail(const std::string& what, int error, const std::string& hint) {
  // strerrordesc_np: constant text, safe in every thread.
  const char* text = ::strerrordesc_np(error);
  throw Error(code_of(error), what,
              text != nullptr ? std::string(text) : fmt::format("errno {}", error), hint);
}

void fail(const std::string& what) { fail(what, errno, {}); }

}  // namespace os
}  // namespace spillring
