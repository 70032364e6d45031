// One process of the kill storm: `storm producer|consumer|subscriber|sleeper SOCKET LEDGER NUMBER
// SEED`.
//
// A producer sends until SIGTERM. A consumer (of one shared group) and a subscriber (a stream) go
// on until SIGTERM and then until nothing is left. `run` starts, kills and replaces them.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <spillring/spillring.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "ledger.hpp"
#include "payload.hpp"

namespace {

using ledger::Kind;
using spillring::Code;
using namespace std::chrono_literals;

volatile sig_atomic_t asked_to_finish = 0;

/// A role's surroundings.
struct Stage {
  spillring::Queue queue;
  const ledger::Writer& ledger;
  std::uint32_t number = 0;
  std::mt19937_64 random;

  std::uint64_t below(std::uint64_t limit) { return random() % limit; }
  bool once_in(std::uint64_t times) { return below(times) == 0; }
  void nap() { std::this_thread::sleep_for(std::chrono::microseconds(below(4000))); }
};

[[noreturn]] void fail(std::string_view what, Code code) {
  std::fprintf(stderr, "storm: %.*s: %s\n", static_cast<int>(what.size()), what.data(),
               std::string(spillring::name(code)).c_str());
  std::exit(1);
}

/// Many small ones, some that lie in their descriptor, a few large ones.
std::size_t pick_size(Stage& stage) {
  const std::size_t head = sizeof(payload::Head);
  if (stage.once_in(4)) return head;
  return head + (stage.once_in(100) ? 64 * spillring::KiB : stage.below(4 * spillring::KiB + 1));
}

spillring::Result<std::uint64_t> send_copy(Stage& stage, spillring::Producer& out,
                                           std::uint64_t counter) {
  std::vector<std::byte> bytes(pick_size(stage));
  payload::fill(bytes, stage.number, counter);
  return out.send(bytes);
}

/// Fills in place, now and then with a pause in mid-loan, and publishes less than was lent.
spillring::Result<std::uint64_t> send_in_place(Stage& stage, spillring::Producer& out,
                                               std::uint64_t counter) {
  const std::size_t size = pick_size(stage);
  auto loan = out.loan(size + stage.below(64));
  if (!loan) return loan.error();
  if (stage.once_in(150)) stage.nap();
  payload::fill(loan->bytes().first(size), stage.number, counter);
  return loan->publish(size);
}

/// Fills what looks like a message and gives it up.
spillring::Result<std::uint64_t> cancel(Stage& stage, spillring::Producer& out,
                                        std::uint64_t counter) {
  auto loan = out.loan(pick_size(stage));
  if (!loan) return loan.error();
  payload::fill(loan->bytes(), stage.number, counter);
  loan->cancel();
  return std::uint64_t{0};
}

void produce(Stage& stage) {
  auto out = stage.queue.producer({.interruptible = true});
  std::uint64_t counter = 1;
  while (asked_to_finish == 0) {
    const bool cancels = stage.once_in(200);
    const auto sent = cancels            ? cancel(stage, out, counter)
                      : stage.once_in(2) ? send_copy(stage, out, counter)
                                         : send_in_place(stage, out, counter);
    if (sent.error() == Code::interrupted) continue;
    if (!sent && sent.error() != Code::stale) fail("send", sent.error());
    const Kind kind = !sent ? Kind::stale : cancels ? Kind::cancelled : Kind::sent;
    stage.ledger.note(
        {.kind = kind, .producer = stage.number, .counter = counter, .seq = sent ? *sent : 0});
    ++counter;
    if (stage.once_in(300)) stage.nap();  // lets the others fall asleep
  }
}

/// A message in a consumer's hands, and how it is called in the ledger.
struct Held {
  spillring::Message message;
  ledger::Record record;
};

Held take(Stage& stage, spillring::Message message) {
  ledger::Record record{
      .kind = Kind::damaged,
      .deliveries = static_cast<std::uint8_t>(std::min(message.deliveries(), 255U)),
      .seq = message.seq()};
  if (const auto head = payload::read(message.bytes())) {
    record.kind = Kind::got;
    record.producer = head->producer;
    record.counter = head->counter;
  }
  stage.ledger.note(record);
  return {std::move(message), record};
}

/// Acknowledges most, hands back some, drops some.
void settle(Stage& stage, Held held) {
  const auto note = [&](Kind kind) {
    held.record.kind = kind;
    stage.ledger.note(held.record);
  };
  if (!payload::read(held.message.bytes())) note(Kind::damaged);  // changed while it was held
  const auto chance = stage.below(100);
  if (chance < 2) {
    held.message = {};
    return note(Kind::returned);
  }
  if (chance >= 4) note(Kind::trying);
  const auto done = chance < 4 ? held.message.nack() : held.message.ack();
  if (!done && done.error() != Code::stale) fail("ack", done.error());
  note(!done ? Kind::refused : chance < 4 ? Kind::returned : Kind::acked);
}

/// The next message, or none if there is none now.
spillring::Message next(spillring::Consumer& in, spillring::Timeout timeout) {
  auto message = in.receive(timeout);
  if (message) return *std::move(message);
  const Code code = message.error();
  if (code != Code::timeout && code != Code::empty && code != Code::interrupted)
    fail("receive", code);
  return {};
}

void consume(Stage& stage) {
  auto in = stage.queue.consumer("workers", {.prefetch = 1U << stage.below(7),
                                             .start = spillring::Start::earliest(),
                                             .interruptible = true});
  std::vector<Held> held;
  const std::size_t most = 1 + stage.below(16);
  while (asked_to_finish == 0 || in.lag() > 0) {
    auto message = next(in, held.empty() ? 100ms : spillring::no_wait);
    const bool another = static_cast<bool>(message);
    if (another) held.push_back(take(stage, std::move(message)));
    if (another && held.size() < most) continue;
    if (stage.once_in(200)) stage.nap();
    while (!held.empty()) {  // in any order
      std::swap(held[stage.below(held.size())], held.back());
      settle(stage, std::move(held.back()));
      held.pop_back();
    }
  }
}

/// A stream's reader; one that sleeps on falls behind, and the queue has to spill.
void subscribe(Stage& stage, bool sleeps) {
  auto in =
      stage.queue.subscriber({}, {.start = spillring::Start::earliest(), .interruptible = true});
  std::puts(R"({"ready": true})");
  std::fflush(stdout);
  while (asked_to_finish == 0 || in.lag() > 0) {
    if (auto message = next(in, 100ms)) take(stage, std::move(message));
    if (sleeps && asked_to_finish == 0 && stage.once_in(5000)) std::this_thread::sleep_for(200ms);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 7) {
    std::fputs(
        "usage: storm producer|consumer|subscriber|sleeper SOCKET LEDGER NUMBER SEED memory|disk\n",
        stderr);
    return 64;
  }
  struct sigaction action = {};
  action.sa_handler = [](int) { asked_to_finish = 1; };
  sigaction(SIGTERM, &action, nullptr);

  const std::string_view role = argv[1];
  const ledger::Writer writer(argv[3]);
  const auto number = static_cast<std::uint32_t>(std::strtoul(argv[4], nullptr, 10));
  // Small, so that claims, slots and bytes go round many times. Nothing is revoked for being slow:
  // what the killed leave behind is put right because they are dead, or not at all.
  const bool durable = argv[6] == std::string_view("disk");
  const spillring::QueueOptions options = {
      .capacity = 4 * spillring::MiB,
      .slots = 2048,
      .durability = durable ? spillring::Durability::disk : spillring::Durability::memory,
      .stall_timeout = 60s};
  Stage stage{spillring::connect({.socket = argv[2]}).open_or_create("storm", options), writer,
              number, std::mt19937_64(std::strtoull(argv[5], nullptr, 10) * 1000003 + number)};
  if (role == "producer") produce(stage);
  if (role == "consumer") consume(stage);
  if (role == "subscriber" || role == "sleeper") subscribe(stage, role == "sleeper");
  writer.note({.kind = Kind::end});
  return 0;
} catch (const spillring::Error& error) {
  std::fprintf(stderr, "storm: %s: %s\n", error.summary().c_str(), error.why().c_str());
  return 1;
}
