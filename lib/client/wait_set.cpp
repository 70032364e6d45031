#include "spillring/wait_set.hpp"

#include <algorithm>
#include <map>

#include "os/clock.hpp"
#include "os/epoll.hpp"

namespace spillring {

namespace {

constexpr std::size_t most_at_once = 64;

}  // namespace

struct WaitSet::State {
  os::Epoll epoll;
  std::map<int, Id> ids;  // by descriptor, whose number may be that of a closed one before
  Id last = 0;
};

WaitSet::WaitSet() : state_(std::make_unique<State>()) {}
WaitSet::WaitSet(WaitSet&&) noexcept = default;
WaitSet& WaitSet::operator=(WaitSet&&) noexcept = default;
WaitSet::~WaitSet() = default;

WaitSet::Id WaitSet::add(Consumer& consumer) { return add_fd(consumer.fd()); }

WaitSet::Id WaitSet::add_fd(int fd) {
  state_->epoll.add(fd, state_->last + 1);
  return state_->ids[fd] = ++state_->last;
}

void WaitSet::remove(Id id) noexcept {
  const auto known = std::ranges::find(state_->ids, id, &std::map<int, Id>::value_type::second);
  if (known == state_->ids.end()) return;
  state_->epoll.remove(known->first);
  state_->ids.erase(known);
}

Result<std::vector<WaitSet::Id>> WaitSet::wait(Timeout timeout) {
  bool interrupted = false;
  std::vector<Id> ready = state_->epoll.wait(most_at_once, os::deadline(timeout), interrupted);
  if (interrupted) return Code::interrupted;
  if (ready.empty()) return timeout <= no_wait ? Code::empty : Code::timeout;
  return ready;
}

int WaitSet::fd() const noexcept { return state_->epoll.fd(); }

}  // namespace spillring
