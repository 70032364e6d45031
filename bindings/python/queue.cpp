#include "queue.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "buffer.hpp"
#include "errors.hpp"
#include "info.hpp"

namespace spillring::python {

namespace py = pybind11;

namespace {

constexpr std::size_t most_in_batch = 1024;

bool is_nothing(Code code) {
  return code == Code::full || code == Code::empty || code == Code::timeout;
}

/// A queue that spills is not full for long: so much patience put_nowait() has too.
Timeout patient(Full full, Timeout timeout) {
  return full == Full::spill ? std::max<Timeout>(timeout, std::chrono::milliseconds(200)) : timeout;
}

}  // namespace

/// Messages that cross to the library together: few enough, and small enough, to be copied with the
/// GIL.
class QueueObject::Batch {
 public:
  void add(py::handle buffer) {
    const std::size_t size = messages_.emplace_back(buffer, "each message").span().size();
    total_ += size;
    largest_ = std::max(largest_, size);
  }
  void clear() {
    messages_.clear();
    total_ = largest_ = 0;
  }
  [[nodiscard]] bool is_full() const {
    return total_ >= copy_without_gil || messages_.size() == most_in_batch;
  }
  [[nodiscard]] const std::deque<Bytes>& messages() const { return messages_; }
  [[nodiscard]] std::size_t largest() const { return largest_; }

