// A queue as the supervisor holds it: its segments, who takes part, and their repair.
//
// Every duty is a scan of shared words followed by monotone compare-and-swaps, so it can be cut
// short and done again. What clients wrote is hostile input: scans are bounded, values clamped.
#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "access.hpp"
#include "accounts.hpp"
#include "control/channel.hpp"
#include "group/shared_group.hpp"
#include "group/stream_group.hpp"
#include "journal.hpp"
#include "journal/block.hpp"
#include "journal/segment_reader.hpp"
#include "keeper_line.hpp"
#include "layout/bells.hpp"
#include "layout/control.hpp"
#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "queue_memory.hpp"
#include "ring/reclaim.hpp"
#include "ring_segment.hpp"
#include "ring_to_journal.hpp"
#include "segment.hpp"
#include "spillring/disk_alarm.hpp"
#include "state.hpp"

namespace spillring::daemon {

/// Who asks, and whether a supervisor that has died may have done it already.
struct Requester {
  const os::Peer& who;
  std::uint64_t session = 0;
  std::uint64_t request = 0;
  bool repeated = false;
};

/// A queue as its keeper kept it.
struct KeptQueue {
  KeptPacket queue;
  std::vector<KeptPacket> rings;
  std::vector<KeptPacket> words;
};

class Queue {
 public:
  /// Makes the queue's segments. Throws `Error` (invalid: options; no_memory).
  Queue(std::uint64_t id, std::string name, const layout::Request& options, const Requester& maker,
        KeeperLine& keeper, Accounts& accounts, State* state);
  /// Goes on with one that was kept, and finishes what was cut short (adoption.cpp). Throws
  /// `Error`.
  Queue(KeptQueue kept, KeeperLine& keeper, Accounts& accounts, State* state);
  /// Restores one from the state directory (saving.cpp). Throws `Error`.
  Queue(const SavedQueue& saved, KeeperLine& keeper, Accounts& accounts, State& state);
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() = default;

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const Access& access() const noexcept { return access_; }
  /// Rung by clients who want service().
  [[nodiscard]] const os::Fd& service_event() const noexcept { return service_; }
  /// Inodes of everything that clients map writable or not.
  [[nodiscard]] std::set<std::uint64_t> inodes() const;
  /// Gives everything to a new keeper.
  void deposit() const;
  /// True for what this request has made.
  [[nodiscard]] bool made_by(const Requester& maker) const noexcept;
  /// The handles there are: slot and session.
  [[nodiscard]] std::vector<std::pair<std::uint32_t, std::uint64_t>> handles() const;
  [[nodiscard]] bool deleted() const noexcept;
  [[nodiscard]] bool is_durable() const noexcept;
  /// Taken from its clients, to be saved.
  [[nodiscard]] bool stopped() const noexcept;

  // -- requests; each fills an answer, or throws `Error`
  /// Returns the handle's slot: a new one, or that which the same request has made before. `busy`:
  /// the queue is another producer's.
  std::uint32_t produce(const Requester& requester, control::Answer& answer);
  std::uint32_t consume(const Requester& requester, const layout::Request& request,
                        control::Answer& answer);
  /// The handle that this request has made.
  [[nodiscard]] std::optional<std::uint32_t> find_handle(const Requester& maker) const noexcept;
  /// Whose handle is in the way of another producer: its session. nullopt: nobody's.
  [[nodiscard]] std::optional<std::uint64_t> exclusive_session() const noexcept;
  void observe(control::Answer& answer) const;
  void ring(const layout::Request& request, control::Answer& answer);
  /// True if it was one that stands against another.
  bool drop_ring(std::uint32_t slot, std::uint64_t first);
  void journal(const layout::Request& request, control::Answer& answer) const;
  /// Up to where a purge goes now, and how many sequences the group furthest behind passes over.
  struct Purge {
    std::uint64_t to = 0;
    std::uint64_t count = 0;
  };
  [[nodiscard]] Purge plan_purge() const noexcept;
  void purge(std::uint64_t to);
  /// `force`: though it has members, which are told.
  void remove_group(std::string_view name, bool force);
  /// Moves a group that has no members.
  void seek(const layout::Request& request);
  /// Changes what can be changed while it is in use.
  void set(const layout::Request& request);
  [[nodiscard]] layout::QueueRecord record() const;
  void groups(const layout::Request& request, control::Answer& answer) const;
  void clients(const layout::Request& request, control::Answer& answer) const;

