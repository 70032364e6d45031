// A handle of the library that Python's threads share.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "connection.hpp"
#include "fork.hpp"
#include "gil.hpp"
#include "spillring/error.hpp"
#include "spillring/result.hpp"

namespace spillring::python {

/// There is nothing now; there may be later.
inline bool is_nothing(Code code) noexcept {
  return code == Code::empty || code == Code::full || code == Code::timeout;
}

/// A `Consumer` and its messages, or a `Producer` and its loans: the library wants one thread at a
/// time for all of them, so a mutex guards them.
///
/// Rules that keep the mutex and the GIL from waiting for each other:
/// 1. Whoever has the GIL only tries the mutex; to wait for it, it gives the GIL up.
/// 2. Whoever has the mutex calls the library only: never Python, and it does not wait for the GIL.
/// 3. Nobody sleeps with the mutex: waiting for a message or for room goes on without it
///    (`Consumer::wait`, `Producer::wait_for_room`), so an ack is never behind a blocked receive.
/// 4. An item that Python drops while the mutex is taken is left in `dropped_`; whoever gives the
///    mutex back looks there.
template <typename Owner, typename Item>
class Handle final : public Closable {
 public:
  /// The connection stays at least as long as this.
  Handle(std::shared_ptr<Connection> connection, Owner owner)
      : connection_(std::move(connection)), owner_(std::make_unique<Owner>(std::move(owner))) {}

  ~Handle() override {
    if (fork_.foreign()) {  // the parent's, in whatever state its threads had them: never touched
      abandon(owner_);
      abandon(dropped_);
      return;
    }
    without_gil([this] {
      dropped_.clear();
      owner_.reset();
    });
  }

  /// Runs `work()` while no other thread uses the owner or its items. With the GIL, which it gives
  /// up only if it may have to wait: for its turn, or, where the owner is closed and this is its
  /// last item, for the supervisor. Throws `forked`.
  template <typename Work>
  auto alone(Work work) {
    fork_.check();
    if (!may_ask()) {
      if (const Turn turn(*this, std::try_to_lock); turn) return work();
    }
    return without_gil([&] { return alone_without_gil(work); });
  }

  /// The same from a thread that gave the GIL up already.
  template <typename Work>
  auto alone_without_gil(Work work) {
    const Turn turn(*this);
    return work();
  }

  /// Runs `work(owner)` without the GIL while no other thread uses the owner or waits for it;
  /// `busy` where one waits.
  template <typename Work>
  Code apart(Work work) {
    fork_.check();
    return without_gil([&] {
      const Turn turn(*this);
      if (closed_) return Code::closed;
      if (waiting_ != 0) return Code::busy;
      replaced_ = true;
      work(*owner_);
      return Code::ok;
    });
  }

  /// Tries `attempt(owner)`, and while it answers that there is nothing (empty, full, timeout),
  /// `wait(owner, how_long)` in between, until the deadline. With the GIL, which it gives up only
  /// if it has to wait. Throws `forked`, and what a Python signal handler raised.
  template <typename Attempt, typename Wait>
  std::invoke_result_t<Attempt, Owner&> obtain(const Deadline& deadline, Attempt attempt,
                                               Wait wait) {
    fork_.check();
    if (const Turn turn(*this, std::try_to_lock); turn) {
      if (closed_) return Code::closed;
      auto answer = attempt(*owner_);
      const Code error = answer.error();
      const bool again = error == Code::interrupted || (is_nothing(error) && !deadline.passed());
      if (!again) return answer;
    }
    for (;;) {
      auto answer = without_gil([&] { return slice(deadline, attempt, wait); });
      if (answer.error() != Code::interrupted) return answer;
      if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
      // Who did not want to wait at all wants to know whether there is something.
      if (deadline.waits() && deadline.passed()) return Code::timeout;
    }
  }

