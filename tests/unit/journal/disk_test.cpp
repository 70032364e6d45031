// What the file system refuses is told, with what it was, and nothing is left behind.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <vector>

#include "journal/storage.hpp"
#include "short_files.hpp"
#include "spillring/error.hpp"
#include "temporary_directory.hpp"

namespace spillring::journal {
namespace {

namespace fs = std::filesystem;

class DiskTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string at(const std::string& name) const { return directory_.path() / name; }
  static std::optional<Code> code_of(const std::function<void()>& function) {
    try {
      function();
    } catch (const Error& error) {
      return error.code();
    }
    return std::nullopt;
  }

  Disk disk_;
  TemporaryDirectory directory_;
};

TEST_F(DiskTest, WhatIsMissingIsNotFound) {
  EXPECT_EQ(code_of([&] { disk_.open(at("no")); }), Code::not_found);
  EXPECT_EQ(code_of([&] { disk_.create(at("no/file"), 1); }), Code::not_found);
  EXPECT_EQ(code_of([&] { disk_.reopen(at("no"), 1); }), Code::not_found);
  EXPECT_EQ(code_of([&] { disk_.rename(at("no"), at("other")); }), Code::not_found);
  EXPECT_EQ(code_of([&] { disk_.sync_directory(at("no")); }), Code::not_found);
  EXPECT_EQ(code_of([&] { disk_.sync_file(at("no")); }), Code::not_found);
  EXPECT_FALSE(code_of([&] { disk_.remove(at("no")); })) << "what is not there is removed";
  EXPECT_FALSE(code_of([&] { disk_.remove_directory(at("no")); }));
  EXPECT_TRUE(disk_.list(at("no")).empty());
}

TEST_F(DiskTest, WhatIsSomethingElseIsAFailure) {
  disk_.create(at("file"), 1);
  disk_.make_directory(at("folder"));
  EXPECT_EQ(code_of([&] { disk_.list(at("file")); }), Code::io);
  EXPECT_EQ(code_of([&] { disk_.remove(at("folder")); }), Code::io);
  EXPECT_EQ(code_of([&] { disk_.remove_directory(at("file")); }), Code::io);
  EXPECT_EQ(code_of([&] { disk_.reopen("/dev/full", 1); }), Code::io)
      << "it has no space of its own";
  fs::create_symlink("file", at("link"));
  EXPECT_EQ(code_of([&] { disk_.open(at("link")); }), Code::io) << "nobody is led elsewhere";
  disk_.create(at("folder/inside"), 1);
  EXPECT_FALSE(code_of([&] { disk_.remove_directory(at("folder")); }));
  EXPECT_EQ(disk_.list(at("folder")), std::vector<std::string>{"inside"}) << "it is not empty";
}

TEST_F(DiskTest, AFileForWhichThereIsNoSpaceIsNotLeftBehind) {
  const ShortFiles small(8192);
  EXPECT_EQ(code_of([&] { disk_.create(at("file"), 16384); }), Code::io);
  EXPECT_FALSE(fs::exists(at("file")));
  disk_.create(at("file"), 4096);
  EXPECT_EQ(code_of([&] { disk_.reopen(at("file"), 16384); }), Code::io);
  EXPECT_EQ(fs::file_size(at("file")), 4096U) << "the file was there before";
}

TEST_F(DiskTest, AWriteThatComesToAnEndHalfWayFails) {
  const auto file = disk_.create(at("file"), 4096);
  const std::vector<std::byte> bytes(3000, std::byte{'x'});
  const std::vector<Piece> pieces(4, bytes);
  {
    const ShortFiles small(8192);
    EXPECT_EQ(code_of([&] { file->write(0, pieces); }), Code::io);
    EXPECT_EQ(fs::file_size(at("file")), 8192U) << "a part was written";
    EXPECT_EQ(code_of([&] { file->truncate(16384); }), Code::io);
  }
  EXPECT_FALSE(code_of([&] { file->write(0, pieces); }));
  EXPECT_EQ(fs::file_size(at("file")), 12000U);
}

/// More than one call takes, and pieces of nothing among them.
TEST_F(DiskTest, ManyPiecesComeOneBehindTheOther) {
  const auto file = disk_.create(at("file"), 1);
  std::vector<std::byte> bytes(5000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 % 251);
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    pieces.push_back(Piece(bytes).subspan(i, 1));
    pieces.emplace_back();
  }
  file->write(10, pieces);
  std::vector<std::byte> back(bytes.size());
  ASSERT_EQ(::pread(disk_.open(at("file")).get(), back.data(), back.size(), 10),
            static_cast<ssize_t>(back.size()));
  EXPECT_EQ(back, bytes);
}

TEST_F(DiskTest, AFileIsWhereItsNameIs) {
  const auto file = disk_.create(at("file"), 1);
  EXPECT_TRUE(file->is_at(at("file")));
  disk_.create(at("other"), 1);
  EXPECT_FALSE(file->is_at(at("other")));
  disk_.rename(at("file"), at("moved"));
  EXPECT_FALSE(file->is_at(at("file")));
  EXPECT_TRUE(file->is_at(at("moved")));
  disk_.remove(at("moved"));
  EXPECT_FALSE(file->is_at(at("moved")));
}

}  // namespace
}  // namespace spillring::journal
