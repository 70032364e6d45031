// Python's Queue: what sends.
#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "buffer.hpp"
#include "errors.hpp"
#include "method.hpp"
#include "queue.hpp"

namespace spillring::python {

namespace py = pybind11;

namespace {

constexpr std::size_t most_in_batch = 1024;

/// A queue that spills or drops is not full for long: so much patience put_nowait() has too.
Timeout patient(Full full, Timeout timeout) {
  return full == Full::spill || full == Full::drop_oldest
             ? std::max<Timeout>(timeout, std::chrono::milliseconds(200))
             : timeout;
}

}  // namespace

/// Messages that cross to the library together.
class QueueObject::Batch {
 public:
  void add(py::handle buffer) {
    const std::span<const std::byte> view = messages_.emplace_back(buffer, "each message").span();
    views_.push_back(view);
    total_ += view.size();
    largest_ = std::max(largest_, view.size());
  }
  void clear() {
    views_.clear();
    messages_.clear();
    total_ = largest_ = 0;
  }
  /// Few enough, and small enough, to be copied with the GIL.
  [[nodiscard]] bool is_full() const {
    return total_ >= copy_without_gil || views_.size() == most_in_batch;
  }
  [[nodiscard]] std::span<const std::span<const std::byte>> views() const { return views_; }
  [[nodiscard]] std::size_t total() const { return total_; }
  [[nodiscard]] std::size_t largest() const { return largest_; }

