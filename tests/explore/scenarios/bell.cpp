// Sleeping and ringing alone (lib/wait/bell.hpp, W1 to W4).
#include "wait/bell.hpp"

#include "scenarios/parts.hpp"

namespace explore {

namespace {

struct Shared {
  layout::Bell bell;
  alignas(64) spillring::os::Atomic<std::uint64_t> done;
};

Shared& shared(Machine& m) {
  auto* const words = reinterpret_cast<Shared*>(m.shared(sizeof(Shared)));
  m.name(&words->bell.value, "bell");
  m.name(&words->bell.mark, "mark");
  m.name(&words->done, "done");
  return *words;
}

void sleep_until(Shared& words, std::uint64_t goal) {
  while (words.done.load(std::memory_order_seq_cst) < goal) {
    const std::uint32_t value = wait::announce(words.bell);
    if (words.done.load(std::memory_order_seq_cst) >= goal) return;
    wait::nap(words.bell, value, spillring::os::never);
  }
}

void change_and_ring(Shared& words) {
  words.done.fetch_add(1, std::memory_order_seq_cst);
  wait::ring(words.bell);
}

}  // namespace

void two_sleepers(Machine& m) {
  Shared* const words = &shared(m);
  m.role("sleeper 1", Machine::plain, [words] { sleep_until(*words, 2); });
  m.role("sleeper 2", Machine::plain, [words] { sleep_until(*words, 1); });
  m.role("ringer 1", Machine::plain, [words] { change_and_ring(*words); });
  m.role("ringer 2", Machine::plain, [words] { change_and_ring(*words); });
}

/// Two raise one word: whoever loses the race goes on until it is as high as it was to be.
void two_raise(Machine& m) {
  Shared* const words = &shared(m);
  m.role("raiser 1", Machine::plain, [words] { ring::raise(words->done, 1); });
  m.role("raiser 2", Machine::plain, [words] { ring::raise(words->done, 2); });
  m.finally([words] { require(words->done.load() == 2, "raised less than it was to be"); });
}

/// Many changes cost a sleeper one wake.
void burst(Machine& m) {
  Shared* const words = &shared(m);
  auto* const announced = new unsigned(0);
  m.role("sleeper", Machine::plain, [=] {
    for (;;) {
      if (words->done.load(std::memory_order_seq_cst) >= 3) return;
      ++*announced;
      const std::uint32_t value = wait::announce(words->bell);
      if (words->done.load(std::memory_order_seq_cst) >= 3) return;
      wait::nap(words->bell, value, spillring::os::never);
    }
  });
  m.role("ringer", Machine::plain, [words] {
    for (int i = 0; i < 3; ++i) change_and_ring(*words);
  });
  m.finally([announced] { require(machine().wakes() <= *announced, "a wake for nobody"); });
}

/// Whoever dies between change and end of the ring leaves the mark: the next ringer does it again.
void dying_ringer(Machine& m) {
  Shared* const words = &shared(m);
  m.role("ringer 1", Machine::mortal, [words] { change_and_ring(*words); });
  m.role("sleeper 1", Machine::plain, [words] { sleep_until(*words, 1); });
  m.role("ringer 2", Machine::plain, [words] {
    machine().await([] { return machine().over(0); });
    words->done.fetch_add(1, std::memory_order_seq_cst);
    wait::ring(words->bell);
  });
}

}  // namespace explore
