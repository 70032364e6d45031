#include "control/channel.hpp"

#include <fmt/format.h>

#include <utility>

namespace spillring::control {

std::string to_text(const Error& error) {
  return fmt::format("{}\n{}\n{}\n", error.summary(), error.why(), error.hint());
}

Error from_text(Code code, std::string_view text) {
  std::array<std::string, 3> lines;
  for (std::string& line : lines) {
    const std::size_t end = text.find('\n');
    line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return {code, lines[0], lines[1], lines[2]};
}

layout::Request request(layout::Ask ask, std::uint64_t queue) {
  layout::Request result{};
  result.magic = layout::control_magic;
  result.ask = static_cast<std::uint16_t>(ask);
  result.queue = queue;
  return result;
}

os::Transfer send(const os::Fd& socket, const layout::Request& request, bool wait) {
  return os::send_packet(socket, std::as_bytes(std::span(&request, 1)), {}, wait);
}

os::Transfer peek(const os::Fd& socket, layout::Request& request) {
  std::size_t size = 0;
  const os::Transfer result =
      os::peek_packet(socket, std::as_writable_bytes(std::span(&request, 1)), size);
  if (result != os::Transfer::done) return result;
  // Nobody has to send descriptors: those that came are closed when the packet is discarded.
  const bool whole = size == sizeof request && request.magic == layout::control_magic;
  return whole ? os::Transfer::done : os::Transfer::broken;
}

Answer::Answer(const layout::Request& request) {
  reply.magic = layout::control_magic;
  reply.ask = request.ask;
  reply.id = request.id;
  reply.queue = request.queue;
}

Answer::Answer(const layout::Request& request, const Error& error) : Answer(request) {
  reply.code = static_cast<std::uint8_t>(error.code());
  reply.text.set(to_text(error));
}

os::Transfer Answer::send(const os::Fd& socket) const {
  const auto head = std::as_bytes(std::span(&reply, 1));
  std::vector<std::byte> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), records_.begin(), records_.end());
  return os::send_packet(socket, bytes, descriptors_, false);
}

Answered receive_answer(const os::Fd& socket, os::Instant until) {
  std::array<std::byte, layout::max_packet> buffer{};
  os::Packet packet;
  os::Transfer result = os::Transfer::would_block;
  while (result == os::Transfer::would_block) {  // want of memory passes
    if (!os::wait_readable(socket, until)) {
      throw Error(Code::timeout, "the supervisor does not answer",
                  "it may be stopped or overloaded", "try again, or allow a longer timeout");
    }
    result = os::receive_packet(socket, buffer, packet, true);
  }
  if (result == os::Transfer::closed) {
    throw Error(Code::unavailable, "the supervisor has gone",
                "it closed the connection before it answered",
                "data goes on without it; start it again to create, attach or inspect");
  }
  Answered answer;
  if (packet.size < sizeof answer.reply) {
    throw Error(Code::corrupt, "the supervisor's answer is cut off");
  }
  // Cut off with descriptors lost: whoever needs them finds them missing and gives the handle back.
  std::memcpy(&answer.reply, buffer.data(), sizeof answer.reply);
  if (answer.reply.magic != layout::control_magic) {
    throw Error(Code::version_mismatch, "what listens there is not a spillring supervisor");
  }
  answer.records.assign(buffer.begin() + sizeof answer.reply,
                        buffer.begin() + static_cast<std::ptrdiff_t>(packet.size));
  answer.descriptors = std::move(packet.descriptors);
  return answer;
}

}  // namespace spillring::control
