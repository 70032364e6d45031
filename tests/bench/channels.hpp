// For carriers that lead from senders to one receiver: which of them, and a copy into each.
#pragma once

#include <vector>

#include "role.hpp"

namespace spillring::bench {

/// How many a work needs: there and back, or one for each consumer.
inline unsigned channels(const Work& work) {
  return work.kind == Kind::round_trip ? 2 : work.consumers;
}

/// The one a receiver listens to.
inline unsigned channel_of(const Role& role, unsigned lane) {
  return role.work().kind == Kind::round_trip ? lane : role.index();
}

/// An `Out` made of a `Sender` for each receiver.
template <typename Sender>
class Copies {
 public:
  template <typename Carrier>
  Copies(const Carrier& carrier, const Role& role, unsigned lane) {
    const bool answers = role.work().kind == Kind::round_trip;
    const unsigned count = answers ? 1 : channels(role.work());
    senders_.reserve(count);
    for (unsigned i = 0; i < count; ++i) senders_.emplace_back(carrier, role, lane + i);
  }
  template <typename Write>
  bool send(std::size_t size, const Write& write) {
    for (; next_ < senders_.size(); ++next_) {
      if (!senders_[next_].send(size, write)) return false;
    }
    next_ = 0;
    return true;
  }
  void flush() {
    for (Sender& sender : senders_) sender.flush();
  }

 private:
  std::vector<Sender> senders_;
  std::size_t next_ = 0;  // the first that has not got the message yet
};

/// The number of messages that a carrier of fixed depth holds, by their size.
inline unsigned depth_for(const Work& work) {
  if (work.size >= 1 << 20) return 16;
  return work.size >= 64 << 10 ? 256 : 4096;
}

}  // namespace spillring::bench
