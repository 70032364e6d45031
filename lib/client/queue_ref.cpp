#include "client/queue_ref.hpp"

#include "spillring/error.hpp"

namespace spillring::client {

namespace {

constexpr int most_lookups = 3;  // supervisors that end between being reached and being asked

}  // namespace

QueueNumber QueueRef::number() const {
  const std::scoped_lock lock(mutex_);
  return number_;
}

void QueueRef::look_up() {
  layout::Request request = control::request(layout::Ask::open);
  request.name.set(name_);
  const Answered found = connection_->call(request);
  const std::scoped_lock lock(mutex_);
  if (found.generation > number_.generation) number_ = {found.reply.queue, found.generation};
}

/// A request with a number goes on where an answer left off, which the next supervisor cannot.
Answered QueueRef::ask(layout::Request request) {
  for (int lookups = 0;; ++lookups) {
    const QueueNumber known = number();
    request.queue = known.id;
    if (auto answer = connection_->call_over(known.generation, request)) return *std::move(answer);
    if (lookups == most_lookups || request.number != 0) break;
    look_up();
  }
  throw Error(Code::unavailable, "the supervisor at " + connection_->path() + " does not stay",
              "it has ended between two requests", "ask again");
}

}  // namespace spillring::client
