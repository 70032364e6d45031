// A client that speaks the control protocol itself, and writes where it may what no honest one
// would.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "control/channel.hpp"
#include "layout/bells.hpp"
#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "os/memory.hpp"
#include "os/socket.hpp"
#include "ring/ring_view.hpp"
#include "spillring/version.hpp"

namespace spillring {

class RawClient {
 public:
  explicit RawClient(const std::string& socket) : socket_(os::connect_to(socket)) {
    layout::Request hello = control::request(layout::Ask::hello);
    hello.protocol_version = protocol_version;
    hello.layout_version = layout_version;
    static_cast<void>(ask(hello));
  }

  /// Asks, and reads no answer. False: the line is full, or has ended.
  bool say(layout::Request request) {
    request.id = ++last_id_;
    return control::send(socket_, request, false) == os::Transfer::done;
  }
  control::Answered ask(const layout::Request& request) {
    if (!say(request)) throw Error(Code::unavailable);
    return answer();
  }
  control::Answered answer() {
    control::Answered answer = control::receive_answer(socket_, os::deadline(patience));
    const auto code = static_cast<Code>(answer.reply.code);
    if (code != Code::ok) throw control::from_text(code, answer.reply.text.view());
    return answer;
  }
  /// Takes an answer that is there. False: there is none.
  bool has_answer() {
    try {
      return answer().reply.magic != 0;
    } catch (const Error&) {
      return false;
    }
  }
  std::uint64_t open(std::string_view queue) {
    layout::Request request = control::request(layout::Ask::open);
    request.name.set(queue);
    return ask(request).reply.queue;
  }

 private:
  static constexpr Timeout patience = std::chrono::seconds(10);
  os::Fd socket_;
  std::uint64_t last_id_ = 0;
};

/// A member of a group, with all that its members may write to.
class Forger {
 public:
  Forger(const std::string& socket, std::string_view queue, std::string_view group)
      : client_(socket) {
    layout::Request request = control::request(layout::Ask::consume, client_.open(queue));
    request.name.set(group);
    const control::Answered answer = client_.ask(request);
    slot_ = answer.reply.group;
    groups_ = os::Mapping(answer.descriptors.at(1), os::whole_pages(sizeof(layout::Groups)),
                          os::Rights::read_write);
  }
  [[nodiscard]] os::Atomic<std::uint64_t>& floor_of(std::size_t slot) const {
    return groups_.as<layout::Groups>()->cursors[slot].floor;
  }
  /// Of its own group.
  [[nodiscard]] os::Atomic<std::uint64_t>& floor() const { return floor_of(slot_); }
  [[nodiscard]] os::Atomic<std::uint64_t>& next() const {
    return groups_.as<layout::Groups>()->cursors[slot_].next;
  }

 private:
  RawClient client_;
  std::uint16_t slot_ = 0;
  os::Mapping groups_;
};

/// A producer, with one of its queue's rings; 0: the newest.
class RingForger {
 public:
  RingForger(const std::string& socket, std::string_view queue, std::uint64_t ring = 0)
      : client_(socket) {
    const std::uint64_t id = client_.open(queue);
    control::Answered attached = client_.ask(control::request(layout::Ask::produce, id));
    detach_ = control::request(layout::Ask::detach, id);
    detach_.handle = static_cast<decltype(detach_.handle)>(attached.reply.handle);
    manifest_ = os::Mapping(attached.descriptors.at(0), os::whole_pages(sizeof(layout::Manifest)),
                            os::Rights::read);
    bells_ = os::Mapping(attached.descriptors.at(2), os::whole_pages(sizeof(layout::Bells)),
                         os::Rights::read_write);
    service_ = std::move(attached.descriptors.at(3));
    layout::Request request = control::request(layout::Ask::ring, id);
    request.handle = detach_.handle;
    request.number = ring == 0 ? names().back() : ring;
    const control::Answered answer = client_.ask(request);
    const layout::RingGeometry geometry{answer.reply.slots, answer.reply.arena};
    ring_ = os::Mapping(answer.descriptors.at(0), geometry.arena_at(), geometry.arena,
                        os::Rights::read_write);
    view_ = ring::RingView(ring_.data(), geometry, request.number);
  }
  RingForger(const RingForger&) = delete;
  RingForger& operator=(const RingForger&) = delete;
  /// The end of its connection is not enough, as this process has maps of the queue all the same.
  ~RingForger() { client_.say(detach_); }
  [[nodiscard]] const ring::RingView& view() const { return view_; }
  [[nodiscard]] const layout::Manifest& manifest() const {
    return *manifest_.as<const layout::Manifest>();
  }
  /// Of the queue's rings, oldest first.
  [[nodiscard]] std::vector<std::uint64_t> names() const {
    std::vector<std::uint64_t> found;
    for (const auto& name : manifest().first) {
      if (const std::uint64_t first = name.load(); first != 0) found.push_back(first);
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  /// As one that has found a contradiction.
  void report() const {
    bells_.as<layout::Bells>()->damage.store(1);
    os::signal_event(service_);
  }

 private:
  RawClient client_;
  layout::Request detach_{};
  os::Mapping manifest_;
  os::Mapping bells_;
  os::Fd service_;
  os::Mapping ring_;
  ring::RingView view_;
};

}  // namespace spillring
