// Bytes on their way in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace spillring::tools {

/// An open file; "-" is stdin.
class InputFile {
 public:
  /// Throws `Failure` (no_input, denied).
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// Its size now; nothing where only reading can tell (pipes, terminals).
  [[nodiscard]] std::optional<std::uint64_t> size() const;

 private:
  int fd_;
};

/// Reads until `buffer` is full or the input ends; returns how much. Throws `Failure` naming
/// `path`.
std::size_t read_fully(int fd, std::span<std::byte> buffer, const std::string& path);
/// Reads to the end. Throws `Failure` (bad_data) where there is more than `most`.
[[nodiscard]] std::string read_all(int fd, std::uint64_t most, const std::string& path);

/// Splits an input into records, reading it in large pieces.
class RecordReader {
 public:
  /// A record longer than `longest` is refused.
  RecordReader(int fd, std::string delimiter, std::uint64_t longest);

  /// The next record without its delimiter, valid until the next call; nothing at the end. What
  /// follows the last delimiter is a record if there is anything. Throws `Failure`.
  [[nodiscard]] std::optional<std::string_view> next();

 private:
  [[nodiscard]] std::string_view rest() const;
  bool read_more();

  int fd_;
  std::string delimiter_;
  std::uint64_t longest_;
  std::string buffer_;
  std::size_t begin_ = 0;     // of the first record not yet returned
  std::size_t end_ = 0;       // of the bytes read
  std::size_t searched_ = 0;  // up to here there is no delimiter
  bool ended_ = false;
};

}  // namespace spillring::tools
