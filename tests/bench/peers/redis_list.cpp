// Redis, a list: RPUSH and BLMPOP. What was popped and not worked on is lost with its consumer.
#include "redis.hpp"

namespace spillring::bench {
namespace {

class RedisList {
 public:
  static constexpr const char* name = "redis_list";
  static constexpr const char* settings =
      "Unix socket, nothing saved; RPUSH 128 at a time, BLMPOP COUNT 128 (no acknowledgement); "
      "busy "
      "round trips by LPOP and sched_yield";
  static constexpr bool sleeps = true;
  static std::string cannot(const Work& work) {
    if (work.batch > 1) return "all its streams are in batches";
    if (!work.touched) return "it copies";
    return {};
  }

  RedisList(const Work& work, const std::filesystem::path& directory)
      : shared_(work.shared), server_(directory) {}

  class Sender : public RedisSender {
   public:
    Sender(const RedisList& peer, const Role& role, unsigned channel)
        : RedisSender(peer.server_.socket(), role, channel, "RPUSH %s %b") {}
  };
  /// One list for a group, and one for each other consumer.
  class Out {
   public:
    Out(const RedisList& peer, const Role& role, unsigned lane) {
      const bool one = role.work().kind == Kind::round_trip || peer.shared_;
      const unsigned count = one ? 1 : channels(role.work());
      for (unsigned i = 0; i < count; ++i) senders_.emplace_back(peer, role, lane + i);
    }
    template <typename Write>
    bool send(std::size_t size, const Write& write) {
      for (Sender& sender : senders_) sender.send(size, write);
      return true;
    }
    void flush() {
      for (Sender& sender : senders_) sender.flush();
    }

   private:
    std::vector<Sender> senders_;
  };

  class In {
   public:
    In(const RedisList& peer, const Role& role, unsigned lane)
        : connection_(peer.server_.socket()),
          key_("channel" + std::to_string(peer.shared_ ? 0 : channel_of(role, lane))),
          polls_(role.work().polled()),
          batch_(redis_batch(role.work())) {}
    template <typename Read>
    unsigned receive(const Read& read) {
      if (polls_) return poll(read);
      const Reply reply = connection_.ask("BLMPOP 0.02 1 %s LEFT COUNT %u", key_.c_str(), batch_);
      if (reply->type != REDIS_REPLY_ARRAY) return 0;
      const redisReply* messages = reply->element[1];
      for (std::size_t i = 0; i < messages->elements; ++i) give(read, messages->element[i]);
      return static_cast<unsigned>(messages->elements);
    }

   private:
    template <typename Read>
    unsigned poll(const Read& read) {
      const Reply reply = connection_.ask("LPOP %s", key_.c_str());
      if (reply->type != REDIS_REPLY_STRING) {
        ::sched_yield();  // to the server
        return 0;
      }
      give(read, reply.get());
      return 1;
    }
    template <typename Read>
    static void give(const Read& read, const redisReply* message) {
      read(reinterpret_cast<const std::byte*>(message->str),
           static_cast<std::size_t>(message->len));
    }
    RedisConnection connection_;
    std::string key_;
    bool polls_;
    unsigned batch_;
  };

 private:
  bool shared_;
  RedisServer server_;
};

const Registered<RedisList> registered;

}  // namespace
}  // namespace spillring::bench
