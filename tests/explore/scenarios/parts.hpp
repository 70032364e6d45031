// What scenarios are made of.
#pragma once

#include "queue.hpp"
#include "search.hpp"

namespace explore {

/// A queue and its ledger, in the roles' memory.
struct Scene {
  Scene(Machine& machine, const QueueOptions& options) : queue(machine, options) {}
  Queue queue;
  Ledger ledger;
  std::uint64_t begin = 0;  // of a group that joins late
  // Of some scenarios that begin alike.
  client::ConsumerCore* reader = nullptr;
  client::ProducerCore* one = nullptr;
  client::ProducerCore* two = nullptr;
  Message* held = nullptr;
};

inline Scene& scene(Machine& machine, const QueueOptions& options = {}) {
  return *new Scene(machine, options);  // goes with the execution
}

inline constexpr QueueOptions drops{.full = spillring::Full::drop_oldest};

/// Messages that fill the arena, and nobody has read.
inline void fill(Scene& scene, client::ProducerCore& producer, std::size_t size = 1024) {
  for (std::uint64_t i = 0; i < Queue::arena / size; ++i) {
    scene.ledger.send(producer, 1 + i, size, spillring::no_wait);
  }
}

/// Before it looks at anything, the handle holds nothing.
inline void rest(Scene& scene, client::ConsumerCore& consumer) {
  require(!scene.ledger.receive(consumer, 0, spillring::no_wait), "there is something already");
}

/// A stream's reader, and two producers, in a ring that has gone round.
inline Scene& reader_and_two(Machine& machine, const QueueOptions& options,
                             std::size_t size = 1024) {
  Scene& s = scene(machine, options);
  s.reader = &s.queue.stream();
  s.one = &s.queue.producer();
  s.two = &s.queue.producer();
  s.queue.pass(7, *s.reader, size);
  rest(s, *s.reader);
  return s;
}

/// A number that is no message.
inline void give_up(client::ProducerCore& producer, std::size_t size = 1024) {
  auto loan = producer.loan(size, spillring::forever, {});
  require(static_cast<bool>(loan), "no loan");
  producer.cancel(*loan);
}

/// Receives and acknowledges for ever.
inline void serve(Scene& scene, client::ConsumerCore& consumer, unsigned reader) {
  for (;;) {
    Message message = scene.ledger.receive(consumer, reader);
    scene.ledger.ack(message);
  }
}

/// Where the oldest are dropped: a reader that takes what comes; it and what was missed are all of
/// `published` messages.
inline void read_all_of(Machine& m, Scene& scene, client::ConsumerCore& reader,
                        std::uint64_t published) {
  Ledger* const ledger = &scene.ledger;
  client::ConsumerCore* const in = &reader;
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

/// Where the oldest are dropped: the shared group comes to the end, and what its members have
/// acknowledged and what it has missed are all of `published` messages.
inline void until_group_is_past(Machine& m, Scene& scene, std::uint64_t published) {
  Scene* const s = &scene;
  m.until([=] {
    return s->ledger.sent() == published &&
           s->queue.members().low() == ring::find_tail(s->queue.newest_ring());
  });
  m.finally([=] {
    const auto& cursor = s->queue.groups().cursors[Queue::shared_group];
    require(cursor.dropped.load() + s->ledger.acked() == published,
            "acknowledged and dropped are not all there was");
    require(cursor.told.load() == s->ledger.missed(), "told is not what members were told");
  });
}

}  // namespace explore