 private:
  std::deque<Bytes> messages_;
  std::vector<std::span<const std::byte>> views_;
  std::size_t total_ = 0;
  std::size_t largest_ = 0;
};

std::shared_ptr<const QueueObject::Sender> QueueObject::sender() {
  come_here();
  // Read first: what is made meanwhile for a later incarnation is at worst made twice.
  const std::uint64_t incarnation = queue_.incarnation();
  if (sender_ && sender_->incarnation == incarnation) return sender_;
  auto [producer, info] = ask([](const spillring::Queue& queue) {
    return std::pair(queue.producer({.interruptible = true}), queue.info());
  });
  auto handle = std::make_shared<ProducerHandle>(connection_, std::move(producer));
  connection_->own(handle);
  if (sender_ && sender_->incarnation >= incarnation) return sender_;  // another was faster
  // What went through the former one may not be on the disk yet.
  if (sender_ && sender_->durability == Durability::disk) unconfirmed_.push_back(sender_);
  const auto former = std::exchange(sender_, std::make_shared<const Sender>(Sender{
                                                 std::move(handle), incarnation, info.options.full,
                                                 info.largest, info.options.durability}));
  return sender_;
}

template <typename Attempt>
std::invoke_result_t<Attempt, Producer&> QueueObject::send(const Sender& sender, std::size_t size,
                                                           const MetadataArgument& metadata,
                                                           Timeout timeout, Attempt attempt) {
  const std::size_t room = std::min<std::size_t>(size + metadata.room(), sender.largest);
  DiskAlarm alarm = DiskAlarm::none;
  const auto watched = [&](Producer& producer) {
    auto answer = attempt(producer);
    if (!answer) alarm = producer.disk_alarm();
    return answer;
  };
  auto sent = sender.handle->obtain(
      Deadline(sender.full == Full::reject ? no_wait : timeout), watched,
      [room](Producer& producer, Timeout left) { return producer.wait_for_room(room, left); });
  if (sent.error() == Code::unavailable) look_for_supervisor();
  if (!sent && is_nothing(sent.error()) && alarm != DiskAlarm::none) refuse(alarm);
  if (!sent) refuse(sent.error(), size, sender.largest);
  return sent;
}

void QueueObject::refuse(DiskAlarm alarm) const {
  throw Error(Code::full, fmt::format("queue '{}'", name_),
              fmt::format("the queue is full, and {}", reason(alarm)), std::string(remedy(alarm)));
}

void QueueObject::refuse(Code code, std::size_t size, std::uint64_t largest) const {
  if (is_nothing(code)) fail(Code::full, name_);
  if (code != Code::too_large) fail(code, name_);
  throw Error(code, fmt::format("queue '{}'", name_),
              fmt::format("a message of {} bytes; the largest that it takes has {}", size, largest),
              "a queue takes messages of up to a quarter of its capacity");
}

std::uint64_t QueueObject::put(py::handle data, const MetadataArgument& metadata, Timeout timeout,
                               bool durable) {
  const Bytes bytes(data, "the message");
  const std::span<const std::byte> payload = bytes.span();
  const std::shared_ptr<const Sender> sender = this->sender();
  const Deadline deadline(timeout);
  if (durable) require_durable(*sender);
  const std::uint64_t sequence = put(*sender, payload, metadata, patient(sender->full, timeout));
  if (durable) confirm(*sender, sequence, deadline);
  return sequence;
}

std::uint64_t QueueObject::put(const Sender& sender, std::span<const std::byte> payload,
                               const MetadataArgument& metadata, Timeout timeout) {
  if (payload.size() < copy_without_gil) {
    return *send(sender, payload.size(), metadata, timeout,
                 [&](Producer& producer) { return producer.try_send(payload, metadata.view()); });
  }
  spillring::Loan loan = claim(sender, payload.size(), metadata, timeout);
  const Result<std::uint64_t> sequence = without_gil([&] {
    std::memcpy(loan.bytes().data(), payload.data(), payload.size());
    return sender.handle->alone_without_gil([&] { return loan.publish(); });
  });
  if (!sequence) refuse(sequence.error(), payload.size(), sender.largest);
  return *sequence;
}

std::optional<std::uint64_t> QueueObject::try_put(py::handle data,
                                                  const MetadataArgument& metadata) {
  const Bytes bytes(data, "the message");
  const std::shared_ptr<const Sender> sender = this->sender();
  try {
    return put(*sender, bytes.span(), metadata, no_wait);
  } catch (const Error& error) {
    if (error.code() != Code::full || sender->full == Full::reject) throw;
    return std::nullopt;
  }
}

void QueueObject::wait_for_room(py::handle data, const MetadataArgument& metadata,
                                Timeout timeout) {
  const Bytes bytes(data, "the message");
  const std::shared_ptr<const Sender> sender = this->sender();
  const std::size_t room =
      std::min<std::size_t>(bytes.span().size() + metadata.room(), sender->largest);
  bool waited = false;
  const Result<void> woken = sender->handle->obtain(
      Deadline(timeout),
      [&](Producer&) { return waited ? Result<void>() : Result<void>(Code::full); },
      [&](Producer& producer, Timeout left) {
        waited = true;
        return producer.wait_for_room(room, left);
      });
  if (!woken && !is_nothing(woken.error())) fail(woken.error(), name_);
}

/// Adds what was sent to `sent`, also where it throws.
void QueueObject::put(const Sender& sender, const Batch& batch, const MetadataArgument& metadata,
                      Timeout timeout, Sent& sent) {
  auto rest = batch.views();
  const auto count = [&](const Sent& more) {
    if (sent.count == 0) sent.first = more.first;
    sent.last = more.last;
    sent.count += more.count;
    rest = rest.subspan(more.count);
  };
  if (batch.largest() >= copy_without_gil) {
    while (!rest.empty()) {
      const std::uint64_t sequence = put(sender, rest.front(), metadata, timeout);
      count({1, sequence, sequence});
    }
    return;
  }
  const auto attempt = [&](Producer& producer) -> Result<void> {
    while (!rest.empty()) {
      const Result<Sent> more = producer.send_batch(rest, no_wait, {.metadata = metadata.view()});
      if (!more) return more.error();
      count(*more);
    }
    return {};
  };
  send(sender, batch.largest(), metadata, timeout, attempt).value();
}

py::object QueueObject::put_many(py::handle buffers, const MetadataArgument& metadata,
                                 Timeout timeout) {
  const std::shared_ptr<const Sender> sender = this->sender();
  const Deadline deadline(timeout);
  Sent sent;
  Batch batch;
  const auto send_batch = [&] {
    put(*sender, batch, metadata, patient(sender->full, deadline.remaining()), sent);
    batch.clear();
  };
  try {
    for (const py::handle buffer : py::iter(buffers)) {
      batch.add(buffer);
      if (batch.is_full()) send_batch();
    }
    send_batch();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}, after {} messages", error.summary(), sent.count),
                error.why(), error.hint());
  }
  if (sent.count == 0) return py::none();
  return py::make_tuple(sent.first, sent.last);
}

