// How fast messages become durable, against the disk's own sync in the same run.
//
//   bench_durable DIRECTORY [ROUNDS [MICROSECONDS [JSON]]]
//
// DIRECTORY is on the disk to be measured; each sync, whoever asks for it, takes so many
// MICROSECONDS longer, as on a slower disk. In each round: fdatasync of 256 bytes in a file whose
// blocks were written before, then 1, 8 and 64 senders that each send 100 bytes and wait for the
// disk, over and over. Prints medians over the rounds: the rate as a part of senders / the median
// of fdatasync, and the 99th percentile against that of fdatasync. For comparison the same with
// threads of one process and the simplest group commit there is, in place of a queue; and what it
// takes to wake as many sleepers, without a disk or anything to do. JSON is a file for the medians.
#include <linux/futex.h>
#include <sys/syscall.h>

#include <array>
#include <atomic>
#include <climits>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "measure.hpp"

namespace {

std::chrono::microseconds slower_by{0};

}  // namespace

/// In place of the C library's: for the probe and for the supervisor in this process.
extern "C" int fdatasync(int file) {
  if (slower_by.count() != 0) std::this_thread::sleep_for(slower_by);
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

namespace {

using namespace spillring::bench;
using namespace std::chrono_literals;
constexpr auto window = 200ms;

/// How long each of the calls took.
std::vector<double> sync_for_a_while(int file) {
  std::vector<double> took;
  const std::array<char, 256> bytes{};
  for (const auto end = Clock::now() + window; Clock::now() < end;) {
    const auto at = static_cast<off_t>(4096 + took.size() % 8192 * bytes.size());
    if (::pwrite(file, bytes.data(), bytes.size(), at) < 0) std::exit(74);
    const auto begin = Clock::now();
    if (::fdatasync(file) != 0) std::exit(74);
    took.push_back(microseconds_since(begin));
  }
  return took;
}

int prepared_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  const std::vector<char> zeros(4 << 20);
  if (file < 0 || ::pwrite(file, zeros.data(), zeros.size(), 0) < 0 || ::fsync(file) != 0) {
    std::perror("cannot prepare the file");
    std::exit(74);
  }
  return file;
}

/// How long each turn of so many threads took, all together.
template <typename MakeTurn>
std::vector<double> in_turns(std::size_t senders, const MakeTurn& make_turn) {
  std::vector<std::vector<double>> took(senders);
  std::vector<std::thread> threads;
  threads.reserve(senders);
  for (std::vector<double>& mine : took) {
    threads.emplace_back([&mine, turn = make_turn()]() mutable {
      for (const auto end = Clock::now() + window; Clock::now() < end;) {
        const auto begin = Clock::now();
        turn();
        mine.push_back(microseconds_since(begin));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& mine : took) all.insert(all.end(), mine.begin(), mine.end());
  return all;
}

constexpr std::array<std::byte, 100> payload{};

std::vector<double> send_for_a_while(const spillring::Queue& queue, std::size_t senders) {
  return in_turns(senders, [&] {
    return [out = queue.producer()]() mutable {
      if (!out.send(payload, 5s) || !out.flush(5s)) std::exit(75);
    };
  });
}

/// The least that can be done: threads of one process, a mutex, a condition variable, and a thread
/// that writes and syncs what has come together.
class PlainGroupCommit {
 public:
  explicit PlainGroupCommit(int file) : file_(file), writer_([this] { write(); }) {}
  PlainGroupCommit(const PlainGroupCommit&) = delete;
  PlainGroupCommit& operator=(const PlainGroupCommit&) = delete;
  ~PlainGroupCommit() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    writer_.join();
  }
  void send() {
    std::unique_lock lock(mutex_);
    waiting_.insert(waiting_.end(), payload.begin(), payload.end());
    const std::uint64_t mine = ++sent_;
    changed_.notify_one();
    synced_.wait(lock, [&] { return on_disk_ >= mine; });
  }

 private:
  void write() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      std::vector<std::byte> bytes;
      bytes.swap(waiting_);
      const std::uint64_t end = sent_;
      lock.unlock();
      if (::pwrite(file_, bytes.data(), bytes.size(), 4096) < 0 || ::fdatasync(file_) != 0) {
        give_up("cannot sync");
      }
      lock.lock();
      on_disk_ = end;
      synced_.notify_all();
    }
  }

  int file_;
  std::mutex mutex_;
  std::condition_variable changed_, synced_;
  std::vector<std::byte> waiting_;
  std::uint64_t sent_ = 0, on_disk_ = 0;
  bool over_ = false;
  std::thread writer_;
};

std::vector<double> commit_for_a_while(int file, std::size_t senders) {
  PlainGroupCommit plain(file);
  return in_turns(senders, [&] { return [&plain] { plain.send(); }; });
}

/// Threads that sleep until they are woken all together, over and over: the least that a sync costs
/// which many wait for.
class Sleepers {
 public:
  explicit Sleepers(std::size_t count) : count_(count) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { sleep(); });
    await_all();
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;
  ~Sleepers() {
    over_ = true;
    ring();
    for (std::thread& thread : threads_) thread.join();
  }
  /// Microseconds until the last of them has run.
  double wake() {
    const auto begin = Clock::now();
    ring();
    await_all();
    return microseconds_since(begin);
  }

 private:
  static void futex(std::atomic<unsigned>& word, int operation, unsigned value) {
    ::syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
  }
  void ring() {
    asleep_ = 0;
    bell_.fetch_add(1);
    futex(bell_, FUTEX_WAKE, INT_MAX);
  }
  void await_all() {
    for (unsigned now = asleep_; now != count_; now = asleep_) futex(asleep_, FUTEX_WAIT, now);
  }
  void sleep() {
    while (!over_) {
      const unsigned value = bell_;
      if (asleep_.fetch_add(1) + 1 == count_) futex(asleep_, FUTEX_WAKE, 1);
      while (bell_ == value) futex(bell_, FUTEX_WAIT, value);
    }
  }

  std::size_t count_;
  std::atomic<unsigned> bell_{0}, asleep_{0};
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

double wake_for_a_while(std::size_t count) {
  Sleepers sleepers(count);
  std::vector<double> took;
  for (const auto end = Clock::now() + window; Clock::now() < end;) took.push_back(sleepers.wake());
  return quantile(took, 0.5);
}

struct Series {
  std::size_t senders;
  std::vector<double> rates{}, rates_of_allowed{}, latencies_of_sync{}, of_plain{}, wakes{};
};

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* usage = "bench_durable DIRECTORY [ROUNDS [MICROSECONDS [JSON]]]";
  const int rounds = number(argc, argv, 2, 25, usage);
  slower_by = std::chrono::microseconds(number(argc, argv, 3, 0, usage));
  const Place place(argv[1]);
  std::array<Series, 3> all{Series{1}, Series{8}, Series{64}};
  std::vector<double> medians;
  const auto queue = place.connect().create(
      "durable", {.full = spillring::Full::spill, .durability = spillring::Durability::disk});
  const int file = prepared_file(place.directory() / "probe");
  for (int round = 0; round < rounds; ++round) {
    for (Series& series : all) {
      const std::vector<double> sync = sync_for_a_while(file);
      const std::vector<double> took = send_for_a_while(queue, series.senders);
      const std::vector<double> plain = commit_for_a_while(file, series.senders);
      const double median = quantile(sync, 0.5);
      medians.push_back(median);
      const double rate =
          static_cast<double>(took.size()) / std::chrono::duration<double>(window).count();
      series.rates.push_back(rate);
      series.rates_of_allowed.push_back(rate /
                                        (static_cast<double>(series.senders) / median * 1e6));
      series.of_plain.push_back(static_cast<double>(took.size()) /
                                static_cast<double>(plain.size()));
      series.latencies_of_sync.push_back(quantile(took, 0.99) / quantile(sync, 0.99));
      series.wakes.push_back(wake_for_a_while(series.senders));
    }
    static_cast<void>(queue.purge());
  }
  ::close(file);
  std::printf("fdatasync: median %.0f us\n", quantile(medians, 0.5));
  Rows rows;
  for (const Series& series : all) {
    rows.add({{"senders", static_cast<double>(series.senders)},
              {"sync", quantile(medians, 0.5)},
              {"rate", median(series.rates)},
              {"of_allowed", median(series.rates_of_allowed)},
              {"of_plain", median(series.of_plain)},
              {"p99_of_sync", median(series.latencies_of_sync)},
              {"wake", median(series.wakes)}});
    std::printf(
        "%2zu senders: %.0f a second, %.2f of what fdatasync allows, %.2f of plain group commit; "
        "p99 %.1f of fdatasync's; to wake as many takes %.0f us\n",
        series.senders, quantile(series.rates, 0.5), quantile(series.rates_of_allowed, 0.5),
        median(series.of_plain), median(series.latencies_of_sync), median(series.wakes));
  }
  if (argc > 4) rows.write(argv[4]);
  return 0;
}
