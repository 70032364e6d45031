// Queues that drop the oldest where there is no room (B4, G6): what was received and what was
// missed are all that was published, to the message.
#include "scenarios/parts.hpp"

namespace explore {

namespace {

/// Small messages in all slots but the two that are kept, of which all but `given_up` are messages.
void fill_slots(Scene& scene, client::ProducerCore& producer, std::uint64_t given_up = 0) {
  const auto& ring = scene.queue.first_ring();
  while (ring::reclaim(ring, scene.queue.manifest(), scene.queue.groups())) {
  }
  const std::uint64_t end = ring.header().limit.load() + Queue::slots - 2;
  for (std::uint64_t n = ring::find_tail(ring); n != end; ++n) {
    if (n == given_up) {
      give_up(producer, 8);
    } else {
      scene.ledger.send(producer, n, 8, spillring::no_wait);
    }
  }
}

}  // namespace

/// Two producers drop what a reader comes to.
void dropping(Machine& m) {
  Scene* const s = &reader_and_two(m, drops);
  fill(*s, *s->one);
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*s->one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] {
    give_up(*s->two);
    s->ledger.send(*s->two, 21, 1024);
  });
  read_all_of(m, *s, *s->reader, 6);
}

/// A reader passes a number that is no message, and comes to what is dropped behind it.
void dropping_behind(Machine& m) {
  Scene* const s = &reader_and_two(m, drops);
  give_up(*s->one);
  for (std::uint64_t tag = 1; tag < 4; ++tag) {
    s->ledger.send(*s->one, tag, 1024, spillring::no_wait);
  }
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*s->one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*s->two, 21, 1024); });
  read_all_of(m, *s, *s->reader, 5);
}

/// A producer drops what members of a group have, come to, or hand back.
void dropping_group(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const one = &s->queue.shared();
  auto* const two = &s->queue.shared(2);
  auto* const producer = &s->queue.producer();
  s->queue.pass(7, *one, 1024);
  rest(*s, *one);
  fill(*s, *producer);
  m.role("producer", Machine::plain, [=] {
    s->ledger.send(*producer, 11, 1024);
    give_up(*producer);
    s->ledger.send(*producer, 12, 1024);
  });
  m.role("member 1", Machine::service, [=] {
    Message first = s->ledger.receive(*one, 0);
    s->ledger.look(first);
    static_cast<void>(first.nack());
    serve(*s, *one, 0);
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  until_group_is_past(m, *s, 6);
}

/// Two producers lack room at once: what one of them drops is enough for both.
void dropping_once(Machine& m) {
  Scene* const s = &reader_and_two(m, drops);
  fill(*s, *s->one);
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*s->one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*s->two, 21, 1024); });
  m.finally([=] { require(s->queue.dropped().until == 10, "dropped though there was room"); });
}

/// Two members come at once to what was dropped, of which one may die anywhere: the group is told
/// of it, and once.
void come_to_dropped(Machine& m, unsigned kind) {
  Scene* const s = &scene(m, drops);
  auto* const one = &s->queue.shared();
  auto* const two = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(7, *two, 1024);
  rest(*s, *two);
  fill(*s, *producer);
  s->ledger.send(*producer, 5, 1024, spillring::no_wait);
  const std::uint64_t lost = s->queue.dropped().until - 8;
  m.role("member 1", kind, [=] {
    Message message = s->ledger.receive(*one, 0, spillring::no_wait);
    if (message) s->ledger.ack(message);
    one->close();
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  if (kind == Machine::mortal) {
    m.role("supervisor", Machine::service, [=] {
      machine().await([] { return machine().died(0); });
      s->queue.retire(1);
    });
  }
  m.until([=] { return s->queue.members().low() == ring::find_tail(s->queue.first_ring()); });
  m.finally([=] {
    const auto& cursor = s->queue.groups().cursors[Queue::shared_group];
    require(cursor.dropped.load() == lost, "what was dropped is not what the group has missed");
    if (machine().died(0)) return;  // and has taken along, perhaps, what it was told
    require(cursor.told.load() == lost && s->ledger.missed() == lost,
            "not told once of what was dropped");
  });
}

void told_once(Machine& m) { come_to_dropped(m, Machine::plain); }
void told_by_other(Machine& m) { come_to_dropped(m, Machine::mortal); }

/// The oldest of a window is set aside, and all behind it is finished: who waits at the window's
/// end goes on when it is dropped.
void dropping_window(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const one = &s->queue.shared();
  auto* const two = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  fill(*s, *producer, 512);
  static_cast<void>(s->ledger.receive(*one, 0, spillring::no_wait).nack(std::chrono::seconds(1)));
  for (std::uint64_t n = 1; n < Queue::window; ++n) {
    Message message = s->ledger.receive(*one, 0, spillring::no_wait);
    s->ledger.ack(message);
  }
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 512); });
  m.role("member 1", Machine::service, [=] { serve(*s, *one, 0); });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  until_group_is_past(m, *s, 9);
}

/// What are no messages is counted while producers drop, and use the slots again.
void counted(Machine& m) {
  Scene* const s = &reader_and_two(m, drops, 8);
  constexpr std::uint64_t given_up = 9;
  fill_slots(*s, *s->one, given_up);
  m.role("supervisor", Machine::plain, [=] {
    const auto skipped = ring::skipped_below(s->queue.first_ring(), given_up + 2,
                                             s->queue.groups().holds[0].sequence);
    require(!skipped || *skipped == 1, "counted wrong");
    s->queue.ring_bells();
  });
  const auto is_right = [](ring::Dropped dropped) {
    return dropped.until - dropped.messages == (dropped.until > given_up ? 1 : 0);
  };
  m.role("onlooker", Machine::plain,
         [=] { require(is_right(s->queue.dropped()), "two halves that do not belong together"); });
  const auto send = [=](client::ProducerCore& producer, std::uint64_t tag) {
    for (std::uint64_t i = 0; i < 2; ++i) s->ledger.send(producer, tag + i, 8);
  };
  m.role("producer 1", Machine::plain, [=] { send(*s->one, 101); });
  m.role("producer 2", Machine::plain, [=] { send(*s->two, 201); });
  m.finally([=] {
    require(is_right(s->queue.dropped()), "what was dropped is counted wrong");
    require(s->queue.groups().holds[0].sequence.load() == layout::no_sequence, "a hold stays");
  });
}

/// The slot of what is counted is used again as soon as it may be.
void counted_and_used(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  s->queue.pass(7, *reader, 8);
  rest(*s, *reader);
  fill_slots(*s, *producer);
  m.role("supervisor", Machine::plain, [=] {
    const auto skipped =
        ring::skipped_below(s->queue.first_ring(), 9, s->queue.groups().holds[0].sequence);
    require(!skipped || *skipped == 0, "counted what the slot has now");
    s->queue.ring_bells();
  });
  m.role("producer", Machine::plain, [=] {
    for (std::uint64_t tag = 101; tag < 104; ++tag) s->ledger.send(*producer, tag, 8);
  });
}

}  // namespace explore
