// Answers as a client gets them, with any descriptors, and the memory that it is handed: what it
// takes for a queue it reads within bounds, whatever is in it.
//
//   input := count:u8 operation[count] script
#include <algorithm>
#include <vector>

#include "scripted_supervisor.hpp"
#include "spillring/spillring.hpp"
#include "target.hpp"

namespace spillring::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_operations = 6;
constexpr int most_messages = 20;

ScriptedSupervisor& supervisor() {
  static auto* const the = new ScriptedSupervisor;
  return *the;
}

/// Payloads are parts of one pattern, wherever they lie, so what does not is no payload. Small ones
/// may lie in a descriptor, which others write.
void require_payload(Bytes payload) {
  if (payload.size() <= layout::inline_size) return touch(payload);
  const std::vector<std::byte>& pattern = supervisor().pattern();
  const auto found = std::search(pattern.begin(), pattern.end(), payload.begin(), payload.end());
  require(found != pattern.end(), "what is received was sent");
}

class Visit {
 public:
  Visit() : client_({.socket = supervisor().socket(), .autostart = false, .timeout = 20ms}) {}

  void step(std::uint8_t what) {
    switch (what % 9) {
      case 0:
        for (const QueueInfo& info : client_.list()) require_text(info.name);
        return;
      case 1:
        return require_text(queue().info().name);
      case 2:
        for (const GroupInfo& info : queue().groups()) require_text(info.name);
        return;
      case 3:
        for (const ClientInfo& info : queue().clients()) require_text(info.group);
        return;
      case 4:
        return peek(what / 9U);
      case 5:
        return receive(queue().consumer("g", {.prefetch = 1U + what / 64U}));
      case 6:
        return receive(queue().subscriber("s"));
      case 7:
        return send();
      default:
        static_cast<void>(queue().purge());
        return queue().remove_group("g");
    }
  }

 private:
  [[nodiscard]] Queue queue() const { return client_.open("q"); }

  static void require_text(const std::string& text) {
    require(text.size() <= max_name, "a name ends where its place does");
  }

  void peek(std::uint64_t from) {
    for (const PeekedMessage& message : queue().peek(most_messages, from)) {
      if (!has_sent_) require_payload(message.payload);
      for (const Bytes part : message.parts()) touch(part);
    }
  }

  void receive(Consumer consumer) {
    std::vector<Message> held;
    for (int count = 0; count < most_messages; ++count) {
      Result<Message> message = consumer.try_receive();
      if (!message) break;
      if (!has_sent_) require_payload(message->bytes());
      for (const Bytes part : message->parts()) {
        require(is_within(part, message->bytes()), "a part lies in its message");
        touch(part);
      }
      if (const auto key = message->key()) touch(*key);
      for (const Header& header : message->headers()) touch(header.value);
      if (count % 3 == 0) static_cast<void>(message->ack());
      if (count % 3 == 1) static_cast<void>(message->nack());
      if (*message) held.push_back(*std::move(message));
    }
    static_cast<void>(consumer.lag());
  }

  void send() {
    has_sent_ = true;
    Producer producer = queue().producer();
    const std::vector<std::byte> bytes(500);
    for (const std::size_t size : {0UL, 20UL, 500UL, 100UL}) {
      static_cast<void>(producer.try_send(Bytes(bytes).first(size)));
    }
    Result<Loan> loan = producer.loan(300, no_wait);
    if (!loan) return;
    std::ranges::fill(loan->bytes(), std::byte{1});
    static_cast<void>(loan->publish());
  }

  Client client_;
  bool has_sent_ = false;  // and so written over the pattern
};

}  // namespace

void answers(Bytes input) {
  Input in(input);
  const Bytes operations = in.run(in.number<std::uint8_t>() % (most_operations + 1));
  supervisor().begin(in.rest());
  try {
    Visit visit;
    for (const std::byte operation : operations) {
      try {
        visit.step(std::to_integer<std::uint8_t>(operation));
      } catch (const Error& error) {
        require(error.code() != Code::ok && error.code() != Code::internal,
                "a failure has a cause");
      }
    }
  } catch (const Error& error) {
    require(error.code() != Code::ok, "a failure has a cause");
  }
}

}  // namespace spillring::fuzz
