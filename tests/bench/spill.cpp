// How fast a burst is taken by the journal and read back, against plain files in the same run.
//
//   bench_spill DIRECTORY [ROUNDS [JSON]]
//
// In each round, for messages of 64 KiB, 1 KiB and 64 bytes: a file is written and read in calls of
// 1 MiB, then as many bytes go into a queue of 16 MiB whose reader is not reading, and the reader
// gets them. Prints medians over the rounds. The page cache takes the bytes in both cases; what is
// dirty is brought to the disk before each turn. JSON is a file for the medians.
#include <array>
#include <filesystem>

#include "measure.hpp"

namespace {

using namespace spillring;
using namespace spillring::bench;
using namespace std::chrono_literals;

struct Series {
  std::size_t size;
  std::uint64_t bytes;
  std::vector<double> written, read, spilled, read_back;
};

void settle(const PlainFile& file) {
  if (::syncfs(file.descriptor()) != 0) give_up("syncfs");
}

double mib_a_second(std::uint64_t bytes, Clock::time_point begin) {
  return static_cast<double>(bytes) / microseconds_since(begin) / 1.048576;
}

double send_all(Producer& out, std::size_t size, std::uint64_t bytes) {
  const std::vector<std::byte> payload(size, std::byte{'x'});
  const auto begin = Clock::now();
  for (std::uint64_t done = 0; done < bytes; done += size) {
    if (!out.send(payload, 30s)) std::exit(75);
  }
  return mib_a_second(bytes, begin);
}

double receive_all(Consumer& in, std::size_t size, std::uint64_t bytes) {
  const auto begin = Clock::now();
  for (std::uint64_t done = 0; done < bytes; done += size) {
    auto message = in.receive(30s);
    if (!message || message->bytes().size() != size ||
        message->bytes()[size / 2] != std::byte{'x'} || !message->ack()) {
      std::exit(75);
    }
  }
  return mib_a_second(bytes, begin);
}

void one_round(Series& series, const Client& client, const std::filesystem::path& directory) {
  {
    PlainFile file(directory / "plain");
    settle(file);
    series.written.push_back(file.write(series.bytes));
    series.read.push_back(file.read(series.bytes));
    settle(file);
  }
  const Queue queue = client.create("spill", {.full = Full::spill});
  Consumer in = queue.subscriber("reader", {.start = Start::earliest()});
  Producer out = queue.producer();
  series.spilled.push_back(send_all(out, series.size, series.bytes) / series.written.back());
  series.read_back.push_back(receive_all(in, series.size, series.bytes) / series.read.back());
  in.close();
  client.remove("spill");
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = number(argc, argv, 2, 15, "bench_spill DIRECTORY [ROUNDS [JSON]]");
  const Place place(argv[1]);
  std::array<Series, 3> all{Series{65536, 512 * MiB, {}, {}, {}, {}},
                            Series{1024, 512 * MiB, {}, {}, {}, {}},
                            Series{64, 64 * MiB, {}, {}, {}, {}}};
  const Client client = place.connect();
  for (int round = 0; round < rounds; ++round) {
    for (Series& series : all) one_round(series, client, place.directory());
  }
  Rows rows;
  for (const Series& series : all) {
    rows.add({{"size", static_cast<double>(series.size)},
              {"written", median(series.written)},
              {"read", median(series.read)},
              {"spilled", median(series.spilled)},
              {"read_back", median(series.read_back)}});
    const double spilled = median(series.spilled) * median(series.written);
    const double back = median(series.read_back) * median(series.read);
    std::printf(
        "%5zu bytes: plain %.0f MiB/s written, %.0f read; spilled at %.2f of it, read back at %.2f "
        "(%.0f and %.0f ns a message)\n",
        series.size, median(series.written), median(series.read), median(series.spilled),
        median(series.read_back), static_cast<double>(series.size) / spilled * 1e9 / 1048576,
        static_cast<double>(series.size) / back * 1e9 / 1048576);
  }
  if (argc > 3) rows.write(argv[3]);
  return 0;
}
