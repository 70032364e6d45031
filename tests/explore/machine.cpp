#include "machine.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "heap.hpp"
#include "instead/os/atomic.hpp"
#include "instead/os/atomic128.hpp"
#include "mutant.hpp"

// Saves what a call must keep, changes stacks, and goes on there.
asm(R"(
.text
.globl explore_switch
.type explore_switch,@function
explore_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size explore_switch,.-explore_switch
)");
extern "C" void explore_switch(void** from, void* to);

namespace explore {

namespace {

constexpr std::size_t words_size = std::size_t{1} << 20;
constexpr std::size_t stack_size = std::size_t{256} << 10;
constexpr std::int64_t beginning = 1'000'000'000'000;
constexpr std::int64_t never = INT64_MAX;
constexpr unsigned most_steps = 20'000;
constexpr std::size_t page = 4096;

std::byte* map(std::size_t size) {
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) std::abort();
  return static_cast<std::byte*>(at);
}

/// A stack on which explore_switch begins with `function`.
void* fresh(void* stack, void (*function)()) noexcept {
  auto* top = reinterpret_cast<std::uintptr_t*>(static_cast<std::byte*>(stack) + stack_size);
  *--top = 0;  // what it would return to; and the alignment that it expects
  *--top = reinterpret_cast<std::uintptr_t>(function);
  for (int i = 0; i < 6; ++i) *--top = 0;
  return top;
}

}  // namespace

Machine& machine() {
  static Machine the_one;
  return the_one;
}

void require(bool condition, const char* what) {
  if (!condition) machine().fail(what);
}

Machine::Machine()
    : words_(map(words_size)),
      memory_(words_, words_size),
      check_stack_(map(stack_size)),
      touched_(words_size / 4) {
  kernel_.clear(most_places);
}

Machine::~Machine() {
  ::munmap(words_, words_size);
  ::munmap(check_stack_, stack_size);
}

void Machine::clear() {
  memory_.clear();
  std::memset(words_, 0, words_used_);
  words_used_ = 0;
  for (Role& role : roles_) {
    if (role.stack != nullptr) ::munmap(role.stack, stack_size);
  }
  roles_.clear();
  finally_ = nullptr;
  outside_ = nullptr;
  goal_ = nullptr;
  in_vain_ = short_nap;
  names_.clear();
  std::fill(touched_.begin(), touched_.end(), Touched{});
  learned_.clear();
  now_ = beginning;
  heap::clear();
}

void Machine::role(const char* name, unsigned kind, std::function<void()> body) {
  const heap::Scope outside(false);
  if (roles_.size() == most_roles) std::abort();
  Role& made = roles_.emplace_back();
  made.name = name;
  made.kind = kind;
  made.body = std::move(body);
  made.stack = map(stack_size);
}

std::byte* Machine::shared(std::size_t size) {
  std::byte* const at = words_ + words_used_;
  words_used_ += (size + page - 1) / page * page;
  if (words_used_ > words_size) std::abort();
  return at;
}

void Machine::name(const void* at, std::string text, std::size_t count, std::size_t stride) {
  const heap::Scope outside(false);
  names_.push_back({static_cast<const std::byte*>(at), std::string(text), count, stride});
}

void Machine::built() {
  was_reached = false;
  heap_snapshot_ = heap::save();
  memory_.remember();
}

// ---- an execution

void Machine::enter() {
  heap::enter(true);
  Machine& m = machine();
  try {
    m.roles_[static_cast<std::size_t>(m.current_)].body();
  } catch (const std::exception& error) {
    m.fail(std::string("threw: ") + error.what());
  }
  m.roles_[static_cast<std::size_t>(m.current_)].state = State::ended;
  m.mix(0xE7D);
  m.yield();
  std::abort();  // nobody goes on here
}

void Machine::enter_check() {
  heap::enter(true);
  Machine& m = machine();
  m.finally_();
  void* here = nullptr;
  m.leave_for_good(here);
}

void Machine::begin() {
  heap::restore(heap_snapshot_);
  memory_.begin();
  kernel_.clear(most_places);  // words that are met only later count, too
  now_ = beginning;
  steps_ = 0;
  wakes_ = 0;
  given_up_ = false;
  violation_.clear();
  trace_.clear();
  learned_.clear();
  for (Role& role : roles_) {
    role.state = State::ready;
    role.hash = reinterpret_cast<std::uintptr_t>(role.name);
    role.knows.now.clear(most_places);
    role.knows.released.clear(most_places);
    role.knows.pending.clear(most_places);
    role.pointer = fresh(role.stack, &enter);
  }
}

