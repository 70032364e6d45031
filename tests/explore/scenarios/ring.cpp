// Claim, publish, abort, revoke, death, room, reclaim (lib/ring, A1 to A5, B1 to B3).
#include "scenarios/parts.hpp"

namespace explore {

/// Two producers and a reader, round the ring's end.
void two_producers(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(62, *reader);
  m.role("producer 1", Machine::plain, [=] {
    s->ledger.send(*one, 11, 192);  // not where the slot's last message was
    s->ledger.send(*one, 12, 100);
  });
  m.role("producer 2", Machine::plain, [=] {
    auto given_up = two->loan(64, spillring::forever, {});
    require(static_cast<bool>(given_up), "no loan");
    machine().write_bytes(given_up->bytes(), 20);
    two->cancel(*given_up);
    s->ledger.send(*two, 21);
  });
  m.role("reader", Machine::service, [=] { serve(*s, *reader, 0); });
  m.until([=] { return s->ledger.sent() == 3 && s->ledger.received(0) == 3; });
  m.finally([=] {
    s->ledger.check_received(0);
    const auto used = ring::in_use(s->queue.first_ring());
    require(used.has_value(), "the ring contradicts itself");
  });
}

/// A number that is given up is in nobody's way, though others were published behind it.
void given_up(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(62, *reader);
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11); });
  m.role("producer 2", Machine::plain, [=] {
    auto loan = two->loan(64, spillring::forever, {});
    require(static_cast<bool>(loan), "no loan");
    two->cancel(*loan);
  });
  m.role("reader", Machine::service, [=] { serve(*s, *reader, 0); });
  m.until([=] { return s->ledger.received(0) == 1; });
}

/// The arena is full: producers wait for the reader, and for one another.
void waiting_for_room(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  for (std::uint64_t i = 0; i < 4; ++i) s->ledger.send(*one, 1 + i, 1024, spillring::no_wait);
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 1024); });
  m.role("reader", Machine::service, [=] { serve(*s, *reader, 0); });
  m.until([=] { return s->ledger.sent() == 6 && s->ledger.received(0) == 6; });
  m.finally([=] { s->ledger.check_received(0); });
}

/// The room that one waits for comes before it has said so, and another has it: it waits for more.
void room_taken(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  fill(*s, *one);
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] {
    s->ledger.send(*two, 21, 1024);
    s->ledger.send(*two, 22, 1024);
  });
  m.role("reader", Machine::service, [=] { serve(*s, *reader, 0); });
  m.until([=] { return s->ledger.sent() == 7 && s->ledger.received(0) == 7; });
}

/// One waits for the room of numbers that are no messages yet, and are given up.
void room_of_given_up(Machine& m, client::ConsumerCore& (*reader_of)(Queue&)) {
  Scene* const s = &scene(m);
  auto* const reader = reader_of != nullptr ? &reader_of(s->queue) : nullptr;
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  auto* const first = new spillring::Loan(*one->loan(2048, spillring::no_wait, {}));
  auto* const second = new spillring::Loan(*one->loan(2048, spillring::no_wait, {}));
  m.role("producer 1", Machine::plain, [=] {
    one->cancel(*first);
    one->cancel(*second);
  });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 1024); });
  if (reader == nullptr) return;
  m.role("reader", Machine::service, [=] { serve(*s, *reader, 0); });
  m.until([=] { return s->ledger.received(0) == 1; });
}

void given_up_unread(Machine& m) { room_of_given_up(m, nullptr); }
void given_up_in_the_way(Machine& m) {
  room_of_given_up(m, [](Queue& queue) -> client::ConsumerCore& { return queue.stream(); });
}
void given_up_in_group(Machine& m) {
  room_of_given_up(m, [](Queue& queue) -> client::ConsumerCore& { return queue.shared(); });
}

/// A producer hopes for a quarter of the ring, and takes less where it has waited for that.
void little_room(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  fill(*s, *producer, 512);
  m.allow_naps();
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 512); });
  m.role("reader", Machine::plain, [=] {
    Message message = s->ledger.receive(*reader, 0);
    s->ledger.ack(message);
  });
}

