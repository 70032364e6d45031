// Whether a deep backlog costs anything: publishing and reading with 0, 1 and 8 GiB in the journal.
//
//   bench_depth DIRECTORY [GIB]
//
// Fills a queue of 16 MiB whose reader is not reading, in messages of 64 KiB, and then empties it.
// At each depth stretches are timed, each beside as many bytes in a plain file, written at the top,
// read from the bottom. The plain files stay until the end, too, as memory that was just given back
// is taken again much faster. What is dirty is brought to the disk before each stretch. Skips the
// depths that the disk has no room for.
#include <filesystem>
#include <memory>

#include "measure.hpp"

namespace {

using namespace spillring;
using namespace spillring::bench;
using namespace std::chrono_literals;

constexpr std::uint64_t size = 64 * 1024;
constexpr std::uint64_t stretch = 64 * MiB;
constexpr std::size_t stretches = 9;

double mib_a_second(std::uint64_t bytes, Clock::time_point begin) {
  return static_cast<double>(bytes) / microseconds_since(begin) / 1.048576;
}

class Bench {
 public:
  explicit Bench(const std::filesystem::path& directory, const Client& client)
      : directory_(directory),
        queue_(client.create("deep", {.full = Full::spill})),
        in_(queue_.subscriber("reader", {.start = Start::earliest()})),
        out_(queue_.producer()) {}

  void fill(std::uint64_t depth) {
    while (depth_ < depth) {
      send(std::min(depth - depth_, 512 * MiB));
      sync();
    }
  }
  void empty(std::uint64_t depth) {
    while (depth_ > depth) receive(std::min(depth_ - depth, stretch));
  }
  /// Prints the medians, and leaves the depth a little greater, or smaller.
  void time_sending() {
    const auto plain = [this](std::size_t) {
      const std::string name = "plain" + std::to_string(files_.size());
      files_.push_back(std::make_unique<PlainFile>(directory_ / name));
      return files_.back()->write(stretch);
    };
    time(
        "published", [this] { return send(stretch); }, plain);
  }
  void time_receiving() {
    const auto plain = [this](std::size_t i) { return files_[i]->read(stretch); };
    time(
        "read", [this] { return receive(stretch); }, plain);
  }

 private:
  template <typename Ours, typename Plain>
  void time(const char* what, const Ours& ours, const Plain& plain) {
    const double depth = static_cast<double>(depth_) / (1 << 30);
    std::vector<double> rates;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < stretches; ++i) {
      sync();
      const double beside = plain(i);
      rates.push_back(ours());
      ratios.push_back(rates.back() / beside);
    }
    std::printf("%4.1f GiB: %s at %.0f MiB/s, %.2f of a plain file\n", depth, what, median(rates),
                median(ratios));
  }
  double send(std::uint64_t bytes) {
    const std::vector<std::byte> payload(size, std::byte{'x'});
    const auto begin = Clock::now();
    for (std::uint64_t done = 0; done < bytes; done += size) {
      if (!out_.send(payload, 60s)) std::exit(75);
    }
    depth_ += bytes;
    return mib_a_second(bytes, begin);
  }
  double receive(std::uint64_t bytes) {
    const auto begin = Clock::now();
    for (std::uint64_t done = 0; done < bytes; done += size) {
      auto message = in_.receive(60s);
      if (!message || message->bytes()[size / 2] != std::byte{'x'} || !message->ack())
        std::exit(75);
    }
    depth_ -= bytes;
    return mib_a_second(bytes, begin);
  }
  void sync() const {
    const PlainFile file(directory_ / "sync");
    if (::syncfs(file.descriptor()) != 0) give_up("syncfs");
  }

  std::filesystem::path directory_;
  Queue queue_;
  Consumer in_;
  Producer out_;
  std::uint64_t depth_ = 0;
  std::vector<std::unique_ptr<PlainFile>> files_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto gib =
      static_cast<std::uint64_t>(number(argc, argv, 2, 8, "bench_depth DIRECTORY [GIB]"));
  const std::uint64_t most = gib * 1024 * MiB;
  const Place place(argv[1]);
  Bench bench(place.directory(), place.connect());
  std::vector<std::uint64_t> depths{32 * MiB};  // the ring is full
  for (const std::uint64_t depth : {1024 * MiB, 8 * 1024 * MiB}) {
    const std::uint64_t room = std::filesystem::space(place.directory()).available;
    if (depth <= most && depth + 2 * 1024 * MiB <= room) {
      depths.push_back(depth);
    } else {
      std::printf("%4.1f GiB: skipped, there is no room, or it was not asked for\n",
                  static_cast<double>(depth) / (1 << 30));
    }
  }
  for (const std::uint64_t depth : depths) {
    bench.fill(depth);
    bench.time_sending();
  }
  std::reverse(depths.begin(), depths.end());
  for (const std::uint64_t depth : depths) {
    bench.empty(depth + stretches * stretch);
    bench.time_receiving();
  }
  return 0;
}
