#include "wait/waiter.hpp"

#include <algorithm>
#include <csignal>
#include <system_error>

#include "os/kernel.hpp"
#include "os/socket.hpp"
#include "spillring/error.hpp"
#include "wait/bell.hpp"

namespace spillring::wait {

namespace {

// A look that is due so soon is made while the waiter is awake: many watches, one wake a second.
constexpr os::Instant slack = longest_nap / 4;

}  // namespace

Watch::Watch(std::shared_ptr<Waiter> waiter, os::Fd event)
    : waiter_(std::move(waiter)), event_(std::move(event)) {
  os::signal_event(event_);
}

void Watch::attach(Watched& watched) {
  const std::scoped_lock lock(waiter_->mutex_);
  // Beside those that wait for the same bell: the waiter sleeps on it once for all of them.
  auto& watches = waiter_->watches_;
  bell_ = &watched.bell();
  watches.insert(std::ranges::find(watches, bell_, &Watch::bell_), this);
  watched_ = &watched;
}

void Watch::detach() noexcept {
  if (watched_ == nullptr || waiter_->forked()) return;
  const std::scoped_lock lock(waiter_->mutex_);
  std::erase(waiter_->watches_, this);
  watched_ = nullptr;
  if (armed_) Waiter::tell(*this);
  waiter_->turn();  // F5
}

void Watch::arm() noexcept {
  if (armed_.load(std::memory_order_relaxed)) return;  // or told at this moment: as good
  const std::scoped_lock lock(waiter_->mutex_);
  os::clear_event(event_);
  fresh_ = true;
  armed_.store(true, std::memory_order_relaxed);
  waiter_->turn();
}

void Watch::raise() noexcept {
  if (!armed_.load(std::memory_order_relaxed)) return;
  const std::scoped_lock lock(waiter_->mutex_);
  if (armed_.load(std::memory_order_relaxed)) Waiter::tell(*this);
}

Waiter::Waiter() {
  if (!os::waits_for_several_futexes()) {
    throw Error(Code::unsupported, "this kernel cannot wait for several queues at once",
                "futex_waitv came with Linux 5.16, or is forbidden here",
                "wait for each queue in a thread of its own");
  }
  // The application's signals are for the application's threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::make_unique<std::thread>([this] { run(); });
  } catch (const std::system_error& error) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw Error(Code::no_memory, "cannot start a thread", error.what(),
                "raise the limit of processes (ulimit -u)");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Waiter::~Waiter() {
  if (forked()) {
    static_cast<void>(thread_.release());
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    turn();
  }
  thread_->join();
}

void Waiter::turn() noexcept {
  turn_.fetch_add(1, std::memory_order_seq_cst);
  os::futex_wake_all(turn_);
}

void Waiter::tell(Watch& watch) noexcept {
  watch.armed_.store(false, std::memory_order_relaxed);
  os::signal_event(watch.event_);
}

void Waiter::look_after(Watch& watch) noexcept {
  layout::Bell& bell = *watch.bell_;
  const os::Instant now = os::now();
  const bool rung = watch.fresh_ || bell.value.load(std::memory_order_relaxed) != watch.value_;
  if (!rung && now < watch.until_ - slack) return;  // F4
  if (rung) watch.since_ = now;
  watch.fresh_ = false;
  watch.value_ = announce(bell);  // SYNC POINT WRITE: mark. Before the look (F3).
  const bool in_vain = now - watch.since_ >= longest_nap - slack;
  if (in_vain) watch.since_ = now;
  const auto until = watch.watched_->look(in_vain);
  if (!until) return tell(watch);
  watch.until_ = *until;
}

void Waiter::run() noexcept {
  std::vector<os::FutexWait> sleep;
  sleep.reserve(os::most_futexes);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    sleep.assign(1, {&turn_, turn_.load(std::memory_order_relaxed)});
    os::Instant until = os::never;
    for (Watch* const watch : watches_) {
      if (!watch->armed_.load(std::memory_order_relaxed)) continue;
      look_after(*watch);
      if (!watch->armed_.load(std::memory_order_relaxed)) continue;
      until = std::min(until, watch->until_);
      const os::FutexWait bell{&watch->bell_->value, watch->value_};
      if (bell != sleep.back()) sleep.push_back(bell);
    }
    lock.unlock();
    os::futex_wait_any(sleep, until);
    lock.lock();
  }
}

std::unique_ptr<Watch> Waiters::watch() {
  os::Fd event = os::make_event();
  const std::scoped_lock lock(mutex_);
  std::erase_if(waiters_, [](const auto& known) { return known.expired(); });
  for (const auto& known : waiters_) {
    auto waiter = known.lock();
    // One is this lock's, the others are its watches'.
    if (waiter == nullptr || static_cast<std::size_t>(waiter.use_count()) > Waiter::most) continue;
    return std::make_unique<Watch>(std::move(waiter), std::move(event));
  }
  auto waiter = std::make_shared<Waiter>();
  waiters_.emplace_back(waiter);
  return std::make_unique<Watch>(std::move(waiter), std::move(event));
}

}  // namespace spillring::wait
