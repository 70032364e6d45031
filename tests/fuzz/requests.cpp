// Requests as a supervisor gets them: any packets, with any descriptors, from a client that it
// knows nothing of. A second client, an honest one, sees what comes of it.
//
// The supervisor is made anew for each input, and runs in this thread, whenever somebody asks.
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <vector>

#include "control/channel.hpp"
#include "daemon/supervisor.hpp"
#include "os/socket.hpp"
#include "spillring/version.hpp"
#include "target.hpp"
#include "temporary_directory.hpp"

namespace spillring::fuzz {
namespace {

constexpr int most_packets = 24;
constexpr rlim_t largest_file = 4 << 20;  // of shared memory, too
constexpr int last_ask = static_cast<int>(layout::Ask::set);

/// What is the same for all inputs. `/dev/null` is what descriptors are of.
struct Desk {
  Desk() {
    const rlimit limit{largest_file, largest_file};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
  }
  TemporaryDirectory directory;
  std::string socket = directory.path() / "socket";
  os::Fd nothing = os::reserve_descriptor();
};

Desk& desk() {
  static Desk the;
  return the;
}

/// The least number that a descriptor would get: where it rises, one was not closed.
int next_descriptor() { return os::reserve_descriptor().get(); }

class Caller {
 public:
  explicit Caller(daemon::Supervisor& supervisor) : supervisor_(supervisor) { connect(); }

  void connect() { socket_ = os::connect_to(desk().socket); }