py::object QueueObject::put_atomic(py::handle buffers, const MetadataArgument& metadata,
                                   Timeout timeout) {
  const std::shared_ptr<const Sender> sender = this->sender();
  Batch batch;
  for (const py::handle buffer : py::iter(buffers)) batch.add(buffer);
  if (batch.views().empty()) return py::none();
  constexpr std::size_t beside_each = 12;  // its place in the table, and what aligns it, at most
  const std::size_t size = batch.total() + beside_each * (batch.views().size() + 1);
  const Sent sent =
      *send(*sender, size, metadata, patient(sender->full, timeout), [&](Producer& producer) {
        return producer.send_batch(batch.views(), no_wait,
                                   {.atomic = true, .metadata = metadata.view()});
      });
  return py::make_tuple(sent.first, sent.last);
}

void QueueObject::require_durable(const Sender& sender) const {
  if (sender.durability == Durability::disk) return;
  throw Error(Code::invalid, fmt::format("queue '{}' keeps its messages in memory", name_),
              "only a queue with durability='disk' can say when they are on the disk",
              "create it with durability='disk', or do without");
}

void QueueObject::confirm(const Sender& sender, std::uint64_t sequence,
                          const Deadline& deadline) const {
  const Result<void> confirmed = sender.handle->obtain(
      deadline, [&](Producer& producer) { return producer.confirm(sequence, no_wait); },
      [&](Producer& producer, Timeout left) { return producer.confirm(sequence, left); });
  if (confirmed) return;
  const bool late = confirmed.error() == Code::timeout;
  if (!late && confirmed.error() != Code::in_doubt) fail(confirmed.error(), name_);
  throw Error(Code::in_doubt, fmt::format("message {} of queue '{}' was sent", sequence, name_),
              late ? "but the disk did not have it in time"
                   : "but the supervisor ended before it said that the disk has it",
              late ? "it is on its way: flush() waits for it" : "look whether it is there");
}

void QueueObject::flush(Timeout timeout) {
  const Deadline deadline(timeout);
  const std::shared_ptr<const Sender> sender = this->sender();
  require_durable(*sender);
  auto senders = std::exchange(unconfirmed_, {});
  senders.push_back(sender);
  for (const auto& each : senders) {
    const std::uint64_t last =
        each->handle->alone([&] { return each->handle->owner().published(); });
    if (last != 0) confirm(*each, last, deadline);
  }
}

spillring::Loan QueueObject::claim(const Sender& sender, std::size_t size,
                                   const MetadataArgument& metadata, Timeout timeout) {
  return *send(sender, size, metadata, timeout, [&](Producer& producer) {
    return producer.loan(size, no_wait, {.metadata = metadata.view()});
  });
}

std::unique_ptr<LoanObject> QueueObject::loan(std::size_t size, const MetadataArgument& metadata,
                                              Timeout timeout) {
  const std::shared_ptr<const Sender> sender = this->sender();
  spillring::Loan loan = claim(*sender, size, metadata, patient(sender->full, timeout));
  return std::make_unique<LoanObject>(sender->handle, std::move(loan), name_);
}

namespace {

py::handle or_none(PyObject* given) { return given == nullptr ? Py_None : given; }

struct Put {
  static constexpr std::array parameters{"buf", "key", "headers", "ttl", "timeout", "durable"};
  static constexpr Signature signature{"put", parameters, 1, 1};
  static constexpr const char* doc =
      R"(put(buf, *, key=None, headers=None, ttl=None, timeout=None, durable=False) -> int

Sends a copy of a buffer (bytes, bytearray, memoryview, array, numpy, mmap) and returns the
message's sequence. Waits for room up to `timeout` seconds (None: for ever) where the queue's full
policy is "block", then raises Full. key: bytes; headers: a mapping of str to bytes. ttl: so many
seconds it is delivered, and then no more (None: as the queue has it; math.inf: no matter how long).
durable=True returns only when the disk has the message (of a queue with durability="disk"); if that takes longer
than `timeout`, or the supervisor ends, it raises InDoubt: the message was sent.)";

  static py::object call(QueueObject& queue, Given given) {
    const MetadataArgument metadata(or_none(given[1]), or_none(given[2]), or_none(given[3]));
    const Timeout timeout = timeout_of(or_none(given[4]), "timeout");
    const bool durable = given[5] != nullptr && flag_of(given[5], "durable");
    return py::int_(queue.put(given[0], metadata, timeout, durable));
  }
};

