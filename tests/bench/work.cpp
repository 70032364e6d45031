#include "work.hpp"

#include <algorithm>
#include <array>

namespace spillring::bench {

namespace {

/// A work for each point, made by `make(point)`.
template <typename Make>
void add_curve(std::vector<Work>& works, std::string_view name,
               std::initializer_list<std::size_t> points, const Make& make) {
  for (const std::size_t at : points) {
    Work work = make(at);
    work.name = std::string(name) + "_" + std::to_string(at);
    work.kind = Kind::stream;
    work.turns = work.curve = name;
    work.at = at;
    works.push_back(std::move(work));
  }
}

constexpr std::size_t kib = 1 << 10;
constexpr std::size_t mib = 1 << 20;

void add_curves(std::vector<Work>& works) {
  add_curve(works, "groups", {1, 4, 16, 64}, [](std::size_t groups) {
    return Work{
        .idle_groups = static_cast<unsigned>(groups) - 1, .burst = 16384, .capacity = 16 * mib};
  });
  add_curve(works, "queues", {1, 10, 100, 1000}, [](std::size_t queues) {
    return Work{.idle_queues = static_cast<unsigned>(queues) - 1};
  });
  add_curve(works, "readers", {1, 2, 4, 8, 16},
            [](std::size_t readers) { return Work{.consumers = static_cast<unsigned>(readers)}; });
  add_curve(works, "producers", {1, 2, 4, 8, 16, 32}, [](std::size_t producers) {
    return Work{.producers = static_cast<unsigned>(producers)};
  });
  // Eight of the largest, as the ring has them.
  add_curve(
      works, "sizes", {8, 64, 512, 4 * kib, 32 * kib, 256 * kib, mib, 8 * mib, 64 * mib},
      [](std::size_t size) { return Work{.size = size, .capacity = size > mib ? 8 * size : 0}; });
  add_curve(works, "capacity",
            {64 * kib, 256 * kib, mib, 4 * mib, 16 * mib, 64 * mib, 256 * mib, kib * mib},
            [](std::size_t capacity) { return Work{.size = kib, .capacity = capacity}; });
}

std::vector<Work> make_works() {
  std::vector<Work> works{
      {.name = "rtt24", .kind = Kind::round_trip, .size = 24},
      {.name = "rtt64", .kind = Kind::round_trip, .size = 64},
      {.name = "rtt1k", .kind = Kind::round_trip, .size = 1024},
      {.name = "rtt64_wait", .kind = Kind::round_trip, .size = 64, .wait = Wait::wait},
      {.name = "rtt64_sleep", .kind = Kind::round_trip, .size = 64, .wait = Wait::sleep},
      {.name = "stream64", .kind = Kind::stream, .size = 64, .turns = "stream64"},
      {.name = "stream64_exclusive", .kind = Kind::stream, .size = 64, .exclusive = true},
      {.name = "stream64_batch", .kind = Kind::stream, .size = 64, .batch = 32},
      {.name = "stream1k", .kind = Kind::stream, .size = 1024},
      {.name = "stream1k_batch", .kind = Kind::stream, .size = 1024, .batch = 32},
      {.name = "stream64k", .kind = Kind::stream, .size = 64 << 10},
      {.name = "stream1m", .kind = Kind::stream, .size = 1 << 20},
      {.name = "handover1m", .kind = Kind::stream, .size = 1 << 20, .touched = false},
      {.name = "producers3", .kind = Kind::stream, .size = 64, .producers = 3},
      {.name = "fanout3", .kind = Kind::stream, .size = 1024, .consumers = 3},
      {.name = "group64_1", .kind = Kind::stream, .size = 64, .shared = true, .turns = "stream64"},
      {.name = "group64_3",
       .kind = Kind::stream,
       .size = 64,
       .consumers = 3,
       .shared = true,
       .turns = "stream64"},
      {.name = "load64_10", .kind = Kind::load, .part = 0.1, .turns = "load"},
      {.name = "load64_50", .kind = Kind::load, .part = 0.5, .turns = "load"},
      {.name = "load64_90", .kind = Kind::load, .part = 0.9, .turns = "load"},
      {.name = "cpu64_idle", .kind = Kind::cpu, .wait = Wait::wait, .pace = nothing_at_all},
      {.name = "cpu64_1k", .kind = Kind::cpu, .wait = Wait::wait, .pace = 1'000'000'000},
      {.name = "cpu64_full", .kind = Kind::cpu, .wait = Wait::wait},
      {.name = "attach", .kind = Kind::attach, .size = 64},
      {.name = "python_cpu64_idle",
       .kind = Kind::cpu,
       .wait = Wait::wait,
       .python = true,
       .pace = nothing_at_all},
      {.name = "python_cpu64_1k",
       .kind = Kind::cpu,
       .wait = Wait::wait,
       .python = true,
       .pace = 1'000'000'000},
      {.name = "python_cpu64_full", .kind = Kind::cpu, .wait = Wait::wait, .python = true},
      {.name = "python64", .kind = Kind::stream, .size = 64, .python = true},
      {.name = "python64_batch", .kind = Kind::stream, .size = 64, .batch = 256, .python = true},
      {.name = "python1m", .kind = Kind::stream, .size = 1 << 20, .python = true},
      {.name = "python_rtt64",
       .kind = Kind::round_trip,
       .size = 64,
       .wait = Wait::wait,
       .python = true},
  };
  add_curves(works);
  return works;
}

}  // namespace

const std::vector<Work>& all_works() {
  static const std::vector<Work> works = make_works();
  return works;
}

std::vector<std::string> Work::arguments() const {
  static constexpr std::array kinds{"round_trip", "stream", "attach", "load", "cpu"};
  static constexpr std::array waits{"busy", "wait", "sleep"};
  const auto number = [](const char* what, std::size_t value) {
    return std::string(what) + "=" + std::to_string(value);
  };
  return {"work=" + name,
          std::string("kind=") + kinds.at(static_cast<std::size_t>(kind)),
          std::string("wait=") + waits.at(static_cast<std::size_t>(wait)),
          number("size", size),
          number("touched", touched_bytes()),
          number("producers", producers),
          number("consumers", consumers),
          number("shared", shared ? 1 : 0),
          number("batch", batch)};
}

std::chrono::milliseconds Work::window() const {
  using std::chrono::milliseconds;
  if (kind == Kind::cpu) return milliseconds(250);
  if (kind == Kind::load) return milliseconds(200);  // enough for the 99.99th percentile
  // Halting cores change places inside a window, so it says little about any: longer ones.
  if (wait != Wait::busy) return milliseconds(200);
  // Everybody's turn comes several times; several messages go through.
  if (producers + consumers > 5 || size >= 8 << 20) return milliseconds(300);
  return milliseconds(80);
}

std::optional<Work> find_work(std::string_view name) {
  const auto& works = all_works();
  const auto found =
      std::find_if(works.begin(), works.end(), [&](const Work& work) { return work.name == name; });
  if (found == works.end()) return {};
  return *found;
}

}  // namespace spillring::bench