Machine::Outcome Machine::execute(Chooser& chooser, bool traced) {
  chooser_ = &chooser;
  traced_ = traced;
  begin();
  std::array<Option, most_roles> all{};
  for (unsigned i = 0; i < roles_.size(); ++i) {
    all[i] = {Deviation::none, static_cast<std::uint8_t>(i)};
  }
  const unsigned first = pick({all.data(), roles_.size()}, Where::free);
  if (first == Chooser::give_up) return Outcome::given_up;
  go(static_cast<int>(first));
  if (memory_.exhausted()) violation_ = "the explorer has no room for so many words or stores";
  if (violation_.empty() && !given_up_ && finally_) {
    explore_switch(&outside_, fresh(check_stack_, &enter_check));
    heap::enter(false);
  }
  if (!violation_.empty()) return Outcome::violation;
  return given_up_ ? Outcome::given_up : Outcome::ended;
}

void Machine::unlearn() noexcept {
  for (; !learned_.empty(); learned_.pop_back()) {
    touched_[learned_.back().first] = learned_.back().second;
  }
}

void Machine::go(int next) {
  const int from = current_;
  current_ = next;
  void** const save = from < 0 ? &outside_ : &roles_[static_cast<std::size_t>(from)].pointer;
  if (from == next) return;
  explore_switch(save, roles_[static_cast<std::size_t>(next)].pointer);
  heap::enter(from >= 0);
}

void Machine::leave_for_good(void*& from) {
  explore_switch(&from, outside_);
  std::abort();  // nobody comes back
}

void Machine::leave() {
  const auto from = static_cast<std::size_t>(current_);
  current_ = -1;
  leave_for_good(roles_[from].pointer);
}

void Machine::fail(const std::string& why) {
  const heap::Scope outside(false);
  if (current_ < 0) {
    violation_ = why;
    if (outside_ == nullptr) {  // nothing is executed yet
      std::fputs(violation_.c_str(), stderr);
      std::abort();
    }
    void* here = nullptr;
    leave_for_good(here);
  }
  violation_ = roles_[static_cast<std::size_t>(current_)].name;
  violation_ += ": ";
  violation_ += why;
  leave();
}

bool Machine::all_ended() const noexcept {
  return std::all_of(roles_.begin(), roles_.end(), [](const Role& role) {
    return (role.kind & service) != 0 || role.state == State::ended || role.state == State::dead;
  });
}

bool Machine::look(const std::function<bool()>& condition) {
  looking_ = true;
  const bool holds = condition();
  looking_ = false;
  return holds;
}

bool Machine::is_ready(Role& role) {
  if (role.state == State::awaiting && look(*role.ready)) role.state = State::ready;
  return role.state == State::ready;
}

std::uint64_t Machine::state_hash() const noexcept {
  std::uint64_t hash = static_cast<std::uint64_t>(current_) ^ static_cast<std::uint64_t>(now_);
  for (const Role& role : roles_) hash = (hash ^ role.hash) * 0x9E3779B97F4A7C15 + (hash >> 29);
  return hash;
}

void Machine::mix(std::uint64_t value) noexcept {
  std::uint64_t& hash = roles_[static_cast<std::size_t>(current_)].hash;
  hash = (hash ^ value) * 0xD6E8FEB86659FD93;
  hash ^= hash >> 32;
}

unsigned Machine::pick(std::span<const Option> options, Where where) {
  if (options.size() == 1) return 0;
  const heap::Scope outside(false);
  const unsigned picked = chooser_->pick(options, state_hash() + static_cast<unsigned>(where));
  if (picked == Chooser::give_up) given_up_ = true;
  return picked;
}

void Machine::apply(const Option& option) {
  const auto next = static_cast<std::size_t>(option.role);
  switch (option.deviation) {
    case Deviation::none:
    case Deviation::preempt:
      return go(option.role);
    case Deviation::die:
      if (traced_) note("DIES", nullptr, 0);
      roles_[next].state = State::dead;
      mix(0xDEAD);
      // Who is told of it has seen what it has done.
      kernel_.join(roles_[next].knows.now, memory_.places());
      return yield();
    case Deviation::time_out:
      roles_[next].timed_out = true;
      roles_[next].state = State::ready;
      roles_[next].hash ^= 0x71ED;
      return go(option.role);
    case Deviation::stale:
      std::abort();
  }
}

Machine::Touched& Machine::touch(const void* at, bool writes) {
  const auto index = static_cast<std::size_t>(static_cast<const std::byte*>(at) - words_) / 4;
  Touched& touched = touched_[index];
  const auto me = static_cast<std::uint8_t>(1U << current_);
  if ((touched.by & me) == 0 || (writes && !touched.written)) {
    const heap::Scope outside(false);
    learned_.emplace_back(index, touched);
    touched.by |= me;
    touched.written = touched.written || writes;
  }
  return touched;
}

