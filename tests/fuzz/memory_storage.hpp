// A journal's files in memory.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "journal/storage.hpp"
#include "spillring/error.hpp"
#include "target.hpp"

namespace spillring::fuzz {

/// A file for reading that holds `bytes`.
inline os::Fd file_of(Bytes bytes) {
  os::Fd file(::memfd_create("fuzz", MFD_CLOEXEC));
  require(::pwrite(file.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
          "there is memory for a file");
  return file;
}

class MemoryStorage final : public journal::Storage {
 public:
  std::map<std::string, std::vector<std::byte>> files;

  bool make_directory(const std::string&) override { return false; }
  std::vector<std::string> list(const std::string&) override { return {}; }
  std::unique_ptr<journal::File> create(const std::string& path, std::uint64_t) override {
    return std::make_unique<MemoryFile>(files[path]);
  }
  std::unique_ptr<journal::File> reopen(const std::string& path, std::uint64_t) override {
    return std::make_unique<MemoryFile>(files.at(path));
  }
  void rename(const std::string& from, const std::string& to) override {
    files[to] = std::move(files.at(from));
    files.erase(from);
  }
  void remove(const std::string& path) override { files.erase(path); }
  void sync_directory(const std::string&) override {}
  void sync_file(const std::string& path) override {
    if (!files.contains(path)) throw Error(Code::not_found);
  }
  os::Fd open(const std::string& path) override {
    const auto found = files.find(path);
    if (found == files.end()) throw Error(Code::not_found);
    return file_of(found->second);
  }
  void remove_directory(const std::string&) override {}

 private:
  class MemoryFile final : public journal::File {
   public:
    explicit MemoryFile(std::vector<std::byte>& bytes) : bytes_(bytes) {}
    void write(std::uint64_t offset, std::span<const journal::Piece> pieces) override {
      for (const journal::Piece& piece : pieces) {
        bytes_.resize(std::max(bytes_.size(), offset + piece.size()));
        std::ranges::copy(piece, bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
        offset += piece.size();
      }
    }
    void sync() override {}
    void truncate(std::uint64_t size) override { bytes_.resize(size); }
    [[nodiscard]] bool is_at(const std::string&) const noexcept override { return true; }

   private:
    std::vector<std::byte>& bytes_;
  };
};

}  // namespace spillring::fuzz