struct PutNowait {
  static constexpr std::array parameters{"buf", "key", "headers", "ttl"};
  static constexpr Signature signature{"put_nowait", parameters, 1, 1};
  static constexpr const char* doc = R"(put_nowait(buf, *, key=None, headers=None, ttl=None) -> int

put() that raises Full instead of waiting; flush() makes what it sent durable.)";

  static py::object call(QueueObject& queue, Given given) {
    const MetadataArgument metadata(or_none(given[1]), or_none(given[2]), or_none(given[3]));
    return py::int_(queue.put(given[0], metadata, no_wait, false));
  }
};

}  // namespace

void define_sending(py::class_<QueueObject>& type) {
  FastMethod<QueueObject, Put>::define(type);
  FastMethod<QueueObject, PutNowait>::define(type);
  type.def(
          "put_many",
          [](QueueObject& queue, const py::object& buffers, const py::object& key,
             const py::object& headers, const py::object& ttl, const py::object& timeout,
             const py::object& atomic, const py::kwargs& rest) {
            refuse(rest, "put_many");
            const MetadataArgument metadata(key, headers, ttl);
            const Timeout wait = timeout_of(timeout, "timeout");
            return flag_of(atomic, "atomic") ? queue.put_atomic(buffers, metadata, wait)
                                             : queue.put_many(buffers, metadata, wait);
          },
          py::arg("buffers"), py::kw_only(), py::arg("key") = py::none(),
          py::arg("headers") = py::none(), py::arg("ttl") = py::none(),
          py::arg("timeout") = py::none(), py::arg("atomic") = false,
          R"(put_many(buffers, *, key=None, headers=None, ttl=None, timeout=None, atomic=False)
    -> tuple[int, int] | None

Sends a copy of each buffer of an iterable, in its order, many at a time; others may send in
between. Returns the sequences of the first and the last, None where there was nothing to send.
Waits and raises as put(); the exception says how many were sent before it. key, headers and ttl are
those of each.

atomic=True: all or none of them, whatever dies. They become one message, with one sequence, key,
headers and ttl and one acknowledgement, and may be as large together as one message; parts() of it
has them.)")
      .def(
          "_try_put",
          [](QueueObject& queue, const py::object& data, const py::object& key,
             const py::object& headers, const py::object& ttl) {
            return queue.try_put(data, MetadataArgument(key, headers, ttl));
          },
          "_try_put(buf, key, headers, ttl) -> int | None\n\nput() that does not wait at all: None "
          "where "
          "there is no room now, but may be.")
      .def(
          "_wait_for_room",
          [](QueueObject& queue, const py::object& data, const py::object& key,
             const py::object& headers, const py::object& ttl, const py::object& timeout) {
            queue.wait_for_room(data, MetadataArgument(key, headers, ttl),
                                timeout_of(timeout, "timeout"));
          },
          "_wait_for_room(buf, key, headers, ttl, timeout) -> None\n\nReturns when there may be "
          "room for that message, or the time is over.")
      .def(
          "flush",
          [](QueueObject& queue, const py::object& timeout) {
            queue.flush(timeout_of(timeout, "timeout"));
          },
          py::kw_only(), py::arg("timeout") = py::none(),
          R"(flush(*, timeout=None) -> None

Returns when the disk has all that was put through this object, by whichever thread; of a queue with
durability="disk". Many who wait share one write. Raises InDoubt as put() does.)")
      .def(
          "loan",
          [](QueueObject& queue, const py::object& nbytes, const py::object& key,
             const py::object& headers, const py::object& ttl, const py::object& timeout,
             const py::kwargs& rest) {
            refuse(rest, "loan");
            return queue.loan(size_of(nbytes, "nbytes"), MetadataArgument(key, headers, ttl),
                              timeout_of(timeout, "timeout"));
          },
          py::arg("nbytes"), py::kw_only(), py::arg("key") = py::none(),
          py::arg("headers") = py::none(), py::arg("ttl") = py::none(),
          py::arg("timeout") = py::none(),
          R"(loan(nbytes, *, key=None, headers=None, ttl=None, timeout=None) -> Loan

Room for a message in the queue's memory, to be filled in place and published. Waits as put().)");
}

}  // namespace spillring::python