  /// The handle is no more, its process dead or done with it: repairs what it left and frees the
  /// slot.
  void retire(std::uint32_t slot);
  /// What the catalogue says of it while it runs.
  [[nodiscard]] SavedQueue definition() const;
  /// Takes the queue from its clients and brings all of its messages to the disk; returns the next
  /// sequence. Throws `Error`; may be tried again. REQUIRES: a state directory; nothing on its way
  /// to the journal.
  std::uint64_t bring_to_disk();
  /// What the catalogue says of it then. REQUIRES: all queues were brought to the disk, this one up
  /// to `next`.
  [[nodiscard]] SavedQueue save(std::uint64_t next);
  /// A damaged one is not worth it; one that was taken from its clients before is saved again.
  [[nodiscard]] bool can_be_saved() const noexcept;
  [[nodiscard]] bool is_writing() const noexcept { return journal_ != nullptr && journal_->busy(); }
  /// The queue goes for ever: what is on the disk goes too.
  void remove_journal() noexcept {
    if (journal_ != nullptr) journal_->remove();
  }
  /// Everyone is told.
  void set_condition(layout::Condition condition) const noexcept;

  /// Looks at everything that may need the supervisor: rings to let go, growth, stalls, pins,
  /// leases. Returns when to look again, os::never if nothing is pending.
  os::Instant service(os::Instant now);
  /// Called when something has been written: service() is to look again.
  void on_written(std::function<void()> look) { on_written_ = std::move(look); }

  // -- dead letters (dead_letters.cpp)
  /// Where other queues are found; nullptr: there is none.
  struct Others {
    std::function<Queue*(std::string_view)> by_name;
    std::function<Queue*(std::uint64_t)> by_id;
  };
  void know_others(Others others) { others_ = std::move(others); }
  /// Throws `Error` (invalid): a queue with these options cannot send its dead letters here.
  void require_fit_for_dead_letters(const layout::Request& source) const;
  /// Finishes what has arrived. Before abort_own_claims() of any queue, after the death of a
  /// supervisor; any number of times.
  void settle_hand_overs() noexcept;
  /// What a supervisor that is dead has claimed in the rings.
  void abort_own_claims() noexcept;

 private:
  struct Aside {
    std::uint64_t word = 0;
    os::Instant due = 0;
  };
  /// Of a group: how many messages it was told to have missed, what is dropped, how far it is.
  struct Account {
    std::uint64_t said = 0;
    ring::Dropped dropped;
    group::Passage at;
  };
  struct Group {
    std::string name;
    GroupKind kind = GroupKind::shared;
    std::uint32_t members = 0;
    Segment words;
    group::SharedGroup shared;
    group::StreamGroup stream;
    std::map<std::uint64_t, std::pair<std::uint64_t, os::Instant>> leases;  // seq: word, since
    std::uint64_t finished = 0;            // it was seen to have come so far
    std::uint64_t remembered = 0;          // its floor, as the catalogue knows it
    std::uint64_t unused_remembered = 0;   // likewise
    std::map<std::uint64_t, Aside> aside;  // by sequence
    os::Instant looked_at = 0;             // at what was set aside; 0: not yet
    os::Instant look_at = 0;
    // A stream was purged so far, or may have been by the last supervisor, and what its reader said
    // at that moment is to be looked at; 0: no.
    std::uint64_t purged_to = 0;
    os::Instant check_from = 0;
    Account checked;  // as it was found right
  };
  struct Handle {
    layout::Role role = layout::Role::producer;
    std::uint16_t group = 0;
    std::set<std::uint64_t> rings;  // handed out and not dropped
  };

