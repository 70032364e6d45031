#include "os/lock_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "os/clock.hpp"
#include "os/failure.hpp"

namespace spillring::os {

bool is_at(const Fd& file, const std::string& path) noexcept {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.get(), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

std::string path_of(const Fd& file) {
  std::error_code error;
  const auto path =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file.get()), error);
  if (error) fail("cannot find out where a file is", error.value(), {});
  return path;
}

Fd lock_file(const std::string& path) {
  for (;;) {
    Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) fail("cannot make the lock " + path);
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    // Of the open file description: a copy in another process holds it just as well.
    if (::fcntl(file.get(), F_OFD_SETLK, &whole) != 0) {
      if (errno != EAGAIN && errno != EACCES) fail("cannot lock " + path);
      throw Error(Code::exists, "another supervisor runs here", path + " is locked by it",
                  "use it, or choose another --socket");
    }
    // Else its last holder removed it when it ended, just before this lock.
    if (is_at(file, path)) return file;
  }
}

Fd lock_file_of_the_dead(const std::string& path, const std::function<bool()>& is_used) {
  constexpr Instant patience = 5'000'000'000;
  constexpr Instant pause = 10'000'000;
  for (const Instant until = now() + patience;; sleep_until(now() + pause)) {
    try {
      return lock_file(path);
    } catch (const Error& error) {
      if (error.code() != Code::exists || now() >= until || is_used()) throw;
    }
  }
}

bool is_locked(const std::string& path) noexcept {
  const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return file && ::fcntl(file.get(), F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

void write_note(const Fd& file, const std::string& text) noexcept {
  [[maybe_unused]] const ssize_t written = ::pwrite(file.get(), text.data(), text.size(), 0);
  [[maybe_unused]] const int cut = ::ftruncate(file.get(), static_cast<off_t>(text.size()));
}

}  // namespace spillring::os
