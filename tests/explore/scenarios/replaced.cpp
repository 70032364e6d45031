// Rings that are replaced while others use them, and go when all are past them; most of them of
// queues that drop the oldest (B4, G6; daemon/service.cpp, daemon/dropping.cpp).
#include "scenarios/parts.hpp"
#include "surroundings.hpp"

namespace explore {

namespace {

constexpr QueueOptions grows{.full = spillring::Full::drop_oldest, .can_grow = layout::more_bytes};

/// The supervisor, whenever it is asked to look.
void supervise(Queue& queue) {
  for (;;) {
    const std::uint64_t before = asked();
    queue.make_room();
    machine().await([before] { return asked() != before; });
  }
}

/// A message in the first ring that its member holds; and in the next ring one that nobody has
/// read. Another member, and the producer, go on.
Scene& held_in_old_ring(Machine& machine) {
  Scene& s = scene(machine, drops);
  auto& holds = s.queue.shared();
  s.reader = &s.queue.shared();
  s.one = &s.queue.producer();
  s.ledger.send(*s.one, 1, 1024, spillring::no_wait);
  s.held = new Message(s.ledger.receive(holds, 0, spillring::no_wait));
  s.queue.replace_ring();
  s.ledger.send(*s.one, 2, 2048, spillring::no_wait);
  return s;
}

}  // namespace

/// A ring comes at the place in the table that an older one has left, while another goes from the
/// next place: who reads the table meanwhile finds one of them.
void third_ring(Machine& m) {
  Scene* const s = &scene(m);
  auto* const producer = &s->queue.producer();
  s->queue.replace_ring();
  s->queue.let_go();  // nobody reads: all are past it
  s->queue.prepare_next_ring(3);
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11); });
  m.role("supervisor", Machine::plain, [=] {
    s->queue.replace_ring();
    s->queue.let_go();
  });
}

/// Who is given its handle meanwhile finds one, too.
void third_ring_found(Machine& m) {
  Scene* const s = &scene(m);
  s->queue.replace_ring();
  s->queue.let_go();
  s->queue.prepare_next_ring(3);
  m.role("producer", Machine::plain, [=] { s->ledger.send(s->queue.producer(), 11); });
  m.role("supervisor", Machine::plain, [=] {
    s->queue.replace_ring();
    s->queue.let_go();
  });
}

/// A producer that goes on in the next ring says that it has unmapped the old one, in which it has
/// given up what it had.
void unmapped_ring(Machine& m) {
  Scene* const s = &scene(m);
  auto* const producer = &s->queue.producer();
  const std::uint64_t old = s->queue.first_ring().first();
  give_up(*producer);
  s->queue.replace_ring();
  s->queue.let_go();
  m.role("producer", Machine::plain, [=] {
    s->ledger.send(*producer, 11);
    require(s->queue.is_unmapped(old), "the supervisor does not know that it is unmapped");
  });
}

/// A producer waits for room that comes only when the old ring is mapped by nobody any more: it is
/// let go while it waits.
void unmapped_asleep(Machine& m) {
  Scene* const s = &scene(m);
  s->queue.stream();  // it reads nothing
  auto* const producer = &s->queue.producer();
  const std::uint64_t old = s->queue.first_ring().first();
  s->ledger.send(*producer, 1, 1024, spillring::no_wait);
  s->queue.replace_ring();
  fill(*s, *producer);
  const std::uint64_t first = s->queue.newest_ring().first();
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("supervisor", Machine::plain, [=] {
    s->queue.purge(first);
    s->queue.let_go();
    machine().await([=] { return s->queue.is_unmapped(old); });
    s->queue.purge(first + 1);
  });
}

