// Takes messages out of a queue and puts them somewhere, in the one order that loses none.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "gather.hpp"
#include "pace.hpp"
#include "rendering.hpp"
#include "spillring/consumer.hpp"

namespace spillring::tools {

/// Where messages go. Acknowledges a message only when its bytes are there.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  virtual void take(Message message) = 0;
  /// Everything taken is there when this returns.
  virtual void flush() = 0;

  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Messages that somebody else was given while they were in hand: both have them.
  [[nodiscard]] std::uint64_t stale() const noexcept { return stale_; }
  /// Messages that the group has missed, dropped or lost before they came here.
  [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }
  void count_missed(const Message& next) noexcept { missed_ += next.gap(); }

 protected:
  void acknowledge(Message& message);
  void count(std::size_t payload) noexcept {
    ++messages_;
    bytes_ += payload;
  }

 private:
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t stale_ = 0;
  std::uint64_t missed_ = 0;
};

/// Writes to a file descriptor.
class Outlet : public Sink {
 public:
  enum class Acknowledge { written, never };

  Outlet(int fd, std::string target, std::string queue, Rendering rendering,
         Acknowledge acknowledge = Acknowledge::written);

  void take(Message message) override;
  /// Where it fails, acknowledges what was written in full, cuts a message that was written in part
  /// off the end of a file, and throws `ReaderGone`, `Interrupted` or `Failure`. What was not
  /// written is handed back when this is destroyed.
  void flush() override;

 private:
  struct Held {
    Message message;
    std::size_t end;  // of its bytes, counted from the last flush
  };
  std::size_t finish(std::size_t written);
  void cut_off(std::size_t partial) const;

  int fd_;
  std::string target_;
  std::string queue_;
  Rendering rendering_;
  Acknowledge acknowledge_;
  Gather out_;
  std::vector<Held> held_;
  std::vector<Message> kept_;  // with Acknowledge::never: handed back at the end only
};

inline constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();
/// Most messages in hand at once.
inline constexpr unsigned batch_size = 512;

/// How many messages to claim ahead: at their own pace none, as others could not have them
/// meanwhile.
[[nodiscard]] unsigned prefetch_for(const Pace& pace, std::uint64_t most) noexcept;

/// Moves up to `most` messages, each at its time, waiting up to `wait` for each next one. Calls
/// `moved` now and then.
void pour(
    Consumer& source, Sink& sink, std::uint64_t most, Timeout wait, Pace& pace,
    const std::function<void()>& moved = [] {});

/// A warning about messages that were missed, or are stale, if there are any.
void warn_about(const Sink& sink, const Settings& settings);

}  // namespace spillring::tools