  [[nodiscard]] layout::Manifest& manifest() const noexcept { return memory_->words(); }
  [[nodiscard]] layout::Groups& cursors() const noexcept { return memory_->cursors(); }
  [[nodiscard]] layout::Bells& bells() const noexcept { return memory_->bell_words(); }
  [[nodiscard]] RingSegment& newest() const noexcept { return *rings_.back(); }
  void ring_bells() const noexcept { memory_->ring_bells(); }
  [[nodiscard]] layout::ClientRecord record_of(std::uint32_t slot) const;
  void add_disk(layout::QueueRecord& record) const noexcept;
  [[nodiscard]] std::uint64_t sent_at(std::uint64_t s) const noexcept;

  // -- handles
  std::uint32_t add_handle(const Requester& requester, layout::Role role, std::uint16_t group);
  [[nodiscard]] const layout::HandleEntry* exclusive_producer() const noexcept;
  [[nodiscard]] layout::Owner owner_of(std::uint32_t slot) const noexcept;
  void hand_out(std::uint32_t slot, control::Answer& answer) const;

  // -- saving (saving.cpp)
  /// Returns the first number that no message has; 0: nobody knows.
  std::uint64_t take_from_clients() noexcept;
  std::uint64_t end_rings() noexcept;
  [[nodiscard]] SavedGroup saved(std::uint16_t slot, std::uint64_t end) const;
  [[nodiscard]] SavedGroup position_of(std::uint16_t slot) const;
  void restore(const SavedGroup& saved, std::uint64_t first, std::uint64_t next, bool complete);
  /// Now and then, so that after the death of everything little comes twice.
  os::Instant remember_groups(os::Instant now) noexcept;
  // False: the catalogue cannot be written, and the log says so, once.
  bool remember_all_groups() noexcept;
  bool remember_group(std::uint16_t slot) noexcept;
  /// How far the journal goes, so that what is damaged at its end is missed.
  bool remember_journaled() noexcept;
  void say_not_remembered(const std::string& why) noexcept;
  void say_remembered() noexcept;
  [[nodiscard]] std::uint64_t needed_of(const SavedQueue& saved, std::uint64_t end) const noexcept;
  void adopt_journal(std::uint64_t next, std::uint64_t needed);
  void say_lost(std::uint64_t from, std::uint64_t until) const;
  void forget_group(const Group& group) const noexcept;
  void sync_groups() const noexcept;

  // -- groups (groups.cpp)
  Group& make_group(std::uint16_t slot, std::string_view name, GroupKind kind);
  [[nodiscard]] std::optional<std::uint16_t> find_group(std::string_view name) const noexcept;
  std::uint16_t join_group(std::string_view name, GroupKind kind, Start start);
  std::uint16_t enter_group(std::string_view name, GroupKind kind, Start start);
  [[nodiscard]] static Start start_of(const layout::Request& request);
  [[nodiscard]] std::uint16_t unused_group(std::string_view name) const;
  [[nodiscard]] std::uint64_t begin_of(Start start, std::uint64_t least) const noexcept;
  void free_group(std::uint16_t slot) noexcept;
  void free_group_entry(std::uint16_t slot) noexcept;
  void keep_place(std::uint16_t slot, std::unique_ptr<Group> place) noexcept;
  void remove_with_members(std::uint16_t slot, std::unique_ptr<Group> place) noexcept;
  [[nodiscard]] bool is_removed(std::uint16_t slot) const noexcept;
  void pass(std::uint64_t to) noexcept;
  [[nodiscard]] std::uint16_t named_group(std::string_view name) const;
  [[nodiscard]] bool is_last_named(std::uint16_t slot) const noexcept;

