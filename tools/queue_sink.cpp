#include "queue_sink.hpp"

namespace spillring::tools {

QueueSink::QueueSink(const Queue& target)
    : sender_(target, forever), durable_(target.info().options.durability == Durability::disk) {}

void QueueSink::take(Message message) {
  const std::vector<Header> headers = message.headers();
  const Metadata metadata{.key = message.key(), .headers = headers, .ttl = message.ttl()};
  if (message.is_batch()) {
    const Parts parts = message.parts();
    sender_.send_atomic({parts.begin(), parts.end()}, metadata);
  } else {
    sender_.send(message.bytes(), metadata);
  }
  if (durable_) {
    sent_.push_back(std::move(message));
  } else {
    finish(message);
  }
}

void QueueSink::flush() {
  if (sent_.empty()) return;
  sender_.flush();
  for (Message& message : sent_) finish(message);
  sent_.clear();
}

void QueueSink::finish(Message& message) {
  count(message.bytes().size());
  acknowledge(message);
}

}  // namespace spillring::tools
