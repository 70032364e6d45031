#include "surroundings.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>
#include <vector>

#include "client/journal_cursor.hpp"
#include "client/membership.hpp"
#include "heap.hpp"
#include "machine.hpp"
#include "os/futex.hpp"
#include "os/memory.hpp"
#include "os/socket.hpp"
#include "wait/waiter.hpp"

namespace explore {

namespace {

constexpr int first_descriptor = 1 << 20;  // no real one is as high
std::vector<std::byte*>& memories() {
  static std::vector<std::byte*> all;
  return all;
}
Answerer& answerer() {
  static Answerer the_one;
  return the_one;
}
std::uint64_t* asked_count = nullptr;

}  // namespace

spillring::os::Fd descriptor(std::byte* memory) {
  const heap::Scope outside(false);
  memories().push_back(memory);
  return spillring::os::Fd(first_descriptor + static_cast<int>(memories().size()) - 1);
}

void forget_descriptors() noexcept { memories().clear(); }

std::uint64_t& asked() noexcept { return *asked_count; }
void count_asked_in(std::uint64_t* count) noexcept { asked_count = count; }
void answer_with(Answerer given) { answerer() = std::move(given); }

std::shared_ptr<spillring::client::Connection> connection() {
  return std::make_shared<spillring::client::Connection>(spillring::client::SocketChoice{}, false,
                                                         spillring::forever);
}

}  // namespace explore

// The clock of the machine that is explored: it stands still, but for those who all sleep.
extern "C" int clock_gettime(clockid_t /*clock*/, timespec* at) noexcept {
  const std::int64_t now = explore::machine().now();
  at->tv_sec = now / 1'000'000'000;
  at->tv_nsec = now % 1'000'000'000;
  return 0;
}

namespace spillring::os {

Woken futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t expected,
                 Instant until) noexcept {
  return explore::machine().sleep(&word, expected, until) ? Woken::changed : Woken::timed_out;
}

void futex_wake_all(Atomic<std::uint32_t>& word) noexcept { explore::machine().wake(&word); }

void signal_event(const Fd& /*event*/) noexcept {
  ++explore::asked();
  explore::machine().tell_kernel();
}

std::uint64_t inode_of(const Fd& memory) {
  return reinterpret_cast<std::uintptr_t>(
      explore::memories()[static_cast<std::size_t>(memory.get() - explore::first_descriptor)]);
}

struct Mapping::Regions {};

Mapping::Mapping() noexcept = default;
Mapping::Mapping(const Fd& memory, std::size_t /*size*/, Rights /*rights*/)
    : data_(
          explore::memories()[static_cast<std::size_t>(memory.get() - explore::first_descriptor)]) {
}
Mapping::Mapping(const Fd& memory, std::size_t head, std::size_t /*tail*/, Rights rights)
    : Mapping(memory, head, rights) {}
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;
Mapping::~Mapping() = default;
void Mapping::populate() const noexcept {}

}  // namespace spillring::os

namespace spillring::control {

layout::Request request(layout::Ask ask, std::uint64_t queue) {
  layout::Request made{};
  made.ask = static_cast<std::uint16_t>(ask);
  made.queue = queue;
  return made;
}

}  // namespace spillring::control

namespace spillring::wait {

std::unique_ptr<Watch> Waiters::watch() { throw Error(Code::unsupported); }
void Watch::arm() noexcept {}
void Watch::raise() noexcept {}
void Watch::attach(Watched& /*watched*/) {}
void Watch::detach() noexcept {}

}  // namespace spillring::wait

namespace spillring::client {

Connection::Connection(SocketChoice socket, bool autostart, Timeout timeout)
    : socket_(std::move(socket)), autostart_(autostart), timeout_(timeout), fork_generation_(0) {
  // None of them is asked for here: nothing is connected, nobody forks.
  static_cast<void>(autostart_);
  static_cast<void>(timeout_);
  static_cast<void>(fork_generation_);
}

Answered Connection::call(layout::Request request) { return explore::answerer()(request); }

std::optional<Answered> Connection::call_over(Generation /*line*/, layout::Request request) {
  return call(request);
}

bool Connection::tell_over(Generation /*line*/, const layout::Request& request) noexcept {
  call(request);
  explore::machine().tell_kernel();
  return true;
}

bool Connection::has_ended(Generation /*line*/) { return false; }

/// The journal is not explored: it has no file of anything.
JournalCursor::Sight JournalCursor::look(std::uint64_t /*s*/) { return {}; }

void seek(ConsumerCore*& /*core*/, Start /*start*/) { throw Error(Code::unsupported); }

}  // namespace spillring::client
