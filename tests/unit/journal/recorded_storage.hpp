// A storage in memory that records what is done to it, fails when it is told to, and can say what a
// power cut might leave.
//
// It is as bad as a disk may be. Until a file is synced, any 512 bytes of what was written to it
// are there or not, in whatever order; in the place of those that are not there is what the file
// had there when it was synced, or else zeros, or what another file had there. Until a directory is
// synced, any change of its entries is there or not, and where the entry of a directory is not
// there, nothing is that was in it. A sync that fails has lost what it was for, and one that is
// tried again would lie: that, and any other use of a file after it has failed, fails the test.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "journal/storage.hpp"
#include "os/directory.hpp"
#include "spillring/error.hpp"

namespace spillring::journal {

using Bytes = std::vector<std::byte>;
/// What is on a disk: paths of files, and what is in them.
using Image = std::map<std::string, Bytes>;

/// A file for reading that holds `bytes`.
inline os::Fd file_of(const Bytes& bytes) {
  os::Fd file(::memfd_create("image", MFD_CLOEXEC));
  EXPECT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), 0),
            static_cast<ssize_t>(bytes.size()));
  return file;
}

class RecordedStorage final : public Storage {
 public:
  /// Which calls fail: the `first` one and `count - 1` after it, counted from 1.
  struct Fault {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    Code code = Code::io;
  };
  void inject(const Fault& fault) {
    fault_ = fault;
    calls_ = 0;
  }
  void repair() { fault_ = {}; }
  /// Calls that have failed so far.
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }
  /// Files that were made so far.
  [[nodiscard]] std::size_t files_made() const noexcept { return files_.size(); }
  /// What was done so far: a point in time, for crash().
  [[nodiscard]] std::size_t now() const noexcept { return operations_.size(); }

  /// What is there while the power stays on.
  [[nodiscard]] Image live() const {
    return image(
        now(), [] { return true; }, nullptr);
  }
  /// What a power cut right after the first `point` operations leaves, if as little survives as
  /// may.
  [[nodiscard]] Image least(std::size_t point) const {
    return image(
        point, [] { return false; }, nullptr);
  }
  /// One of the things that a power cut at `point` may leave. `survives`: how much of what was not
  /// synced is there, in hundredths.
  [[nodiscard]] Image crash(std::size_t point, std::mt19937_64& random, unsigned survives) const {
    const auto chance = [&] { return random() % 100 < survives; };
    return image(point, chance, &random);
  }

  bool make_directory(const std::string& path) override {
    if (fails()) fail();
    if (path == os::directory_of(path) || !directories_.insert(path).second) return false;
    std::vector<std::string> missing{path};
    for (std::string at = os::directory_of(path); directories_.insert(at).second;
         at = os::directory_of(at)) {
      missing.push_back(at);
    }
    for (; !missing.empty(); missing.pop_back()) {
      record({.what = What::make_directory, .path = missing.back()});
    }
    return true;
  }
  std::vector<std::string> list(const std::string& path) override {
    std::vector<std::string> names;
    for (const auto& [file, bytes] : live()) {
      if (os::directory_of(file) == path) names.push_back(file.substr(path.size() + 1));
    }
    return names;
  }
  std::unique_ptr<File> create(const std::string& path, std::uint64_t size) override {
    if (fails()) fail();
    EXPECT_TRUE(directories_.contains(os::directory_of(path))) << path;
    const std::size_t file = files_.size();
    files_.push_back(std::make_shared<State>());
    names_[path] = file;
    record({.what = What::create, .file = file, .path = path});
    record({.what = What::resize, .file = file, .offset = size});
    return std::make_unique<Recorded>(*this, file);
  }
  std::unique_ptr<File> reopen(const std::string& path, std::uint64_t size) override {
    if (fails()) fail();
    if (!names_.contains(path)) throw Error(Code::not_found);
    const std::size_t file = names_.at(path);
    EXPECT_FALSE(files_[file]->failed) << "a file that has failed is written over";
    record({.what = What::resize, .file = file, .offset = size});
    return std::make_unique<Recorded>(*this, file);
  }
  void rename(const std::string& from, const std::string& to) override {
    if (fails()) fail();
    const std::size_t file = names_.at(from);
    names_[to] = file;
    names_.erase(from);
    record({.what = What::rename, .file = file, .path = from, .other = to});
  }
  void remove(const std::string& path) override {
    if (fails()) fail();
    names_.erase(path);
    record({.what = What::remove, .path = path});
  }
  void sync_directory(const std::string& path) override {
    if (fails()) fail();
    record({.what = What::sync_directory, .path = path});
  }
  void sync_file(const std::string& path) override {
    if (fails()) fail();
    if (!names_.contains(path)) throw Error(Code::not_found);
    record({.what = What::sync, .file = names_.at(path)});
  }
  os::Fd open(const std::string& path) override {
    const Image all = live();
    const auto found = all.find(path);
    if (found == all.end()) throw Error(Code::not_found);
    return file_of(found->second);
  }
  void remove_directory(const std::string& path) override {
    if (fails()) fail();
    directories_.erase(path);
    record({.what = What::remove_directory, .path = path});
  }

 private:
  static constexpr std::size_t sector = 512;

  enum class What {
    make_directory,
    remove_directory,
    create,
    rename,
    remove,
    sync_directory,
    write,
    resize,
    sync,
    lose
  };
  struct Operation {
    What what{};
    std::size_t file = 0;
    std::uint64_t offset = 0;  // resize: the size
    Bytes bytes = {};
    std::string path = {};
    std::string other = {};
  };
  struct State {
    bool failed = false;
  };

  class Recorded final : public File {
   public:
    Recorded(RecordedStorage& storage, std::size_t file) : storage_(storage), file_(file) {}

    void write(std::uint64_t offset, std::span<const Piece> pieces) override {
      expect_good("written to");
      Bytes all;
      for (const Piece& piece : pieces) all.insert(all.end(), piece.begin(), piece.end());
      const bool fails = storage_.fails();
      if (fails) all.resize(all.size() / 2);  // a short write
      storage_.record({What::write, file_, offset, std::move(all)});
      if (fails) fail();
    }
    void sync() override {
      expect_good("synced");
      if (storage_.fails()) {
        storage_.record({What::lose, file_});
        fail();
      }
      storage_.record({What::sync, file_});
    }
    void truncate(std::uint64_t size) override {
      expect_good("cut");
      if (storage_.fails()) fail();
      storage_.record({What::resize, file_, size});
    }
    [[nodiscard]] bool is_at(const std::string& path) const noexcept override {
      const auto found = storage_.names_.find(path);
      return found != storage_.names_.end() && found->second == file_;
    }

   private:
    void expect_good(const char* use) const {
      EXPECT_FALSE(storage_.files_[file_]->failed) << "a file that has failed is " << use;
    }
    [[noreturn]] void fail() {
      storage_.files_[file_]->failed = true;
      storage_.fail();
    }

    RecordedStorage& storage_;
    std::size_t file_;
  };

  bool fails() noexcept {
    ++calls_;
    return calls_ >= fault_.first && calls_ - fault_.first < fault_.count;
  }
  [[noreturn]] void fail() {
    ++failures_;
    throw Error(fault_.code, "injected");
  }
  void record(Operation operation) { operations_.push_back(std::move(operation)); }

  /// Where the last sync before `point` is, of each file and each directory: what is before it is
  /// there.
  struct Synced {
    std::map<std::size_t, std::size_t> files;
    std::map<std::string, std::size_t> directories;
  };
  [[nodiscard]] Synced synced(std::size_t point) const {
    Synced found;
    for (std::size_t i = 0; i < point; ++i) {
      const Operation& operation = operations_[i];
      if (operation.what == What::sync) found.files[operation.file] = i;
      if (operation.what == What::sync_directory) found.directories[operation.path] = i;
    }
    return found;
  }

  using Chance = std::function<bool()>;

  [[nodiscard]] Image image(std::size_t point, const Chance& survives,
                            std::mt19937_64* random) const {
    const Synced sure = synced(point);
    std::vector<Bytes> contents(files_.size());
    std::vector<std::set<std::uint64_t>> held(files_.size());  // sectors that were synced
    std::map<std::string, std::size_t> entries;
    std::set<std::string> directories{"/"};
    for (std::size_t i = 0; i < point; ++i) {
      const Operation& operation = operations_[i];
      switch (operation.what) {
        case What::make_directory:
        case What::remove_directory:
        case What::create:
        case What::rename:
        case What::remove: {
          const auto last = sure.directories.find(os::directory_of(operation.path));
          if ((last != sure.directories.end() && i < last->second) || survives()) {
            change(entries, directories, operation);
          }
          break;
        }
        case What::write:
        case What::resize: {
          const auto last = sure.files.find(operation.file);
          const bool is_sure = last != sure.files.end() && i < last->second;
          if (is_sure) {
            apply(contents[operation.file], operation, [] { return true; }, {}, {});
            hold(held[operation.file], operation);
          } else if (random != nullptr || !is_lost(operation.file, i, point)) {
            // What else may be where a part is missing.
            const Bytes other =
                random != nullptr && survives() ? contents[(*random)() % contents.size()] : Bytes{};
            apply(contents[operation.file], operation, survives, other, held[operation.file]);
          }
          break;
        }
        default:
          break;
      }
    }
    Image all;
    for (const auto& [path, file] : entries) {
      if (can_be_found(path, directories)) all[path] = contents[file];
    }
    return all;
  }

  static bool can_be_found(const std::string& path, const std::set<std::string>& directories) {
    std::string at = os::directory_of(path);
    while (directories.contains(at) && at != "/") at = os::directory_of(at);
    return at == "/";
  }

  /// Whether what was done to `file` by operation `i` was lost by a sync that failed. (Part of it
  /// may have reached the disk: after a power cut it may be there again.)
  [[nodiscard]] bool is_lost(std::size_t file, std::size_t i, std::size_t point) const {
    for (std::size_t later = i; later < point; ++later) {
      if (operations_[later].what == What::lose && operations_[later].file == file) return true;
    }
    return false;
  }

  static void change(std::map<std::string, std::size_t>& entries,
                     std::set<std::string>& directories, const Operation& operation) {
    if (operation.what == What::make_directory) directories.insert(operation.path);
    if (operation.what == What::remove_directory) directories.erase(operation.path);
    if (operation.what == What::create) {
      entries[operation.path] = operation.file;
      return;
    }
    entries.erase(operation.path);
    if (operation.what == What::rename) entries[operation.other] = operation.file;
  }

  static void hold(std::set<std::uint64_t>& held, const Operation& operation) {
    const std::uint64_t end = operation.offset + operation.bytes.size();
    for (std::uint64_t at = operation.offset; at < end; at += sector) held.insert(at / sector);
    if (!operation.bytes.empty()) held.insert((end - 1) / sector);
  }

  template <typename Survives>
  static void apply(Bytes& content, const Operation& operation, const Survives& survives,
                    const Bytes& instead, const std::set<std::uint64_t>& held) {
    if (operation.what == What::resize) {
      if (survives()) content.resize(operation.offset);
      return;
    }
    for (std::uint64_t done = 0; done < operation.bytes.size();) {
      const std::uint64_t at = operation.offset + done;
      const std::uint64_t part =
          std::min<std::uint64_t>(sector - at % sector, operation.bytes.size() - done);
      const Bytes& from = survives() ? operation.bytes : instead;
      const std::uint64_t from_at = &from == &instead ? at : done;
      const bool is_as_before = &from == &instead && held.contains(at / sector);
      if (!is_as_before && from_at < from.size()) {
        const std::uint64_t length = std::min<std::uint64_t>(part, from.size() - from_at);
        content.resize(std::max<std::uint64_t>(content.size(), at + length));
        std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(from_at), length,
                    content.begin() + static_cast<std::ptrdiff_t>(at));
      }
      done += part;
    }
  }

  Fault fault_;
  std::uint64_t calls_ = 0;
  std::uint64_t failures_ = 0;
  std::vector<std::shared_ptr<State>> files_;
  std::set<std::string> directories_{"/"};
  std::map<std::string, std::size_t> names_;
  std::vector<Operation> operations_;
};

}  // namespace spillring::journal