  /// Any bytes with so many descriptors; as the kernel lets them through.
  void say(Bytes bytes, unsigned descriptors) {
    std::array<int, 16> numbers{};
    numbers.fill(desk().nothing.get());
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};  // NOLINT: only read
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof numbers)> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (descriptors != 0) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
      cmsghdr* const header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
      std::memcpy(CMSG_DATA(header), numbers.data(), descriptors * sizeof(int));
    }
    ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  /// The next answer; nothing where none comes. `closed()` says whether one can.
  std::optional<control::Answered> answer() {
    for (int turns = 4; turns != 0; --turns) {
      supervisor_.loop().restart();
      supervisor_.loop().poll();
      pollfd ready{socket_.get(), POLLIN, 0};
      if (::poll(&ready, 1, 0) == 0) continue;
      try {
        return control::receive_answer(socket_, os::never);
      } catch (const Error& error) {
        require(error.code() == Code::unavailable, "a supervisor's answers are whole");
        return std::nullopt;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] bool closed() const { return os::hung_up(socket_); }

  std::optional<control::Answered> ask(layout::Request request, unsigned descriptors = 0) {
    request.id = ++last_id_;
    say(std::as_bytes(std::span(&request, 1)), descriptors);
    return answer();
  }
  control::Answered ask_and_get(const layout::Request& request) {
    auto got = ask(request);
    require(got.has_value() && got->reply.code == 0, "an honest client is served");
    return *std::move(got);
  }
  void greet() {
    layout::Request hello = control::request(layout::Ask::hello);
    hello.protocol_version = protocol_version;
    hello.layout_version = layout_version;
    ask_and_get(hello);
  }

 private:
  daemon::Supervisor& supervisor_;
  os::Fd socket_;
  std::uint64_t last_id_ = 0;
};

layout::Request creation(std::string_view name) {
  layout::Request request = control::request(layout::Ask::create);
  request.name.set(name);
  request.capacity = 65536;
  request.slots = 64;
  request.stall_timeout_ns = 1'000'000'000;
  request.mode = 0600;
  request.owner_group = layout::no_group;
  return request;
}

/// What an answer to this request has to be like. Returns whether it says that something failed.
bool require_answer(const layout::Request& request, const control::Answered& answer) {
  const layout::Reply& reply = answer.reply;
  require(reply.magic == layout::control_magic && reply.ask == request.ask, "it is an answer");
  require(reply.code <= static_cast<std::uint8_t>(Code::internal), "its code is known");
  require(answer.records.size() % 8 == 0 && (reply.records == 0) == answer.records.empty(),
          "records are counted");
  if (reply.code == 0) return false;
  const auto code = static_cast<Code>(reply.code);
  require(code != Code::internal, "no request is a bug");
  require(!control::from_text(code, reply.text.view()).summary().empty(), "a refusal says why");
  require(answer.records.empty() && answer.descriptors.empty(), "a refusal hands nothing out");
  return true;
}

class Hearing {
 public:
  explicit Hearing(daemon::Supervisor& supervisor) : honest_(supervisor), any_(supervisor) {
    honest_.greet();
    any_.greet();
  }

  void step(Input& in) {
    const auto what = in.number<std::uint8_t>();
    if (what < 240) return ask(in, what);
    if (what < 248) {
      const unsigned descriptors = in.number<std::uint8_t>() % 17;
      any_.say(in.run(in.number<std::uint16_t>()), descriptors);
      if (const auto got = any_.answer()) return;  // it may have been a request
    }
    any_.connect();
    if (what % 2 == 0) any_.greet();
  }

  /// Whatever was asked before.
  void end() {
    const control::Answered made = honest_.ask_and_get(creation("last.of.all"));
    control::Answered producer =
        honest_.ask_and_get(control::request(layout::Ask::produce, made.reply.queue));
    require(producer.descriptors.size() == 4, "a producer gets its segments");
    layout::Request join = control::request(layout::Ask::consume, made.reply.queue);
    join.name.set("group");
    require(honest_.ask_and_get(join).descriptors.size() == 5, "a consumer gets its segments");
  }

 private:
  /// A request of which as much is right as the input wants: fields are forged one by one.
  void ask(Input& in, std::uint8_t what) {
    layout::Request request = creation(what % 2 == 0 ? "a" : "b");
    request.ask = static_cast<std::uint16_t>(1 + what % last_ask);
    const auto how = in.number<std::uint8_t>();
    if ((how & 1U) == 0) request.queue = queue_;
    if ((how & 2U) == 0) request.handle = handle_;
    if (static_cast<layout::Ask>(request.ask) == layout::Ask::hello) {
      request.protocol_version = protocol_version;
      request.layout_version = layout_version;
    }
    const unsigned descriptors = (how & 4U) == 0 ? 0 : in.number<std::uint8_t>() % 17;
    for (unsigned forged = how >> 4U; forged != 0; --forged) {
      forge(in, std::as_writable_bytes(std::span(&request, 1)));
    }
    request.group_expiry_ns = 0;  // nothing changes by itself
    const std::vector<std::byte> before = all_queues();
    const auto got = any_.ask(request, descriptors);
    if (!got) {
      const bool is_answered = static_cast<layout::Ask>(request.ask) != layout::Ask::drop_ring;
      require(!is_answered || any_.closed(), "what is asked is answered");
      if (any_.closed()) {
        any_.connect();
        any_.greet();
      }
      return;
    }
    if (require_answer(request, *got)) {
      if (!any_.closed()) require(all_queues() == before, "what is refused changes nothing");
      return;
    }
    if (got->reply.queue != 0) queue_ = got->reply.queue;
    if (got->reply.handle != 0) handle_ = got->reply.handle;
  }

  std::vector<std::byte> all_queues() {
    std::vector<std::byte> records;
    layout::Request request = control::request(layout::Ask::list);
    for (;;) {
      const control::Answered got = honest_.ask_and_get(request);
      require(got.has_records<layout::QueueRecord>(), "records are of the size that is asked for");
      records.insert(records.end(), got.records.begin(), got.records.end());
      if (got.reply.number == 0) return records;
      request.name = got.record<layout::QueueRecord>(got.reply.records - 1U).name;
    }
  }

  Caller honest_;
  Caller any_;
  std::uint64_t queue_ = 1;
  std::uint32_t handle_ = 1;
};

}  // namespace

void requests(Bytes input) {
  static_cast<void>(desk());
  const int before = next_descriptor();
  {
    daemon::Supervisor::Options options;
    options.socket = desk().socket;
    daemon::Supervisor supervisor(std::move(options));
    Hearing hearing(supervisor);
    Input in(input);
    for (int packets = most_packets; packets != 0 && !in.done(); --packets) hearing.step(in);
    hearing.end();
  }
  require(next_descriptor() == before, "every descriptor that came, or was made, is closed");
}

}  // namespace spillring::fuzz