  // -- groups that nobody uses (group_expiry.cpp)
  void count_unused(std::uint16_t slot) noexcept;
  [[nodiscard]] std::uint64_t unused_for(std::uint16_t slot, os::Instant now) const noexcept;
  [[nodiscard]] os::Instant expires_at(std::uint16_t slot) const noexcept;
  [[nodiscard]] bool has_letters(const Group& group) const noexcept;
  /// Removes those whose time is over; returns when that of the next one is.
  os::Instant consider_expiry(os::Instant now) noexcept;
  os::Instant note_unused(std::uint16_t slot, os::Instant now) noexcept;
  [[nodiscard]] bool is_over(std::uint16_t group) const noexcept;
  [[nodiscard]] bool has_named_group() const noexcept;
  void drop_base() noexcept;
  void keep_base() noexcept;
  [[nodiscard]] std::uint64_t tail() const noexcept;

  // -- how far groups have come (floors.cpp)
  [[nodiscard]] std::uint64_t believed(std::uint16_t slot, std::uint64_t floor,
                                       std::uint64_t end) const noexcept;
  [[nodiscard]] std::uint64_t floor_of(std::uint16_t slot) const noexcept;
  /// The first number that may be there at all.
  [[nodiscard]] std::uint64_t oldest() const noexcept;
  /// The first number that a group may still need; `except`: one that does not count. no_sequence:
  /// nobody needs anything.
  [[nodiscard]] std::uint64_t needed(std::uint32_t except = ring::no_group) const noexcept;
  /// The same if the base were this.
  [[nodiscard]] std::uint64_t needed_with(std::uint64_t base, std::uint32_t except) const noexcept;
  /// No ring has to keep what is below (ring/reclaim.hpp).
  [[nodiscard]] std::uint64_t free_until() const noexcept;

  // -- after the death of a supervisor (adoption.cpp)
  void adopt_rings(KeptQueue& kept);
  void adopt_groups(std::vector<KeptPacket>& words);
  void adopt_handles();
  void finish_what_was_cut_short();
  void deposit_ring(const RingSegment& ring) const noexcept;
  void deposit_words(std::uint16_t slot) const noexcept;

  // -- dead letters (dead_letters.cpp)
  struct Letter;
  os::Instant consider_set_aside(os::Instant now);
  os::Instant consider_set_aside(std::uint16_t slot, os::Instant now);
  [[nodiscard]] os::Instant due_of(const Group& group, std::uint64_t s, std::uint64_t word,
                                   os::Instant now) const noexcept;
  /// Return when to try again, or to look what has become of it; nullopt: it is done with.
  std::optional<os::Instant> bury(std::uint16_t slot, std::uint64_t s, std::uint64_t word,
                                  os::Instant now);
  std::optional<os::Instant> hand_over(std::uint16_t slot, std::uint64_t s, std::uint64_t word,
                                       os::Instant now);
  [[nodiscard]] std::vector<std::byte> metadata_of_copy(const Letter& letter, const Group& group,
                                                        std::uint64_t s, std::uint64_t word) const;
  [[nodiscard]] bool any_hand_over() const noexcept;
  void settle(layout::HandOver& letter) noexcept;
  [[nodiscard]] bool has_arrived(std::uint64_t s) const noexcept;
  [[nodiscard]] bool is_on_its_way(std::uint16_t slot, std::uint64_t s) const noexcept;
  /// A message that is dropped is counted as that, whatever was to become of it.
  [[nodiscard]] bool is_dropped(std::uint16_t slot, std::uint64_t s) const noexcept;
  void finish_doomed(std::uint16_t slot, std::uint64_t s, std::uint64_t word,
                     os::Atomic<std::uint64_t>& count) noexcept;
  [[nodiscard]] layout::HandOver* free_hand_over() const noexcept;
  void forget_hand_overs_of(std::uint16_t group) noexcept;
  [[nodiscard]] Letter letter(std::uint64_t s);
  [[nodiscard]] Letter letter_from_journal(std::uint64_t s);
  [[nodiscard]] Letter letter_from_condemned(std::uint64_t s);
  [[nodiscard]] std::shared_ptr<journal::Block> letters_with(std::uint64_t s);
  [[nodiscard]] Queue& dead_letter_queue();
  void say_undeliverable(const std::string& why);
  [[nodiscard]] std::uint64_t doomed() const noexcept;
  [[nodiscard]] bool was_seen(std::uint64_t s, std::uint64_t word) const noexcept;
  /// As a producer: publishes a message whose payload `fill` writes; it is called with the number,
  /// and is the last step before. Where it says no, nothing is published. False: nor is there room.
  bool publish(std::uint64_t size, const std::vector<std::byte>& metadata, std::uint32_t flags,
               const std::function<bool(std::byte*, std::uint64_t)>& fill);

