// All that a journal does to a file system, in one place: tests record it, reorder it and make it
// fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "os/fd.hpp"

namespace spillring::journal {

using Piece = std::span<const std::byte>;

/// A file being written. Every function throws `Error` (no_space, io) and may have done a part.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  /// Writes all pieces, one behind the other, from `offset` on.
  virtual void write(std::uint64_t offset, std::span<const Piece> pieces) = 0;
  /// What was written is on the disk. After a failure nobody knows what is: never tried again on
  /// the same file.
  virtual void sync() = 0;
  /// Cuts the file off.
  virtual void truncate(std::uint64_t size) = 0;
  /// False: that name is another file's, or nobody's, so who looks there will not find what is
  /// written to this one.
  [[nodiscard]] virtual bool is_at(const std::string& path) const noexcept = 0;
};

class Storage {
 public:
  Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  virtual ~Storage() = default;

  /// Makes a directory and those above it, mode 0700; false: it is there, and nothing was made.
  virtual bool make_directory(const std::string& path) = 0;
  /// Names in a directory, in no order; empty where there is no such directory.
  virtual std::vector<std::string> list(const std::string& path) = 0;
  /// A new file (one that is there is replaced) with `size` bytes of the disk set aside.
  virtual std::unique_ptr<File> create(const std::string& path, std::uint64_t size) = 0;
  /// A file that is there, to be written over, with at least `size` bytes of the disk set aside.
  /// What is in it stays. Throws `Error` (not_found too).
  virtual std::unique_ptr<File> reopen(const std::string& path, std::uint64_t size) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// Nothing where it is not there.
  virtual void remove(const std::string& path) = 0;
  /// The directory's entries are on the disk.
  virtual void sync_directory(const std::string& path) = 0;
  /// What was written to a file, by whomever, is on the disk. Throws `Error` (not_found too).
  virtual void sync_file(const std::string& path) = 0;
  /// A file for reading. Throws `Error` (not_found, io).
  virtual os::Fd open(const std::string& path) = 0;
  /// Removes an empty directory; nothing where it is not there or not empty.
  virtual void remove_directory(const std::string& path) = 0;
};

/// The real one.
class Disk : public Storage {
 public:
  bool make_directory(const std::string& path) override;
  std::vector<std::string> list(const std::string& path) override;
  std::unique_ptr<File> create(const std::string& path, std::uint64_t size) override;
  std::unique_ptr<File> reopen(const std::string& path, std::uint64_t size) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void sync_directory(const std::string& path) override;
  void sync_file(const std::string& path) override;
  os::Fd open(const std::string& path) override;
  void remove_directory(const std::string& path) override;
};

}  // namespace spillring::journal
