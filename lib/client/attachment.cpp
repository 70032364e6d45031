#include "client/attachment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "os/fork.hpp"
#include "os/socket.hpp"
#include "spillring/version.hpp"
#include "wait/bell.hpp"

namespace spillring::client {

namespace {

// However short the stall timeout: a nap in vain ends with a look at all that a group has not
// finished, or asks the supervisor to look.
constexpr std::uint64_t shortest_nap = 50'000'000;

/// Before anything else in the manifest is believed.
void check(const layout::Manifest& manifest, std::uint64_t queue_id) {
  if (manifest.magic != layout::manifest_magic || manifest.size != sizeof(layout::Manifest) ||
      manifest.queue_id != queue_id) {
    throw Error(Code::corrupt, "the queue's manifest is not what the supervisor announced");
  }
  if (manifest.layout_version != layout_version ||
      (manifest.features_required & ~layout::features_known) != 0) {
    throw Error(Code::version_mismatch, "the queue's memory is of another version",
                fmt::format("this library reads layout {}, the queue has layout {}, features {:#x}",
                            layout_version, manifest.layout_version, manifest.features_required),
                "use the library and the supervisor of one release");
  }
}

}  // namespace

Attachment::Attachment(const QueueRef& queue, Answered& answer, Kind kind)
    : connection_(queue.connection()),
      mappings_(queue.mappings()),
      name_(queue.name()),
      queue_{answer.reply.queue, answer.generation},
      kind_(kind),
      owner_{static_cast<std::uint16_t>(answer.reply.handle), answer.reply.generation},
      fork_generation_(os::fork_generation()) {
  try {
    map(answer);
  } catch (...) {
    detach();  // the supervisor has given the place away already
    throw;
  }
}

void Attachment::map(control::Answered& answer) {
  const std::size_t expected = kind_ == Kind::observer ? 2 : 4;
  if (answer.descriptors.size() < expected) {
    throw Error(Code::busy, "the queue's segments did not arrive",
                "descriptors were lost on the way", "raise the limit of open files (ulimit -n)");
  }
  manifest_map_ = mappings_->map(answer.descriptors[0], os::whole_pages(sizeof(layout::Manifest)),
                                 os::Rights::read);
  manifest_ = manifest_map_->as<const layout::Manifest>();
  check(*manifest_, queue_.id);
  const auto rights = kind_ == Kind::consumer ? os::Rights::read_write : os::Rights::read;
  groups_map_ =
      mappings_->map(answer.descriptors[1], os::whole_pages(sizeof(layout::Groups)), rights);
  groups_ = groups_map_->as<layout::Groups>();
  if (kind_ == Kind::observer) return;
  if (owner_.slot >= layout::max_handles) throw Error(Code::corrupt, "a handle without a place");
  bells_map_ = mappings_->map(answer.descriptors[2], os::whole_pages(sizeof(layout::Bells)),
                              os::Rights::read_write);
  bells_ = bells_map_->as<layout::Bells>();
  service_ = std::move(answer.descriptors[3]);
}

Code Attachment::code_of(layout::Condition condition) noexcept {
  switch (condition) {
    case layout::Condition::ok:
      return Code::ok;
    case layout::Condition::deleted:
      return Code::deleted;
    case layout::Condition::stopped:
      return Code::unavailable;
    default:
      return Code::poisoned;
  }
}

layout::Request Attachment::signed_by_this(layout::Request request) const noexcept {
  request.queue = queue_.id;
  request.handle = owner_.slot;
  return request;
}

Answered Attachment::ask(layout::Request request) const {
  auto answer = connection_->call_over(queue_.generation, signed_by_this(request));
  if (answer) return *std::move(answer);
  throw Error(Code::unavailable, "the supervisor that this handle belongs to is gone",
              "it ended together with its keeper", "make a new handle");
}

bool Attachment::tell(layout::Request request) const noexcept {
  return connection_->tell_over(queue_.generation, signed_by_this(request));
}

os::Instant Attachment::nap_until(os::Instant until) const noexcept {
  // It can be set while the queue is used.
  const auto stall = __atomic_load_n(&manifest_->stall_timeout_ns, __ATOMIC_RELAXED);
  const auto nap = std::clamp<std::uint64_t>(stall, shortest_nap, wait::longest_nap);
  return std::min(until, os::after(os::now(), nap));
}

void Attachment::ask_service() const noexcept { os::signal_event(service_); }

Code Attachment::report_damage() const noexcept {
  if (bells_ != nullptr) {
    bells_->damage.store(1, std::memory_order_seq_cst);
    ask_service();
  }
  return Code::corrupt;
}

Attachment::~Attachment() { detach(); }

void Attachment::detach() noexcept {
  if (kind_ == Kind::observer || forked()) return;
  try {
    connection_->call_over(queue_.generation,
                           signed_by_this(control::request(layout::Ask::detach)));
  } catch (const Error&) {
    // The supervisor is gone, or the queue is: either way the place is not ours any more. Least of
    // all is it a place at the next supervisor.
  }
}

}  // namespace spillring::client
