// Puts messages into a queue and counts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "spillring/producer.hpp"
#include "spillring/queue.hpp"

namespace spillring::tools {

class Sender {
 public:
  /// Waits up to `wait` for room.
  Sender(Queue queue, Timeout wait);

  /// Throws `Failure`, which says how many were sent before.
  void send(std::span<const std::byte> payload, const Metadata& metadata);
  /// Sends them as one message: an atomic batch.
  void send_atomic(const std::vector<std::span<const std::byte>>& parts, const Metadata& metadata);
  /// Sends what a file holds, read straight into the queue's memory if the file is a regular one.
  /// Waits until the disk has all of it.
  void flush();
  void send_file(const std::string& path, const Metadata& metadata);

  /// Throws `Failure` (bad_data) where no message can have that size; `what` names it.
  void check_size(std::uint64_t size, const std::string& what) const;
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }

  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  [[nodiscard]] bool send_in_place(int fd, std::size_t size, const std::string& path,
                                   const Metadata& metadata);
  [[noreturn]] void fail(Code code) const;
  void count(std::size_t size) noexcept;

  Queue queue_;
  Producer producer_;
  Timeout wait_;
  std::uint64_t largest_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace spillring::tools
