// How fast messages become durable, against the disk's own sync in the same run.
//
//   bench_durable DIRECTORY [ROUNDS]
//
// DIRECTORY is on the disk to be measured. In each round: fdatasync of 256 bytes in a file whose
// blocks were written before, then 1, 8 and 64 senders that each send 100 bytes and wait for the
// disk, over and over. Prints medians over the rounds: the rate as a part of senders / the median
// of fdatasync, and the 99th percentile against that of fdatasync.
#include <array>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "measure.hpp"
#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"

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

std::vector<double> send_for_a_while(const spillring::Queue& queue, std::size_t senders) {
  std::vector<std::vector<double>> took(senders);
  std::vector<std::thread> threads;
  threads.reserve(senders);
  for (std::vector<double>& mine : took) {
    threads.emplace_back([&mine, out = queue.producer()]() mutable {
      const std::array<std::byte, 100> bytes{};
      for (const auto end = Clock::now() + window; Clock::now() < end;) {
        const auto begin = Clock::now();
        if (!out.send(bytes, 5s) || !out.flush(5s)) std::exit(75);
        mine.push_back(microseconds_since(begin));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& mine : took) all.insert(all.end(), mine.begin(), mine.end());
  return all;
}

struct Series {
  std::size_t senders;
  std::vector<double> rates, rates_of_allowed, latencies_of_sync;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: bench_durable DIRECTORY [ROUNDS]\n", stderr);
    return 64;
  }
  const std::filesystem::path directory = std::filesystem::path(argv[1]) / "bench_durable";
  std::filesystem::create_directories(directory);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 25;
  std::array<Series, 3> all{Series{1, {}, {}, {}}, Series{8, {}, {}, {}}, Series{64, {}, {}, {}}};
  std::vector<double> medians;
  {
    spillring::Embedded::Options options;
    options.state_dir = directory / "state";
    const spillring::Embedded supervisor(options);
    const auto queue = supervisor.connect().create(
        "durable", {.full = spillring::Full::spill, .durability = spillring::Durability::disk});
    const int file = prepared_file(directory / "probe");
    for (int round = 0; round < rounds; ++round) {
      for (Series& series : all) {
        const std::vector<double> sync = sync_for_a_while(file);
        const std::vector<double> took = send_for_a_while(queue, series.senders);
        const double median = quantile(sync, 0.5);
        medians.push_back(median);
        const double rate =
            static_cast<double>(took.size()) / std::chrono::duration<double>(window).count();
        series.rates.push_back(rate);
        series.rates_of_allowed.push_back(rate /
                                          (static_cast<double>(series.senders) / median * 1e6));
        series.latencies_of_sync.push_back(quantile(took, 0.99) / quantile(sync, 0.99));
      }
      static_cast<void>(queue.purge());
    }
    ::close(file);
  }
  std::filesystem::remove_all(directory);
  std::printf("fdatasync: median %.0f us\n", quantile(medians, 0.5));
  for (const Series& series : all) {
    std::printf(
        "%2zu senders: %.0f a second, %.2f of what fdatasync allows; p99 %.1f of fdatasync's\n",
        series.senders, quantile(series.rates, 0.5), quantile(series.rates_of_allowed, 0.5),
        quantile(series.latencies_of_sync, 0.5));
  }
  return 0;
}
