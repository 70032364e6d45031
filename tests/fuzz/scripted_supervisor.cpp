#include "scripted_supervisor.hpp"

#include <sys/mman.h>

#include <array>
#include <random>

#include "journal/segment_writer.hpp"
#include "memory_storage.hpp"
#include "os/boot.hpp"
#include "os/socket.hpp"
#include "ring/claim.hpp"
#include "spillring/version.hpp"

namespace spillring::fuzz {
namespace {

constexpr layout::Owner producer{1, 1};
constexpr std::size_t forged_of_groups = 2048;    // cursors of some groups
constexpr std::size_t forged_of_manifest = 1024;  // the header, and entries of some groups
constexpr std::size_t forged_of_journal = layout::first_batch_at + 2048;

}  // namespace

ScriptedSupervisor::Segment::Segment(std::size_t size)
    : writable(os::create_memory("spillring:fuzz", size)),
      read_only(os::reopen_read_only(writable)),
      map(writable, size, os::Rights::read_write),
      right(size) {}

void ScriptedSupervisor::Segment::keep() { std::memcpy(right.data(), map.data(), right.size()); }

void ScriptedSupervisor::Segment::restore() { std::memcpy(map.data(), right.data(), right.size()); }

ScriptedSupervisor::ScriptedSupervisor()
    : service_(os::make_event()),
      journal_(::memfd_create("journal", MFD_CLOEXEC)),
      nothing_(os::reserve_descriptor()),
      listener_(os::listen_at(socket_, 0600)) {
  std::mt19937 random(1);
  pattern_.resize(geometry.arena);
  for (std::byte& byte : pattern_) byte = static_cast<std::byte>(random());
  std::memcpy(ring_.map.data() + geometry.arena_at(), pattern_.data(), geometry.arena);
  pattern_.insert(pattern_.end(), pattern_.begin(), pattern_.end());
  make_queue();
  make_journal();
  thread_ = std::thread([this] { serve(); });
  thread_.detach();
}

void ScriptedSupervisor::publish(std::uint64_t s, std::uint32_t size, std::uint32_t flags,
                                 std::uint32_t metadata) {
  const ring::RingView view(ring_.map.data(), geometry, first_in_ring);
  ring::Room room;
  const std::uint64_t lead = ring::whole_units(metadata);
  const ring::Claim claim = ring::claim(view, producer, lead + ring::whole_units(size), room);
  require(claim.sequence == s, "the queue to begin with has its messages in order");
  layout::Descriptor& descriptor = view.descriptor(s);
  descriptor.start = claim.start + lead;
  descriptor.size = size;
  descriptor.metadata_size = metadata;
  descriptor.flags = flags;
  if ((flags & layout::expires) != 0) descriptor.expiry = {INT64_MAX, os::boot_number(), 1};
  ring::publish(view, s);
}

void ScriptedSupervisor::make_queue() {
  ring::initialise(ring::RingView(ring_.map.data(), geometry, first_in_ring));
  publish(9, 100, 0, 0);
  publish(10, 8, layout::payload_inline, 0);
  publish(11, 300, 0, 64);
  publish(12, 128, layout::batch, 0);
  publish(13, 64, layout::expires, 0);
  publish(14, 1000, 0, 0);
  ring_.keep();
  auto& m = *manifest_.map.as<layout::Manifest>();
  m.magic = layout::manifest_magic;
  m.layout_version = layout_version;
  m.size = sizeof m;
  m.queue_id = queue_id;
  m.boot = os::boot_number();
  m.capacity = geometry.arena;
  m.slots = geometry.slots;
  m.largest_message = geometry.arena / 4;
  m.stall_timeout_ns = 1'000'000'000;
  m.full = 2;
  m.name.set("q");
  m.base.store(layout::no_sequence);
  m.handles_used.store(4);
  m.groups_used.store(2);
  m.journaled.store(first_in_ring);
  m.alert_sequence.store(layout::no_sequence);
  m.alert_position.store(layout::no_sequence);
  m.follow_from.store(layout::no_sequence);
  m.first[0].store(first_in_ring);
  const auto live = [](GroupKind kind) {
    return layout::entry_word(layout::Presence::live, static_cast<std::uint8_t>(kind), 1);
  };
  m.groups[0].word.store(live(GroupKind::shared));
  m.groups[0].window = window;
  m.groups[1].word.store(live(GroupKind::stream));
  manifest_.keep();
  auto& groups = *groups_.map.as<layout::Groups>();
  groups.magic = layout::groups_magic;
  groups.queue_id = queue_id;
  groups.cursors[0].floor.store(5);
  groups.cursors[0].next.store(5);
  groups.cursors[1].floor.store(1);
  for (layout::Hold& hold : groups.holds) {
    hold.sequence.store(layout::no_sequence);
    hold.ahead.store(layout::no_sequence);
  }
  groups_.keep();
  bells_.keep();
  words_.keep();
}

void ScriptedSupervisor::make_journal() {
  MemoryStorage storage;
  journal::SegmentWriter out(storage, {"/journal", queue_id, 8192});
  for (std::uint64_t first = 1; first < first_in_ring; first += 4) {
    journal::Batch batch{.first = first};
    for (std::uint64_t s = first; s < first + 4; ++s) {
      layout::Entry entry{};
      entry.state = static_cast<std::uint64_t>(layout::Published::committed);
      entry.start = batch.data;
      entry.size = 64;
      batch.entries.push_back(entry);
      batch.pieces.push_back(Bytes(pattern_).subspan(64 * s, 64));
      batch.data += 64;
    }
    out.append(batch, false);
  }
  right_journal_ = storage.files.begin()->second;
}

void ScriptedSupervisor::begin(Bytes script) {
  const std::scoped_lock lock(mutex_);
  script_.assign(script.begin(), script.end());
  in_ = Input(script_);
  for (Segment* segment : {&manifest_, &groups_, &bells_, &words_, &ring_}) segment->restore();
  std::vector<std::byte> journal = right_journal_;
  for (int forged = in_.number<std::uint8_t>() % 8; forged != 0; --forged) {
    switch (in_.number<std::uint8_t>() % 6) {
      case 0:
        forge(in_, manifest_.bytes().first(forged_of_manifest));
        break;
      case 1:
        forge(in_, groups_.bytes().first(forged_of_groups));
        break;
      case 2:
        forge(in_, words_.bytes());
        break;
      case 3:
        forge(in_, std::span(journal).first(std::min(journal.size(), forged_of_journal)));
        break;
      default:
        forge(in_, ring_.bytes().first(geometry.arena_at()));
    }
  }
  require(::pwrite(journal_.get(), journal.data(), journal.size(), 0) ==
              static_cast<ssize_t>(journal.size()),
          "there is memory for the journal");
}

void ScriptedSupervisor::serve() {
  for (;;) {
    os::wait_readable(listener_, os::never);
    const os::Fd socket = os::accept_from(listener_);
    for (bool goes_on = static_cast<bool>(socket); goes_on;) {
      layout::Request request{};
      os::Packet packet;
      os::wait_readable(socket, os::never);
      goes_on = os::receive_packet(socket, std::as_writable_bytes(std::span(&request, 1)), packet,
                                   true) == os::Transfer::done &&
                answer(socket, request);
    }
  }
}

/// False: the connection is to be closed.
bool ScriptedSupervisor::answer(const os::Fd& socket, const layout::Request& request) {
  enum How : std::uint8_t { records = 4, descriptors = 8, another = 16, bytes = 32, close = 64 };
  if (static_cast<layout::Ask>(request.ask) == layout::Ask::drop_ring) return true;
  const std::scoped_lock lock(mutex_);
  const auto how = in_.number<std::uint8_t>();
  if ((how & close) != 0) return false;
  Draft draft = right_answer(request);
  if ((how & another) != 0) {  // to something that was not asked
    Draft odd = draft;
    odd.reply.id += in_.number<std::uint8_t>();
    if (!send(socket, std::move(odd))) return false;
  }
  for (int forged = how & 3U; forged != 0; --forged) {
    const std::uint64_t id = draft.reply.id;
    forge(in_, std::as_writable_bytes(std::span(&draft.reply, 1)).first(128));
    draft.reply.id = id;  // else it is waited for until it is too late
  }
  if ((how & records) != 0) draft.records.resize(in_.number<std::uint16_t>() % 3500);
  if (!draft.records.empty() && (how & bytes) != 0) forge(in_, draft.records);
  if ((how & descriptors) != 0) forge_descriptors(draft.descriptors);
  if ((how & bytes) != 0 && (how & descriptors) != 0) {  // no answer at all
    const Bytes any = in_.sized_run();
    return !any.empty() &&
           os::send_packet(socket, any, draft.descriptors, false) == os::Transfer::done;
  }
  return send(socket, std::move(draft));
}

bool ScriptedSupervisor::send(const os::Fd& socket, Draft draft) {
  const auto head = std::as_bytes(std::span(&draft.reply, 1));
  draft.records.insert(draft.records.begin(), head.begin(), head.end());
  return os::send_packet(socket, draft.records, draft.descriptors, false) == os::Transfer::done;
}

/// Fewer, more, others than there should be.
void ScriptedSupervisor::forge_descriptors(std::vector<int>& descriptors) {
  const std::array all{nothing_.get(),         manifest_.read_only.get(),
                       groups_.writable.get(), bells_.writable.get(),
                       words_.writable.get(),  ring_.writable.get(),
                       ring_.read_only.get(),  service_.get(),
                       journal_.get(),         manifest_.writable.get()};
  const auto how = in_.number<std::uint8_t>();
  descriptors.resize(std::min<std::size_t>(how % 9, os::max_descriptors), nothing_.get());
  if (descriptors.empty() || how < 128) return;
  descriptors[in_.number<std::uint8_t>() % descriptors.size()] =
      all[in_.number<std::uint8_t>() % all.size()];
}

ScriptedSupervisor::Draft ScriptedSupervisor::right_answer(const layout::Request& request) const {
  Draft draft;
  draft.reply.magic = layout::control_magic;
  draft.reply.ask = request.ask;
  draft.reply.id = request.id;
  draft.reply.queue = queue_id;
  draft.reply.handle = 1;
  draft.reply.generation = 1;
  const auto add = [&](const auto& record) {
    const auto bytes = std::as_bytes(std::span(&record, 1));
    draft.records.assign(bytes.begin(), bytes.end());
    draft.reply.records = 1;
  };
  const bool writes = request.kind == 0;  // client::Attachment::Kind::producer
  switch (static_cast<layout::Ask>(request.ask)) {
    case layout::Ask::list:
    case layout::Ask::info:
    case layout::Ask::set:
      add(layout::QueueRecord{});
      break;
    case layout::Ask::groups:
      add(layout::GroupRecord{});
      break;
    case layout::Ask::clients:
      add(layout::ClientRecord{});
      break;
    case layout::Ask::produce:
      draft.descriptors = {manifest_.read_only.get(), groups_.read_only.get(),
                           bells_.writable.get(), service_.get()};
      break;
    case layout::Ask::consume:
      draft.reply.group = request.kind;
      draft.reply.window = window;
      draft.descriptors = {manifest_.read_only.get(), groups_.writable.get(), bells_.writable.get(),
                           service_.get(), words_.writable.get()};
      break;
    case layout::Ask::observe:
      draft.reply.number = 1;
      draft.descriptors = {manifest_.read_only.get(), groups_.read_only.get()};
      break;
    case layout::Ask::ring:
      draft.reply.slots = geometry.slots;
      draft.reply.arena = geometry.arena;
      draft.descriptors = {writes ? ring_.writable.get() : ring_.read_only.get()};
      break;
    case layout::Ask::journal:
      draft.reply.number = 1;
      draft.reply.window = first_in_ring;
      draft.descriptors = {journal_.get()};
      break;
    default:
      break;
  }
  return draft;
}

}  // namespace spillring::fuzz
