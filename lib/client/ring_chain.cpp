#include "client/ring_chain.hpp"

#include <algorithm>
#include <array>

namespace spillring::client {

namespace {

bool names(const layout::Manifest& manifest, std::uint64_t name) noexcept {
  return std::any_of(std::begin(manifest.first), std::end(manifest.first), [&](const auto& first) {
    return first.load(std::memory_order_seq_cst) == name;
  });
}

std::array<std::uint64_t, layout::max_rings> read_names(const layout::Manifest& manifest) noexcept {
  std::array<std::uint64_t, layout::max_rings> names{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    // SYNC POINT READ: first[]. seq_cst: also the second look of a claimer that sleeps at a seal.
    names[i] = manifest.first[i].load(std::memory_order_seq_cst);
  }
  return names;
}

}  // namespace

std::uint64_t RingChain::newest_name() const noexcept { return name_for(layout::no_sequence); }

std::uint64_t RingChain::name_for(std::uint64_t s) const noexcept {
  // Read twice alike: a ring may come at a place that was passed while another goes from one that
  // was not, and neither would be seen. Names are never used again.
  std::array<std::uint64_t, layout::max_rings> names = read_names(attachment_->manifest());
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const auto again = read_names(attachment_->manifest());
    if (again == names) break;
    names = again;
  }
  std::uint64_t found = 0;
  for (const std::uint64_t name : names) {
    if (name <= s) found = std::max(found, name);
  }
  return found;
}

bool RingChain::is_condemned(std::uint64_t name) const noexcept {
  if (name == 0) return false;  // a place that is free
  const auto* word = layout::condemned_word(attachment_->manifest(), name);
  return word != nullptr && layout::is_condemned(*word, name);
}

std::uint64_t RingChain::name_behind(std::uint64_t name) const noexcept {
  std::uint64_t found = layout::no_sequence;
  for (const std::uint64_t other : read_names(attachment_->manifest())) {
    if (other > name) found = std::min(found, other);
  }
  return found;
}

Ring* RingChain::at(std::uint64_t name) {
  for (const auto& ring : rings_) {
    if (ring->view.first() == name) return ring.get();
  }
  untold_.reserve(untold_.size() + rings_.size() + 1);
  // From here on it may count as mapped, also where the answer does not come in time.
  std::erase(untold_, name);
  untold_.push_back(name);
  std::shared_ptr<Ring> ring = fetch(name);
  untold_.pop_back();
  Ring* result = ring.get();
  if (newest_mapped_ == 0 && attachment_->kind() != Attachment::Kind::observer &&
      attachment_->manifest().prealloc != 0) {
    ring->map->populate();  // once, and not for who looks at a message or two
  }
  drop_unused();
  const std::scoped_lock lock(mutex_);
  const auto behind = std::find_if(rings_.begin(), rings_.end(),
                                   [&](const auto& other) { return other->view.first() > name; });
  rings_.insert(behind, std::move(ring));
  newest_mapped_ = std::max(newest_mapped_, name);
  return result;
}

std::shared_ptr<Ring> RingChain::mapped_for(std::uint64_t s) const {
  const std::scoped_lock lock(mutex_);
  std::shared_ptr<Ring> found;
  for (const auto& ring : rings_) {
    if (ring->view.first() <= s) found = ring;
  }
  return found;
}

std::shared_ptr<Ring> RingChain::fetch(std::uint64_t name) const {
  layout::Request request = control::request(layout::Ask::ring);
  request.number = name;
  request.kind = static_cast<std::uint16_t>(attachment_->kind());
  const Answered answer = attachment_->ask(request);
  const layout::RingGeometry geometry{answer.reply.slots, answer.reply.arena};
  if (answer.descriptors.empty() || !geometry.valid()) {
    throw Error(Code::corrupt, "a ring did not arrive whole");
  }
  const auto rights =
      attachment_->kind() == Attachment::Kind::producer ? os::Rights::read_write : os::Rights::read;
  auto ring = std::make_shared<Ring>();
  ring->map = attachment_->mappings().map(answer.descriptors.front(), geometry.arena_at(),
                                          geometry.arena, rights);
  ring->view = ring::RingView(ring->map->data(), geometry, name);
  ring->mark = {layout::condemned_word(attachment_->manifest(), name), name};
  if (ring->mark.word == nullptr) throw Error(Code::not_found, "the ring was let go meanwhile");
  return ring;
}

bool RingChain::unmap_unused() noexcept {
  const std::scoped_lock lock(mutex_);
  const auto unmapped = std::erase_if(rings_, [&](const std::shared_ptr<Ring>& ring) {
    if (ring->users != 0 || names(attachment_->manifest(), ring->view.first())) return false;
    untold_.push_back(ring->view.first());  // there is room: see at()
    return true;
  });
  return unmapped != 0;
}

bool RingChain::drop_unused() noexcept {
  const bool unmapped = unmap_unused();
  std::erase_if(untold_, [&](std::uint64_t name) {
    layout::Request request = control::request(layout::Ask::drop_ring);
    request.number = name;
    return attachment_->tell(request);
  });
  return unmapped;
}

}  // namespace spillring::client
