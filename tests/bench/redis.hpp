// A Redis server of its own for each set of processes, reached by a Unix socket only.
#pragma once

#include <hiredis/hiredis.h>
#include <sched.h>

#include <memory>
#include <thread>

#include "channels.hpp"
#include "peer.hpp"
#include "service.hpp"

namespace spillring::bench {

struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

class RedisConnection {
 public:
  explicit RedisConnection(const std::string& socket)
      : context_(::redisConnectUnix(socket.c_str())) {
    if (context_ == nullptr || context_->err != 0)
      throw std::runtime_error("no connection to Redis");
  }
  RedisConnection(RedisConnection&& other) noexcept
      : context_(std::exchange(other.context_, nullptr)) {}
  RedisConnection& operator=(RedisConnection&&) = delete;
  static bool possible(const std::string& socket) {
    redisContext* context = ::redisConnectUnix(socket.c_str());
    const bool connected = context != nullptr && context->err == 0;
    ::redisFree(context);
    return connected;
  }
  ~RedisConnection() {
    if (context_ != nullptr) ::redisFree(context_);
  }

  /// Sent with what follows; each wants its `reply`.
  template <typename... Arguments>
  void append(const char* format, Arguments... arguments) {
    if (::redisAppendCommand(context_, format, arguments...) != REDIS_OK) fail();
  }
  Reply reply() {
    void* reply = nullptr;
    if (::redisGetReply(context_, &reply) != REDIS_OK) fail();
    Reply got(static_cast<redisReply*>(reply));
    if (got->type == REDIS_REPLY_ERROR) throw std::runtime_error(got->str);
    return got;
  }
  template <typename... Arguments>
  Reply ask(const char* format, Arguments... arguments) {
    append(format, arguments...);
    return reply();
  }

 private:
  [[noreturn]] void fail() const { throw std::runtime_error(context_->errstr); }
  redisContext* context_;
};

class RedisServer {
 public:
  explicit RedisServer(const std::filesystem::path& directory)
      : socket_(directory / "redis"),
        server_({program(directory), "--port", "0", "--unixsocket", socket_, "--save", "",
                 "--appendonly", "no"},
                directory) {
    server_.await(socket_);
    // It is there a little before anybody listens.
    while (!RedisConnection::possible(socket_)) std::this_thread::yield();
  }
  [[nodiscard]] const std::string& socket() const { return socket_; }

 private:
  /// The server is in the package redis-tools, too, by another name, and is what it is called. So
  /// nobody needs to install a service.
  static std::string program(const std::filesystem::path& directory) {
    const std::filesystem::path installed = "/usr/bin/redis-server";
    if (std::filesystem::exists(installed)) return installed;
    const std::filesystem::path tool = "/usr/bin/redis-check-rdb";
    if (!std::filesystem::exists(tool)) throw Unable("there is no redis-server");
    std::filesystem::create_symlink(tool, directory / "redis-server");
    return directory / "redis-server";
  }
  std::string socket_;
  Service server_;
};

/// How many messages travel together.
inline unsigned redis_batch(const Work& work) {
  if (work.kind == Kind::round_trip || work.kind == Kind::attach) return 1;
  return work.size >= 64 << 10 ? 4 : 128;
}

/// Sends one kind of command for each message, so many at a time.
class RedisSender {
 public:
  /// `command`: with %s for the key and %b for the message.
  RedisSender(const std::string& socket, const Role& role, unsigned channel, const char* command)
      : connection_(socket),
        key_("channel" + std::to_string(channel)),
        command_(command),
        batch_(redis_batch(role.work())),
        message_(role.work().size) {}
  template <typename Write>
  bool send(std::size_t size, const Write& write) {
    write(message_.data());
    connection_.append(command_, key_.c_str(), message_.data(), size);
    if (++pending_ == batch_) flush();
    return true;
  }
  void flush() {
    for (; pending_ > 0; --pending_) connection_.reply();
  }

 private:
  RedisConnection connection_;
  std::string key_;
  const char* command_;
  unsigned batch_;
  unsigned pending_ = 0;
  std::vector<std::byte> message_;
};

}  // namespace spillring::bench
