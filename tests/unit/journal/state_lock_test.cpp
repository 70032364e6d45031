// A state directory is one supervisor's.
#include "journal/state_lock.hpp"

#include <gtest/gtest.h>

#include "spillring/error.hpp"
#include "temporary_directory.hpp"

namespace spillring::journal {
namespace {

/// Nullopt: nothing was thrown.
template <typename Function>
std::optional<Code> code_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

TEST(StateLock, IsHadByOneAndEndsWithIt) {
  const TemporaryDirectory directory;
  const std::string state = directory.path();
  EXPECT_FALSE(is_locked(state));
  EXPECT_FALSE(code_of([&] { require_unlocked(state); }));
  os::Fd lock = lock_state(state);
  EXPECT_TRUE(is_locked(state));
  EXPECT_EQ(code_of([&] { require_unlocked(state); }), Code::exists);
  EXPECT_EQ(code_of([&] { static_cast<void>(lock_state(state)); }), Code::exists);
  EXPECT_TRUE(is_locked(state)) << "who was refused took nothing away";
  lock = {};
  EXPECT_FALSE(is_locked(state));
  EXPECT_FALSE(code_of([&] { static_cast<void>(lock_state(state, Patience::for_the_dead)); }));
}

TEST(StateLock, OfADirectoryThatIsNotThereIsNobodys) {
  const TemporaryDirectory directory;
  const std::string state = directory.path() / "nowhere";
  EXPECT_FALSE(is_locked(state));
  const auto code = code_of([&] { static_cast<void>(lock_state(state)); });
  EXPECT_TRUE(code && *code != Code::exists);
}

}  // namespace
}  // namespace spillring::journal