 private:
  std::deque<Bytes> messages_;
  std::size_t total_ = 0;
  std::size_t largest_ = 0;
};

QueueObject::QueueObject(std::shared_ptr<Connection> connection, spillring::Queue queue)
    : connection_(std::move(connection)), queue_(std::move(queue)), name_(queue_.name()) {}

std::string QueueObject::repr() const {
  return fmt::format("<spillring.Queue '{}' at {}>", name_, connection_->socket());
}

void QueueObject::come_here() {
  if (!connection_->foreign()) return connection_->check();
  auto connection = Connection::here(connection_);
  const Client client = connection->client();
  auto queue = without_gil([&] { return client.open(name_); });
  if (!connection_->foreign()) return;  // another thread was faster
  abandon(queue_);
  queue_ = std::move(queue);
  connection_ = std::move(connection);
  sender_.reset();
  unconfirmed_.clear();
  getters_ = {};
}

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

std::shared_ptr<ConsumerHandle> QueueObject::share(spillring::Consumer consumer) const {
  auto handle = std::make_shared<ConsumerHandle>(connection_, std::move(consumer));
  connection_->own(handle);
  return handle;
}

std::shared_ptr<ConsumerHandle> QueueObject::getter(const std::string& group) {
  come_here();
  const std::uint64_t incarnation = queue_.incarnation();
  Getters former;  // ended last: that gives up the GIL
  if (getters_.incarnation != incarnation) {
    former = std::exchange(getters_, Getters{incarnation, {}});
  }
  const auto known = getters_.by_group.find(group);
  if (known != getters_.by_group.end()) return known->second;
  // It claims nothing ahead: what get() was not asked for belongs to whoever asks.
  auto handle = share(ask([&](const spillring::Queue& queue) {
    return queue.consumer(group, {.prefetch = 1, .interruptible = true});
  }));
  if (getters_.incarnation != incarnation) return handle;  // by now there is a later one
  return getters_.by_group.try_emplace(group, std::move(handle)).first->second;
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

/// The supervisor has stopped and taken the queue along. If it is back, the next call finds it.
void QueueObject::look_for_supervisor() {
  try {
    ask([](const spillring::Queue& queue) { return queue.info(); });
  } catch (const Error&) {  // it is not: the caller says so
  }
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

std::uint64_t QueueObject::put(py::handle data, py::handle key, py::handle headers, Timeout timeout,
                               bool durable) {
  const Bytes bytes(data, "the message");
  const MetadataArgument metadata(key, headers);
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

std::optional<std::uint64_t> QueueObject::try_put(py::handle data, py::handle key,
                                                  py::handle headers) {
  const Bytes bytes(data, "the message");
  const MetadataArgument metadata(key, headers);
  const std::shared_ptr<const Sender> sender = this->sender();
  try {
    return put(*sender, bytes.span(), metadata, no_wait);
  } catch (const Error& error) {
    if (error.code() != Code::full || sender->full == Full::reject) throw;
    return std::nullopt;
  }
}

void QueueObject::wait_for_room(std::size_t size, Timeout timeout) {
  const std::shared_ptr<const Sender> sender = this->sender();
  const std::size_t room = std::min<std::size_t>(size, sender->largest);
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

void QueueObject::put(const Sender& sender, const Batch& batch, Timeout timeout,
                      std::vector<std::uint64_t>& sequences) {
  auto next = batch.messages().begin();
  const auto end = batch.messages().end();
  if (next == end) return;
  const MetadataArgument none{py::none(), py::none()};
  if (batch.largest() >= copy_without_gil) {
    for (; next != end; ++next) sequences.push_back(put(sender, next->span(), none, timeout));
    return;
  }
  const auto attempt = [&](Producer& producer) -> Result<std::uint64_t> {
    for (; next != end; ++next) {
      const Result<std::uint64_t> sent = producer.try_send(next->span());
      if (!sent) return sent;
      sequences.push_back(*sent);
    }
    return sequences.back();
  };
  send(sender, batch.largest(), none, timeout, attempt).value();
}

py::object QueueObject::put_many(py::handle buffers, Timeout timeout) {
  const std::shared_ptr<const Sender> sender = this->sender();
  const Deadline deadline(timeout);
  std::vector<std::uint64_t> sequences;
  Batch batch;
  const auto send_batch = [&] {
    put(*sender, batch, patient(sender->full, deadline.remaining()), sequences);
    batch.clear();
  };
  try {
    for (const py::handle buffer : py::iter(buffers)) {
      batch.add(buffer);
      if (batch.is_full()) send_batch();
    }
    send_batch();
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{}, after {} messages", error.summary(), sequences.size()),
                error.why(), error.hint());
  }
  if (sequences.empty()) return py::none();
  return py::make_tuple(sequences.front(), sequences.back());
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

std::unique_ptr<LoanObject> QueueObject::loan(std::size_t size, py::handle key, py::handle headers,
                                              Timeout timeout) {
  const std::shared_ptr<const Sender> sender = this->sender();
  spillring::Loan loan =
      claim(*sender, size, MetadataArgument(key, headers), patient(sender->full, timeout));
  return std::make_unique<LoanObject>(sender->handle, std::move(loan), name_);
}

std::unique_ptr<MessageObject> QueueObject::get(const std::string& group, Timeout timeout,
                                                bool ack) {
  const std::shared_ptr<ConsumerHandle> handle = getter(group);
  Result<spillring::Message> message = receive(*handle, timeout, ack);
  if (message.error() == Code::unavailable) look_for_supervisor();
  if (!message) fail(is_nothing(message.error()) ? Code::empty : message.error(), name_);
  return std::make_unique<MessageObject>(handle, *std::move(message),
                                         ack ? Duty::settled : Duty::acknowledge, name_);
}

py::list QueueObject::get_many(std::size_t most, const std::string& group, Timeout timeout) {
  const std::shared_ptr<ConsumerHandle> handle = getter(group);
  auto messages = receive_many(*handle, most, timeout, true);
  if (messages.error() == Code::unavailable) look_for_supervisor();
  if (!messages) fail(is_nothing(messages.error()) ? Code::empty : messages.error(), name_);
  return wrapped(*std::move(messages), handle, Duty::settled, name_);
}

std::unique_ptr<ConsumerObject> QueueObject::consume(std::string group, ConsumerOptions options,
                                                     Timeout idle) {
  options.interruptible = true;
  auto handle =
      share(ask([&](const spillring::Queue& queue) { return queue.consumer(group, options); }));
  return std::make_unique<ConsumerObject>(std::move(handle), name_, std::move(group),
                                          Duty::acknowledge, idle);
}

std::unique_ptr<ConsumerObject> QueueObject::subscribe(std::optional<std::string> group,
                                                       SubscriberOptions options) {
  options.interruptible = true;
  auto handle = share(ask([&](const spillring::Queue& queue) {
    return queue.subscriber(group.value_or(""), options);
  }));
  return std::make_unique<ConsumerObject>(std::move(handle), name_, std::move(group), Duty::none,
                                          forever);
}

namespace {

constexpr auto unbuilt_in_put = {Unbuilt{"ttl"}};

void define_sending(py::class_<QueueObject>& type) {
  type.def(
          "put",
          [](QueueObject& queue, const py::object& data, const py::object& key,
             const py::object& headers, const py::object& timeout, const py::object& durable,
             const py::kwargs& rest) {
            refuse(rest, "put", unbuilt_in_put);
            return queue.put(data, key, headers, timeout_of(timeout, "timeout"),
                             flag_of(durable, "durable"));
          },
          py::arg("buf"), py::kw_only(), py::arg("key") = py::none(),
          py::arg("headers") = py::none(), py::arg("timeout") = py::none(),
          py::arg("durable") = false,
          R"(put(buf, *, key=None, headers=None, timeout=None, durable=False) -> int

Sends a copy of a buffer (bytes, bytearray, memoryview, array, numpy, mmap) and returns the
message's sequence. Waits for room up to `timeout` seconds (None: for ever) where the queue's full
policy is "block", then raises Full. key: bytes; headers: a mapping of str to bytes. durable=True
returns only when the disk has the message (of a queue with durability="disk"); if that takes longer
than `timeout`, or the supervisor ends, it raises InDoubt: the message was sent.)")
      .def(
          "put_nowait",
          [](QueueObject& queue, const py::object& data, const py::object& key,
             const py::object& headers, const py::kwargs& rest) {
            refuse(rest, "put_nowait", unbuilt_in_put);
            return queue.put(data, key, headers, no_wait, false);
          },
          py::arg("buf"), py::kw_only(), py::arg("key") = py::none(),
          py::arg("headers") = py::none(),
          "put_nowait(buf, *, key=None, headers=None) -> int\n\nput() that raises Full instead of "
          "waiting; flush() makes what it sent durable.")
      .def(
          "put_many",
          [](QueueObject& queue, const py::object& buffers, const py::object& timeout,
             const py::kwargs& rest) {
            refuse(rest, "put_many", {{"atomic", Unbuilt::Neutral::no}});
            return queue.put_many(buffers, timeout_of(timeout, "timeout"));
          },
          py::arg("buffers"), py::kw_only(), py::arg("timeout") = py::none(),
          R"(put_many(buffers, *, timeout=None) -> tuple[int, int] | None

Sends a copy of each buffer of an iterable, in its order, many at a time; others may send in
between. Returns the sequences of the first and the last, None where there was nothing to send.
Waits and raises as put(); the exception says how many were sent before it.)")
      .def(
          "_try_put",
          [](QueueObject& queue, const py::object& data, const py::object& key,
             const py::object& headers) { return queue.try_put(data, key, headers); },
          "_try_put(buf, key, headers) -> int | None\n\nput() that does not wait at all: None "
          "where "
          "there is no room now, but may be.")
      .def(
          "_wait_for_room",
          [](QueueObject& queue, const py::object& nbytes, const py::object& timeout) {
            queue.wait_for_room(size_of(nbytes, "nbytes"), timeout_of(timeout, "timeout"));
          },
          "_wait_for_room(nbytes, timeout) -> None\n\nReturns when there may be room, or the time "
          "is "
          "over.")
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
             const py::object& headers, const py::object& timeout, const py::kwargs& rest) {
            refuse(rest, "loan");
            return queue.loan(size_of(nbytes, "nbytes"), key, headers,
                              timeout_of(timeout, "timeout"));
          },
          py::arg("nbytes"), py::kw_only(), py::arg("key") = py::none(),
          py::arg("headers") = py::none(), py::arg("timeout") = py::none(),
          R"(loan(nbytes, *, key=None, headers=None, timeout=None) -> Loan

Room for a message in the queue's memory, to be filled in place and published. Waits as put().)");
}

void define_receiving(py::class_<QueueObject>& type) {
  type.def(
          "get",
          [](QueueObject& queue, const py::object& group, const py::object& timeout,
             const py::object& ack, const py::kwargs& rest) {
            refuse(rest, "get");
            return queue.get(name_of(group, "group"), timeout_of(timeout, "timeout"),
                             flag_of(ack, "ack"));
          },
          py::kw_only(), py::arg("group") = "default", py::arg("timeout") = py::none(),
          py::arg("ack") = true,
          R"(get(*, group="default", timeout=None, ack=True) -> Message

Takes the group's next message. Waits up to `timeout` seconds (None: for ever), then raises Empty.
The message is acknowledged at once, and its bytes stay until it and its views are gone; with
ack=False it is the caller's to acknowledge.)")
      .def(
          "get_nowait",
          [](QueueObject& queue, const py::object& group, const py::object& ack,
             const py::kwargs& rest) {
            refuse(rest, "get_nowait");
            return queue.get(name_of(group, "group"), no_wait, flag_of(ack, "ack"));
          },
          py::kw_only(), py::arg("group") = "default", py::arg("ack") = true,
          "get_nowait(*, group=\"default\", ack=True) -> Message\n\nget() that raises Empty "
          "instead "
          "of waiting.")
      .def(
          "get_many",
          [](QueueObject& queue, const py::object& n, const py::object& group,
             const py::object& timeout, const py::kwargs& rest) {
            refuse(rest, "get_many");
            return queue.get_many(integer_of(n, "n", 1), name_of(group, "group"),
                                  timeout_of(timeout, "timeout"));
          },
          py::arg("n"), py::kw_only(), py::arg("group") = "default",
          py::arg("timeout") = py::none(),
          R"(get_many(n, *, group="default", timeout=None) -> list[Message]

Takes up to n of the group's messages, acknowledged at once: waits for the first as get(), which
raises Empty if none comes, then takes what is there.)")
      .def(
          "_fileno",
          [](QueueObject& queue, const py::object& group) {
            return queue.fileno(name_of(group, "group"));
          },
          "_fileno(group) -> int\n\nConsumer.fileno() of what get() receives with.")
      .def(
          "consume",
          [](QueueObject& queue, const py::object& group, const py::object& prefetch,
             const py::object& start, const py::object& timeout, const py::kwargs& rest) {
            refuse(rest, "consume");
            const auto ahead = integer_of(prefetch, "prefetch", 1, UINT32_MAX);
            return queue.consume(
                name_of(group, "group"),
                {.prefetch = static_cast<unsigned>(ahead), .start = start_of(start)},
                timeout_of(timeout, "timeout"));
          },
          py::arg("group") = "default", py::kw_only(), py::arg("prefetch") = 64,
          py::arg("start") = "earliest", py::arg("timeout") = py::none(),
          R"(consume(group="default", *, prefetch=64, start="earliest", timeout=None) -> Consumer

Becomes a member of a shared group, in which each message goes to one member and is acknowledged or
delivered again. The first member makes the group, which begins at `start`: "earliest", "latest", a
sequence or a datetime. prefetch: how many messages to claim ahead. timeout: seconds without a message after
which iteration ends (None: never).)")
      .def(
          "subscribe",
          [](QueueObject& queue, const py::object& group, const py::object& start,
             const py::kwargs& rest) {
            refuse(rest, "subscribe");
            std::optional<std::string> name;
            if (!group.is_none()) name = name_of(group, "group");
            return queue.subscribe(std::move(name), {.start = start_of(start)});
          },
          py::arg("group") = py::none(), py::kw_only(), py::arg("start") = "latest",
          R"(subscribe(group=None, *, start="latest") -> Consumer

Reads all messages from `start` on: "earliest", "latest", a sequence or a datetime. A named group keeps its
position and has one reader at a time, others stand by; without a name each subscriber gets
everything for as long as it lives (publish/subscribe).)");
}

void define_administration(py::class_<QueueObject>& type) {
  type.def(
          "peek",
          [](QueueObject& queue, const py::object& n, const py::object& seq,
             const py::kwargs& rest) {
            refuse(rest, "peek");
            const std::size_t most = integer_of(n, "n");
            const std::uint64_t from = seq.is_none() ? 0 : integer_of(seq, "seq");
            auto copies = queue.ask([&](const spillring::Queue& q) { return q.peek(most, from); });
            py::list messages;
            for (PeekedMessage& copy : copies) {
              messages.append(std::make_unique<MessageObject>(std::move(copy), queue.name()));
            }
            return messages;
          },
          py::arg("n") = 1, py::kw_only(), py::arg("seq") = py::none(),
          R"(peek(n=1, *, seq=None) -> list[Message]

Copies of up to n messages from sequence `seq` on (None: the oldest that somebody still needs);
nothing changes for anybody.)")
      .def(
          "info",
          [](QueueObject& queue) {
            return to_python(queue.ask([](const spillring::Queue& q) { return q.info(); }));
          },
          "info() -> QueueInfo\n\nThe queue as it is at this moment.")
      .def(
          "groups",
          [](QueueObject& queue) {
            py::list groups;
            for (const GroupInfo& group :
                 queue.ask([](const spillring::Queue& q) { return q.groups(); })) {
              groups.append(to_python(group));
            }
            return groups;
          },
          "groups() -> list[GroupInfo]\n\nThe groups as they are at this moment.")
      .def(
          "remove_group",
          [](QueueObject& queue, const py::object& group) {
            const std::string name = name_of(group, "group");
            queue.ask([&](const spillring::Queue& q) { q.remove_group(name); });
          },
          py::arg("name"),
          "remove_group(name) -> None\n\nRemoves a group and its position. It must have no "
          "members.")
      .def(
          "purge",
          [](QueueObject& queue) {
            return queue.ask([](const spillring::Queue& q) { return q.purge(); });
          },
          R"(purge() -> int

Moves every group to the queue's end. What consumers hold keeps its bytes; its ack() raises Stale.
Returns how many sequences the group furthest behind passed over.)")
      .def("__len__",
           [](QueueObject& queue) {
             return queue.ask([](const spillring::Queue& q) { return q.messages(); });
           })
      .def("__reduce__",
           [](const QueueObject& queue) {
             return py::make_tuple(py::module_::import("spillring._opening").attr("open_queue"),
                                   py::make_tuple(queue.socket(), queue.name()));
           })
      .def("__bool__", [](const QueueObject&) { return true; });  // also where it is empty
}

}  // namespace

void define_queue(py::module_& module) {
  py::class_<QueueObject> type(module, "Queue", py::is_final(),
                               R"(A named queue. Made by Bus.queue().

Threads may share it. It can be pickled, as the supervisor's socket and the name, and in a forked
child it opens itself anew: hand it to processes as an argument. put() and get() go on while no supervisor answers; what asks it raises
Unavailable then. Once another supervisor was reached, by any call of this Bus, all of this is about
the queue of this name there; consumers, messages and loans made before stay with the former.)");
  type.attr("__module__") = "spillring";
  type.def_property_readonly("name", &QueueObject::name, "The queue's name.")
      .def("__repr__", &QueueObject::repr);
  define_sending(type);
  define_receiving(type);
  define_administration(type);
  module.def(
      "_open",
      [](const std::string& socket, const std::string& name) {
        auto connection = Connection::shared(socket);
        const Client client = connection->client();
        auto queue = without_gil([&] { return client.open(name); });
        return std::make_unique<QueueObject>(std::move(connection), std::move(queue));
      },
      "_open(socket, name) -> Queue\n\nA queue that came by pickle.");
}

}  // namespace spillring::python
