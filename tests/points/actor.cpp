#include "actor.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace points {

using spillring::Code;
using spillring::Timeout;

std::uint32_t Actor::begin(std::size_t size) {
  const std::uint32_t n = ledger_.used++;
  fate(n).size = static_cast<std::uint16_t>(size);
  fate(n).sent = Sent::trying;
  return n;
}

bool Actor::sent(std::uint32_t n, Code code) {
  fate(n).sent = code == Code::ok ? Sent::yes : Sent::never;
  if (code == Code::stale) ++ledger_.stale;
  const bool expected =
      code == Code::ok || code == Code::stale || code == Code::timeout || code == Code::full;
  if (!expected) ledger_.complain(Fault::refused);
  return code == Code::ok;
}

bool Actor::send(std::size_t size, Timeout timeout) {
  std::vector<std::byte> bytes(std::max(size, least_size));
  const std::uint32_t n = begin(bytes.size());
  fill(bytes, n);
  return sent(n, out_->send(bytes, timeout).error());
}

bool Actor::lend(std::size_t size, Timeout timeout) {
  lent_ = begin(std::max(size, least_size));
  auto loan = out_->loan(std::max(size, least_size), timeout);
  if (!loan) return sent(lent_, loan.error());
  loan_ = *std::move(loan);
  return true;
}

bool Actor::publish() {
  fill(loan_.bytes(), lent_);
  return sent(lent_, loan_.publish().error());
}

void Actor::cancel() {
  fill(loan_.bytes(), lent_);
  loan_.cancel();
  fate(lent_).sent = Sent::never;
}

void Actor::flush() {
  if (!out_->flush(std::chrono::seconds(10))) ledger_.complain(Fault::refused);
}

std::optional<std::uint32_t> Actor::identify(const spillring::Message& message) {
  const std::uint32_t n = number_of(message.bytes());
  if (n == Ledger::most || n >= ledger_.used || fate(n).size != message.bytes().size()) {
    ledger_.complain(Fault::damaged);
    return std::nullopt;
  }
  if (fate(n).sent == Sent::never || fate(n).sent == Sent::no) ledger_.complain(Fault::ghost);
  return n;
}

bool Actor::take(Timeout timeout) {
  const std::uint32_t begun = ledger_.clock;
  auto message = in_->receive(timeout);
  if (!message) {
    const Code code = message.error();
    if (code != Code::empty && code != Code::timeout) ledger_.complain(Fault::refused);
    return false;
  }
  const auto n = identify(*message);
  if (!n) {  // it would come again and again
    static_cast<void>(message->ack());
    return true;
  }
  // What happened while this call was under way may have come after it was given the message: then
  // it is as if it had been stopped with the message in its hands.
  const bool finished = fate(*n).acked_at != 0 && fate(*n).acked_at <= begun;
  if (finished) ledger_.complain(Fault::again);
  const bool seen = fate(*n).shown_at != 0 && fate(*n).shown_at <= begun;
  if (seen && message->deliveries() <= fate(*n).shown) ledger_.complain(Fault::unmarked);
  if (message->deliveries() > fate(*n).shown) {
    fate(*n).shown = static_cast<std::uint8_t>(message->deliveries());
    fate(*n).shown_at = ++ledger_.clock;
  }
  held_.push_back({*std::move(message), *n});
  return true;
}

bool Actor::finish(Held& held, spillring::Result<void> (spillring::Message::*how)()) {
  if (number_of(held.message.bytes()) != held.n) ledger_.complain(Fault::damaged);
  ++fate(held.n).trying;
  const Code code = (held.message.*how)().error();
  if (code == Code::ok) {
    fate(held.n).acked_at = ++ledger_.clock;
    if (++fate(held.n).acks > 1) ledger_.complain(Fault::again);
  }
  if (code != Code::ok && code != Code::stale) ledger_.complain(Fault::refused);
  if (code == Code::stale) ++ledger_.stale;
  --fate(held.n).trying;
  return code == Code::ok;
}

bool Actor::acknowledge() {
  if (held_.empty()) return false;
  Held held = std::move(held_.front());
  held_.pop_front();
  return finish(held, &spillring::Message::ack);
}

void Actor::acknowledge_and_look_on(std::size_t most) {
  for (Held& held : held_) {
    finish(held, &spillring::Message::settle);
    looked_at_.push_back(std::move(held));
  }
  held_.clear();
  while (looked_at_.size() > most) looked_at_.pop_front();
}

void Actor::hand_back(Timeout delay) {
  if (held_.empty()) return;
  const Code code = held_.front().message.nack(delay).error();
  if (code != Code::ok && code != Code::stale) ledger_.complain(Fault::refused);
  if (code == Code::stale) ++ledger_.stale;
  held_.pop_front();
}

void Actor::look_again() {
  for (const Held& held : looked_at_) {
    if (number_of(held.message.bytes()) != held.n) ledger_.complain(Fault::damaged);
  }
  looked_at_.clear();
}

void Actor::seek() {
  const auto groups = queue().groups();
  const auto mine = std::find_if(groups.begin(), groups.end(),
                                 [](const auto& group) { return group.name == group_name; });
  try {
    in_->seek(spillring::Start::at(mine->floor));
  } catch (const spillring::Error& error) {
    if (error.code() != Code::busy) ledger_.complain(Fault::refused);  // somebody else has joined
  }
}

bool Actor::read(Timeout timeout) {
  auto message = stream_->receive(timeout);
  if (!message) {
    const Code code = message.error();
    if (code != Code::empty && code != Code::timeout) ledger_.complain(Fault::refused);
    return false;
  }
  if (message->seq() <= last_read_) ledger_.complain(Fault::disorder);
  last_read_ = message->seq();
  const auto n = identify(*message);
  if (n) fate(*n).streamed = 1;  // before: who dies in here may have finished with it
  if (!message->ack()) ledger_.complain(Fault::refused);
  return true;
}

}  // namespace points
