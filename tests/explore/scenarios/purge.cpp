// Messages that are purged while others come to them, hold them, or use their room again (B1, B3).
#include "scenarios/parts.hpp"

namespace explore {

/// A reader comes to a message while it is purged, and its room is used again by two.
void purged(Machine& m) {
  Scene* const s = &scene(m);
  auto* const reader = &s->queue.stream();
  auto* const one = &s->queue.producer();
  auto* const two = &s->queue.producer();
  s->queue.pass(7, *reader, 1024);
  rest(*s, *reader);
  fill(*s, *one);
  const std::uint64_t line = ring::find_tail(s->queue.first_ring());
  m.role("supervisor", Machine::plain, [=] { s->queue.purge(line); });
  m.role("producer 1", Machine::plain, [=] { s->ledger.send(*one, 11, 1024); });
  m.role("producer 2", Machine::plain, [=] { s->ledger.send(*two, 21, 1024); });
  m.role("reader", Machine::service, [=] {
    for (;;) {
      Message message = s->ledger.receive(*reader, 0);
      s->ledger.look(message);
      s->ledger.ack(message);
    }
  });
  m.until([=] {
    return s->ledger.sent() == 6 && s->ledger.has_received(0, 11) && s->ledger.has_received(0, 21);
  });
}

/// The reader's handle is given out meanwhile: who does not count it yet is seen by it.
void newcomer(Machine& m) {
  Scene* const s = &scene(m);
  auto* const former = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  s->queue.pass(7, *former, 1024);
  rest(*s, *former);
  former->close();
  fill(*s, *producer);
  const std::uint64_t line = ring::find_tail(s->queue.first_ring());
  m.role("supervisor", Machine::plain, [=] { s->queue.purge(line); });
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("reader", Machine::service, [=] {
    auto& reader = s->queue.stream();
    for (;;) {
      Message message = s->ledger.receive(reader, 0);
      s->ledger.look(message);
      s->ledger.ack(message);
    }
  });
  m.until([=] { return s->ledger.sent() == 5 && s->ledger.has_received(0, 11); });
}

/// Members of a group come to what is purged, of which one has claimed ahead: what is purged is
/// nobody's.
void purged_group(Machine& m) {
  Scene* const s = &scene(m);
  auto* const one = &s->queue.shared(2);
  auto* const two = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(7, *one, 1024);
  rest(*s, *one);
  fill(*s, *producer);
  const std::uint64_t line = ring::find_tail(s->queue.first_ring());
  m.role("supervisor", Machine::plain, [=] { s->queue.purge(line); });
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.role("member 1", Machine::service, [=] {
    for (;;) {
      Message message = s->ledger.receive(*one, 0);
      s->ledger.look(message);
      const bool is_last = message.seq() >= line;
      if (message.seq() % 2 == 0) {
        static_cast<void>(message.nack());
      } else {
        s->ledger.ack(message);
      }
      if (is_last) break;
    }
    serve(*s, *one, 0);
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  m.until([=] { return s->queue.members().low() == line + 1; });
  m.finally([=] {
    require(s->ledger.has_received(0, 11), "a message was lost");
    s->ledger.check_not_twice(0, true);
  });
}

}  // namespace explore
