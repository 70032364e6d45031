// POSIX message queues.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "channels.hpp"
#include "peer.hpp"

namespace spillring::bench {
namespace {

/// 20 ms from now; then the harness is asked whether there is more to come.
timespec soon() {
  timespec at{};
  ::clock_gettime(CLOCK_REALTIME, &at);
  at.tv_nsec += 20'000'000;
  if (at.tv_nsec >= 1'000'000'000) {
    at.tv_nsec -= 1'000'000'000;
    ++at.tv_sec;
  }
  return at;
}

/// As deep as is permitted.
mqd_t make(const std::string& name, std::size_t size, long depth) {
  for (; depth > 0; depth = depth > 10 ? std::max(depth / 2, 10L) : depth - 1) {
    mq_attr attributes{};
    attributes.mq_maxmsg = depth;
    attributes.mq_msgsize = static_cast<long>(size);
    const mqd_t made =
        ::mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
    if (made >= 0) return made;
  }
  throw Unable(std::string("mq_open: ") + std::strerror(errno) +
               "; fs.mqueue.msgsize_max and RLIMIT_MSGQUEUE bound it");
}

class PosixMq {
 public:
  static constexpr const char* name = "posix_mq";
  static constexpr const char* settings =
      "4096 messages or as many as the system permits (10 where nothing was set); O_NONBLOCK where "
      "it is busy, else mq_timedreceive";
  static constexpr bool sleeps = true;
  static std::string cannot(const Work& work) {
    if (work.shared) return "it has no acknowledgements";
    if (work.batch > 1) return "it has no batches";
    if (!work.touched) return "it copies";
    return {};
  }

  PosixMq(const Work& work, const std::filesystem::path&) {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MSGQUEUE, &all);  // where it is permitted
    for (unsigned i = 0; i < channels(work); ++i) {
      const std::string name_of =
          "/spillring-bench-" + std::to_string(::getpid()) + "-" + std::to_string(i);
      queues_.push_back(make(name_of, work.size, depth_for(work)));
      ::mq_unlink(name_of.c_str());  // the processes inherit it
    }
  }
  PosixMq(const PosixMq&) = delete;
  PosixMq& operator=(const PosixMq&) = delete;
  ~PosixMq() {
    for (const mqd_t queue : queues_) ::mq_close(queue);
  }

  class Sender {
   public:
    Sender(const PosixMq& peer, const Role& role, unsigned channel)
        : queue_(peer.queues_.at(channel)), message_(role.work().size) {}
    template <typename Write>
    bool send(std::size_t, const Write& write) {
      if (!written_) write(message_.data());
      written_ = true;
      const timespec until = soon();
      if (::mq_timedsend(queue_, as_text(message_), message_.size(), 0, &until) != 0) return false;
      written_ = false;
      return true;
    }
    void flush() {}

   private:
    mqd_t queue_;
    std::vector<std::byte> message_;
    bool written_ = false;  // and not sent yet
  };
  using Out = Copies<Sender>;

  class In {
   public:
    In(const PosixMq& peer, const Role& role, unsigned lane)
        : queue_(peer.queues_.at(channel_of(role, lane))), message_(role.work().size) {
      mq_attr flags{};
      flags.mq_flags = role.work().polled() ? O_NONBLOCK : 0;
      // Of the open file, which the senders share: they wait, too, in works that wait.
      ::mq_setattr(queue_, &flags, nullptr);
    }
    template <typename Read>
    unsigned receive(const Read& read) {
      const timespec until = soon();
      const ssize_t size =
          ::mq_timedreceive(queue_, as_text(message_), message_.size(), nullptr, &until);
      if (size < 0) return 0;
      read(message_.data(), static_cast<std::size_t>(size));
      return 1;
    }

   private:
    mqd_t queue_;
    std::vector<std::byte> message_;
  };

 private:
  static char* as_text(std::vector<std::byte>& message) {
    return reinterpret_cast<char*>(message.data());
  }
  std::vector<mqd_t> queues_;
};

const Registered<PosixMq> registered;

}  // namespace
}  // namespace spillring::bench
