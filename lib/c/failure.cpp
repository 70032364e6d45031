#include "c/failure.hpp"

#include <optional>

#include "spillring/version.hpp"

namespace spillring::c {

namespace {

// Both sides number alike; what C programs were built with never changes.
static_assert(static_cast<int>(Code::full) == SPILLRING_FULL);
static_assert(static_cast<int>(Code::too_large) == SPILLRING_TOO_LARGE);
static_assert(static_cast<int>(Code::denied) == SPILLRING_DENIED);
static_assert(static_cast<int>(Code::unavailable) == SPILLRING_UNAVAILABLE);
static_assert(static_cast<int>(Code::internal) == SPILLRING_INTERNAL);

struct LastFailure {
  Code code = Code::ok;
  std::optional<Error> words;  // empty: the generic ones of the code
};

LastFailure& last_failure() noexcept {
  thread_local LastFailure last;
  return last;
}

const char* words(const std::string& (Error::*part)() const noexcept) noexcept try {
  LastFailure& last = last_failure();
  if (last.code == Code::ok) return "";
  if (!last.words) last.words.emplace(last.code);
  return ((*last.words).*part)().c_str();
} catch (const std::exception&) {
  return "";
}

}  // namespace

spillring_code failed(Code code) noexcept {
  LastFailure& last = last_failure();
  last.code = code;
  last.words.reset();
  return static_cast<spillring_code>(code);
}

spillring_code failed(const Error& error) noexcept {
  const spillring_code code = failed(error.code());
  try {
    last_failure().words.emplace(error);
  } catch (const std::exception&) {  // the generic words are left
  }
  return code;
}

}  // namespace spillring::c

extern "C" {

const char* spillring_code_name(spillring_code code) {
  const bool known = code >= SPILLRING_OK && code <= SPILLRING_INTERNAL;
  return known ? spillring::name(static_cast<spillring::Code>(code)).data() : "unknown";
}

const char* spillring_error_what() { return spillring::c::words(&spillring::Error::summary); }

const char* spillring_error_why() { return spillring::c::words(&spillring::Error::why); }

const char* spillring_error_hint() { return spillring::c::words(&spillring::Error::hint); }

const char* spillring_version() { return spillring::version; }
}
