// What scenarios are made of.
#pragma once

#include "queue.hpp"
#include "search.hpp"

namespace explore {

/// A queue and its ledger, in the roles' memory.
struct Scene {
  explicit Scene(Machine& machine, std::uint32_t max_deliveries = 0)
      : queue(machine, max_deliveries) {}
  Queue queue;
  Ledger ledger;
  std::uint64_t begin = 0;  // of a group that joins late
  bool stop = false;
};

inline Scene& scene(Machine& machine, std::uint32_t max_deliveries = 0) {
  return *new Scene(machine, max_deliveries);  // goes with the execution
}

/// Receives and acknowledges for ever.
inline void serve(Scene& scene, client::ConsumerCore& consumer, unsigned reader) {
  for (;;) {
    Message message = scene.ledger.receive(consumer, reader);
    scene.ledger.ack(message);
  }
}

}  // namespace explore