void Machine::point(const void* at, bool writes) {
  if (++steps_ > most_steps) fail("does not come to an end");
  const Touched& touched = touch(at, writes);
  // What only one role touches, or nobody writes, is as good a place to interrupt as the next.
  if (touched.written && (touched.by & (touched.by - 1)) != 0) interrupt();
}

/// A place where anything may happen.
void Machine::interrupt() {
  std::array<Option, 2 + 2 * most_roles> options{};
  std::size_t count = 0;
  options[count++] = {Deviation::none, static_cast<std::uint8_t>(current_)};
  if (chooser_->may(Deviation::preempt)) {
    for (unsigned i = 0; i < roles_.size(); ++i) {
      if (static_cast<int>(i) != current_ && is_ready(roles_[i])) {
        options[count++] = {Deviation::preempt, static_cast<std::uint8_t>(i)};
      }
    }
  }
  if (chooser_->may(Deviation::time_out)) {
    for (unsigned i = 0; i < roles_.size(); ++i) {
      if (roles_[i].state == State::asleep && roles_[i].until != never) {
        options[count++] = {Deviation::time_out, static_cast<std::uint8_t>(i)};
      }
    }
  }
  if ((roles_[static_cast<std::size_t>(current_)].kind & mortal) != 0 &&
      chooser_->may(Deviation::die)) {
    options[count++] = {Deviation::die, static_cast<std::uint8_t>(current_)};
  }
  const unsigned picked = pick({options.data(), count}, Where::access);
  if (picked == Chooser::give_up) leave();
  if (picked != 0) apply(options[picked]);
}

void Machine::yield() {
  for (;;) {
    std::array<Option, most_roles> options{};
    std::size_t count = 0;
    for (unsigned i = 0; i < roles_.size(); ++i) {
      if (is_ready(roles_[i])) options[count++] = {Deviation::none, static_cast<std::uint8_t>(i)};
    }
    if (count != 0) {
      const unsigned picked = pick({options.data(), count}, Where::free);
      if (picked == Chooser::give_up) leave();
      return go(options[picked].role);
    }
    if (all_ended() && (!goal_ || look(goal_))) leave();
    Role* first = nullptr;
    for (Role& role : roles_) {
      if (role.state == State::asleep && (first == nullptr || role.until < first->until)) {
        first = &role;
      }
    }
    if (first == nullptr || first->until == never) {
      fail("everybody waits, and nobody will ring");
    }
    now_ = std::max(now_, first->until);
    if (now_ - first->since >= in_vain_) {
      fail(fmt::format("'{}' has slept in vain: its wake-up was lost", first->name));
    }
    first->timed_out = true;
    first->state = State::ready;
  }
}

// ---- what the running role does

std::uint64_t Machine::read(const void* at, unsigned size, std::memory_order order) {
  Knowledge& knows = roles_[static_cast<std::size_t>(current_)].knows;
  unsigned back = 0;
  const unsigned older = memory_.older(knows, at, order);
  if (older != 0 && chooser_->may(Deviation::stale)) {
    std::array<Option, 4> options{};
    const unsigned count = std::min<unsigned>(older + 1, options.size());
    for (unsigned i = 1; i < count; ++i) options[i].deviation = Deviation::stale;
    back = pick({options.data(), count}, Where::load);
    if (back == Chooser::give_up) leave();
  }
  std::uint16_t stamp = 0;
  const std::uint64_t value = memory_.read(knows, at, size, order, back, stamp);
  mix((reinterpret_cast<std::uintptr_t>(at) << 16) ^ stamp ^ (value << 40));
  if (traced_ && back != 0) note("   (an older value, as the order allows)", at, value);
  return value;
}

std::uint64_t Machine::load(const void* at, unsigned size, std::memory_order order) {
  if (!running()) return Memory::peek(at, size);
  point(at, false);
  const std::uint64_t value = read(at, size, order);
  if (traced_) note("load", at, value);
  return value;
}

void Machine::store(void* at, unsigned size, std::uint64_t value, std::memory_order order) {
  if (!running()) return memory_.poke(at, size, value);
  if (alone_ && Memory::peek(at, size) == value) return;
  if (!alone_) point(at, true);
  Knowledge& knows = roles_[static_cast<std::size_t>(current_)].knows;
  const std::uint16_t stamp = memory_.write(knows, at, size, value, order, false);
  mix((reinterpret_cast<std::uintptr_t>(at) << 16) ^ stamp ^ (value << 40) ^ 1);
  if (traced_) note("store", at, value);
}

