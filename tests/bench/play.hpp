// What a measured process does, for whatever carries its messages.
//
// A carrier's `Out` has
//     bool send(std::size_t size, Write write)    calls write(std::byte*) on the place of a
//     message;
//                                                 false: no room now
//     void flush()                                what was sent is visible
// and its `In`
//     unsigned receive(Read read)                 calls read(const std::byte*, size) on each
//     message
//                                                 it takes, and counts them; 0: nothing now
//     void pause()                                between bursts; where there is something to do
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <thread>

#include "payload.hpp"
#include "role.hpp"
#include "schedule.hpp"

namespace spillring::bench {

/// Sends this process's messages, numbered.
template <typename Out>
class Sending {
 public:
  Sending(Role& role, const Payload& payload, Out& out)
      : role_(role),
        payload_(payload),
        out_(out),
        stamp_(std::uint64_t{role.index()} << Payload::producer_shift) {}

  void one() {
    const auto write = [this](std::byte* to) { payload_.write(to, stamp_); };
    while (!out_.send(role_.work().size, write)) role_.back_off();
    ++stamp_;
    ++sent_;
  }
  void flush() { out_.flush(); }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  Role& role_;
  const Payload& payload_;
  Out& out_;
  std::uint64_t stamp_;
  std::uint64_t sent_ = 0;
};

/// Receives messages and checks their bytes, their sizes and, for each producer, their order.
template <typename In>
class Receiving {
 public:
  Receiving(Role& role, const Payload& payload, In& in) : role_(role), payload_(payload), in_(in) {}

  unsigned some() {
    const unsigned count =
        in_.receive([this](const std::byte* from, std::size_t size) { check(from, size); });
    received_ += count;
    return count;
  }
  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  void check(const std::byte* from, std::size_t size) {
    if (size != role_.work().size) role_.wrong("a message of another size was received");
    const std::uint64_t stamp = payload_.read(from);
    if (stamp == Payload::damaged) role_.wrong("a message was damaged: its sum is wrong");
    std::uint64_t& expected = expected_.at(stamp >> Payload::producer_shift);
    const std::uint64_t number = stamp & ((std::uint64_t{1} << Payload::producer_shift) - 1);
    // Of a shared group others have those between.
    if (role_.work().shared ? number < expected : number != expected) {
      role_.wrong("a message was lost, repeated, or out of order");
    }
    expected = number + 1;
  }

