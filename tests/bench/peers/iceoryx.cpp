// iceoryx: loaned chunks, nothing is copied.

#include <fstream>
#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include "channels.hpp"
#include "peer.hpp"
#include "service.hpp"

namespace spillring::bench {
namespace {

constexpr const char* pools = R"([general]
version = 1
[[segment]]
[[segment.mempool]]
size = 128
count = 4000
[[segment.mempool]]
size = 2048
count = 4000
[[segment.mempool]]
size = 66560
count = 400
[[segment.mempool]]
size = 1049600
count = 64
)";

std::filesystem::path configured(const std::filesystem::path& directory) {
  auto path = directory / "roudi.toml";
  std::ofstream(path) << pools;
  return path;
}

iox::capro::ServiceDescription service(unsigned lane) {
  return {"spillring", "bench",
          iox::capro::IdString_t(iox::cxx::TruncateToCapacity, "lane" + std::to_string(lane))};
}

/// Of this process, under a name that is the only one.
void begin_runtime(const std::string& name) {
  iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kOff,
                                                           iox::log::LogLevelOutput::kHideLogLevel);
  iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name));
}

class Iceoryx {
 public:
  static constexpr const char* name = "iceoryx";
  static constexpr const char* settings =
      "WAIT_FOR_CONSUMER and BLOCK_PRODUCER (its defaults drop), queue of 256 (16 of 1 MiB); "
      "polled, where it waits a WaitSet; RouDi with -m off";
  static std::string cannot(const Work& work) {
    if (work.shared) return "it has no groups and no acknowledgements";
    if (work.batch > 1) return "it has no batches";
    return {};
  }

  Iceoryx(const Work&, const std::filesystem::path& directory)
      : name_(directory.filename()),
        roudi_({"iox-roudi", "-c", configured(directory), "-m", "off", "-l", "error"}, directory) {}

  Iceoryx(const Iceoryx&) = delete;
  Iceoryx& operator=(const Iceoryx&) = delete;
  /// What the processes' runtimes leave behind.
  ~Iceoryx() {
    for (std::size_t seat = 0; seat < Window::most_seats; ++seat) {
      std::error_code ignored;
      std::filesystem::remove("/tmp/" + name_of(seat), ignored);
      std::filesystem::remove("/tmp/" + name_of(seat) + ".lock", ignored);
    }
  }

  class Out {
   public:
    Out(const Iceoryx& peer, const Role& role, unsigned lane)
        : publisher_((begin_runtime(peer.name_of(role.seat_number())), service(lane)), options()) {
      // What is published before anybody subscribes is nobody's.
      while (!publisher_.hasSubscribers()) std::this_thread::yield();
    }
    template <typename Write>
    bool send(std::size_t size, const Write& write) {
      auto loan = publisher_.loan(static_cast<std::uint32_t>(size), 64);
      if (loan.has_error()) return false;
      write(static_cast<std::byte*>(loan.value()));
      publisher_.publish(loan.value());
      return true;
    }
    void flush() {}

   private:
    static iox::popo::PublisherOptions options() {
      iox::popo::PublisherOptions options;
      options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
      return options;
    }
    iox::popo::UntypedPublisher publisher_;
  };

  class In {
   public:
    In(const Iceoryx& peer, const Role& role, unsigned lane)
        : subscriber_((begin_runtime(peer.name_of(role.seat_number())), service(lane)),
                      options(role.work())),
          waits_(role.work().wait != Wait::busy) {
      while (role.work().kind != Kind::attach &&
             subscriber_.getSubscriptionState() != iox::SubscribeState::SUBSCRIBED) {
        std::this_thread::yield();
      }
      if (!waits_) return;
      waiting_.emplace();
      static_cast<void>(waiting_->attachState(subscriber_, iox::popo::SubscriberState::HAS_DATA));
    }
    In(const In&) = delete;
    In& operator=(const In&) = delete;
    ~In() {
      if (waits_) waiting_->detachState(subscriber_, iox::popo::SubscriberState::HAS_DATA);
    }
    template <typename Read>
    unsigned receive(const Read& read) {
      auto chunk = subscriber_.take();
      if (chunk.has_error()) {
        if (waits_)
          static_cast<void>(waiting_->timedWait(iox::units::Duration::fromMilliseconds(20)));
        return 0;
      }
      const auto* header = iox::mepoo::ChunkHeader::fromUserPayload(chunk.value());
      read(static_cast<const std::byte*>(chunk.value()), header->userPayloadSize());
      subscriber_.release(chunk.value());
      return 1;
    }

   private:
    static iox::popo::SubscriberOptions options(const Work& work) {
      iox::popo::SubscriberOptions options;
      options.queueCapacity = work.size >= 1 << 20 ? 16 : 256;
      options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
      return options;
    }
    iox::popo::UntypedSubscriber subscriber_;
    bool waits_;
    std::optional<iox::popo::WaitSet<>> waiting_;
  };

 private:
  [[nodiscard]] std::string name_of(std::size_t seat) const {
    return name_ + "-" + std::to_string(seat);
  }
  std::string name_;
  Service roudi_;
};

const Registered<Iceoryx> registered;

}  // namespace
}  // namespace spillring::bench
