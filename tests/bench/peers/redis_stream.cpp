// Redis, a stream: XADD and XREAD, or XREADGROUP and XACK where consumers share it.
#include "redis.hpp"

namespace spillring::bench {
namespace {

class RedisStream {
 public:
  static constexpr const char* name = "redis_stream";
  static constexpr const char* settings =
      "Unix socket, nothing saved; XADD 128 at a time, XREAD BLOCK COUNT 128; groups by XREADGROUP "
      "and one XACK for all that was read";
  static constexpr bool sleeps = true;
  static std::string cannot(const Work& work) {
    if (work.batch > 1) return "all its streams are in batches";
    if (!work.touched) return "it copies";
    return {};
  }

  RedisStream(const Work& work, const std::filesystem::path& directory) : server_(directory) {
    if (work.shared) {
      RedisConnection(server_.socket()).ask("XGROUP CREATE channel0 group 0 MKSTREAM");
    }
  }

  class Out : public RedisSender {
   public:
    Out(const RedisStream& peer, const Role& role, unsigned lane)
        : RedisSender(peer.server_.socket(), role, lane, "XADD %s * m %b") {}
  };

  class In {
   public:
    In(const RedisStream& peer, const Role& role, unsigned lane)
        : connection_(peer.server_.socket()),
          key_("channel" + std::to_string(lane)),
          name_("consumer" + std::to_string(role.index())),
          shared_(role.work().shared),
          batch_(redis_batch(role.work())) {}
    template <typename Read>
    unsigned receive(const Read& read) {
      const Reply reply = shared_ ? claim() : look();
      if (reply->type != REDIS_REPLY_ARRAY) return 0;
      const redisReply* messages = reply->element[0]->element[1];
      for (std::size_t i = 0; i < messages->elements; ++i) {
        const redisReply* message = messages->element[i]->element[1]->element[1];
        read(reinterpret_cast<const std::byte*>(message->str),
             static_cast<std::size_t>(message->len));
      }
      last_ = messages->element[messages->elements - 1]->element[0]->str;
      if (shared_) acknowledge(*messages);
      return static_cast<unsigned>(messages->elements);
    }

   private:
    Reply look() {
      return connection_.ask("XREAD COUNT %u BLOCK 20 STREAMS %s %s", batch_, key_.c_str(),
                             last_.c_str());
    }
    Reply claim() {
      return connection_.ask("XREADGROUP GROUP group %s COUNT %u BLOCK 20 STREAMS %s >",
                             name_.c_str(), batch_, key_.c_str());
    }
    void acknowledge(const redisReply& messages) {
      std::string command = "XACK " + key_ + " group";
      for (std::size_t i = 0; i < messages.elements; ++i) {
        command += ' ';
        command += messages.element[i]->element[0]->str;
      }
      connection_.ask(command.c_str());
    }
    RedisConnection connection_;
    std::string key_, name_;
    bool shared_;
    unsigned batch_;
    std::string last_ = "0";
  };

 private:
  RedisServer server_;
};

const Registered<RedisStream> registered;

}  // namespace
}  // namespace spillring::bench
