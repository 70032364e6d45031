// How a consumer becomes a member of its group, and does so again elsewhere in the queue.
#pragma once

#include <memory>
#include <string>

#include "client/queue_ref.hpp"
#include "spillring/options.hpp"

namespace spillring::client {

class ConsumerCore;

struct Membership {
  std::shared_ptr<QueueRef> queue;
  std::string group;  // empty: a subscription of its own
  GroupKind kind = GroupKind::shared;
  unsigned prefetch = 0;  // of a shared group
  bool interruptible = false;
};

/// A new member. `start` counts where this makes the group. Throws `Error`.
ConsumerCore* join(Membership membership, Start start);

/// Moves a group that has no members. Throws `Error` (not_found; busy: it has).
void seek(QueueRef& queue, std::string_view group, Start start);

/// Leaves, moves the group, and joins it again: `core` is replaced. Throws `Error`; busy: the group
/// has other members, or a message of this one is in use. The consumer is then a member as before.
void seek(ConsumerCore*& core, Start start);

}  // namespace spillring::client
