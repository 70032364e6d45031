// Groups: claims, acknowledgements, what is handed back, deaths, leases, the place of a stream
// (lib/group, G1 to G5; lib/client: the members).
#include "scenarios/parts.hpp"
#include "surroundings.hpp"

namespace explore {

namespace {

/// Everything was finished: the group's floor is at the ring's end.
void check_floor(Scene& s) {
  s.queue.members().move_floor();
  require(s.queue.members().low() == ring::find_tail(s.queue.first_ring()),
          "the floor stays behind");
}

/// The supervisor goes on with what was set aside. Returns how many that were.
unsigned bury(Queue& queue) {
  unsigned buried = 0;
  auto& members = queue.members();
  if (members.take_set_aside()) {
    members.for_each_set_aside(members.end(), [&](std::uint64_t n, std::uint64_t word) {
      if (members.finish(n, word)) ++buried;
    });
    members.move_floor();
    queue.ring_bells();
  }
  return buried;
}

}  // namespace

/// Two members share, one hands back.
void two_members(Machine& m) {
  Scene* const s = &scene(m);
  auto* const one = &s->queue.shared();
  auto* const two = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(62, *one);
  m.role("producer", Machine::plain, [=] {
    for (std::uint64_t tag = 11; tag < 14; ++tag) s->ledger.send(*producer, tag);
  });
  m.role("member 1", Machine::service, [=] {
    Message first = s->ledger.receive(*one, 0);
    static_cast<void>(first.nack());
    serve(*s, *one, 0);
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  m.until([=] { return s->ledger.sent() == 3 && s->ledger.all_acked(); });
  m.finally([=] {
    s->ledger.check_acked();
    s->ledger.check_received(0, true);
    check_floor(*s);
  });
}

/// The window is full: members wait for its floor.
void full_window(Machine& m) {
  Scene* const s = &scene(m);
  auto* const one = &s->queue.shared(2);
  auto* const two = &s->queue.shared(2);
  auto* const producer = &s->queue.producer();
  s->queue.pass(61, *one);
  for (std::uint64_t tag = 1; tag < 7; ++tag) {
    s->ledger.send(*producer, tag, 64, spillring::no_wait);
  }
  m.role("member 1", Machine::service, [=] {
    for (;;) {
      Message first = s->ledger.receive(*one, 0);
      Message second = s->ledger.receive(*one, 0, spillring::no_wait);
      if (second) s->ledger.ack(second);
      s->ledger.ack(first);
    }
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  m.until([=] { return s->ledger.all_acked(); });
  m.finally([=] {
    s->ledger.check_acked();
    s->ledger.check_received(0);
    check_floor(*s);
  });
}

/// What a member hands back, or makes room for at the window's end, before it turns to other
/// things.
void last_words(Machine& m, bool hands_back) {
  Scene* const s = &scene(m);
  auto* const one = &s->queue.shared();
  auto* const two = &s->queue.shared(2);
  auto* const producer = &s->queue.producer();
  s->queue.pass(61, *one);
  rest(*s, *one);
  for (std::uint64_t tag = 1; tag < 7; ++tag) {
    s->ledger.send(*producer, tag, 64, spillring::no_wait);
  }
  m.role("member 1", Machine::plain, [=] {
    Message first = s->ledger.receive(*one, 0, spillring::no_wait);
    if (!first) return;
    if (hands_back) {
      static_cast<void>(first.nack());
    } else {
      s->ledger.ack(first);
    }
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  m.until([=] { return s->ledger.all_acked(); });
  m.finally([=] {
    s->ledger.check_acked();
    s->ledger.check_received(0, hands_back);
    check_floor(*s);
  });
}

void handed_on(Machine& m) { last_words(m, true); }
void window_end(Machine& m) { last_words(m, false); }

/// Two members hand back at once, and turn to other things.
void both_hand_back(Machine& m) {
  Scene* const s = &scene(m);
  auto* const one = &s->queue.shared();
  auto* const two = &s->queue.shared();
  auto* const three = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->ledger.send(*producer, 1, 64, spillring::no_wait);
  s->ledger.send(*producer, 2, 64, spillring::no_wait);
  auto* const first = new Message(s->ledger.receive(*one, 0, spillring::no_wait));
  auto* const second = new Message(s->ledger.receive(*two, 0, spillring::no_wait));
  m.role("member 1", Machine::plain, [=] { static_cast<void>(first->nack()); });
  m.role("member 2", Machine::plain, [=] { static_cast<void>(second->nack()); });
  m.role("member 3", Machine::service, [=] { serve(*s, *three, 0); });
  m.until([=] { return s->ledger.all_acked(); });
  m.finally([=] { check_floor(*s); });
}

/// A producer waits for the room of what two members have.
void room_by_group(Machine& m) {
  Scene* const s = &scene(m);
  auto* const one = &s->queue.shared();
  auto* const two = &s->queue.shared(2);
  auto* const producer = &s->queue.producer();
  s->queue.pass(7, *one, 1024);
  rest(*s, *one);
  fill(*s, *producer);
  m.role("member 1", Machine::service, [=] { serve(*s, *one, 0); });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  m.role("producer", Machine::plain, [=] { s->ledger.send(*producer, 11, 1024); });
  m.until([=] { return s->ledger.sent() == 5 && s->ledger.all_acked(); });
  m.finally([=] {
    s->ledger.check_acked();
    s->ledger.check_received(0);
    check_floor(*s);
  });
}

/// A member dies anywhere, with messages in its hands and claimed ahead.
void dying_member(Machine& m) {
  Scene* const s = &scene(m);
  auto* const mortal = &s->queue.shared(2);
  auto* const other = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(62, *other);
  for (std::uint64_t tag = 1; tag < 4; ++tag) {
    s->ledger.send(*producer, tag, 64, spillring::no_wait);
  }
  m.role("mortal", Machine::mortal, [=] {
    for (int i = 0; i < 2; ++i) {
      Message message = s->ledger.receive(*mortal, 0, spillring::no_wait);
      if (!message) break;
      if (i == 0) {
        static_cast<void>(message.nack());
      } else {
        s->ledger.ack(message);
      }
    }
    mortal->close();
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *other, 0); });
  m.role("supervisor", Machine::service, [=] {
    machine().await([] { return machine().died(0); });
    s->queue.retire(1);
  });
  m.until([=] { return s->queue.members().low() == ring::find_tail(s->queue.first_ring()); });
  m.finally([=] { s->ledger.check_received(0, true); });
}

/// A member dies while two others pass what it had.
void passed_words(Machine& m) {
  Scene* const s = &scene(m);
  auto* const mortal = &s->queue.shared(2);
  auto* const one = &s->queue.shared(2);
  auto* const two = &s->queue.shared(2);
  auto* const producer = &s->queue.producer();
  s->queue.pass(62, *one);
  for (std::uint64_t tag = 1; tag < 5; ++tag) {
    s->ledger.send(*producer, tag, 64, spillring::no_wait);
  }
  m.role("mortal", Machine::mortal, [=] {
    Message message = s->ledger.receive(*mortal, 0, spillring::no_wait);
    if (message) s->ledger.ack(message);
    mortal->close();
  });
  m.role("member 1", Machine::service, [=] { serve(*s, *one, 0); });
  m.role("member 2", Machine::service, [=] { serve(*s, *two, 0); });
  m.role("supervisor", Machine::service, [=] {
    machine().await([] { return machine().died(0); });
    s->queue.retire(1);
  });
  m.until([=] { return s->queue.members().low() == ring::find_tail(s->queue.first_ring()); });
  m.finally([=] { s->ledger.check_received(0, true); });
}

/// A lease takes a message from who holds it: the late acknowledgement is stale.
void lease(Machine& m) {
  Scene* const s = &scene(m);
  auto* const slow = &s->queue.shared();
  auto* const other = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(62, *other);
  for (std::uint64_t tag = 1; tag < 4; ++tag) {
    s->ledger.send(*producer, tag, 64, spillring::no_wait);
  }
  m.role("slow", Machine::plain, [=] {
    Message message = s->ledger.receive(*slow, 0, spillring::no_wait);
    if (!message) return;
    s->ledger.look(message);
    s->ledger.ack(message);
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *other, 0); });
  m.role("supervisor", Machine::plain, [=] {
    bool handed = false;
    auto& members = s->queue.members();
    members.for_each_claimed([&](std::uint64_t n, std::uint64_t word) {
      handed = members.hand_back(n, word, true) || handed;
    });
    if (handed) s->queue.ring_bells();
  });
  m.until([=] { return s->ledger.all_acked(); });
  m.finally([=] {
    s->ledger.check_acked();
    s->ledger.check_received(0, true);
    check_floor(*s);
  });
}

/// After two deliveries a message is set aside, and the supervisor alone goes on with it.
void set_aside(Machine& m) {
  Scene* const s = &scene(m, {.max_deliveries = 2});
  auto* const one = &s->queue.shared();
  auto* const two = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(62, *one);
  s->ledger.send(*producer, 1, 64, spillring::no_wait);
  s->ledger.send(*producer, 2, 64, spillring::no_wait);
  auto* const finished = new unsigned(0);
  const auto hand_back = [s](client::ConsumerCore& member) {
    for (;;) {
      Message message = s->ledger.receive(member, 0);
      require(message.deliveries() <= 2, "delivered more often than it may be");
      if (message.seq() % 2 == 1) {
        static_cast<void>(message.nack());
      } else {
        s->ledger.ack(message);
      }
    }
  };
  m.role("member 1", Machine::service, [=] { hand_back(*one); });
  m.role("member 2", Machine::service, [=] { hand_back(*two); });
  m.role("supervisor", Machine::service, [=] {
    for (;;) {
      const std::uint64_t before = asked();
      *finished += bury(s->queue);
      machine().await([before] { return asked() != before; });
    }
  });
  m.until([=] { return s->queue.members().low() == ring::find_tail(s->queue.first_ring()); });
  m.finally([=] {
    require(*finished == 1, "not once set aside");
    s->ledger.check_received(0, true);
  });
}

/// A member dies anywhere while it sets a message aside: the supervisor goes on with it.
void dying_aside(Machine& m) {
  Scene* const s = &scene(m, {.max_deliveries = 1});
  auto* const mortal = &s->queue.shared();
  auto* const other = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(62, *other);
  s->ledger.send(*producer, 1, 64, spillring::no_wait);
  m.role("mortal", Machine::mortal, [=] {
    Message message = s->ledger.receive(*mortal, 0, spillring::no_wait);
    if (message) static_cast<void>(message.nack());
    mortal->close();
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *other, 0); });
  m.role("supervisor", Machine::service, [=] {
    for (bool retired = false;;) {
      const std::uint64_t before = asked();
      if (machine().died(0) && !retired) {
        s->queue.retire(1);
        retired = true;
      }
      bury(s->queue);
      machine().await([=] { return asked() != before || (machine().died(0) && !retired); });
    }
  });
  m.until([=] { return s->queue.members().low() == ring::find_tail(s->queue.first_ring()); });
}

/// A member is stopped anywhere, and not dead: what it has done, and could not say any more,
/// another finds after a second.
void stopped_member(Machine& m) {
  Scene* const s = &scene(m, {.max_deliveries = 1});
  auto* const mortal = &s->queue.shared();
  auto* const other = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  s->queue.pass(61, *other);
  for (std::uint64_t tag = 1; tag < 7; ++tag) {
    s->ledger.send(*producer, tag, 64, spillring::no_wait);
  }
  const std::int64_t began = m.now();
  m.allow_naps(2 * Machine::long_nap);
  m.role("stopped", Machine::mortal, [=] {
    Message first = s->ledger.receive(*mortal, 0, spillring::no_wait);
    if (first) s->ledger.ack(first);
    Message second = s->ledger.receive(*mortal, 0, spillring::no_wait);
    if (second) static_cast<void>(second.nack());
  });
  m.role("member 2", Machine::service, [=] { serve(*s, *other, 0); });
  m.role("supervisor", Machine::service, [=] {
    for (;;) {
      const std::uint64_t before = asked();
      bury(s->queue);
      machine().await([before] { return asked() != before; });
    }
  });
  m.until([=] {
    const auto& members = s->queue.members();
    return members.low() == ring::find_tail(s->queue.first_ring()) ||
           members.standing(members.low()) == group::SharedGroup::Standing::taken;
  });
  m.finally([=] {
    require(machine().now() - began <= Machine::long_nap, "found after more than a second");
  });
}

/// The window is full of what a member has, who has handed something back before: another sleeps
/// until there is something to do.
void full_of_held(Machine& m) {
  Scene* const s = &scene(m);
  auto* const holds = &s->queue.shared();
  auto* const other = &s->queue.shared();
  auto* const producer = &s->queue.producer();
  for (std::uint64_t tag = 1; tag < Queue::window + 2; ++tag) {
    s->ledger.send(*producer, tag, 64, spillring::no_wait);
  }
  auto* const held = new std::array<Message, Queue::window>;
  for (Message& message : *held) message = s->ledger.receive(*holds, 0, spillring::no_wait);
  static_cast<void>(held->back().nack());
  held->back() = s->ledger.receive(*holds, 0, spillring::no_wait);
  m.role("member 2", Machine::service, [=] { serve(*s, *other, 0); });
  m.role("member 1", Machine::plain, [=] {
    for (Message& message : *held) s->ledger.ack(message);
  });
  m.until([=] { return s->ledger.all_acked(); });
}

/// Who waits beside a member that has claimed ahead hears that there is something.
void waits_beside(Machine& m) {
  Scene* const s = &scene(m);
  auto* const member = &s->queue.shared(2);
  auto* const producer = &s->queue.producer();
  s->ledger.send(*producer, 1, 64, spillring::no_wait);
  s->ledger.send(*producer, 2, 64, spillring::no_wait);
  static_cast<void>(s->ledger.receive(*member, 0, spillring::no_wait).settle());
  m.role("waits", Machine::plain, [=] {
    require(static_cast<bool>(member->wait(spillring::forever)), "a wait that fails");
  });
}

/// Two members hear at once of what their group has missed: each of it is told to one of them.
void heard_once(Machine& m) {
  Scene* const s = &scene(m, drops);
  s->queue.shared();
  auto* const heard = new std::uint64_t(0);
  const auto hear = [=](std::uint64_t messages) {
    auto& cursor = s->queue.groups().cursors[Queue::shared_group];
    group::note_dropped(cursor, {}, messages);
    *heard += group::hear_of_dropped(cursor);
  };
  m.role("member 1", Machine::plain, [=] { hear(1); });
  m.role("member 2", Machine::plain, [=] { hear(2); });
  m.finally([=] { require(*heard == 2, "told is not what was dropped"); });
}

/// One has left the place of a stream, and ends its views while its successor goes on.
void late_views(Machine& m) {
  Scene* const s = &scene(m);
  auto* const first = &s->queue.stream();
  auto* const second = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  for (std::uint64_t tag = 1; tag < 4; ++tag) {
    s->ledger.send(*producer, tag, 64, spillring::no_wait);
  }
  auto* const one = new Message(s->ledger.receive(*first, 0, spillring::no_wait));
  auto* const two = new Message(s->ledger.receive(*first, 0, spillring::no_wait));
  first->close();
  m.role("has left", Machine::plain, [=] {
    static_cast<void>(one->ack());
    static_cast<void>(two->ack());
  });
  m.role("successor", Machine::plain, [=] {
    for (int i = 0; i < 3; ++i) {
      Message message = s->ledger.receive(*second, 1, spillring::no_wait);
      require(static_cast<bool>(message), "passed what its predecessor has not finished");
      static_cast<void>(message.ack());
    }
  });
  m.finally([=] {
    require(s->queue.groups().cursors[Queue::stream_group].floor.load() ==
                ring::find_tail(s->queue.first_ring()),
            "the floor has gone back");
  });
}

/// The place of a stream passes on, by leaving or by death, and nothing is skipped.
void stream_place(Machine& m) {
  Scene* const s = &scene(m);
  auto* const first = &s->queue.stream();
  auto* const second = &s->queue.stream();
  auto* const producer = &s->queue.producer();
  s->queue.pass(62, *first);
  m.role("mortal", Machine::mortal, [=] {
    Message message = s->ledger.receive(*first, 0);
    s->ledger.ack(message);
    first->close();
  });
  m.role("stands by", Machine::service, [=] { serve(*s, *second, 1); });
  m.role("producer", Machine::plain, [=] {
    s->ledger.send(*producer, 11);
    s->ledger.send(*producer, 12);
  });
  m.role("supervisor", Machine::service, [=] {
    machine().await([] { return machine().died(0); });
    s->queue.retire(1);
  });
  m.until([=] { return s->ledger.sent() == 2 && s->ledger.received_by_any() == 2; });
}

}  // namespace explore
