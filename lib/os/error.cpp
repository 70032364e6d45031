#include "spillring/error.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/failure.hpp"

namespace spillring {

namespace {

/// What is said where the place that failed has nothing better to say.
struct Words {
  Code code;
  std::string_view name;
  std::string_view what;
  std::string_view why;
  std::string_view hint;
};

constexpr std::array<Words, 25> words{{
    {Code::ok, "ok", "no error", "", ""},
    {Code::full, "full", "the queue is full",
     "what is in it has not been read by all of its groups",
     "receive from it, or make one with more capacity or slots"},
    {Code::empty, "empty", "no message is there", "all were received, or none was sent",
     "try again later, or wait with a timeout"},
    {Code::timeout, "timeout", "timed out", "it did not happen in the time allowed",
     "try again, or allow more time"},
    {Code::interrupted, "interrupted", "the wait was interrupted",
     "a signal arrived, or a nap ended (a second at most), and the handle was opened interruptible",
     "try again"},
    {Code::stale, "stale", "too late: the loan was revoked or the message was given away",
     "it was held longer than the queue's stall_timeout or lease, the queue was purged, or its "
     "ring was found damaged",
     "send it again; of a message, leave it to who has it now"},
    {Code::closed, "closed", "the handle is closed", "it was closed, moved from or ended before",
     "make a new one"},
    {Code::deleted, "deleted", "the queue, or this group of it, was removed",
     "somebody removed it while it was in use",
     "create it or join it again, or open another: spillring ls"},
    {Code::poisoned, "poisoned", "the queue's memory is damaged",
     "a client wrote where it must not, and nothing in it can be trusted",
     "save what can be seen with 'spillring peek', then remove the queue"},
    {Code::corrupt, "corrupt", "what was read contradicts itself",
     "a program wrote where it must not, or what was written was not kept",
     "save what can be seen with 'spillring peek', then remove the queue"},
    {Code::too_large, "too_large", "the message is larger than the queue allows",
     "its payload, or its key and headers, have more bytes than that",
     "a message may have a quarter of the queue's capacity, key and headers 64 KiB"},
    {Code::invalid, "invalid", "invalid argument", "it can never work, whatever the queue's state",
     "look up what is possible: --help, or the function's documentation"},
    {Code::not_found, "not_found", "not found", "nothing has that name",
     "spillring ls shows what is there"},
    {Code::exists, "exists", "it exists already", "the name is taken",
     "choose another name, or take the one that is there"},
    {Code::denied, "denied", "permission denied",
     "the mode of the queue or of the socket forbids it",
     "ask the owner of the queue or of the socket"},
    {Code::no_memory, "no_memory", "shared memory was refused",
     "the system or a limit has no more to give", "ask for less capacity, or make room"},
    {Code::busy, "busy", "all slots are taken", "others use what was asked for",
     "try again when they are done: spillring ps"},
    {Code::unavailable, "unavailable", "no supervisor answers", "none runs there, or it has ended",
     "start spillringd, or name its socket"},
    {Code::version_mismatch, "version_mismatch", "the other side speaks another version",
     "library and supervisor were not built together",
     "use programs, command and supervisor of one version"},
    {Code::unsupported, "unsupported", "not built in this version",
     "this queue, system or version does not have it", "do without, or see its documentation"},
    {Code::forked, "forked", "the handle belongs to the parent process",
     "it was made before fork()", "make a new one in the child"},
    {Code::no_space, "no_space", "the journal's disk is full",
     "the file system of the state directory takes no more", "free some space on that disk"},
    {Code::io, "io", "the journal's disk fails", "the system refused to read or write",
     "look at the disk of the state directory: dmesg"},
    {Code::in_doubt, "in_doubt", "it was sent, but whether it has reached the disk is not known",
     "the supervisor has ended before it said so, or the ring that it was in was found damaged",
     "look whether it is there: spillring peek"},
    {Code::internal, "internal", "(BUG) internal error", "this is a bug",
     "please report it, with what led to it"},
}};

const Words& words_of(Code code) noexcept {
  for (const auto& entry : words) {
    if (entry.code == code) return entry;
  }
  return words.back();
}

std::string_view either(std::string_view special, std::string_view general) noexcept {
  return special.empty() ? general : special;
}

}  // namespace

std::string_view name(Code code) noexcept { return words_of(code).name; }

Error::Error(Code code, std::string what, std::string why, std::string hint)
    : std::runtime_error(fmt::format("{}: {}", what, either(why, words_of(code).why))),
      code_(code),
      summary_(std::move(what)),
      why_(either(why, words_of(code).why)),
      hint_(either(hint, words_of(code).hint)) {}

Error::Error(Code code) : Error(code, std::string(words_of(code).what)) {}

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
    case EIO:
      return Code::io;
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
