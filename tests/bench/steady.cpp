// What `full = spill` costs where consumers keep up: nothing is to be seen.
//
//   bench_steady DIRECTORY [ROUNDS]
//
// In each round, one behind the other and in changing order: a queue with `full = block` and one
// with `full = spill`, a thread that sends 64 bytes over and over, and one that receives. Prints
// the median of the ratios of the rates, and what was journaled.
#include <array>
#include <atomic>
#include <filesystem>
#include <thread>

#include "measure.hpp"

namespace {

using namespace spillring;
using namespace spillring::bench;
using namespace std::chrono_literals;
constexpr auto window = 200ms;

struct Lane {
  Queue queue;
  Producer out;
  Consumer in;

  static Lane made(const Client& client, const char* name, Full full) {
    // Large enough for a reader that is not scheduled for a while: it keeps up.
    Queue queue = client.create(name, {.capacity = 64 * MiB, .slots = 1 << 20, .full = full});
    Producer out = queue.producer();
    Consumer in = queue.subscriber("reader", {.start = Start::earliest()});
    return {std::move(queue), std::move(out), std::move(in)};
  }

  /// Messages a second.
  double run() {
    std::atomic<std::uint64_t> sent{0};
    std::atomic<bool> over{false};
    const auto begin = Clock::now();
    std::thread sender([&] {
      const std::array<std::byte, 64> bytes{};
      std::uint64_t count = 0;
      while (Clock::now() < begin + window) {
        for (int i = 0; i < 64; ++i, ++count) {
          if (!out.send(bytes, 5s)) std::exit(75);
        }
      }
      sent = count;
      over = true;
    });
    std::uint64_t received = 0;
    while (!over || received < sent) {
      const auto message = in.receive(1ms);
      if (message) ++received;
    }
    sender.join();
    return static_cast<double>(received) / microseconds_since(begin) * 1e6;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = number(argc, argv, 2, 31, "bench_steady DIRECTORY [ROUNDS]");
  const Place place(argv[1]);
  std::vector<double> rates;
  std::vector<double> ratios;
  std::uint64_t on_disk = 0;
  const Client client = place.connect();
  for (int round = 0; round < rounds; ++round) {
    // Made anew, and in changing order: where memory happens to lie makes a tenth of difference.
    std::array<double, 2> rate{};
    for (const std::size_t turn : {0, 1}) {
      const std::size_t which = (turn + static_cast<std::size_t>(round)) % 2;
      Lane lane = Lane::made(client, "q", which == 0 ? Full::block : Full::spill);
      lane.run();  // has touched all of the ring
      rate.at(which) = lane.run();
      on_disk = std::max(on_disk, lane.queue.info().journal_bytes);
      client.remove("q");
    }
    rates.push_back(rate[1]);
    ratios.push_back(rate[1] / rate[0]);
  }
  std::printf(
      "spill: %.0f messages a second, %.3f of block (quarters %.3f and %.3f, %d pairs of %d ms); "
      "journal at most %.0f MiB\n",
      median(rates), median(ratios), quantile(ratios, 0.25), quantile(ratios, 0.75), rounds,
      static_cast<int>(window.count()), static_cast<double>(on_disk) / (1 << 20));
  return 0;
}
