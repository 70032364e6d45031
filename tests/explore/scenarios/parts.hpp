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
  bool stop = false;
};

inline Scene& scene(Machine& machine, const QueueOptions& options = {}) {
  return *new Scene(machine, options);  // goes with the execution
}

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

/// Receives and acknowledges for ever.
inline void serve(Scene& scene, client::ConsumerCore& consumer, unsigned reader) {
  for (;;) {
    Message message = scene.ledger.receive(consumer, reader);
    scene.ledger.ack(message);
  }
}

}  // namespace explore