/// The queue is removed while one waits for room and another for what comes: both hear of it.
void removed(Machine& m) {
  Scene* const s = &scene(m);
  s->queue.stream();  // it reads nothing
  auto* const member = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  while (Message message = s->ledger.receive(*member, 0, spillring::no_wait)) {
    s->ledger.ack(message);
  }
  m.role("producer", Machine::plain, [=] {
    require(producer->loan(1024, spillring::forever, {}).error() == spillring::Code::deleted,
            "a loan of a queue that is no more");
  });
  m.role("member", Machine::plain, [=] {
    require(member->receive(spillring::forever).error() == spillring::Code::deleted,
            "a message of a queue that is no more");
  });
  m.role("supervisor", Machine::plain, [=] { s->queue.set_condition(layout::Condition::deleted); });
}

/// A group is removed while its member waits, which hears of it.
void removed_group(Machine& m) {
  Scene* const s = &scene(m);
  auto* const member = &s->queue.shared();
  m.role("member", Machine::plain, [=] {
    require(member->receive(spillring::forever).error() == spillring::Code::deleted,
            "a message of a group that is no more");
  });
  m.role("supervisor", Machine::plain, [=] { s->queue.remove_group(Queue::shared_group); });
}

/// One waits for room, and what is in the way goes to the disk.
void copied(Machine& m) {
  Scene* const s = &scene(m, {.full = spillring::Full::spill});
  s->queue.stream();  // it reads nothing
  auto* const producer = &s->queue.producer();
  fill(*s, *producer);
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("supervisor", Machine::plain, [=] { s->queue.copy(4); });
}

/// The slot of what has gone to the disk has a number again that is no message: a reader that still
/// needs what was there seeks it on the disk, and asks where it is. (There is none here, and nobody
/// who knows.)
void sought_on_disk(Machine& m) {
  Scene* const s = &scene(m, {.full = spillring::Full::spill});
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  const std::uint64_t needed = s->queue.first_ring().first();
  s->ledger.send(*producer, 1, 8, spillring::no_wait);
  for (std::uint64_t n = 1; n < Queue::slots - 2; ++n) give_up(*producer, 8);
  s->queue.copy(ring::find_tail(s->queue.first_ring()));
  m.role("producer", Machine::plain, [=] {
    while (ring::find_tail(s->queue.first_ring()) <= needed + Queue::slots) give_up(*producer, 8);
  });
  m.role("reader", Machine::plain, [=] {
    machine().await([] { return machine().over(0); });
    require(reader->receive(spillring::no_wait).error() == spillring::Code::unsupported,
            "passed what was not read");
  });
}

/// Who waits no longer than it has said hears in time that nothing has come.
void timed_receive(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  s->queue.pass(62, *reader);
  const std::int64_t began = m.now();
  m.allow_naps();
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11); });
  m.role("reader", Machine::plain, [=] {
    constexpr auto patience = std::chrono::milliseconds(1);
    Message message = s->ledger.receive(*reader, 0, patience);
    s->ledger.ack(message);
    require(reader->receive(patience).error() == spillring::Code::timeout,
            "something received that nobody has sent");
    const spillring::Timeout waited(machine().now() - began);
    require(waited == patience, "not the time that it was to wait");
  });
}

/// A reader keeps a view while two producers reclaim, and wait for its end.
void view_and_reclaim(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  s->ledger.send(*one, 1, 1024, spillring::no_wait);
  s->ledger.send(*one, 2, 1024, spillring::no_wait);
  s->ledger.send(*one, 3, 1024, spillring::no_wait);
  m.allow_naps();  // producers hope for a quarter of the ring first
  m.role("producer 1", Machine::plain, [=] {
    s->ledger.send(*one, 11, 1024);
    s->ledger.send(*one, 12, 1024);
  });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 1024); });
  m.role("reader", Machine::service, [=] {
    for (;;) {
      Message first = s->ledger.receive(*reader, 0);
      Message second = s->ledger.receive(*reader, 0);
      s->ledger.look(first);
      s->ledger.ack(second);
      s->ledger.look(first);
      s->ledger.ack(first);
    }
  });
  m.until([=] { return s->ledger.sent() == 6 && s->ledger.received(0) == 6; });
  m.finally([=] { s->ledger.check_received(0); });
}