/// The supervisor does not give the ring that drops now: who has to know what was dropped is told
/// that.
void refused_ring(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  s->queue.replace_ring();
  s->ledger.send(*producer, 5, 2048, spillring::no_wait);
  s->ledger.send(*producer, 6, 2048, spillring::no_wait);
  s->queue.bells().wanted.store(1024);
  s->queue.make_room();
  s->queue.refuse_rings();
  m.role("reader", Machine::plain, [=] {
    require(reader->receive(spillring::no_wait).error() == spillring::Code::unavailable,
            "an answer that nobody has given");
  });
}

/// Nor does it give the next ring to who comes to the old one's end.
void refused_next(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  s->queue.replace_ring();
  s->ledger.send(*producer, 1, 64, spillring::no_wait);
  s->queue.refuse_rings();
  m.role("reader", Machine::plain, [=] {
    require(reader->receive(spillring::no_wait).error() == spillring::Code::unavailable,
            "an answer that nobody has given");
  });
}

/// A reader and a member go on from what they held in the old ring: the last of them has it let go.
void pass_ring(Machine& m, const QueueOptions& options) {
  Scene* const s = &scene(m, options);
  auto* const reader = &s->queue.stream();
  auto* const member = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->ledger.send(*producer, 1, 64, spillring::no_wait);
  auto* const read = new Message(s->ledger.receive(*reader, 0, spillring::no_wait));
  auto* const held = new Message(s->ledger.receive(*member, 1, spillring::no_wait));
  s->queue.replace_ring();
  s->ledger.send(*producer, 2, 64, spillring::no_wait);
  for (auto* const consumer : {reader, member}) {
    Message behind = s->ledger.receive(*consumer, consumer == reader ? 0 : 1, spillring::no_wait);
    static_cast<void>(behind.ack());
  }
  m.role("reader", Machine::plain, [=] { static_cast<void>(read->ack()); });
  m.role("member", Machine::plain, [=] { s->ledger.ack(*held); });
  m.role("supervisor", Machine::service, [=] { supervise(s->queue); });
  m.until([=] { return s->queue.manifest().first[0].load() == 0; });
}

void passed_ring(Machine& m) { pass_ring(m, {}); }
void passed_dropping(Machine& m) { pass_ring(m, drops); }

/// The ring grows; the larger one fills up as well, and what is in the first goes as a whole.
void grown_and_dropped(Machine& m) {
  Scene* const s = &scene(m, grows);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  give_up(*one);
  for (std::uint64_t tag = 1; tag < 4; ++tag) {
    s->ledger.send(*one, tag, 1024, spillring::no_wait);
  }
  s->queue.prepare_next_ring(6);
  m.role("producer 1", Machine::plain, [=] {
    s->ledger.send(*one, 11, 2048);
    s->ledger.send(*one, 12, 1024);
  });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 2048); });
  m.role("supervisor", Machine::service, [=] { supervise(s->queue); });
  read_all_of(m, *s, *reader, 6);
}

/// A ring that drops is replaced while two send: they go on in the next, which drops in time.
void replaced_dropping(Machine& m) {
  Scene* const s = &reader_and_two(m, drops);
  for (std::uint64_t tag = 1; tag < 4; ++tag) {
    s->ledger.send(*s->one, tag, 1024, spillring::no_wait);
  }
  s->queue.prepare_next_ring(12);
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*s->one, 11, 2048); });
  m.role("producer 2", Machine::plain, [=] {
    s->ledger.send(*s->two, 21, 2048);
    s->ledger.send(*s->two, 22, 1024);
  });
  m.role("supervisor", Machine::service, [=] {
    s->queue.replace_ring();
    supervise(s->queue);
  });
  read_all_of(m, *s, *s->reader, 6);
}

/// A ring that drops ends while one lacks room in it, and sleeps until the next one is there.
void sealed_dropping(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  s->queue.prepare_next_ring(6);
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("supervisor", Machine::plain, [=] { s->queue.replace_ring(); });
}

