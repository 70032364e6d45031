#include "client/connection.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

#include "client/autostart.hpp"
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
      const os::Transfer sent = control::send(socket, hello, true);
      // Who turns a client away says why without a question, and closes.
      if (sent == os::Transfer::done || sent == os::Transfer::closed) {
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

Connection::Connection(SocketChoice socket, bool autostart, Timeout timeout)
    : socket_(std::move(socket)),
      autostart_(autostart),
      timeout_(timeout),
      fork_generation_(os::fork_generation()) {
  connect();
}

void Connection::connect() {
  line_.reset();
  line_.emplace(reach());
  generation_.fetch_add(1, std::memory_order_release);
}

/// The user's own supervisor is started where it does not run.
os::Fd Connection::reach() const {
  try {
    return greeted(path(), os::deadline(timeout_));
  } catch (const Error& error) {
    if (error.code() != Code::unavailable || !socket_.own || !autostart_) throw;
    if (!autostart_allowed()) {
      throw Error(Code::unavailable, error.summary(),
                  error.why() + ", and SPILLRING_AUTOSTART=0 forbids to start one", error.hint());
    }
  }
  start_supervisor(path());
  return greeted(path(), os::deadline(timeout_));
}

void Connection::check_fork() const {
  if (fork_generation_ == os::fork_generation()) return;
  throw Error(Code::forked, "this connection belongs to the parent process",
              "it was made before fork()", "connect again in the child");
}

Answered Connection::call(layout::Request request) {
  check_fork();
  const std::scoped_lock lock(mutex_);
  if (line_) {
    if (auto answer = try_call(request)) return *std::move(answer);
  }
  connect();
  if (auto answer = try_call(request)) return *std::move(answer);
  throw Error(Code::unavailable, "the supervisor at " + path() + " does not stay",
              "it has ended just after it was reached", "look at its log");
}

std::optional<Answered> Connection::call_over(Generation line, layout::Request request) {
  check_fork();
  const std::scoped_lock lock(mutex_);
  if (!line_ || line != generation()) return std::nullopt;
  return try_call(request);
}

bool Connection::tell_over(Generation line, const layout::Request& request) noexcept {
  if (fork_generation_ != os::fork_generation()) return true;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;
  if (!line_ || line != generation()) return true;
  const os::Transfer sent = control::send(line_->socket, request, false);
  return sent == os::Transfer::done || sent == os::Transfer::closed;
}

bool Connection::has_ended(Generation line) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;
  return !line_ || line != generation() || os::hung_up(line_->socket);
}

/// nullopt: the line had ended before anything was sent over it.
std::optional<Answered> Connection::try_call(layout::Request request) {
  request.id = ++last_id_;
  const os::Transfer sent = control::send(line_->socket, request, true);
  if (sent == os::Transfer::closed) {
    line_.reset();
    return std::nullopt;
  }
  if (sent != os::Transfer::done) {
    throw Error(Code::unavailable, "the supervisor at " + path() + " cannot be asked",
                "the system refuses to send", "try again");
  }
  const os::Instant until = os::deadline(timeout_);
  for (;;) {
    control::Answered answer = receive(request, until);
    if (answer.reply.id != request.id) {
      give_back(answer.reply);
      continue;
    }
    if (const auto code = static_cast<Code>(answer.reply.code); code != Code::ok) {
      throw control::from_text(code, answer.reply.text.view());
    }
    return Answered{std::move(answer), generation()};
  }
}

control::Answered Connection::receive(const layout::Request& request, os::Instant until) {
  try {
    return control::receive_answer(line_->socket, until);
  } catch (const Error& error) {
    if (error.code() == Code::timeout) withdraw(request);
    if (error.code() != Code::unavailable) throw;
    line_.reset();
    throw Error(Code::unavailable, "the supervisor at " + path() + " has gone",
                "it closed the connection before it answered",
                "whether it has done what was asked is not known: look, and ask again");
  }
}

void Connection::withdraw(const layout::Request& request) {
  const auto ask = static_cast<layout::Ask>(request.ask);
  if (ask != layout::Ask::produce && ask != layout::Ask::consume) return;
  layout::Request detach = control::request(layout::Ask::detach, request.queue);
  detach.number = request.id;
  const os::Transfer sent = control::send(line_->socket, detach, false);
  if (sent != os::Transfer::done) line_->not_withdrawn.insert(request.id);
}

void Connection::give_back(const layout::Reply& late) noexcept {
  if (line_->not_withdrawn.erase(late.id) == 0 || late.code != 0) return;
  layout::Request request = control::request(layout::Ask::detach, late.queue);
  request.handle = late.handle;
  control::send(line_->socket, request, false);
}

}  // namespace spillring::client
