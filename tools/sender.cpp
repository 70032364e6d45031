#include "sender.hpp"

#include <fmt/format.h>

#include <numeric>

#include "failure.hpp"
#include "input.hpp"
#include "output.hpp"
#include "patience.hpp"
#include "quantity.hpp"

namespace spillring::tools {
namespace {

std::string why_full(const QueueInfo& info) {
  std::string held =
      fmt::format("it holds {} of {} and {} of {}", plural(info.messages, "message"),
                  info.options.slots, human_size(info.bytes), human_size(info.options.capacity));
  if (info.alarm == DiskAlarm::none) return held;
  return fmt::format("{}, and {}", held, reason(info.alarm));
}

std::string hint_for(const QueueInfo& info) {
  if (info.alarm != DiskAlarm::none) return std::string(remedy(info.alarm));
  return fmt::format("receive from it: spillring drain {}", info.name);
}

/// `full` with the queue's figures, where the supervisor has them.
Failure full_failure(const Queue& queue, const std::string& what) {
  try {
    const QueueInfo info = queue.info();
    return {Exit::try_again, what, why_full(info), hint_for(info)};
  } catch (const Error&) {
    return data_failure(Code::full, what);
  }
}

}  // namespace

Sender::Sender(Queue queue, Timeout wait)
    : queue_(std::move(queue)),
      producer_(queue_.producer({.interruptible = true})),
      wait_(wait),
      largest_(queue_.info().largest) {}

void Sender::send(std::span<const std::byte> payload, const Metadata& metadata) {
  const auto sent =
      wait_patiently(wait_, [&](Timeout left) { return producer_.send(payload, left, metadata); });
  if (!sent) fail(sent.error());
  count(payload.size());
}

void Sender::send_atomic(const std::vector<std::span<const std::byte>>& parts,
                         const Metadata& metadata) {
  const auto sent = wait_patiently(wait_, [&](Timeout left) {
    return producer_.send_batch(parts, left, {.atomic = true, .metadata = metadata});
  });
  if (!sent) fail(sent.error());
  count(std::accumulate(parts.begin(), parts.end(), std::size_t{0},
                        [](std::size_t sum, const auto& part) { return sum + part.size(); }));
}

void Sender::flush() {
  const auto flushed = wait_patiently(forever, [&](Timeout left) { return producer_.flush(left); });
  if (flushed) return;
  const std::string what = fmt::format("{} sent to '{}', and perhaps not on the disk",
                                       plural(messages_, "message"), queue_.name());
  throw data_failure(flushed.error(), what);
}

void Sender::send_file(const std::string& path, const Metadata& metadata) {
  const InputFile file(path);
  const auto size = file.size();
  if (size) check_size(*size, fmt::format("'{}'", path));
  if (size && send_in_place(file.fd(), *size, path, metadata)) return;
  const std::string payload = read_all(file.fd(), largest_, path);
  send(std::as_bytes(std::span(payload)), metadata);
}

/// False where reading took so long that the loan was revoked; then the file is back at its start.
bool Sender::send_in_place(int fd, std::size_t size, const std::string& path,
                           const Metadata& metadata) {
  const off_t start = lseek(fd, 0, SEEK_CUR);
  auto loan = wait_patiently(wait_, [&](Timeout left) {
    return producer_.loan(size, left, {.metadata = metadata, .alignment = 0});
  });
  if (!loan) fail(loan.error());
  // A file that shrank meanwhile is the shorter message.
  const std::size_t filled = read_fully(fd, loan->bytes(), path);
  const auto published = loan->publish(filled);
  if (published) {
    count(filled);
    return true;
  }
  if (published.error() != Code::stale) fail(published.error());
  lseek(fd, start, SEEK_SET);
  return false;
}

void Sender::check_size(std::uint64_t size, const std::string& what) const {
  if (size <= largest_) return;
  throw Failure(Exit::bad_data, fmt::format("{} is too large for queue '{}'", what, queue_.name()),
                fmt::format("it has {} bytes; a message there may have {}", size, largest_),
                "the largest message is a quarter of the queue's capacity");
}

void Sender::fail(Code code) const {
  const bool no_room = code == Code::full || code == Code::timeout;
  std::string what = no_room ? fmt::format("queue '{}' is full", queue_.name())
                             : fmt::format("cannot send to '{}'", queue_.name());
  if (messages_ > 0) what += fmt::format(" ({} sent before)", messages_);
  throw no_room ? full_failure(queue_, what) : data_failure(code, what);
}

void Sender::count(std::size_t size) noexcept {
  ++messages_;
  bytes_ += size;
}

}  // namespace spillring::tools