/// A producer dies anywhere; its claims are given up, and nobody waits for them.
void dying_producer(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  s->ledger.send(*two, 1, 1024, spillring::no_wait);
  s->ledger.send(*two, 2, 1024, spillring::no_wait);
  m.role("mortal", Machine::mortal, [=] {
    s->ledger.send(*one, 11, 1024);
    s->ledger.send(*one, 12, 1024);
  });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 1024); });
  m.role("reader", Machine::service, [=] { serve(*s, *reader, 0); });
  m.role("supervisor", Machine::service, [=] {
    machine().await([] { return machine().died(0); });
    s->queue.retire(2);
  });
  m.until([=] { return s->ledger.received(0) == s->ledger.sent(); });
  m.finally([=] {
    s->ledger.check_received(0);
    // What was claimed has come to an end, and all of it can be reclaimed.
    const auto& ring = s->queue.first_ring();
    const std::uint64_t end = ring::find_tail(ring);
    for (std::uint64_t n = end - 6; n < end; ++n) {
      require(ring::look(ring, n) != ring::Seen::nothing, "a claim of the dead stays for ever");
    }
  });
}

/// The supervisor revokes what is claimed, at any time: the owner is told, and its bytes are left
/// to it until then.
void revoked(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  s->ledger.send(*two, 1, 1024, spillring::no_wait);
  m.role("producer 1", Machine::plain, [=] {
    while (!s->ledger.send(*one, 11, 1024)) {
    }
  });
  m.role("producer 2", Machine::plain, [=] {
    while (!s->ledger.send(*two, 21, 1024)) {
    }
    while (!s->ledger.send(*two, 22, 1024)) {
    }
    while (!s->ledger.send(*two, 23, 1024)) {
    }
    while (!s->ledger.send(*two, 24, 1024)) {
    }
  });
  m.role("reader", Machine::service, [=] { serve(*s, *reader, 0); });
  m.role("supervisor", Machine::plain, [=] {
    const auto& ring = s->queue.first_ring();
    const auto used = ring::in_use(ring);
    require(used.has_value(), "the ring contradicts itself");
    bool any = false;
    for (std::uint64_t n = used->first; n < used->end; ++n) any = ring::revoke(ring, n) || any;
    if (any) s->queue.ring_bells();
  });
  m.until([=] { return s->ledger.sent() == 6 && s->ledger.received(0) == 6; });
  m.finally([=] { s->ledger.check_received(0); });
}

/// All slots but the two that are kept are in use: small messages, whose bytes would fit.
void full_of_slots(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(70, *reader, 8);
  while (ring::reclaim(s->queue.first_ring(), s->queue.manifest(), s->queue.groups())) {
  }
  while (one->loan(8, spillring::no_wait,
                   {})) {  // given up at once: the numbers are used all the same
  }
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11, 8); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 8); });
  m.role("reader", Machine::service, [=] { serve(*s, *reader, 0); });
  m.until([=] { return s->ledger.sent() == 2 && s->ledger.received(0) == 2; });
  m.finally([=] {
    s->ledger.check_received(0);
    const auto& ring = s->queue.first_ring();
    const auto used = ring::in_use(ring);
    require(used && used->end - used->first <= ring.slots() - 2, "more slots than there may be");
  });
}