bool Machine::swap(void* at, unsigned size, std::uint64_t& expected, std::uint64_t desired,
                   std::memory_order success, std::memory_order failure) {
  if (!running()) {
    const std::uint64_t found = Memory::peek(at, size);
    const bool equal = found == expected;
    if (equal) memory_.poke(at, size, desired);
    expected = found;
    return equal;
  }
  point(at, true);
  Knowledge& knows = roles_[static_cast<std::size_t>(current_)].knows;
  const bool equal = Memory::peek(at, size) == expected;
  std::uint16_t stamp = 0;
  expected = memory_.read(knows, at, size, equal ? success : failure, 0, stamp);
  if (equal) stamp = memory_.write(knows, at, size, desired, success, true);
  mix((reinterpret_cast<std::uintptr_t>(at) << 16) ^ stamp ^ (expected << 40) ^ (desired << 8) ^ 2);
  if (traced_) note(equal ? "swap" : "swap fails", at, expected, desired);
  return equal;
}

bool Machine::swap_pair(void* at, std::array<std::uint64_t, 2> expected,
                        std::array<std::uint64_t, 2> desired) {
  auto* low = static_cast<std::byte*>(at);
  std::byte* const high = low + 8;
  const auto found = [&] {
    return std::array{Memory::peek(low, 8), Memory::peek(high, 8)} == expected;
  };
  if (!running()) {
    const bool equal = found();
    if (equal) memory_.poke(low, 8, desired[0]);
    if (equal) memory_.poke(high, 8, desired[1]);
    return equal;
  }
  touch(high, true);  // who reads one half after the other may be interrupted in between
  point(at, true);
  Knowledge& knows = roles_[static_cast<std::size_t>(current_)].knows;
  const bool equal = found();
  memory_.fence(knows, std::memory_order_seq_cst);
  std::uint16_t stamp = 0;
  const std::uint64_t seen = memory_.read(knows, low, 8, std::memory_order_acquire, 0, stamp);
  memory_.read(knows, high, 8, std::memory_order_acquire, 0, stamp);
  if (equal) {
    // The upper half first: who reads the lower one has both.
    memory_.write(knows, high, 8, desired[1], std::memory_order_seq_cst, true);
    stamp = memory_.write(knows, low, 8, desired[0], std::memory_order_seq_cst, true);
  }
  memory_.fence(knows, std::memory_order_seq_cst);
  mix((reinterpret_cast<std::uintptr_t>(at) << 16) ^ stamp ^ (seen << 40) ^ 3 ^
      (equal ? desired[0] << 8 : 0));
  mix(memory_.fences());
  memory_.fence_hash(roles_[static_cast<std::size_t>(current_)].hash);
  if (traced_) note(equal ? "swap both" : "swap both fails", at, seen, desired[0]);
  return equal;
}

std::uint64_t Machine::exchange(void* at, unsigned size, std::uint64_t value, bool add,
                                std::memory_order order) {
  if (!running()) {
    const std::uint64_t found = Memory::peek(at, size);
    memory_.poke(at, size, add ? found + value : value);
    return found;
  }
  point(at, true);
  Knowledge& knows = roles_[static_cast<std::size_t>(current_)].knows;
  std::uint16_t stamp = 0;
  const std::uint64_t found = memory_.read(knows, at, size, order, 0, stamp);
  stamp = memory_.write(knows, at, size, add ? found + value : value, order, true);
  mix((reinterpret_cast<std::uintptr_t>(at) << 16) ^ stamp ^ (found << 40) ^ 4);
  if (traced_) note(add ? "add" : "exchange", at, found, value);
  return found;
}

void Machine::fence(std::memory_order order) {
  if (!running()) return;
  memory_.fence(roles_[static_cast<std::size_t>(current_)].knows, order);
  mix(memory_.fences() ^ 5);
  memory_.fence_hash(roles_[static_cast<std::size_t>(current_)].hash);
  if (traced_) note("fence", nullptr, 0);
}

void Machine::write_bytes(std::span<const std::byte> bytes, std::uint64_t tag) {
  if (!running()) return memory_.plain_poke(bytes.data(), bytes.size(), tag);
  interrupt();
  mix(tag ^ 10);
  Knowledge& knows = roles_[static_cast<std::size_t>(current_)].knows;
  if (traced_) note("writes bytes", bytes.data(), tag);
  if (!memory_.plain_write(knows, static_cast<unsigned>(current_), bytes.data(), bytes.size(),
                           tag)) {
    fail("writes bytes that somebody may still read or write");
  }
}

