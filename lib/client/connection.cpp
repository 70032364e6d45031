#include "client/connection.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "os/clock.hpp"
#include "os/fork.hpp"
#include "spillring/version.hpp"

namespace spillring::client {

namespace {

constexpr auto pause = std::chrono::milliseconds(5);

/// Connects and agrees on versions. A supervisor that dies before it has answered is followed by
/// another at the same socket.
os::Fd greeted(const std::string& path, os::Instant until) {
  layout::Request hello = control::request(layout::Ask::hello);
  hello.protocol_version = protocol_version;
  hello.layout_version = layout_version;
  for (;;) {
    os::Fd socket = os::connect_to(path);
    try {
      if (control::send(socket, hello, true) == os::Transfer::done) {
        const control::Answered answer = control::receive_answer(socket, until);
        if (const auto code = static_cast<Code>(answer.reply.code); code != Code::ok) {
          throw control::from_text(code, answer.reply.text.view());
        }
        return socket;
      }
    } catch (const Error& error) {
      if (error.code() != Code::unavailable) throw;
    }
    if (os::now() > until) {
      throw Error(Code::unavailable, "the supervisor at " + path + " does not stay",
                  "each connection ended before it was answered", "look at its log");
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

Connection::Connection(std::string path, Timeout timeout)
    : path_(std::move(path)),
      timeout_(timeout),
      socket_(greeted(path_, os::deadline(timeout))),
      fork_generation_(os::fork_generation()) {}

control::Answered Connection::call(layout::Request request) {
  if (fork_generation_ != os::fork_generation()) {
    throw Error(Code::forked, "this connection belongs to the parent process",
                "it was made before fork()", "connect again in the child");
  }
  const std::scoped_lock lock(mutex_);
  request.id = ++last_id_;
  if (control::send(socket_, request, true) != os::Transfer::done) {
    throw Error(Code::unavailable, "the supervisor at " + path_ + " has gone", "",
                "data goes on without it; start it again to create, attach or inspect");
  }
  const os::Instant until = os::deadline(timeout_);
  for (;;) {
    control::Answered answer = receive(request.id, until);
    if (answer.reply.id != request.id) {
      give_back(answer.reply);
      continue;
    }
    if (const auto code = static_cast<Code>(answer.reply.code); code != Code::ok) {
      throw control::from_text(code, answer.reply.text.view());
    }
    return answer;
  }
}

control::Answered Connection::receive(std::uint64_t id, os::Instant until) {
  try {
    return control::receive_answer(socket_, until);
  } catch (const Error& error) {
    if (error.code() == Code::timeout) timed_out_.insert(id);
    throw;
  }
}

void Connection::give_back(const layout::Reply& late) noexcept {
  if (timed_out_.erase(late.id) == 0) return;
  const auto ask = static_cast<layout::Ask>(late.ask);
  if (late.code != 0 || (ask != layout::Ask::produce && ask != layout::Ask::consume)) return;
  layout::Request request = control::request(layout::Ask::detach, late.queue);
  request.handle = late.handle;
  tell(request);
}

void Connection::tell(const layout::Request& request) noexcept {
  if (fork_generation_ != os::fork_generation()) return;
  control::send(socket_, request, false);
}

}  // namespace spillring::client
