// Messages that are purged while others come to them, hold them, or use their room again (B1, B3).
#include "scenarios/parts.hpp"

namespace explore {

/// A reader comes to a message while it is purged, and its room is used again by two.
void purged(Machine& m) {
  Scene* const s = &reader_and_two(m, {});
  fill(*s, *s->one);
  const std::uint64_t line = ring::find_tail(s->queue.first_ring());
  m.role("supervisor", Machine::plain, [=] { s->queue.purge(line); });
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*s->one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*s->two, 21, 1024); });
  m.role("reader", Machine::service, [=] {
    for (;;) {
      Message message = s->ledger.receive(*s->reader, 0);
      s->ledger.look(message);
      s->ledger.ack(message);
    }
  });
  m.until([=] {
    return s->ledger.sent() == 6 && s->ledger.has_received(0, 11) && s->ledger.has_received(0, 21);
  });
}

/// The reader's handle is given out meanwhile: who does not count it yet is seen by it.
void newcomer(Machine& m) {
  Scene* const s = &scene(m);
  auto* const former = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  s->queue.pass(7, *former, 1024);
  rest(*s, *former);
  former->close();
  fill(*s, *producer);
  const std::uint64_t line = ring::find_tail(s->queue.first_ring());
  m.role("supervisor", Machine::plain, [=] { s->queue.purge(line); });
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("reader", Machine::service, [=] {
    auto& reader = s->queue.stream();
    for (;;) {
      Message message = s->ledger.receive(reader, 0);
      s->ledger.look(message);
      s->ledger.ack(message);
    }
  });
  m.until([=] { return s->ledger.sent() == 5 && s->ledger.has_received(0, 11); });
}