std::uint64_t Machine::read_bytes(std::span<const std::byte> bytes) {
  if (!running()) return memory_.plain_peek(bytes.data());
  interrupt();
  mix(11);
  Knowledge& knows = roles_[static_cast<std::size_t>(current_)].knows;
  std::uint64_t tag = 0;
  if (!memory_.plain_read(knows, static_cast<unsigned>(current_), bytes.data(), bytes.size(),
                          tag)) {
    fail("reads bytes that are not surely those that were published");
  }
  if (traced_) note("reads bytes", bytes.data(), tag);
  return tag;
}

void Machine::await(const std::function<bool()>& ready) {
  Role& role = roles_[static_cast<std::size_t>(current_)];
  role.ready = &ready;
  role.state = State::awaiting;
  yield();
  role.knows.now.join(kernel_, memory_.places());
  mix(0xA3A17);
}

void Machine::alone(const std::function<void()>& stores) {
  alone_ = true;
  stores();
  alone_ = false;
}

void Machine::tell_kernel() {
  if (!running()) return;
  kernel_.join(roles_[static_cast<std::size_t>(current_)].knows.now, memory_.places());
}

bool Machine::sleep(const void* at, std::uint32_t expected, std::int64_t until) {
  point(at, false);
  const auto value = static_cast<std::uint32_t>(Memory::peek(at, 4));
  mix((reinterpret_cast<std::uintptr_t>(at) << 16) ^ value ^ 6);
  if (value != expected) return true;
  if (traced_) note("sleeps", at, expected);
  Role& role = roles_[static_cast<std::size_t>(current_)];
  role.state = State::asleep;
  role.asleep_at = at;
  role.until = until;
  role.since = now_;
  role.timed_out = false;
  yield();
  mix(role.timed_out ? 7 : 8);
  if (traced_) note(role.timed_out ? "its time is over" : "awake", nullptr, 0);
  return !role.timed_out;
}

void Machine::wake(const void* at) {
  if (!running()) return;
  point(at, true);
  ++wakes_;
  mix((reinterpret_cast<std::uintptr_t>(at) << 16) ^ 9);
  if (traced_) note("wakes", at, 0);
  for (Role& role : roles_) {
    if (role.state != State::asleep || role.asleep_at != at) continue;
    role.state = State::ready;
    role.hash ^= 0x3A1E;
  }
}

// ---- traces

std::string Machine::name_of(const void* at) const {
  const auto* byte = static_cast<const std::byte*>(at);
  for (const Name& name : names_) {
    const auto offset = static_cast<std::size_t>(byte - name.at);
    if (byte < name.at || offset >= name.count * name.stride) continue;
    if (name.count == 1) return name.text;
    if (offset % name.stride != 0 && name.stride > 16) continue;
    return fmt::format("{}[{}]{}", name.text, offset / name.stride,
                       offset % name.stride != 0 ? "'" : "");
  }
  return fmt::format("+{:#x}", byte - words_);
}

void Machine::note(const char* what, const void* at, std::uint64_t value, std::uint64_t more) {
  const heap::Scope outside(false);
  const std::string where = at == nullptr ? "" : name_of(at);
  std::string line =
      fmt::format("{:<12} {:<11} {:<16} {:x}", roles_[static_cast<std::size_t>(current_)].name,
                  what, where, value);
  if (more != 0) line += fmt::format(" -> {:x}", more);
  trace_.push_back(std::move(line));
}

// ---- what the words call

std::uint64_t load(const void* at, unsigned size, std::memory_order order) noexcept {
  return machine().load(at, size, order);
}
void store(void* at, unsigned size, std::uint64_t value, std::memory_order order) noexcept {
  machine().store(at, size, value, order);
}
bool swap(void* at, unsigned size, std::uint64_t& expected, std::uint64_t desired,
          std::memory_order success, std::memory_order failure) noexcept {
  return machine().swap(at, size, expected, desired, success, failure);
}
std::uint64_t exchange(void* at, unsigned size, std::uint64_t value,
                       std::memory_order order) noexcept {
  return machine().exchange(at, size, value, false, order);
}
std::uint64_t add(void* at, unsigned size, std::uint64_t value, std::memory_order order) noexcept {
  return machine().exchange(at, size, value, true, order);
}
void fence(std::memory_order order) noexcept { machine().fence(order); }
bool swap_pair(void* at, spillring::os::Pair expected, spillring::os::Pair desired) noexcept {
  return machine().swap_pair(at, {expected.low, expected.high}, {desired.low, desired.high});
}

}  // namespace explore