/// The seal needs no room, and takes no slot that anybody needs: not even in a ring that is full.
void full_and_sealed(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  s->queue.pass(70, *reader, 8);
  const auto& ring = s->queue.first_ring();
  while (ring::reclaim(ring, s->queue.manifest(), s->queue.groups())) {
  }
  ring::Room room;
  const std::uint64_t limit = ring.header().limit.load();
  for (std::uint64_t n = ring::find_tail(ring); n < limit + Queue::slots - 4; ++n) {
    ring::publish(ring, ring::claim(ring, {2, 1}, 0, room).sequence);
  }
  const auto fill = [=](std::uint16_t slot) {
    ring::Room mine;
    for (;;) {
      const ring::Claim claim = ring::claim(s->queue.first_ring(), {slot, 1}, 0, mine);
      require(claim.status != ring::ClaimStatus::corrupt, "the ring contradicts itself");
      if (claim.status != ring::ClaimStatus::claimed) return;
      ring::publish(s->queue.first_ring(), claim.sequence);
    }
  };
  m.role("producer 1", Machine::plain, [=] { fill(2); });
  m.role("producer 2", Machine::plain, [=] { fill(3); });
  m.role("supervisor", Machine::plain, [=] {
    require(ring::seal(s->queue.first_ring()) != 0, "no seal: the ring contradicts itself");
  });
  m.finally([=] {
    ring::Room after;
    require(ring::refresh(s->queue.first_ring(), after), "the seal took what room is derived from");
    require(ring::in_use(s->queue.first_ring()).has_value(), "the ring contradicts itself");
  });
}

/// A group joins while others publish and reclaim: all that is not reclaimed is for it (B2).
void joining_group(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  s->ledger.send(*one, 1, 1024, spillring::no_wait);
  s->ledger.send(*one, 2, 1024, spillring::no_wait);
  m.role("producer", Machine::plain, [=] {
    s->ledger.send(*one, 11, 1024, spillring::no_wait);
    s->ledger.send(*one, 12, 1024, spillring::no_wait);
    ring::reclaim(s->queue.first_ring(), s->queue.manifest(), s->queue.groups());
  });
  m.role("reclaimer", Machine::plain,
         [=] { ring::reclaim(s->queue.first_ring(), s->queue.manifest(), s->queue.groups()); });
  m.role("reader", Machine::plain, [=] {
    for (int i = 0; i < 4; ++i) {
      Message message = s->ledger.receive(*reader, 0);
      s->ledger.ack(message);
    }
  });
  m.role("supervisor", Machine::plain, [=] { s->queue.join_late_group(s->begin); });
  m.finally([=] {
    s->ledger.check_received(0);
    const auto& ring = s->queue.first_ring();
    require(ring.header().limit.load() <= s->begin, "a group was promised what is reclaimed");
    require(ring.header().gone.load() <= s->begin, "a group was promised what is going");
  });
}

/// The ring ends, and another takes its place, while two publish and one reads.
void next_ring(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  s->ledger.send(*one, 1, 1024, spillring::no_wait);
  s->ledger.send(*one, 2, 1024, spillring::no_wait);
  s->ledger.send(*one, 3, 1024, spillring::no_wait);
  s->queue.prepare_next_ring(12);
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 1024); });
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
    s->queue.replace_ring();
    s->queue.let_go();
  });
  m.until([=] { return s->ledger.sent() == 5 && s->ledger.received(0) == 5; });
  m.finally([=] { s->ledger.check_received(0); });
}

/// A seal that somebody else has begun is completed by whoever finds it.
void two_seals(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  s->queue.pass(62, *reader);
  while (ring::reclaim(s->queue.first_ring(), s->queue.manifest(), s->queue.groups())) {
  }
  auto* const seals = new std::array<std::uint64_t, 2>{};
  auto* const last = new std::uint64_t(0);
  m.role("mortal", Machine::mortal, [=] { (*seals)[0] = ring::seal(s->queue.first_ring()); });
  m.role("supervisor", Machine::plain, [=] { (*seals)[1] = ring::seal(s->queue.first_ring()); });
  m.role("producer", Machine::plain, [=] {
    ring::Room room;
    for (;;) {
      const ring::Claim claim = ring::claim(s->queue.first_ring(), {2, 1}, 64, room);
      require(claim.status != ring::ClaimStatus::corrupt, "the ring contradicts itself");
      if (claim.status != ring::ClaimStatus::claimed) return;
      ring::publish(s->queue.first_ring(), claim.sequence);
      *last = claim.sequence;
      if (claim.sequence >= 65) return;
    }
  });
  m.finally([=] {
    const auto [one, two] = *seals;
    require(two != 0 && (one == 0 || one == two), "two seals");
    require(*last < two, "a claim behind the seal");
    require(ring::look(s->queue.first_ring(), two) == ring::Seen::sealed, "half a seal");
  });
}

}  // namespace explore
