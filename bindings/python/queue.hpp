// Python's Queue.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "buffer.hpp"
#include "connection.hpp"
#include "consumer.hpp"
#include "gil.hpp"
#include "loan.hpp"
#include "message.hpp"
#include "spillring/queue.hpp"

namespace spillring::python {

/// A queue as Python sees it. Threads may share it. It makes one producer for all puts, and for
/// gets one member of each group they name, when they are first needed; and again when the queue is
/// another one (spillring::Queue::incarnation).
class QueueObject {
 public:
  QueueObject(std::shared_ptr<Connection> connection, spillring::Queue queue);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string repr() const;

  std::uint64_t put(pybind11::handle data, const MetadataArgument& metadata, Timeout timeout,
                    bool durable);
  /// Sequences of the first and the last, a pair; None where there was nothing to send.
  [[nodiscard]] pybind11::object put_many(pybind11::handle buffers,
                                          const MetadataArgument& metadata, Timeout timeout);
  /// All of them as one message.
  [[nodiscard]] pybind11::object put_atomic(pybind11::handle buffers,
                                            const MetadataArgument& metadata, Timeout timeout);
  /// One that does not wait at all; none where there is no room now.
  [[nodiscard]] std::optional<std::uint64_t> try_put(pybind11::handle data,
                                                     const MetadataArgument& metadata);
  /// Returns when there may be room for a message of that size, or when the time is over.
  void wait_for_room(pybind11::handle data, const MetadataArgument& metadata, Timeout timeout);
  void flush(Timeout timeout);
  [[nodiscard]] std::unique_ptr<LoanObject> loan(std::size_t size, const MetadataArgument& metadata,
                                                 Timeout timeout);
  [[nodiscard]] std::unique_ptr<MessageObject> get(const std::string& group, Timeout timeout,
                                                   bool ack);
  [[nodiscard]] pybind11::list get_many(std::size_t most, const std::string& group,
                                        Timeout timeout);
  /// The descriptor to be polled for get() from that group.
  [[nodiscard]] int fileno(const std::string& group) {
    return python::fileno(*getter(group), name_);
  }
  [[nodiscard]] std::unique_ptr<ConsumerObject> consume(std::string group, ConsumerOptions options,
                                                        Timeout idle);
  [[nodiscard]] std::unique_ptr<ConsumerObject> subscribe(std::optional<std::string> group,
                                                          SubscriberOptions options);

  /// Asks the supervisor through `call(queue)`, without the GIL.
  template <typename Call>
  std::invoke_result_t<Call, const spillring::Queue&> ask(Call call) {
    come_here();
    const spillring::Queue queue = queue_;
    return without_gil([&] { return call(queue); });
  }
  /// What another process needs to open it.
  [[nodiscard]] const std::string& socket() const { return connection_->socket(); }

 private:
  /// In a forked child, opens the queue anew the first time. Throws `closed`.
  void come_here();
  void prepare_to_recover(const std::string& group, const std::shared_ptr<ConsumerHandle>& handle,
                          Code code);
  void look_for_supervisor();

  class Batch;

  /// What puts need.
  struct Sender {
    std::shared_ptr<ProducerHandle> handle;
    std::uint64_t incarnation;  // of the queue that it sends to
    Full full;                  // that queue's policy
    std::uint64_t largest;      // its largest message
    Durability durability;
  };
  struct Getters {
    std::uint64_t incarnation = 0;
    std::map<std::string, std::shared_ptr<ConsumerHandle>, std::less<>> by_group;
  };

  std::uint64_t put(const Sender& sender, std::span<const std::byte> payload,
                    const MetadataArgument& metadata, Timeout timeout);
  /// Waits until what has this number is on the disk.
  void confirm(const Sender& sender, std::uint64_t sequence, const Deadline& deadline) const;
  /// Throws where nothing of the queue is made durable.
  void require_durable(const Sender& sender) const;

  void put(const Sender& sender, const Batch& batch, const MetadataArgument& metadata,
           Timeout timeout, Sent& sent);
  /// Runs `attempt(producer)`, with waits for room for a message of that size. Throws.
  template <typename Attempt>
  std::invoke_result_t<Attempt, Producer&> send(const Sender& sender, std::size_t size,
                                                const MetadataArgument& metadata, Timeout timeout,
                                                Attempt attempt);
  [[nodiscard]] spillring::Loan claim(const Sender& sender, std::size_t size,
                                      const MetadataArgument& metadata, Timeout timeout);
  [[noreturn]] void refuse(DiskAlarm alarm) const;
  [[noreturn]] void refuse(Code code, std::size_t size, std::uint64_t largest) const;
  /// Made once for each incarnation of the queue.
  [[nodiscard]] std::shared_ptr<const Sender> sender();
  [[nodiscard]] std::shared_ptr<ConsumerHandle> getter(const std::string& group);
  [[nodiscard]] std::shared_ptr<ConsumerHandle> share(spillring::Consumer consumer) const;

  std::shared_ptr<Connection> connection_;
  spillring::Queue queue_;
  std::string name_;
  // Guarded by the GIL.
  std::shared_ptr<const Sender> sender_;
  std::vector<std::shared_ptr<const Sender>> unconfirmed_;  // of former incarnations
  Getters getters_;
};

void define_queue(pybind11::module_& module);
/// The methods that send (sending.cpp).
void define_sending(pybind11::class_<QueueObject>& type);

}  // namespace spillring::python