/// Members of a group come to what is purged, of which one has claimed ahead: what is purged is
/// nobody's.
void purged_group(Machine& m) {
  Scene* const s = &scene(m);
  auto* const one = &s->queue.shared(2);
  auto* const two = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(7, *one, 1024);
  rest(*s, *one);
  fill(*s, *producer);
  const std::uint64_t line = ring::find_tail(s->queue.first_ring());
  m.role("supervisor", Machine::plain, [=] { s->queue.purge(line); });
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("member 1", Machine::service, [=] {
    for (;;) {
      Message message = s->ledger.receive(*one, 0);
      s->ledger.look(message);
      const bool is_last = message.seq() >= line;
      if (message.seq() % 2 == 0) {
        static_cast<void>(message.nack());
      } else {
        s->ledger.ack(message);
      }
      if (is_last) break;
    }
    serve(*s, *one, 0);
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  m.until([=] { return s->queue.members().low() == line + 1; });
  m.finally([=] {
    require(s->ledger.has_received(0, 11), "a message was lost");
    s->ledger.check_not_twice(0, true);
  });
}

/// One waits for room, and what is in the way is purged.
void purged_asleep(Machine& m) {
  Scene* const s = &scene(m);
  s->queue.stream();  // it reads nothing
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  const std::uint64_t line = ring::find_tail(s->queue.first_ring());
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("supervisor", Machine::plain, [=] { s->queue.purge(line); });
}

/// What a member has claimed ahead is purged: it is not handed out, and in nobody's way.
void purged_ahead(Machine& m) {
  Scene* const s = &scene(m);
  auto* const member = &s->queue.shared(3);
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  Message first = s->ledger.receive(*member, 0, spillring::no_wait);
  s->ledger.ack(first);
  const std::uint64_t line = ring::find_tail(s->queue.first_ring());
  s->queue.purge(line);
  m.role("member", Machine::service, [=] {
    for (;;) {
      Message message = s->ledger.receive(*member, 0);
      require(message.seq() >= line, "what was purged is handed out");
      s->ledger.ack(message);
    }
  });
  m.role("producer", Machine::plain, [=] {
    s->ledger.send(*producer, 11, 2048);
    s->ledger.send(*producer, 12, 2048);
  });
  m.until([=] { return s->ledger.has_received(0, 12); });
}

/// What a reader still has in its hands is purged, and what lies behind it dropped: it has settled
/// the one, and missed the other.
void purged_in_hand(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  auto* const held = new Message(s->ledger.receive(*reader, 0, spillring::no_wait));
  s->queue.purge(held->seq() + 2);
  m.role("reader", Machine::plain, [=] {
    static_cast<void>(held->ack());
    for (std::uint64_t tag = 11; tag < 14; ++tag) {
      s->ledger.send(*producer, tag, 1024, spillring::no_wait);
    }
    const std::uint64_t lost = s->queue.dropped().until - 3;
    require(lost != 0, "nothing was dropped");
    static_cast<void>(s->ledger.receive(*reader, 0, spillring::no_wait));
    require(s->ledger.missed() == lost, "told is not what was dropped");
  });
}

/// The queue is purged up to what a reader still has while it ends its views: the floor comes to
/// the end all the same.
void purged_at_the_end(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  s->ledger.send(*producer, 1, 1024, spillring::no_wait);
  s->ledger.send(*producer, 2, 1024, spillring::no_wait);
  auto* const first = new Message(s->ledger.receive(*reader, 0, spillring::no_wait));
  auto* const second = new Message(s->ledger.receive(*reader, 0, spillring::no_wait));
  const std::uint64_t line = second->seq();
  m.role("reader", Machine::plain, [=] {
    static_cast<void>(second->ack());
    static_cast<void>(first->ack());
  });
  m.role("supervisor", Machine::plain, [=] { s->queue.purge(line); });
  m.finally([=] {
    require(group::read(s->queue.groups().cursors[Queue::stream_group]) ==
                group::Passage{line + 1, line + 1},
            "the floor stays behind, or something is not settled");
  });
}

/// A queue that drops, and has dropped some, is purged by a supervisor that may die anywhere; the
/// next one does it again. Meanwhile producers drop what a reader and a member come to.
void purged_dropping(Machine& m) {
  Scene* const s = &scene(m, {.full = spillring::Full::drop_oldest});
  auto* const reader = &s->queue.stream();
  auto* const member = &s->queue.shared();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  fill(*s, *one);
  s->ledger.send(*two, 5, 1024, spillring::no_wait);
  const std::uint64_t line = ring::find_tail(s->queue.first_ring());
  const std::uint64_t dropped = s->queue.dropped().messages - 1;
  m.role("supervisor", Machine::mortal, [=] { s->queue.purge(line); });
  m.role("next supervisor", Machine::service, [=] {
    machine().await([] { return machine().over(0); });
    s->queue.purge(line);
    s->queue.check_purged();  // as the first thing that it does with a queue
  });
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 1024); });
  m.role("reader", Machine::service, [=] {
    for (;;) {
      Message message = s->ledger.receive(*reader, 0);
      s->ledger.look(message);
      static_cast<void>(message.ack());  // the ledger's acknowledgements are the member's
    }
  });
  m.role("member", Machine::service, [=] { serve(*s, *member, 1); });
  const auto floor = [=](std::uint32_t group) {
    return s->queue.groups().cursors[group].floor.load();
  };
  m.until([=] {
    return s->ledger.sent() == 7 && floor(Queue::shared_group) == line + 2 &&
           floor(Queue::stream_group) == line + 2;
  });
  m.finally([=] {
    s->ledger.check_not_twice(0);
    s->ledger.check_not_twice(1, true);
    // The reader asks for it where a purge came while it said what it has missed.
    if (s->queue.checks_again()) s->queue.check_purged();
    const auto& cursors = s->queue.groups().cursors;
    std::uint64_t told = 0;
    for (const auto group : {Queue::shared_group, Queue::stream_group}) {
      const auto& cursor = cursors[group];
      const std::uint64_t lacking = line + 2 - cursor.settled.load();
      require(cursor.dropped.load() == lacking,
              "dropped and settled are not all that was published");
      require(cursor.dropped.load() < ring::read_gone(s->queue.first_ring()).sequence,
              "what was purged counts as dropped");
      told += cursor.told.load();
    }
    require(told == s->ledger.missed(), "told is not what readers were told");
    // Of a stream only its reader knows, and it may not have come to that.
    require(cursors[Queue::shared_group].dropped.load() >= dropped,
            "what was dropped before was purged");
  });
}

}  // namespace explore
