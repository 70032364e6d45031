// What each process of the storm did, written with write(2) so that it outlives the process.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace ledger {

enum class Kind : std::uint8_t {
  // A producer. The result of one number is written before the next is begun, so only the number
  // after the last result can be in doubt when the process is killed.
  sent = 1,   ///< publish returned ok with `seq`
  stale,      ///< publish returned stale: must never be seen
  cancelled,  ///< the loan was dropped: must never be seen
  // A consumer.
  got,       ///< received and found whole; written before anything is done with it
  damaged,   ///< received, and the bytes are wrong
  trying,    ///< about to acknowledge; without a result the acknowledgement is in doubt
  acked,     ///< ack returned ok
  refused,   ///< ack or nack returned stale
  returned,  ///< nacked or dropped
  // Anybody.
  end,  ///< came to its end in order
};

/// 32 bytes: never across a page, so a kill cannot cut one in two.
struct Record {
  Kind kind = Kind::end;
  std::uint8_t deliveries = 0;
  std::uint16_t reserved = 0;
  std::uint32_t producer = 0;
  std::uint64_t counter = 0;
  std::uint64_t seq = 0;
  std::uint64_t reserved2 = 0;
};
static_assert(sizeof(Record) == 32);

class Writer {
 public:
  explicit Writer(const char* path)
      : fd_(::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (fd_ < 0) die("open");
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { ::close(fd_); }

  void note(const Record& record) const {
    if (::write(fd_, &record, sizeof record) != sizeof record) die("write");
  }

 private:
  [[noreturn]] static void die(const char* what) {
    std::perror(what);
    std::_Exit(3);
  }
  int fd_;
};

/// All records of a process, in order. Exits if the file cannot be read or is cut.
inline std::vector<Record> load(const std::string& path) {
  std::vector<Record> records;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file != nullptr) {
    std::fseek(file, 0, SEEK_END);
    records.resize(static_cast<std::size_t>(std::ftell(file)) / sizeof(Record));
    std::rewind(file);
    const std::size_t whole = std::fread(records.data(), sizeof(Record), records.size(), file);
    const bool cut = whole != records.size() || std::fgetc(file) != EOF;
    std::fclose(file);
    if (!cut) return records;
  }
  std::fprintf(stderr, "cannot read ledger %s\n", path.c_str());
  std::exit(3);
}

}  // namespace ledger
