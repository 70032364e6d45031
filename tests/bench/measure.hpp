// What benches measure with: a clock, quantiles, and files written and read plainly.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"

namespace spillring::bench {

using Clock = std::chrono::steady_clock;

inline double microseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

inline double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

inline double median(const std::vector<double>& values) { return quantile(values, 0.5); }

[[noreturn]] inline void give_up(const std::string& what) {
  std::perror(what.c_str());
  std::exit(74);
}

/// Rows of numbers with names, for a file in JSON.
class Rows {
 public:
  void add(std::initializer_list<std::pair<const char*, double>> row) {
    text_ += text_.empty() ? "[" : ",\n ";
    const char* before = "{\"";
    for (const auto& [name, value] : row) {
      text_ += before + std::string(name) + "\": " + std::to_string(value);
      before = ", \"";
    }
    text_ += "}";
  }
  void write(const char* path) const { std::ofstream(path) << text_ << "]\n"; }

 private:
  std::string text_;
};

/// A directory on the disk that is measured, and a supervisor whose state is there; gone with it.
class Place {
 public:
  explicit Place(const char* disk) : directory_(std::filesystem::path(disk) / "spillring_bench") {
    std::filesystem::create_directories(directory_);
    Embedded::Options options;
    options.state_dir = directory_ / "state";
    supervisor_.emplace(options);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    supervisor_.reset();
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] Client connect() const { return supervisor_->connect(); }

 private:
  std::filesystem::path directory_;
  std::optional<Embedded> supervisor_;
};

/// The number that is argument `i`, or `standard`. Ends the program where there is no disk given.
inline int number(int argc, char** argv, int i, int standard, const char* usage) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s\n", usage);
    std::exit(64);
  }
  return i < argc ? std::atoi(argv[i]) : standard;
}

/// A file of its own, gone with this object.
class PlainFile {
 public:
  explicit PlainFile(std::string path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600)) {
    if (file_ < 0) give_up(path_);
  }
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;
  ~PlainFile() {
    ::close(file_);
    ::unlink(path_.c_str());
  }

  /// MiB a second of `bytes` bytes in calls of 1 MiB.
  double write(std::uint64_t bytes) {
    return rate(bytes,
                [this](std::vector<char>& mib) { return ::write(file_, mib.data(), mib.size()); });
  }
  double read(std::uint64_t bytes) {
    ::lseek(file_, 0, SEEK_SET);
    return rate(bytes,
                [this](std::vector<char>& mib) { return ::read(file_, mib.data(), mib.size()); });
  }
  [[nodiscard]] int descriptor() const { return file_; }

 private:
  template <typename Call>
  double rate(std::uint64_t bytes, const Call& call) {
    std::vector<char> mib(1 << 20, 'x');
    const auto begin = Clock::now();
    for (std::uint64_t done = 0; done < bytes; done += mib.size()) {
      if (call(mib) != static_cast<ssize_t>(mib.size())) give_up(path_);
    }
    return static_cast<double>(bytes) / microseconds_since(begin) / 1.048576;
  }

  std::string path_;
  int file_;
};

}  // namespace spillring::bench
