// Moves messages to another queue.
#pragma once

#include <vector>

#include "pour.hpp"
#include "sender.hpp"

namespace spillring::tools {

/// Sends each message on, with key and headers, before it is acknowledged; to a durable queue, when
/// the disk has it.
class QueueSink : public Sink {
 public:
  explicit QueueSink(const Queue& target);

  void take(Message message) override;
  void flush() override;

 private:
  void finish(Message& message);

  Sender sender_;
  bool durable_;
  std::vector<Message> sent_;  // and perhaps not on the disk yet
};

}  // namespace spillring::tools
