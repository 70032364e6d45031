#include "regime.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstring>
#include <future>
#include <new>
#include <utility>

#include "os/process.hpp"
#include "os/socket.hpp"

namespace points {

namespace daemon = spillring::daemon;
namespace layout = spillring::layout;
namespace os = spillring::os;

namespace {

daemon::Supervisor::Options settings(const Regime::Options& options) {
  daemon::Supervisor::Options result;
  result.socket = options.socket;
  result.state_dir = options.state_dir;
  result.segment_size = std::uint64_t{64} << 10;
  result.disk_reserve = 0;
  result.without_recovery = options.without_recovery;
  return result;
}

std::size_t size_of(const os::Fd& fd) {
  struct stat status {};
  return ::fstat(fd.get(), &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

bool is_memory(layout::Kept kind) noexcept {
  return kind == layout::Kept::queue || kind == layout::Kept::ring || kind == layout::Kept::words;
}

/// The packets of an image, with memory of their own.
std::vector<daemon::KeptPacket> packets_of(const Image& image) {
  std::vector<daemon::KeptPacket> packets;
  std::size_t at = 0;
  for (const Image::Part& part : image.parts) {
    daemon::KeptPacket packet;
    packet.record = part.record;
    for (const std::size_t size : part.sizes) {
      if (size == 0) {
        packet.descriptors.push_back(os::make_event());
        continue;
      }
      os::Fd memory = os::create_memory("spillring:image", size);
      if (::pwrite(memory.get(), image.bytes.data() + at, size, 0) != static_cast<ssize_t>(size)) {
        throw std::bad_alloc();
      }
      at += size;
      packet.descriptors.push_back(std::move(memory));
    }
    packets.push_back(std::move(packet));
  }
  return packets;
}

}  // namespace

Regime::Regime(const Options& options) : socket_(options.socket) {
  auto [ours, theirs] = os::socket_pair();
  heard_ = std::move(ours);
  daemon::Supervisor::Keeper keeper{
      daemon::KeeperLine(std::move(theirs), os::pidfd_of(::getpid()), ::getpid()), {}};
  supervisor_ = std::make_unique<daemon::Supervisor>(settings(options), std::move(keeper));
  start();
}

Regime::Regime(const Options& options, const Image& image) : socket_(options.socket) {
  supervisor_ = std::make_unique<daemon::Supervisor>(
      settings(options), daemon::Supervisor::Keeper{{}, packets_of(image)});
  start();
}

void Regime::start() {
  thread_ = std::thread([this] { supervisor_->run(); });
}

Regime::~Regime() {
  supervisor_->stop();
  thread_.join();
  supervisor_.reset();
  ::unlink(socket_.c_str());
  ::unlink((socket_ + ".lock").c_str());
}

void Regime::settle() {
  // Twice: what is posted first may come before a descriptor that is ready is looked at.
  for (int round = 0; round < 2; ++round) {
    std::promise<void> done;
    boost::asio::post(supervisor_->loop(), [&done] { done.set_value(); });
    done.get_future().wait();
  }
  hear();
}

Regime::Kept Regime::mapped(daemon::KeptPacket packet) {
  Kept kept{std::move(packet), {}, {}};
  for (const os::Fd& fd : kept.packet.descriptors) {
    kept.sizes.push_back(size_of(fd));
    kept.maps.push_back(kept.sizes.back() == 0
                            ? os::Mapping()
                            : os::Mapping(fd, kept.sizes.back(), os::Rights::read));
  }
  return kept;
}

/// What the supervisor has said to its keeper so far (daemon/keeper.cpp).
void Regime::hear() {
  for (pollfd line{heard_.get(), POLLIN, 0}; ::poll(&line, 1, 0) > 0;) {
    auto packet = daemon::receive_kept(heard_);
    if (!packet) return;
    const auto kind = static_cast<layout::Kept>(packet->record.kind);
    if (!is_memory(kind)) continue;
    const Key key{packet->record.kind, packet->record.id, packet->record.number};
    news_ = true;
    if (static_cast<layout::Keeping>(packet->record.op) == layout::Keeping::keep) {
      kept_.insert_or_assign(key, mapped(*std::move(packet)));
    } else if (kind == layout::Kept::queue) {
      std::erase_if(
          kept_, [&](const auto& entry) { return std::get<1>(entry.first) == std::get<1>(key); });
    } else {
      kept_.erase(key);
    }
  }
}

void Regime::copy(Image& image) {
  news_ = true;
  while (!same_as(image)) {
  }
}

bool Regime::same_as(Image& image) {
  hear();
  bool same = !std::exchange(news_, false);
  if (!same) {
    image = {};
    std::size_t all = 0;
    for (const auto& [key, kept] : kept_) {
      image.parts.push_back({kept.packet.record, kept.sizes});
      for (const std::size_t size : kept.sizes) all += size;
    }
    image.bytes.resize(all);
  }
  std::byte* at = image.bytes.data();
  for (const auto& [key, kept] : kept_) {
    for (std::size_t i = 0; i < kept.sizes.size(); ++i) {
      const std::size_t size = kept.sizes[i];
      if (size == 0) continue;
      if (std::memcmp(at, kept.maps[i].data(), size) != 0) {
        std::memcpy(at, kept.maps[i].data(), size);
        same = false;
      }
      at += size;
    }
  }
  return same;
}

}  // namespace points
