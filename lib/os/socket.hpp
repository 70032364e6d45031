// SOCK_SEQPACKET over UNIX sockets: packets with descriptors.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "os/clock.hpp"
#include "os/fd.hpp"

namespace spillring::os {

inline constexpr std::size_t max_descriptors = 8;  // in one packet

/// A listening socket at `path`; a stale one there is replaced, a live one is an error (exists).
/// Non-blocking.
Fd listen_at(const std::string& path, unsigned mode);

/// A connected, blocking socket. Throws `Error` (unavailable, denied).
Fd connect_to(const std::string& path);

/// Takes one waiting connection; empty, with errno set, if there is none or no descriptor for it.
Fd accept_from(const Fd& listener);

/// A descriptor that is good for nothing but to be closed when another is needed. Empty: there is
/// none left.
Fd reserve_descriptor() noexcept;

/// What became of a packet.
enum class Transfer : std::uint8_t { done, would_block, closed, broken };

/// Sends one packet with copies of `descriptors`. Never blocks where `wait` is false. Never
/// SIGPIPE.
Transfer send_packet(const Fd& socket, std::span<const std::byte> bytes,
                     std::span<const int> descriptors, bool wait);

/// A packet as it came.
struct Packet {
  std::size_t size = 0;
  std::vector<Fd> descriptors;
};

/// Receives one packet into `buffer`. `broken`: it was cut off (too long, or descriptors were
/// lost); whatever came with it is closed.
Transfer receive_packet(const Fd& socket, std::span<std::byte> buffer, Packet& packet, bool wait);

/// Looks at the next packet's bytes and leaves it there; its descriptors are not received.
/// `broken`: it is longer than `buffer`.
Transfer peek_packet(const Fd& socket, std::span<std::byte> buffer, std::size_t& size);
/// Throws the next packet away, with its descriptors.
void discard_packet(const Fd& socket) noexcept;

/// Two connected sockets.
std::pair<Fd, Fd> socket_pair();

/// Waits until `socket` can be read; false when `until` has passed.
bool wait_readable(const Fd& socket, Instant until);
/// Waits until `socket` can be written to; false when `until` has passed.
bool wait_writable(const Fd& socket, Instant until);

/// The other side has closed a connected socket, or that cannot be known; whatever is still to be
/// read from it. Does not block, reads nothing.
bool hung_up(const Fd& socket) noexcept;

/// An eventfd: a bell that can be polled.
Fd make_event();
/// Rings it. Never blocks. Async-signal-safe.
void signal_event(const Fd& event) noexcept;
/// Takes the ring back.
void clear_event(const Fd& event) noexcept;

}  // namespace spillring::os