  Role& role_;
  const Payload& payload_;
  In& in_;
  std::uint64_t received_ = 0;
  std::array<std::uint64_t, Window::most_seats> expected_{};
};

/// A burst goes through, and then the receiver's pause.
template <typename Out>
void produce_burst(Role& role, Sending<Out>& sending) {
  Seat& seat = role.seat();
  const Seat& other = role.seat_of_other();
  const Ticks begin = ticks();
  for (unsigned i = 0; i < role.work().burst; ++i) sending.one();
  sending.flush();
  while (other.received.load(std::memory_order_acquire) != sending.sent()) role.back_off();
  seat.busy += nanoseconds(ticks() - begin);
  while (other.stamp.load(std::memory_order_acquire) != sending.sent()) nap();
}

/// What is due is sent, however late it is, and counts from when it was due: a carrier that is slow
/// for a moment does not slow its measuring down. Who has caught up makes visible what was sent.
template <typename Out>
void produce_on_schedule(Role& role, Sending<Out>& sending) {
  const Schedule schedule = Schedule::begin(role.pace(), role.seat());
  const bool spins = role.work().kind == Kind::load;
  std::uint64_t number = 0;
  for (bool over = false; !over;) {
    over = role.stopping();  // what is due by now is still sent
    const Ticks now = ticks();
    if (schedule.due(number) > now) {
      if (!spins && !over) std::this_thread::sleep_for(schedule.until(number, now));
      continue;
    }
    for (; schedule.due(number) <= now; ++number) sending.one();
    sending.flush();
  }
}

inline void produce_nothing(const Role& role) {
  while (!role.stopping()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

template <typename Out>
void produce(Role& role, Out& out) {
  const Payload payload(role.work().touched_bytes());
  Sending<Out> sending(role, payload, out);
  while (role.next_window()) {
    role.began();
    if (role.pace() == nothing_at_all) {
      produce_nothing(role);
    } else if (role.pace() != as_fast_as_possible) {
      produce_on_schedule(role, sending);
    }
    while (!role.stopping()) {
      if (role.work().burst != 0) {
        produce_burst(role, sending);
        continue;
      }
      for (unsigned i = 0; i < role.work().batch; ++i) sending.one();
    }
    sending.flush();
    role.ended();  // for a carrier without a receiver
    role.seat().sent = sending.sent();
    role.finish_window();
  }
}

/// How late the messages of a window are that is sent on schedule.
class Lateness {
 public:
  explicit Lateness(Role& role) : role_(role) {}
  /// `count` more were received just now.
  void note(unsigned count) {
    const Ticks now = ticks();
    if (number_ == 0) schedule_ = Schedule::of(role_.pace(), role_.seat_of_other());
    for (; count > 0; --count) role_.seat().histogram.add(schedule_.late(number_++, now));
  }

 private:
  Role& role_;
  Schedule schedule_;  // the sender has it before its first message
  std::uint64_t number_ = 0;
};

template <typename In>
void consume(Role& role, In& in) {
  const Payload payload(role.work().touched_bytes());
  Receiving<In> receiving(role, payload, in);
  while (role.next_window()) {
    Ticks last = ticks();
    Lateness lateness(role);
    while (!role.stopping() || !role.drained()) {
      const unsigned count = receiving.some();
      if (count == 0) {
        role.back_off();
        continue;
      }
      if (role.work().kind == Kind::load) lateness.note(count);
      role.seat().received.store(receiving.received(), std::memory_order_release);
      if constexpr (requires { in.pause(); }) {
        if (role.work().burst != 0 && receiving.received() % role.work().burst == 0) {
          in.pause();
          role.seat().stamp.store(receiving.received(), std::memory_order_release);
        }
      }
      if (role.stopping()) last = ticks();  // the next look may wait, and find nothing
    }
    role.ended(ticks() - last);
    role.finish_window();
  }
}

/// In Wait::sleep: the other side has fallen asleep meanwhile, and this core is awake.
inline void let_the_other_sleep(const Role& role) {
  if (role.work().wait != Wait::sleep) return;
  const Ticks begin = ticks();
  while (nanoseconds(ticks() - begin) < 200'000) __builtin_ia32_pause();
}

/// The time both messages were on their way. The clocks of two cores need not agree: their
/// difference is in both, once added and once subtracted.
template <typename Out, typename In>
void ping(Role& role, Out& out, In& in) {
  const Payload payload(role.work().touched_bytes());
  Sending<Out> sending(role, payload, out);
  Receiving<In> receiving(role, payload, in);
  while (role.next_window()) {
    role.began();
    while (!role.stopping()) {
      let_the_other_sleep(role);
      const Ticks begin = ticks();
      role.seat().stamp.store(begin, std::memory_order_relaxed);
      sending.one();
      sending.flush();
      while (receiving.some() == 0) role.back_off();
      const Ticks end = ticks();
      if (role.work().wait == Wait::sleep) {
        const Ticks back = end - role.seat_of_other().stamp.load(std::memory_order_relaxed);
        const Ticks there = role.seat_of_other().transit.load(std::memory_order_relaxed);
        role.seat().histogram.add(nanoseconds(there + back));
      } else {
        role.seat().histogram.add(nanoseconds(end - begin));
      }
    }
    role.seat().sent = sending.sent();
    role.finish_window();
  }
}

template <typename Out, typename In>
void pong(Role& role, Out& out, In& in) {
  const Payload payload(role.work().touched_bytes());
  Sending<Out> sending(role, payload, out);
  Receiving<In> receiving(role, payload, in);
  Seat& seat = role.seat();
  while (role.next_window()) {
    while (!role.stopping() || !role.drained()) {
      if (receiving.some() == 0) {
        role.back_off();
        continue;
      }
      if (role.work().wait == Wait::sleep) {
        seat.transit.store(ticks() - role.seat_of_other().stamp.load(std::memory_order_relaxed),
                           std::memory_order_relaxed);
        let_the_other_sleep(role);
        seat.stamp.store(ticks(), std::memory_order_relaxed);
      }
      sending.one();
      sending.flush();
      seat.received.store(receiving.received(), std::memory_order_relaxed);
    }
    role.ended();
    role.finish_window();
  }
}

/// One window: the producer makes its end of the carrier and sends one message. The receiver has
/// been waiting for a while.
template <typename MakeOut>
void arrive(Role& role, const MakeOut& make_out) {
  const Payload payload(role.work().size);
  if (role.next_window()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    role.began();
    auto out = make_out();
    Sending<decltype(out)> sending(role, payload, out);
    sending.one();
    sending.flush();
    role.seat().sent = sending.sent();
    role.finish_window();
    role.next_window();  // there is none: what was sent may need the sender until it is over
  }
}

}  // namespace spillring::bench
