// A ring is condemned while others use it (docs/decisions/0010-condemned-rings.md): what was `ok`
// comes, or is in the range that is said to be lost, and is counted there.
#include "scenarios/parts.hpp"

namespace explore {

namespace {

constexpr std::uint64_t first_free = 8;

/// One group is past all: each number of the condemned ring was received or counted as lost, all
/// that was sent in the next one was received.
void until_past_condemned(Machine& m, Scene& scene, std::uint32_t group, std::uint64_t sent) {
  Scene* const s = &scene;
  m.until([=] {
    return s->ledger.sent() == sent && s->queue.newest_ring().first() != 1 &&
           s->queue.groups().cursors[group].floor.load() == ring::find_tail(s->queue.newest_ring());
  });
  m.finally([=] {
    const std::uint64_t end = s->queue.newest_ring().first();
    const std::uint64_t lost = s->queue.groups().cursors[group].lost.load();
    require(s->ledger.received_between(first_free, end) + lost == end - first_free,
            "received and lost are not all there was");
    s->ledger.check_received(0, false, end);
    // Whoever counted it is told with its next message, if one comes.
    const bool is_told =
        group == Queue::stream_group && s->ledger.received_between(end, Ledger::most) != 0;
    require(s->ledger.missed() == lost || (!is_told && s->ledger.missed() < lost),
            "told is not what was lost");
  });
}

/// As long as its claims are taken away.
void send(Scene& scene, client::ProducerCore& producer, std::uint64_t tag) {
  while (!scene.ledger.send(producer, tag, 1024)) {
  }
}

}  // namespace

/// Two send, and a stream is read, which comes to the end of what is lost.
void condemned(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  s->ledger.send(*one, 1, 1024, spillring::no_wait);
  s->ledger.send(*one, 2, 1024, spillring::no_wait);
  s->queue.prepare_next_ring(first_free + Queue::slots);
  m.role("producer 1", Machine::plain, [=] { send(*s, *one, 11); });
  m.role("producer 2", Machine::plain, [=] {
    send(*s, *two, 21);
    send(*s, *two, 22);
  });
  m.role("reader", Machine::service, [=] {
    for (;;) {
      Message first = s->ledger.receive(*reader, 0);
      Message second = s->ledger.receive(*reader, 0, spillring::no_wait);
      s->ledger.look(first);
      if (second) s->ledger.ack(second);
      s->ledger.ack(first);
    }
  });
  m.role("supervisor", Machine::plain, [=] {
    s->queue.condemn_newest();
    s->queue.let_go();
  });
  until_past_condemned(m, *s, Queue::stream_group, 5);
}

/// Two members share; one keeps a view of what it has acknowledged, and reads on in the next ring.
void condemned_group(Machine& m) {
  Scene* const s = &scene(m);
  auto* const one = &s->queue.shared();
  auto* const two = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(7, *one, 1024);
  for (std::uint64_t tag = 1; tag < 4; ++tag) {
    s->ledger.send(*producer, tag, 1024, spillring::no_wait);
  }
  s->queue.prepare_next_ring(first_free + Queue::slots);
  m.role("producer", Machine::plain, [=] {
    send(*s, *producer, 11);
    send(*s, *producer, 12);
  });
  m.role("member 1", Machine::service, [=] {
    for (;;) {
      Message first = s->ledger.receive(*one, 0);
      static_cast<void>(first.settle());
      Message second = s->ledger.receive(*one, 0, spillring::no_wait);
      s->ledger.look(first);
      static_cast<void>(first.ack());
      if (second) s->ledger.ack(second);
    }
  });
  m.role("member 2", Machine::plain, [=] {
    for (int i = 0; i < 2; ++i) {
      Message message = s->ledger.receive(*two, 0, spillring::no_wait);
      if (message) s->ledger.ack(message);
    }
  });
  m.role("supervisor", Machine::plain, [=] {
    s->queue.condemn_newest();
    s->queue.let_go();
  });
  until_past_condemned(m, *s, Queue::shared_group, 5);
}

/// One waits for room in it, of which there will be none: it goes on in the next.
void condemned_full(Machine& m) {
  Scene* const s = &scene(m);
  s->queue.stream();  // it reads nothing
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  s->queue.prepare_next_ring(1 + Queue::slots);
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("supervisor", Machine::plain, [=] { s->queue.condemn_newest(); });
}

/// One sends where there is room, and sleeps until there is another ring.
void condemned_empty(Machine& m) {
  Scene* const s = &scene(m);
  s->queue.stream();  // it reads nothing
  auto* const producer = &s->queue.producer();
  s->queue.prepare_next_ring(1 + Queue::slots);
  m.role("producer", Machine::plain, [=] { send(*s, *producer, 11); });
  m.role("supervisor", Machine::plain, [=] { s->queue.condemn_newest(); });
}

/// What is published when it has been said what is lost is not `ok`.
void condemned_in_hand(Machine& m) {
  Scene* const s = &scene(m);
  s->queue.stream();  // it reads nothing
  auto* const producer = &s->queue.producer();
  const std::uint64_t number = s->queue.first_ring().first();
  auto* const loan = new spillring::Loan(*producer->loan(64, spillring::no_wait, {}));
  auto* const too_late = new bool(false);
  auto* const is_ok = new bool(false);
  s->queue.prepare_next_ring(1 + Queue::slots);
  m.role("producer", Machine::plain, [=] { *is_ok = static_cast<bool>(loan->publish()); });
  m.role("supervisor", Machine::plain, [=] {
    s->queue.condemn_newest();
    *too_late = ring::look(s->queue.first_ring(), number) == ring::Seen::nothing;
  });
  m.finally([=] { require(!*is_ok || !*too_late, "`ok`, though it was said to be lost"); });
}

/// Of a condemned ring, a whole one and a condemned one a reader gets what is in the whole one.
void condemned_twice(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  s->ledger.send(*producer, 1, 64, spillring::no_wait);
  s->queue.condemn_newest();
  const std::uint64_t whole = s->queue.newest_ring().first();
  s->ledger.send(*producer, 2, 64, spillring::no_wait);
  s->queue.replace_ring();
  const std::uint64_t second = s->queue.newest_ring().first();
  s->ledger.send(*producer, 3, 64, spillring::no_wait);
  s->queue.condemn_newest();
  const std::uint64_t end = s->queue.newest_ring().first();
  m.role("reader", Machine::plain, [=] {
    Message message = s->ledger.receive(*reader, 0, spillring::no_wait);
    require(message && message.seq() == whole, "a message was lost");
    require(message.gap() == whole - 1, "told is not what was lost");
    s->ledger.ack(message);
    rest(*s, *reader);
    require(s->queue.groups().cursors[Queue::stream_group].lost.load() == whole - 1 + end - second,
            "counted is not what was lost");
  });
}

/// What of a condemned ring was on the disk, and is there no more, is lost as well.
void condemned_copied(Machine& m) {
  Scene* const s = &scene(m, {.full = spillring::Full::spill});
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  s->queue.copy(3);
  s->queue.condemn_newest();
  const std::uint64_t end = s->queue.newest_ring().first();
  s->ledger.send(*producer, 11, 64, spillring::no_wait);
  m.role("reader", Machine::plain, [=] {
    Message message = s->ledger.receive(*reader, 0, spillring::no_wait);
    require(message && message.seq() == end, "a message was lost");
    require(message.gap() == end - 1, "told is not what was lost");
  });
}

}  // namespace explore