  // -- dropping the oldest (dropping.cpp)
  [[nodiscard]] bool drops_oldest() const noexcept { return layout::drops_oldest(manifest()); }
  [[nodiscard]] group::SharedGroup::Counts counts() const noexcept;
  /// The messages that were ever published below `s`. nullopt: `s` is dropped meanwhile, or nobody
  /// can know, as the `gone` of a ring never rests.
  [[nodiscard]] std::optional<std::uint64_t> messages_below(std::uint64_t s) const noexcept;
  [[nodiscard]] std::uint64_t skipped_in_journal(std::uint64_t s, std::uint64_t end) const noexcept;
  /// A number, and the messages that were ever published below it.
  struct Count {
    std::uint64_t sequence = 0;
    std::uint64_t messages = 0;
  };
  /// Of `s`, or of what is dropped where that is behind it.
  [[nodiscard]] std::optional<Count> count_from(std::uint64_t s) const noexcept;
  [[nodiscard]] ring::Dropped dropped() const noexcept;
  [[nodiscard]] std::uint64_t dropped_by_base() const noexcept;
  /// The first number that is not published or given up.
  [[nodiscard]] std::uint64_t settled_until() const noexcept;
  [[nodiscard]] bool is_out_of_room() const noexcept;
  void consider_dropping(os::Instant now) noexcept;
  void carry_skipped(std::size_t ring) noexcept;
  [[nodiscard]] Account account_of(std::uint16_t slot) const noexcept;
  void recount(std::uint16_t slot) const noexcept;
  [[nodiscard]] bool unsettle_what_was_said(std::uint16_t slot) noexcept;
  os::Instant check_purged(os::Instant now) noexcept;
  std::uint64_t begin_count(std::uint16_t slot, std::uint64_t begin, bool inherits) noexcept;
  void purge_counting(std::uint64_t to) noexcept;
  bool purge_group(std::uint16_t slot, Count to) noexcept;
  void purge_base(Count to) noexcept;
  void set_base(std::uint64_t base) noexcept;
  void put_base(std::uint64_t base, std::uint64_t settled) noexcept;

  // -- rings (service.cpp)
  [[nodiscard]] layout::RingGeometry first_geometry() const noexcept;
  [[nodiscard]] layout::RingGeometry limits() const noexcept;
  [[nodiscard]] std::uint32_t growth_left(layout::RingGeometry geometry) const noexcept;
  [[nodiscard]] layout::RingGeometry next_geometry(std::uint64_t wanted) const noexcept;
  /// The place of a ring's name. Throws `Error` (busy).
  [[nodiscard]] os::Atomic<std::uint64_t>& free_place() const;
  /// Behind all others.
  void add_ring(std::shared_ptr<RingSegment> ring, std::uint64_t first,
                os::Atomic<std::uint64_t>& place);
  /// Ends the newest ring; returns the seal's number. nullopt: it is damaged.
  [[nodiscard]] std::optional<std::uint64_t> seal_newest() const noexcept;
  void replace(layout::RingGeometry geometry);
  bool try_replace(layout::RingGeometry geometry) noexcept;
  /// A ring that was sealed, and whose successor could not be made or was not finished.
  void resume_replacement() noexcept;
  [[nodiscard]] bool is_sealed() const noexcept;
  void write_pinned() noexcept;
  void write_rings_of(std::uint32_t slot) noexcept;
  void write_rings_of_all() noexcept;
  [[nodiscard]] std::set<std::uint64_t> rings_in(std::uint64_t entry_word) const;
  void let_go() noexcept;
  void move_floors() noexcept;
  void reclaim_newest() noexcept;
  [[nodiscard]] bool room_is_wanted(os::Instant now) const noexcept;
  void poison(const std::string& why) const noexcept;
  [[nodiscard]] bool is_well() const noexcept;
  void consider_growth(bool is_asked_for, std::uint64_t wanted) noexcept;
  os::Instant consider_pin(std::uint64_t wanted, os::Instant now);
  os::Instant consider_stalls(RingSegment& ring, os::Instant now);
  os::Instant consider_leases(Group& group, os::Instant now);
  [[nodiscard]] bool may_replace_pinned() noexcept;
  /// True if one of them is proven to be damaged: then it is condemned.
  bool examine_rings() noexcept;
  bool examine(const RingSegment& ring) noexcept;
  [[nodiscard]] std::string contradiction_of(const RingSegment& ring) const;
  /// If somebody has said that there is a reason. Returns when to do it.
  os::Instant consider_damage(os::Instant now) noexcept;

