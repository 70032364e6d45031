#include "journal/storage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "os/directory.hpp"
#include "spillring/error.hpp"

namespace spillring::journal {

namespace {

/// A full disk is nobody's fault, and passes; anything else is the disk's.
[[noreturn]] void fail(const std::string& what, int error = errno) {
  const char* text = ::strerrordesc_np(error);
  const std::string why = text != nullptr ? text : fmt::format("errno {}", error);
  if (error == ENOSPC || error == EDQUOT) {
    throw Error(Code::no_space, what, why, "free some space on that disk");
  }
  throw Error(error == ENOENT ? Code::not_found : Code::io, what, why);
}

/// Set aside first: a journal that has begun a segment can fill it. The error number, or 0.
int set_aside(const os::Fd& file, std::uint64_t size) noexcept {
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size));
  return error;
}

class DiskFile final : public File {
 public:
  DiskFile(os::Fd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  void write(std::uint64_t offset, std::span<const Piece> pieces) override {
    std::vector<iovec> left;
    left.reserve(pieces.size());
    for (const Piece& piece : pieces) {
      if (!piece.empty()) {
        left.push_back({const_cast<std::byte*>(piece.data()), piece.size()});  // NOLINT: only read
      }
    }
    for (std::size_t at = 0; at < left.size();) {
      const int count = static_cast<int>(std::min<std::size_t>(left.size() - at, IOV_MAX));
      const ssize_t done = ::pwritev(file_.get(), &left[at], count, static_cast<off_t>(offset));
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) fail("cannot write to " + path_, done < 0 ? errno : ENOSPC);
      offset += static_cast<std::uint64_t>(done);
      for (auto rest = static_cast<std::size_t>(done); rest != 0;) {
        const std::size_t part = std::min(rest, left[at].iov_len);
        left[at].iov_base = static_cast<std::byte*>(left[at].iov_base) + part;
        left[at].iov_len -= part;
        rest -= part;
        if (left[at].iov_len == 0) ++at;
      }
    }
  }

  void sync() override {
    if (::fdatasync(file_.get()) != 0) fail("cannot sync " + path_);
  }

  void truncate(std::uint64_t size) override {
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) fail("cannot cut " + path_);
  }

  [[nodiscard]] bool is_at(const std::string& path) const noexcept override {
    struct stat mine {};
    struct stat there {};
    return ::fstat(file_.get(), &mine) == 0 && ::lstat(path.c_str(), &there) == 0 &&
           mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
  }

 private:
  os::Fd file_;
  std::string path_;
};

}  // namespace

bool Disk::make_directory(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return false;
  os::make_private_directory(path);
  return true;
}

std::vector<std::string> Disk::list(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (directory == nullptr) {
    if (errno == ENOENT) return names;
    fail("cannot read the directory " + path);
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

std::unique_ptr<File> Disk::create(const std::string& path, std::uint64_t size) {
  os::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) fail("cannot make " + path);
  if (const int error = set_aside(file, size); error != 0) {
    ::unlink(path.c_str());
    fail("cannot set disk space aside for " + path, error);
  }
  return std::make_unique<DiskFile>(std::move(file), path);
}

std::unique_ptr<File> Disk::reopen(const std::string& path, std::uint64_t size) {
  os::Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file) fail("cannot open " + path);
  if (const int error = set_aside(file, size); error != 0) {
    fail("cannot set disk space aside for " + path, error);
  }
  return std::make_unique<DiskFile>(std::move(file), path);
}

void Disk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail("cannot rename " + from);
}

void Disk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("cannot remove " + path);
}

void Disk::sync_directory(const std::string& path) {
  const os::Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) fail("cannot sync the directory " + path);
}

void Disk::sync_file(const std::string& path) {
  if (::fdatasync(open(path).get()) != 0) fail("cannot sync " + path);
}

os::Fd Disk::open(const std::string& path) {
  // O_NONBLOCK: something that only has a segment's name must not hold anybody up.
  os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) fail("cannot open " + path);
  return file;
}

void Disk::remove_directory(const std::string& path) {
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY) {
    fail("cannot remove the directory " + path);
  }
}

}  // namespace spillring::journal
