#include "os/directory.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>

#include "os/failure.hpp"

namespace spillring::os {

namespace {

/// Whoever may write to the directory may put something else in the place of what is in it.
void check_owner(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail("cannot use the directory " + path);
  const bool others_write = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = (status.st_mode & S_ISVTX) != 0;
  const bool ours = status.st_uid == ::geteuid() || status.st_uid == 0;
  if (!S_ISDIR(status.st_mode) || !ours || (others_write && !sticky)) {
    throw Error(
        Code::denied, "the directory " + path + " is not safe for a socket",
        fmt::format("it is owned by user {}, mode {:o}", status.st_uid, status.st_mode & 07777U),
        "take one that belongs to you and that nobody else may write to");
  }
}

}  // namespace

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

void make_private_directory(const std::string& path) {
  const mode_t before = ::umask(077);
  std::error_code error;
  std::filesystem::create_directories(path, error);
  ::umask(before);
  if (error) fail("cannot make the directory " + path, error.value(), {});
  check_owner(path);
}

Fd watch_removals(const std::string& directory) {
  Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch) fail("cannot watch " + directory);
  constexpr std::uint32_t gone = IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF;
  if (::inotify_add_watch(watch.get(), directory.c_str(), gone | IN_ONLYDIR) < 0) {
    fail("cannot watch " + directory);
  }
  return watch;
}

void clear_removals(const Fd& watch) noexcept {
  std::array<char, 4096> events{};
  while (::read(watch.get(), events.data(), events.size()) > 0) {
  }
}

bool is_socket(const std::string& path) noexcept {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace spillring::os