  // -- damaged rings (condemning.cpp)
  [[nodiscard]] bool is_condemned(const RingSegment& ring) const noexcept;
  [[nodiscard]] bool may_condemn(os::Instant now) noexcept;
  void condemn_ring(const RingSegment& ring, const std::string& why) noexcept;
  void say_lost_with(const RingSegment& ring, std::uint64_t from, std::uint64_t end) const noexcept;
  [[nodiscard]] std::uint64_t end_of(const RingSegment& ring) const noexcept;
  [[nodiscard]] std::uint64_t last_of_newest() const noexcept;
  [[nodiscard]] std::uint64_t find_last_of_newest() const noexcept;
  bool replace_condemned() noexcept;
  void pass_condemned(const RingSegment& ring, std::uint64_t end) noexcept;
  os::Instant consider_condemned(os::Instant now) noexcept;
  [[nodiscard]] bool has_to_pass() const noexcept;
  [[nodiscard]] std::uint64_t behind_what_is_lost(std::uint64_t s) const noexcept;

  // -- the journal (spill.cpp)
  /// Where the journal goes on.
  [[nodiscard]] std::uint64_t unwritten_from() const noexcept;
  [[nodiscard]] std::shared_ptr<RingSegment> ring_with(std::uint64_t s) const noexcept;
  struct Use {
    std::uint64_t bytes = 0;
    std::uint64_t slots = 0;
  };
  [[nodiscard]] Use use_of_newest() const noexcept;
  void set_alert() noexcept;
  [[nodiscard]] bool spills() const noexcept;
  [[nodiscard]] Journal::Retention retention() const noexcept;
  [[nodiscard]] std::unique_ptr<Journal> new_journal() const;
  /// The first number that can still be read.
  [[nodiscard]] std::uint64_t earliest() const noexcept;
  /// Everything goes to the journal, at once.
  [[nodiscard]] bool follows() const noexcept;
  [[nodiscard]] bool wants_to_spill(os::Instant now) noexcept;
  [[nodiscard]] std::optional<RingToJournal::Plan> plan_copy();
  os::Instant consider_journal(os::Instant now);
  /// As the journal has it; where it was removed by somebody else, the log says so.
  [[nodiscard]] Journal::Segment segment_of(std::uint64_t s) const;
  /// Returns when to look again.
  os::Instant drop_what_is_read(os::Instant now) noexcept;
  os::Instant drop_what_nobody_needs(os::Instant now) noexcept;
  os::Instant spill(os::Instant now);
  os::Instant follow(os::Instant now);
  [[nodiscard]] os::Instant syncs_again_at(os::Instant now) noexcept;
  void copy(RingToJournal::Plan plan);
  void copied(const RingToJournal::Report& report, const RingSegment& ring,
              const std::exception_ptr& failure);
  void release_hold() noexcept;
  void copy_failed(const RingSegment& ring, const std::exception_ptr& failure) noexcept;

