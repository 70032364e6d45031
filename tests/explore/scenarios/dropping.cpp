// Queues that drop the oldest where there is no room (B4, G6): what was received and what was
// missed are all that was published, to the message.
#include "scenarios/parts.hpp"

namespace explore {

namespace {

constexpr QueueOptions drops{.full = spillring::Full::drop_oldest};

void give_up(client::ProducerCore& producer, std::size_t size = 1024) {
  auto loan = producer.loan(size, spillring::forever, {});
  require(static_cast<bool>(loan), "no loan");
  producer.cancel(*loan);
}

/// A reader that takes what comes; it and what was missed are all of `published` messages.
template <typename Reader>
void read_all_of(Machine& m, Scene& scene, Reader& reader, std::uint64_t published) {
  Ledger* const ledger = &scene.ledger;
  Reader* const in = &reader;
  m.role("reader", Machine::service, [=] {
    for (;;) {
      Message message = ledger->receive(*in, 0);
      ledger->look(message);
      ledger->ack(message);
    }
  });
  m.until([=] {
    return ledger->sent() == published && ledger->received(0) + ledger->missed() >= published;
  });
  m.finally([=] {
    require(ledger->received(0) + ledger->missed() == published, "more was missed than there was");
    ledger->check_not_twice(0);
  });
}

}  // namespace

/// Two producers drop what a reader comes to.
void dropping(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  rest(*s, *reader);
  fill(*s, *one);
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] {
    give_up(*two);
    s->ledger.send(*two, 21, 1024);
  });
  read_all_of(m, *s, *reader, 6);
}

/// A reader passes a number that is no message, and comes to what is dropped behind it.
void dropping_behind(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  rest(*s, *reader);
  give_up(*one);
  for (std::uint64_t tag = 1; tag < 4; ++tag) {
    s->ledger.send(*one, tag, 1024, spillring::no_wait);
  }
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 1024); });
  read_all_of(m, *s, *reader, 5);
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
  m.until([=] {
    return s->ledger.sent() == 6 &&
           s->queue.members().low() == ring::find_tail(s->queue.first_ring());
  });
  m.finally([=] {
    const auto& cursor = s->queue.groups().cursors[Queue::shared_group];
    require(cursor.dropped.load() + s->ledger.acked() == 6,
            "acknowledged and dropped are not all there was");
    require(cursor.told.load() == s->ledger.missed(), "told is not what members were told");
  });
}

/// What are no messages is counted while producers drop, and use the slots again.
void counted(Machine& m) {
  Scene* const s = &scene(m, drops);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  const auto& ring = s->queue.first_ring();
  s->queue.pass(7, *reader, 8);
  rest(*s, *reader);
  while (ring::reclaim(ring, s->queue.manifest(), s->queue.groups())) {
  }
  constexpr std::uint64_t given_up = 9;
  for (std::uint64_t n = ring::find_tail(ring); n != 8 + Queue::slots - 2; ++n) {
    if (n == given_up) {
      give_up(*one, 8);
    } else {
      s->ledger.send(*one, n, 8, spillring::no_wait);
    }
  }
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
  m.role("producer 1", Machine::plain, [=] { send(*one, 101); });
  m.role("producer 2", Machine::plain, [=] { send(*two, 201); });
  m.finally([=] {
    require(is_right(s->queue.dropped()), "what was dropped is counted wrong");
    require(s->queue.groups().holds[0].sequence.load() == layout::no_sequence, "a hold stays");
  });
}

}  // namespace explore