  /// Ends an item that Python dropped. With the GIL; waits for nobody's turn.
  void drop(Item item) noexcept {
    if (fork_.foreign()) {
      abandon(item);
      return;
    }
    if (!may_ask()) {
      // Asked once more: `apart` may have come between.
      if (const Turn turn(*this, std::try_to_lock); turn && !may_ask()) {
        const Item ended = std::move(item);
        return;
      }
    }
    {
      const std::lock_guard lock(dropped_mutex_);
      dropped_.push_back(std::move(item));
      any_dropped_.store(true, std::memory_order_relaxed);
    }
    if (may_ask()) {  // its last item may be waited for, as in alone()
      without_gil([this] { end_dropped(); });
    } else {
      end_dropped();
    }
  }

  /// Who waits at this moment finds out within a second, and only then does the owner close.
  void close() override {
    if (fork_.foreign() || closed_.exchange(true)) return;
    without_gil([this] {
      const Turn turn(*this);
      if (waiting_ == 0) owner_->close();
    });
  }

  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] bool foreign() const noexcept { return fork_.foreign(); }
  void check_fork() const { fork_.check(); }
  /// REQUIRES: the caller runs `alone`, and the handle is not closed.
  [[nodiscard]] Owner& owner() noexcept { return *owner_; }

 private:
  // One thread's time with the owner. What others dropped meanwhile is ended after it.
  class Turn {
   public:
    template <typename... How>
    explicit Turn(Handle& handle, How... how) : handle_(handle), lock_(handle.mutex_, how...) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { pause(); }

    explicit operator bool() const noexcept { return lock_.owns_lock(); }
    void pause() noexcept {
      if (!lock_.owns_lock()) return;
      lock_.unlock();
      handle_.end_dropped();
    }
    void resume() { lock_.lock(); }

   private:
    Handle& handle_;
    std::unique_lock<std::timed_mutex> lock_;
  };

  // The last item of an owner that is closed, or was replaced by `apart`, asks the supervisor.
  [[nodiscard]] bool may_ask() const noexcept { return closed_ || replaced_; }

  // A stretch of a wait, after which signals are looked at: `interrupted`. Without the GIL.
  template <typename Attempt, typename Wait>
  std::invoke_result_t<Attempt, Owner&> slice(const Deadline& deadline, Attempt& attempt,
                                              Wait& wait) {
    const Deadline::Clock::time_point end = deadline.slice();
    Turn turn(*this, end);
    if (!turn) return Code::interrupted;
    for (;;) {
      if (closed_) return Code::closed;
      auto answer = attempt(*owner_);
      if (!is_nothing(answer.error()) || deadline.passed()) return answer;
      if (Deadline::Clock::now() >= end) return Code::interrupted;

      ++waiting_;
      turn.pause();
      const Result<void> woken = wait(*owner_, deadline.remaining());
      turn.resume();
      --waiting_;
      if (closed_ && waiting_ == 0) owner_->close();
      if (closed_) return Code::closed;
      if (!woken && woken.error() != Code::timeout) return woken.error();
    }
  }

  // A drop that found the mutex taken put its item in `dropped_` before it tried; whoever had the
  // mutex looks there after it gave it back. So one of the two ends the item.
  void end_dropped() noexcept {
    for (;;) {
      // Between the change (an item was left, or the mutex was given back) and the look at what the
      // other one changed.
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (!any_dropped_.load(std::memory_order_relaxed)) return;
      const std::unique_lock lock(mutex_, std::try_to_lock);
      if (!lock) return;
      std::vector<Item> items;
      {
        const std::lock_guard list(dropped_mutex_);
        items.swap(dropped_);
        any_dropped_.store(false, std::memory_order_relaxed);
      }
    }
  }

  const ForkGuard fork_;
  std::shared_ptr<Connection> connection_;
  std::timed_mutex mutex_;
  std::unique_ptr<Owner> owner_;  // its items too
  unsigned waiting_ = 0;          // threads in `wait`; guarded by `mutex_`
  std::atomic<bool> closed_ = false;
  std::atomic<bool> replaced_ = false;
  std::mutex dropped_mutex_;  // for moments; may be taken with the GIL and with `mutex_`
  std::vector<Item> dropped_;
  std::atomic<bool> any_dropped_ = false;  // changed with `dropped_mutex_`, looked at without
};

}  // namespace spillring::python