  // -- how much of the disk that may be (disk_limits.cpp)
  /// True if the journal may get a file of that size. Where it may not, everybody is told.
  [[nodiscard]] bool may_begin_file(std::uint64_t bytes);
  /// Why it may not; empty: it may.
  [[nodiscard]] std::string exceeds_quota(std::uint64_t bytes) const;
  [[nodiscard]] std::string touches_reserve(std::uint64_t bytes) const;
  /// UINT64_MAX: no limit.
  [[nodiscard]] std::uint64_t most_of_disk() const noexcept;
  [[nodiscard]] std::uint64_t share_of_disk() const noexcept;
  [[nodiscard]] std::uint64_t batch_goal() const noexcept;
  /// What the journal has, and what it is about to have, is on its owner's account.
  void charge_journal();
  [[nodiscard]] DiskAlarm alarm() const noexcept;
  void raise_alarm(DiskAlarm alarm, const std::string& why) noexcept;
  void end_alarm() noexcept;

  void write_identity();
  void write_settings() noexcept;
  void begin_ring(std::uint64_t first);
  [[nodiscard]] Segment new_segment(const char* part, std::size_t bytes) const;
  void charge(Accounts::Charge& charge, std::size_t bytes) const;  // of what was kept
  [[nodiscard]] std::shared_ptr<RingSegment> new_ring(layout::RingGeometry geometry) const;

  KeeperLine& keeper_;
  Accounts& accounts_;
  State* state_;  // nullptr: no state directory
  std::uint64_t id_;
  std::string name_;
  Access access_;
  layout::Request options_;
  std::shared_ptr<QueueMemory> memory_;
  os::Fd service_;
  std::vector<std::shared_ptr<RingSegment>> rings_;  // oldest first
  std::array<std::unique_ptr<Group>, layout::max_groups> group_table_;
  std::array<std::unique_ptr<Handle>, layout::max_handles> handle_table_;
  std::set<std::uint64_t> pinned_rings_;  // replaced because something held them; M.pinned
  bool unfinished_ = false;               // the newest ring is sealed, by us, and has no successor
  bool keeps_ring_ = false;               // the last try to replace the newest failed, as was said
  os::Instant pinned_since_ = os::never;
  std::uint64_t wanted_ = 0;      // bytes that those who want room want at most
  os::Instant wanted_until_ = 0;  // somebody said so who does not sleep
  bool spilling_ = false;
  os::Instant sync_rests_until_ = 0;
  os::Instant disk_rests_until_ = 0;  // nothing is written until then: see alarm()
  bool alarm_said_ = false;           // in the log
  os::Instant alarm_quiet_until_ = 0;
  std::uint64_t wanted_file_ = 0;  // the journal needs a file of this size to go on
  DiskReserve::Claim coming_;      // the file that is on its way
  Accounts::Charge journal_charge_;
  std::uint64_t spilled_ = 0;  // messages, since this supervisor has the queue
  std::uint64_t spilled_bytes_ = 0;
  os::Instant remember_at_ = 0;
  bool remembers_ = true;             // the catalogue could be written, as the log has it
  os::Instant rings_rest_until_ = 0;  // a look at all of their words costs more than a service
  std::array<os::Instant, 8> condemned_at_{};  // when the last rings were, in turn
  std::size_t condemned_count_ = 0;
  mutable std::optional<std::uint64_t> last_of_condemned_;  // of the newest ring, if it is
  bool cannot_replace_ = false;       // there was no ring to go on in, as the log has it
  os::Instant files_rest_until_ = 0;  // none goes until then: positions could not be noted
  std::uint64_t noted_ = 0;           // `journaled`, as the catalogue knows it
  std::function<void()> on_written_;
  Others others_;
  std::string undeliverable_;  // why dead letters stay, as the log has it; empty: they do not
  os::Instant letters_rest_until_ = 0;
  std::shared_ptr<journal::Block> letters_;  // the batch that was read last
  struct LetterIndex {
    std::uint64_t salt = 0;
    journal::SegmentReader::Index spots;
  };
  LetterIndex letter_index_;          // of the segment that it is in
  std::unique_ptr<Journal> journal_;  // none: there is no state directory
};

}  // namespace spillring::daemon
