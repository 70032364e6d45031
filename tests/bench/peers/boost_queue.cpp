// Boost.Interprocess message_queue.
#include <unistd.h>

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/interprocess/ipc/message_queue.hpp>

#include "channels.hpp"
#include "peer.hpp"

namespace spillring::bench {
namespace {

using Queue = boost::interprocess::message_queue;

/// 20 ms from now; then the harness is asked whether there is more to come.
boost::posix_time::ptime soon() {
  return boost::posix_time::microsec_clock::universal_time() + boost::posix_time::milliseconds(20);
}

class BoostQueue {
 public:
  static constexpr const char* name = "boost_queue";
  static constexpr const char* settings =
      "message_queue of 4096, 256 or 16 messages; try_ calls where it is busy, else timed ones";
  static std::string cannot(const Work& work) {
    if (work.shared) return "it has no acknowledgements";
    if (work.batch > 1) return "it has no batches";
    if (!work.touched) return "it copies";
    return {};
  }

  BoostQueue(const Work& work, const std::filesystem::path&) {
    for (unsigned i = 0; i < channels(work); ++i) {
      names_.push_back("spillring-bench-" + std::to_string(::getpid()) + "-" + std::to_string(i));
      Queue::remove(names_.back().c_str());
      const Queue made(boost::interprocess::create_only, names_.back().c_str(), depth_for(work),
                       work.size);
    }
  }
  BoostQueue(const BoostQueue&) = delete;
  BoostQueue& operator=(const BoostQueue&) = delete;
  ~BoostQueue() {
    for (const std::string& made : names_) Queue::remove(made.c_str());
  }

  class Sender {
   public:
    Sender(const BoostQueue& peer, const Role& role, unsigned channel)
        : queue_(peer.open(channel)),
          polls_(role.work().wait == Wait::busy),
          message_(role.work().size) {}
    template <typename Write>
    bool send(std::size_t, const Write& write) {
      if (!written_) write(message_.data());
      written_ = !(polls_ ? queue_->try_send(message_.data(), message_.size(), 0)
                          : queue_->timed_send(message_.data(), message_.size(), 0, soon()));
      return !written_;
    }
    void flush() {}

   private:
    std::unique_ptr<Queue> queue_;
    bool polls_;
    std::vector<std::byte> message_;
    bool written_ = false;  // and not sent yet
  };
  using Out = Copies<Sender>;

  class In {
   public:
    In(const BoostQueue& peer, const Role& role, unsigned lane)
        : queue_(peer.open(channel_of(role, lane))),
          polls_(role.work().wait == Wait::busy),
          message_(role.work().size) {}
    template <typename Read>
    unsigned receive(const Read& read) {
      std::size_t size = 0;
      unsigned priority = 0;
      if (!(polls_ ? queue_->try_receive(message_.data(), message_.size(), size, priority)
                   : queue_->timed_receive(message_.data(), message_.size(), size, priority,
                                           soon()))) {
        return 0;
      }
      read(message_.data(), size);
      return 1;
    }

   private:
    std::unique_ptr<Queue> queue_;
    bool polls_;
    std::vector<std::byte> message_;
  };

 private:
  [[nodiscard]] std::unique_ptr<Queue> open(unsigned channel) const {
    return std::make_unique<Queue>(boost::interprocess::open_only, names_.at(channel).c_str());
  }
  std::vector<std::string> names_;
};

const Registered<BoostQueue> registered;

}  // namespace
}  // namespace spillring::bench
