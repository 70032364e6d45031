#include "client/membership.hpp"

#include <fmt/format.h>

#include "client/observer.hpp"
#include "client/shared_consumer.hpp"
#include "client/stream_consumer.hpp"

namespace spillring::client {

namespace {

/// The supervisor knows no moments, only sequences.
layout::Request with_start(QueueRef& queue, layout::Request request, Start start) {
  if (start.from == Start::From::time) start = Start::at(Observer(queue).sequence_at(start.value));
  request.start = static_cast<std::uint32_t>(start.from);
  request.number = start.value;
  return request;
}

void require_alone(const Membership& membership, const ConsumerCore& core) {
  const auto busy = [&](const std::string& why, const char* hint) {
    return Error(Code::busy,
                 fmt::format("group '{}' of queue '{}' is in use", membership.group,
                             membership.queue->name()),
                 why, hint);
  };
  if (core.messages() != 0) {
    throw busy(fmt::format("{} of its messages are in this consumer's hands", core.messages()),
               "acknowledge or drop them first");
  }
  layout::Request request = control::request(layout::Ask::groups);
  for (;;) {
    const Answered answer = membership.queue->ask(request);
    for (std::size_t i = 0; i < answer.reply.records; ++i) {
      const auto record = answer.record<layout::GroupRecord>(i);
      if (record.name.view() == membership.group && record.members > 1) {
        throw busy(fmt::format("it has {} members", record.members),
                   "stop the other consumers first");
      }
      request.number = record.slot + 1U;
    }
    if (answer.reply.number == 0 || answer.reply.records == 0) return;
  }
}

}  // namespace

ConsumerCore* join(Membership membership, Start start) {
  layout::Request request = control::request(layout::Ask::consume);
  request.name.set(membership.group);
  request.kind = static_cast<std::uint16_t>(membership.kind);
  QueueRef& queue = *membership.queue;
  Answered answer = queue.ask(with_start(queue, request, start));
  if (membership.kind == GroupKind::shared) {
    return new SharedConsumer(std::move(membership), answer);
  }
  return new StreamConsumer(std::move(membership), answer);
}

void seek(QueueRef& queue, std::string_view group, Start start) {
  layout::Request request = control::request(layout::Ask::seek);
  request.name.set(group);
  queue.ask(with_start(queue, request, start));
}

void seek(ConsumerCore*& core, Start start) {
  Membership membership = core->membership();
  if (const Code code = core->condition(); code != Code::ok) throw Error(code);
  if (membership.group.empty()) {
    ConsumerCore* const moved = join(std::move(membership), start);
    moved->take_watch(core->give_watch());
    std::exchange(core, moved)->close();
    return;
  }
  require_alone(membership, *core);
  auto watch = core->give_watch();
  const auto join_again = [&] {
    core = join(std::move(membership), Start::earliest());
    core->take_watch(std::move(watch));
  };
  std::exchange(core, nullptr)->close();
  try {
    seek(*membership.queue, membership.group, start);
  } catch (const Error& error) {  // somebody was faster
    // A group that was removed meanwhile is not made again: the consumer is closed.
    if (error.code() != Code::not_found) join_again();
    throw;
  }
  join_again();
}

}  // namespace spillring::client
