#include <chrono>

#include "scenario.hpp"

namespace points {

using namespace std::chrono_literals;

namespace {

spillring::QueueOptions on_disk(spillring::Durability durability) {
  spillring::QueueOptions options = small_queue();
  options.full = spillring::Full::spill;
  options.durability = durability;
  return options;
}

void join(Actor& actor, const Setting& setting) { actor.join(setting.prefetch); }

void hold_one(Actor& actor, const Setting& setting) {
  actor.join(setting.prefetch);
  actor.take(1s);
}

void write(Actor& actor, const Setting& /*setting*/) { actor.write(); }

std::vector<Scenario> all() {
  std::vector<Scenario> list;
  // -- producers
  list.push_back({"publish", write, [](Actor& a, const Setting& s) { a.send(s.size); }});
  list.push_back(
      {"publish in the descriptor", write, [](Actor& a, const Setting&) { a.send(20); }});
  list.push_back({"a plain batch", write, [](Actor& a, const Setting& s) {
                    for (std::size_t i = 0; i < 8; ++i) a.send((s.size + i * 40) % 700);
                  }});
  list.push_back({.name = "publish when there is no room",
                  .prepare = write,
                  .operate = [](Actor& a, const Setting& s) { a.send(s.size); },
                  .full = true});
  list.push_back({"loan and publish", write, [](Actor& a, const Setting& s) {
                    if (a.lend(s.size)) a.publish();
                  }});
  list.push_back({"loan and abort", write, [](Actor& a, const Setting& s) {
                    if (a.lend(s.size)) a.cancel();
                  }});
  list.push_back({.name = "publish to a durable queue, and flush",
                  .prepare = write,
                  .operate =
                      [](Actor& a, const Setting& s) {
                        a.send(s.size);
                        a.flush();
                      },
                  .options = on_disk(spillring::Durability::disk),
                  .on_disk = true});
  // -- members of a group
  list.push_back({"receive", join, [](Actor& a, const Setting&) { a.take(1s); }});
  list.push_back({"acknowledge", hold_one, [](Actor& a, const Setting&) { a.acknowledge(); }});
  list.push_back({"hand back", hold_one, [](Actor& a, const Setting&) { a.hand_back(); }});
  list.push_back(
      {"hand back with a delay", hold_one, [](Actor& a, const Setting&) { a.hand_back(5ms); }});
  list.push_back({"drop", hold_one, [](Actor& a, const Setting&) { a.drop(); }});
  list.push_back({"receive, acknowledge, over and over", join, [](Actor& a, const Setting&) {
                    while (a.take()) a.acknowledge();
                  }});
  list.push_back({.name = "read back from the journal",
                  .prepare = join,
                  .operate =
                      [](Actor& a, const Setting&) {
                        if (a.take(1s)) a.acknowledge();
                      },
                  .options = on_disk(spillring::Durability::memory),
                  .on_disk = true,
                  .backlog = 300});
  list.push_back({.name = "seek",
                  .prepare = join,
                  .operate = [](Actor& a, const Setting&) { a.seek(); },
                  .alone = true});
  // -- a stream's reader
  list.push_back({"read a stream", [](Actor& a, const Setting&) { a.follow(); },
                  [](Actor& a, const Setting&) {
                    for (int i = 0; i < 3; ++i) a.read();
                  }});
  // -- coming and going
  list.push_back({"attach a producer", [](Actor&, const Setting&) {},
                  [](Actor& a, const Setting&) { a.write(); }});
  list.push_back({"attach a member", [](Actor&, const Setting&) {},
                  [](Actor& a, const Setting& s) { a.join(s.prefetch); }});
  list.push_back({"attach a stream's reader", [](Actor&, const Setting&) {},
                  [](Actor& a, const Setting&) { a.follow(); }});
  list.push_back({"detach a producer", write, [](Actor& a, const Setting&) { a.stop_writing(); }});
  list.push_back({"detach a member that has claimed ahead",
                  [](Actor& a, const Setting& s) {
                    a.join(s.prefetch + 3);
                    a.take(1s);
                    a.acknowledge();
                  },
                  [](Actor& a, const Setting&) { a.leave(); }});
  list.push_back({"detach a stream's reader",
                  [](Actor& a, const Setting&) {
                    a.follow();
                    a.read();
                  },
                  [](Actor& a, const Setting&) { a.stop_following(); }});
  return list;
}

}  // namespace

spillring::QueueOptions small_queue() {
  return {.capacity = 64 * spillring::KiB,
          .slots = 64,
          .full = spillring::Full::block,
          .stall_timeout = 60s,
          .prealloc = true};
}

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> list = [] {
    std::vector<Scenario> made = all();
    for (Scenario& scenario : made) {
      if (!scenario.on_disk) scenario.options = small_queue();
      scenario.streams = scenario.name.find("stream") != std::string::npos;
    }
    return made;
  }();
  return list;
}

std::string Setting::text() const {
  return std::to_string(before) + " before, " + std::to_string(backlog) + " waiting, " +
         std::to_string(size) + " bytes, prefetch " + std::to_string(prefetch);
}

Setting drawn(std::mt19937_64& random) {
  const auto below = [&random](std::uint64_t limit) { return random() % limit; };
  Setting setting;
  setting.before = static_cast<std::uint32_t>(below(200));
  setting.backlog = static_cast<std::uint32_t>(2 + below(20));
  setting.size = 8 + below(700);
  setting.prefetch = static_cast<unsigned>(1 + below(6));
  return setting;
}

}  // namespace points
