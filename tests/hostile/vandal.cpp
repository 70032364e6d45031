#include "vandal.hpp"

#include <algorithm>

#include "os/socket.hpp"

namespace spillring::hostile {

namespace {

constexpr std::size_t remembered = 256;

layout::Request joining(layout::Role role, std::uint64_t queue) {
  if (role == layout::Role::producer) return control::request(layout::Ask::produce, queue);
  layout::Request request = control::request(layout::Ask::consume, queue);
  request.name.set("attacked");
  return request;
}

}  // namespace

Vandal::Vandal(const std::string& socket, const std::string& queue, layout::Role role,
               unsigned seed)
    : client_(socket), role_(role), random_(seed), manner_(static_cast<Manner>(seed % 3)) {
  attach(queue);
  follow_rings();
}

Vandal::Words Vandal::words_of(const os::Mapping& map, std::size_t bytes) {
  return {map.as<std::uint64_t>(), bytes / sizeof(std::uint64_t)};
}

void Vandal::attach(const std::string& queue) {
  queue_ = client_.open(queue);
  control::Answered answer = client_.ask(joining(role_, queue_));
  handle_ = answer.reply.handle;
  const bool consumes = role_ != layout::Role::producer;
  manifest_map_ = os::Mapping(answer.descriptors.at(0), os::whole_pages(sizeof(layout::Manifest)),
                              os::Rights::read);
  groups_map_ = os::Mapping(answer.descriptors.at(1), os::whole_pages(sizeof(layout::Groups)),
                            consumes ? os::Rights::read_write : os::Rights::read);
  bells_map_ = os::Mapping(answer.descriptors.at(2), os::whole_pages(sizeof(layout::Bells)),
                           os::Rights::read_write);
  service_ = std::move(answer.descriptors.at(3));
  if (!consumes) return;
  const std::size_t bytes = answer.reply.window * sizeof(layout::Word);
  words_map_ =
      os::Mapping(answer.descriptors.at(4), os::whole_pages(bytes), os::Rights::read_write);
  words_ = words_of(words_map_, bytes);
}

/// The newest ring, where it may write to rings.
void Vandal::follow_rings() {
  if (role_ != layout::Role::producer) return;
  std::uint64_t newest = 0;
  for (const auto& name : manifest_map_.as<layout::Manifest>()->first) {
    newest = std::max(newest, name.load(std::memory_order_seq_cst));
  }
  if (newest == ring_name_ || newest == 0) return;
  layout::Request request = control::request(layout::Ask::ring, queue_);
  request.handle = handle_;
  request.number = newest;
  const control::Answered answer = client_.ask(request);
  geometry_ = {answer.reply.slots, answer.reply.arena};
  ring_map_ =
      os::Mapping(answer.descriptors.at(0), geometry_.segment_size(), os::Rights::read_write);
  ring_name_ = newest;
}

/// Mostly the few that are in use.
std::uint64_t* Vandal::place_in_groups() {
  auto& groups = *groups_map_.as<layout::Groups>();
  const auto begin = [](auto& part) { return reinterpret_cast<std::uint64_t*>(&part); };
  switch (manner_ == Manner::contents ? 0 : manner_ == Manner::header ? 1 : any(4)) {
    case 0:
      return words_.begin + any(words_.size);
    case 1:
      return begin(groups.cursors[any(6)]) + any(sizeof(layout::GroupCursor) / 8);
    case 2:
      return begin(groups.holds[any(12)]) + any(2);
    default:
      return begin(groups) + any(sizeof groups / 8);
  }
}

std::uint64_t* Vandal::place_in_ring() {
  const Words ring = words_of(ring_map_, geometry_.segment_size());
  const auto& header = *ring_map_.as<layout::RingHeader>();
  const std::uint64_t near =
      (header.tail.load(std::memory_order_relaxed) + any(32) - 24) & (geometry_.slots - 1);
  std::uint64_t* const descriptor = ring.begin + geometry_.descriptors_at() / 8 + near * 8;
  if (manner_ == Manner::contents) {
    return any(4) == 0
               ? ring.begin + any(ring.size) % (geometry_.arena / 8) + geometry_.arena_at() / 8
               : descriptor + 1 + any(7);
  }
  switch (manner_ == Manner::header ? 0 : any(5)) {
    case 0:
      return ring.begin + any(sizeof(layout::RingHeader) / 8);
    case 1:
      return ring.begin + geometry_.claims_at() / 8 + near * 2 + any(2);
    case 2:
      return descriptor + any(8);
    case 3:
      return ring.begin + any(geometry_.arena_at() / 8);
    default:
      return ring.begin + any(ring.size);
  }
}

std::uint64_t* Vandal::place() {
  if (any(8) == 0) {
    const Words bells = words_of(bells_map_, sizeof(layout::Bells));
    return bells.begin + any(any(2) == 0 ? 34 : bells.size);
  }
  return role_ == layout::Role::producer ? place_in_ring() : place_in_groups();
}

std::uint64_t Vandal::value_for(const std::uint64_t* word) {
  const std::uint64_t now = __atomic_load_n(word, __ATOMIC_RELAXED);
  if (seen_.size() < remembered) {
    seen_.push_back(now);
  } else {
    seen_[any(remembered)] = now;
  }
  switch (any(7)) {
    case 0:
      return 0;
    case 1:
      return UINT64_MAX;
    case 2:
      return random_();
    case 3:
      return now ^ (std::uint64_t{1} << any(64));
    case 4:
      return now + any(5) - 2;
    case 5:
      return (now & 0xFFFFFFFF00000000) | any(UINT32_MAX);
    default:
      return seen_[any(seen_.size())];
  }
}

void Vandal::write(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t* const word = place();
    __atomic_store_n(word, value_for(word), __ATOMIC_RELAXED);
  }
  if (any(4) == 0) os::signal_event(service_);
  follow_rings();
}

}  // namespace spillring::hostile
