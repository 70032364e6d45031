#include "keeper_line.hpp"

#include <algorithm>
#include <csignal>
#include <span>

#include "os/clock.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

constexpr os::Instant keeper_takes_within = 1'000'000'000;
constexpr os::Instant pause = 1'000'000;

}  // namespace

layout::KeepingRecord keeping_record(layout::Keeping op, layout::Kept kind, std::uint64_t id,
                                     std::uint64_t number) {
  layout::KeepingRecord record{};
  record.magic = layout::keeping_magic;
  record.op = static_cast<std::uint16_t>(op);
  record.kind = static_cast<std::uint16_t>(kind);
  record.id = id;
  record.number = number;
  return record;
}

KeptPacket* find_kept(std::vector<KeptPacket>& kept, layout::Kept kind) noexcept {
  const auto found = std::find_if(kept.begin(), kept.end(), [kind](const KeptPacket& packet) {
    return static_cast<layout::Kept>(packet.record.kind) == kind;
  });
  return found == kept.end() ? nullptr : &*found;
}

bool send_kept(const os::Fd& line, const layout::KeepingRecord& record,
               std::span<const int> descriptors, os::Instant patience) noexcept try {
  const auto bytes = std::as_bytes(std::span(&record, 1));
  const os::Instant until = os::now() + patience;
  for (;;) {
    const os::Transfer sent = os::send_packet(line, bytes, descriptors, false);
    if (sent != os::Transfer::would_block) return sent == os::Transfer::done;
    if (!os::wait_writable(line, until)) return false;
    os::sleep_until(os::now() + pause);  // it may be memory that is wanting, not room
  }
} catch (const Error&) {
  return false;
}

std::optional<KeptPacket> receive_kept(const os::Fd& line) {
  KeptPacket kept;
  os::Packet packet;
  const auto bytes = std::as_writable_bytes(std::span(&kept.record, 1));
  const os::Transfer got = os::receive_packet(line, bytes, packet, true);
  if (got == os::Transfer::closed) return std::nullopt;
  if (got != os::Transfer::done || packet.size != sizeof kept.record ||
      kept.record.magic != layout::keeping_magic) {
    throw Error(Code::corrupt, "a packet between supervisor and keeper was damaged on the way");
  }
  kept.descriptors = std::move(packet.descriptors);
  return kept;
}

void KeeperLine::keep(const layout::KeepingRecord& record,
                      std::initializer_list<int> descriptors) noexcept {
  if (!line_ || given_up_) return;
  const std::span<const int> fds(descriptors.begin(), descriptors.size());
  if (send_kept(line_, record, fds, keeper_takes_within)) return;
  given_up_ = true;
  os::send_signal(process_, SIGKILL);
}

void KeeperLine::drop(layout::Kept kind, std::uint64_t id, std::uint64_t number) noexcept {
  keep(keeping_record(layout::Keeping::drop, kind, id, number), {});
}

void KeeperLine::say(layout::Keeping op) noexcept {
  keep(keeping_record(op, layout::Kept::process), {});
}

}  // namespace spillring::daemon