/// Nobody reads: the ring grows, and then drops, as its producers want it to.
void grown_unread(Machine& m) {
  Scene* const s = &scene(m, grows);
  s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  fill(*s, *one);
  s->queue.prepare_next_ring(6);
  m.role("producer 1", Machine::plain, [=] {
    s->ledger.send(*one, 11, 2048);
    s->ledger.send(*one, 12, 1024);
  });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 2048); });
  m.role("supervisor", Machine::service, [=] { supervise(s->queue); });
  m.finally([=] {
    // The four of the old ring, and one or both of the large ones: as that in the way is first.
    const ring::Dropped dropped = s->queue.dropped();
    require(dropped.until - dropped.messages == 1, "what was dropped is counted wrong");
    require(dropped.messages > 4 && dropped.until < ring::find_tail(s->queue.newest_ring()),
            "more was dropped, or less, than there was no room for");
  });
}

/// A member holds what is in the old ring, another reads on in the next one: until that drops and
/// the old one goes with what is held, or until it is acknowledged.
void held_and_dropped(Machine& m) {
  Scene* const s = &held_in_old_ring(m);
  m.role("producer", Machine::plain, [=] {
    s->ledger.send(*s->one, 11, 2048);
    s->ledger.send(*s->one, 12, 1024);
  });
  m.role("member 1", Machine::plain, [=] { s->ledger.ack(*s->held); });
  m.role("member 2", Machine::service, [=] { serve(*s, *s->reader, 0); });
  m.role("supervisor", Machine::service, [=] { supervise(s->queue); });
  until_group_is_past(m, *s, 4);
}

/// The old ring has gone, and a member acknowledges what it holds of it, just when another finds
/// that it was dropped.
void dropped_in_hand(Machine& m) {
  Scene* const s = &held_in_old_ring(m);
  s->ledger.send(*s->one, 3, 2048, spillring::no_wait);
  s->queue.bells().wanted.store(1024);
  s->queue.make_room();
  m.role("member 1", Machine::plain, [=] { s->ledger.ack(*s->held); });
  m.role("member 2", Machine::service, [=] { serve(*s, *s->reader, 0); });
  until_group_is_past(m, *s, 3);
}

/// The old ring goes, and its group sleeps, as it has read all the rest: nothing comes behind that,
/// and it says all the same what it has missed.
void dropped_asleep(Machine& m) {
  Scene* const s = &held_in_old_ring(m);
  s->ledger.send(*s->one, 3, 2048, spillring::no_wait);
  for (int i = 0; i < 2; ++i) {
    Message message = s->ledger.receive(*s->reader, 0, spillring::no_wait);
    s->ledger.ack(message);
  }
  s->queue.bells().wanted.store(1024);  // by a producer that has died since
  m.role("member 2", Machine::service, [=] { serve(*s, *s->reader, 0); });
  m.role("supervisor", Machine::plain, [=] { s->queue.make_room(); });
  m.until([=] {
    return s->queue.groups().cursors[Queue::shared_group].dropped.load() == 1 &&
           s->queue.members().low() == ring::find_tail(s->queue.newest_ring());
  });
}

/// The ring drops where slots run out; bytes run out first, of which a larger ring has more: it
/// comes, and nothing is dropped.
void grown_first(Machine& m) {
  Scene* const s = &scene(m, grows);
  s->queue.manifest().drops.store(s->queue.first_ring().first());
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  fill(*s, *one);
  s->queue.prepare_next_ring(6);
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 1024); });
  m.role("reader", Machine::service, [=] { serve(*s, *reader, 0); });
  m.role("supervisor", Machine::service, [=] { supervise(s->queue); });
  m.until([=] { return s->ledger.sent() == 6 && s->ledger.received(0) == 6; });
  m.finally([=] { require(s->ledger.missed() == 0, "dropped before the ring has grown"); });
}

/// No larger ring can be had: the oldest are dropped then.
void never_grown(Machine& m) {
  Scene* const s = &scene(m, grows);
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("supervisor", Machine::service, [=] {
    s->queue.keep_ring();
    supervise(s->queue);
  });
  read_all_of(m, *s, *reader, 5);
}

}  // namespace explore
