#include "client/connection.hpp"

#include <fmt/format.h>

#include "os/clock.hpp"
#include "os/fork.hpp"
#include "spillring/version.hpp"

namespace spillring::client {

Connection::Connection(std::string path, Timeout timeout)
    : path_(std::move(path)),
      timeout_(timeout),
      socket_(os::connect_to(path_)),
      fork_generation_(os::fork_generation()) {
  greet();
}

void Connection::greet() {
  layout::Request hello = control::request(layout::Ask::hello);
  hello.protocol_version = protocol_version;
  hello.layout_version = layout_version;
  call(hello);
}

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
    control::Answered answer = control::receive_answer(socket_, until);
    if (answer.reply.id != request.id) {
      give_back(answer.reply);  // to a request that timed out here
      continue;
    }
    if (const auto code = static_cast<Code>(answer.reply.code); code != Code::ok) {
      throw control::from_text(code, answer.reply.text.view());
    }
    return answer;
  }
}

void Connection::give_back(const layout::Reply& late) noexcept {
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
