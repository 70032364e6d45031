// A measured process's view of its work: which windows there are, and what to write down.
#pragma once

#include <cstdint>
#include <string_view>

#include "ticks.hpp"
#include "window.hpp"
#include "work.hpp"

namespace spillring::bench {

/// For who waits while others have work to do.
void nap();

class Role {
 public:
  Role(Window& window, int window_file, const Work& work, unsigned seat)
      : window_(window),
        window_file_(window_file),
        work_(work),
        index_(seat),
        seat_(window.seats.at(seat)) {}

  [[nodiscard]] const Work& work() const { return work_; }
  [[nodiscard]] bool produces() const { return index_ < work_.producers; }
  /// Among the producers, or among the consumers.
  [[nodiscard]] unsigned index() const { return produces() ? index_ : index_ - work_.producers; }
  /// For a program that takes this process over.
  [[nodiscard]] int window_file() const { return window_file_; }
  [[nodiscard]] unsigned seat_number() const { return index_; }
  /// Until the work is over.
  void sit_idle();
  [[nodiscard]] Seat& seat() { return seat_; }
  /// Of this window.
  [[nodiscard]] std::uint64_t pace() const { return window_.pace.load(std::memory_order_relaxed); }
  [[nodiscard]] Seat& seat_of_other() { return window_.seats.at(1 - index_); }

  /// Naps until the next window begins. False: there is none. Before the first one the thread is
  /// bound to its core: those that a library has started until then are not.
  bool next_window();
  /// The window is over; one load.
  [[nodiscard]] bool stopping() const {
    return window_.stop.load(std::memory_order_relaxed) >= current_;
  }
  /// The producers are done with the window and the consumers have everything.
  [[nodiscard]] bool drained() const;
  void finish_window();

  /// By a producer, before its first message of the window.
  void began();
  /// All messages of the window are received, the last one `since` ticks ago.
  void ended(Ticks since = 0);

  /// Ends the process and, with it, this peer's part in the work.
  [[noreturn]] void fail(std::string_view why);
  /// The same: what was received is not what was sent.
  [[noreturn]] void wrong(std::string_view what);

  /// Nothing to do for the moment.
  void back_off() const;

 private:
  Window& window_;
  int window_file_;
  Work work_;
  unsigned index_;
  Seat& seat_;
  std::uint32_t current_ = 0;
};

}  // namespace spillring::bench
