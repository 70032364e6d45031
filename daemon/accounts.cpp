#include "accounts.hpp"

#include <fmt/format.h>

#include <utility>

#include "access.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

[[noreturn]] void refuse(uid_t user, Accounts::Item item, std::uint64_t used, std::uint64_t amount,
                         std::uint64_t limit) {
  switch (item) {
    case Accounts::Item::queue:
      throw Error(Code::busy, fmt::format("user {} may not have another queue", user),
                  fmt::format("{} of {} are there", used, limit),
                  "remove queues that are not needed, or ask for a larger quota");
    case Accounts::Item::client:
      throw Error(Code::busy, fmt::format("user {} may not have another connection", user),
                  fmt::format("{} of {} are open", used, limit),
                  "close connections, or ask for a larger quota");
    case Accounts::Item::memory:
    case Accounts::Item::journal:  // which is never refused here: journals wait
      break;
  }
  throw Error(Code::no_memory,
              fmt::format("{} bytes of shared memory are more than user {} may have", amount, user),
              fmt::format("{} of {} bytes are taken", used, limit),
              "ask for a smaller capacity, remove queues, or ask for a larger quota");
}

}  // namespace

Accounts::Charge::Charge(Charge&& other) noexcept
    : used_(std::move(other.used_)), amount_(std::exchange(other.amount_, 0)) {}

Accounts::Charge& Accounts::Charge::operator=(Charge&& other) noexcept {
  std::swap(used_, other.used_);
  std::swap(amount_, other.amount_);
  return *this;
}

Accounts::Charge::~Charge() {
  if (used_) *used_ -= amount_;
}

std::uint64_t Accounts::limit(Item item) const noexcept {
  switch (item) {
    case Item::queue:
      return quota_.queues;
    case Item::client:
      return quota_.clients;
    case Item::memory:
      return quota_.memory;
    case Item::journal:
      break;
  }
  return quota_.journal != 0 ? quota_.journal : UINT64_MAX;
}

std::uint64_t Accounts::most(uid_t user, Item item) const noexcept {
  return is_operator(user) ? UINT64_MAX : limit(item);
}

std::uint64_t Accounts::used(uid_t user, Item item) const noexcept {
  const auto found = used_.find({user, item});
  return found == used_.end() ? 0 : *found->second;
}

Accounts::Charge Accounts::take(uid_t user, Item item, std::uint64_t amount) {
  const std::uint64_t now = used(user, item);
  const std::uint64_t most = this->most(user, item);
  if (amount > most || now > most - amount) {
    refuse(user, item, now, amount, most);
  }
  return adopt(user, item, amount);
}

Accounts::Charge Accounts::adopt(uid_t user, Item item, std::uint64_t amount) {
  std::shared_ptr<std::uint64_t>& used = used_[{user, item}];
  if (!used) used = std::make_shared<std::uint64_t>(0);
  *used += amount;
  Charge charge;
  charge.used_ = used;
  charge.amount_ = amount;
  return charge;
}

}  // namespace spillring::daemon
