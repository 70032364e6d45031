#include "scenarios.hpp"

namespace explore {

// bell.cpp
void two_sleepers(Machine& m);
void burst(Machine& m);
void two_raise(Machine& m);
void dying_ringer(Machine& m);
// ring.cpp
void two_producers(Machine& m);
void given_up(Machine& m);
void waiting_for_room(Machine& m);
void room_taken(Machine& m);
void given_up_unread(Machine& m);
void given_up_in_the_way(Machine& m);
void given_up_in_group(Machine& m);
void little_room(Machine& m);
void removed(Machine& m);
void removed_group(Machine& m);
void copied(Machine& m);
void sought_on_disk(Machine& m);
void timed_receive(Machine& m);
void view_and_reclaim(Machine& m);
void dying_producer(Machine& m);
void revoked(Machine& m);
void full_of_slots(Machine& m);
void full_and_sealed(Machine& m);
void joining_group(Machine& m);
void next_ring(Machine& m);
void two_seals(Machine& m);
// purge.cpp
void purged(Machine& m);
void newcomer(Machine& m);
void purged_group(Machine& m);
void purged_asleep(Machine& m);
void purged_ahead(Machine& m);
void purged_in_hand(Machine& m);
void purged_at_the_end(Machine& m);
void purged_dropping(Machine& m);
// dropping.cpp
void dropping(Machine& m);
void dropping_behind(Machine& m);
void dropping_group(Machine& m);
void dropping_once(Machine& m);
void told_once(Machine& m);
void told_by_other(Machine& m);
void dropping_window(Machine& m);
void counted(Machine& m);
void counted_and_used(Machine& m);
// replaced.cpp
void third_ring(Machine& m);
void third_ring_found(Machine& m);
void unmapped_ring(Machine& m);
void unmapped_asleep(Machine& m);
void refused_ring(Machine& m);
void refused_next(Machine& m);
void passed_ring(Machine& m);
void passed_dropping(Machine& m);
void grown_and_dropped(Machine& m);
void replaced_dropping(Machine& m);
void sealed_dropping(Machine& m);
void grown_unread(Machine& m);
void held_and_dropped(Machine& m);
void dropped_in_hand(Machine& m);
void dropped_asleep(Machine& m);
void grown_first(Machine& m);
void never_grown(Machine& m);
// condemned.cpp
void condemned(Machine& m);
void condemned_group(Machine& m);
void condemned_full(Machine& m);
void condemned_empty(Machine& m);
void condemned_in_hand(Machine& m);
void condemned_twice(Machine& m);
void condemned_copied(Machine& m);
// group.cpp
void two_members(Machine& m);
void full_window(Machine& m);
void handed_on(Machine& m);
void both_hand_back(Machine& m);
void window_end(Machine& m);
void room_by_group(Machine& m);
void dying_member(Machine& m);
void passed_words(Machine& m);
void lease(Machine& m);
void set_aside(Machine& m);
void dying_aside(Machine& m);
void stopped_member(Machine& m);
void full_of_held(Machine& m);
void waits_beside(Machine& m);
void heard_once(Machine& m);
void late_views(Machine& m);
void stream_place(Machine& m);

std::span<const Scenario> scenarios() {
  static constexpr Scenario all[] = {
      {"two_sleepers", "W1 W3", two_sleepers, {.preempt = 3, .stale = 2, .die = 0}},
      {"burst", "W1 W4", burst, {.preempt = 4, .stale = 2, .die = 0}},
      {"two_raise", "B2", two_raise, {.die = 0}},
      {"dying_ringer", "W1 W2", dying_ringer, {.preempt = 3, .stale = 2}},
      {"two_producers", "A1 A2 A3 A5 W1", two_producers, {.die = 0}},
      {"given_up", "W1", given_up, {.die = 0}},
      {"waiting_for_room", "A3 A4 B1 B2 W1", waiting_for_room, {.die = 0}},
      {"room_taken", "W1", room_taken, {.stale = 0, .die = 0}},
      {"given_up_unread", "W1", given_up_unread, {.die = 0}},
      {"given_up_in_the_way", "W1", given_up_in_the_way, {.die = 0}},
      {"given_up_in_group", "W1", given_up_in_group, {.die = 0}},
      {"little_room", "W1", little_room, {.die = 0}},
      {"removed", "W1", removed, {.die = 0}},
      {"removed_group", "W1", removed_group, {.die = 0}},
      {"copied", "W1", copied, {.die = 0}},
      {"sought_on_disk", "B1", sought_on_disk, {.die = 0}},
      {"timed_receive", "W1", timed_receive, {.die = 0}},
      {"view_and_reclaim", "A4 B1 W1", view_and_reclaim, {.die = 0}},
      {"dying_producer", "A1 A4 A5", dying_producer, {.preempt = 1}},
      {"revoked", "A4 A5 B3", revoked, {.die = 0}},
      {"full_of_slots", "A2, N - 2", full_of_slots, {.preempt = 1, .die = 0}},
      {"full_and_sealed", "A3, N - 2, the seal", full_and_sealed, {.die = 0}},
      {"purged", "A4 B1 B3", purged, {.die = 0}},
      {"newcomer", "B1", newcomer, {.die = 0}},
      {"purged_group", "A4 B1 B3 G1", purged_group, {.die = 0}},
      {"purged_asleep", "W1", purged_asleep, {.die = 0}},
      {"purged_ahead", "G1 W1", purged_ahead, {.die = 0}},
      {"purged_in_hand", "G6", purged_in_hand, {.die = 0}},
      {"purged_at_the_end", "G6", purged_at_the_end, {.die = 0}},
      {"purged_dropping", "B1 B4 G3 G6", purged_dropping, {.preempt = 1}},
      {"dropping", "B1 B4", dropping, {.die = 0}},
      {"dropping_behind", "B1 B4", dropping_behind, {.die = 0}},
      {"dropping_group", "B1 B4 G1 G6", dropping_group, {.die = 0}},
      {"dropping_once", "B4", dropping_once, {.stale = 0, .die = 0}},
      {"told_once", "G6", told_once, {.die = 0}},
      {"told_by_other", "G6", told_by_other, {}},
      {"dropping_window", "B4 G6 W1", dropping_window, {.die = 0}},
      {"grown_and_dropped", "B4 G6 W1", grown_and_dropped, {.die = 0}},
      {"replaced_dropping", "B4 G6 W1", replaced_dropping, {.die = 0}},
      {"sealed_dropping", "the seal", sealed_dropping, {.die = 0}},
      {"grown_unread", "B4 W1", grown_unread, {.die = 0}},
      {"held_and_dropped", "B4 G1 G6 W1", held_and_dropped, {.die = 0}},
      {"dropped_in_hand", "G6", dropped_in_hand, {.die = 0}},
      {"dropped_asleep", "G6 W1", dropped_asleep, {.die = 0}},
      {"grown_first", "B4 W1", grown_first, {.die = 0}},
      {"never_grown", "B4 W1", never_grown, {.die = 0}},
      {"counted", "B1 B4", counted, {.die = 0}},
      {"counted_and_used", "B1 B4", counted_and_used, {.die = 0}},
      {"joining_group", "B2", joining_group, {.die = 0}},
      {"next_ring", "A2, the seal", next_ring, {.die = 0}},
      {"third_ring", "the table of rings", third_ring, {.die = 0}},
      {"third_ring_found", "the table of rings", third_ring_found, {.die = 0}},
      {"unmapped_ring", "a ring that nobody maps", unmapped_ring, {.die = 0}},
      {"unmapped_asleep", "a ring that nobody maps, W1", unmapped_asleep, {.die = 0}},
      {"refused_ring", "G6", refused_ring, {.die = 0}},
      {"refused_next", "the table of rings", refused_next, {.die = 0}},
      {"passed_ring", "a ring that all are past goes", passed_ring, {.die = 0}},
      {"passed_dropping", "a ring that all are past goes", passed_dropping, {.die = 0}},
      {"two_seals", "A2, the seal", two_seals, {.preempt = 3}},
      {"two_members", "G1 G2 G4 W1", two_members, {.die = 0}},
      {"full_window", "G2 G3 W1", full_window, {.die = 0}},
      {"handed_on", "G2 W1", handed_on, {.die = 0}},
      {"both_hand_back", "G2 W1", both_hand_back, {.die = 0}},
      {"window_end", "G3 W1", window_end, {.die = 0}},
      {"room_by_group", "B1 G2 W1", room_by_group, {.die = 0}},
      {"dying_member", "G2 G4", dying_member, {.preempt = 1}},
      {"passed_words", "G2", passed_words, {.preempt = 3, .stale = 0}},
      {"lease", "G1 G2", lease, {.die = 0}},
      {"set_aside", "G5 W1", set_aside, {.die = 0}},
      {"dying_aside", "G5", dying_aside, {}},
      {"stopped_member", "G2 G5", stopped_member, {.preempt = 1}},
      {"full_of_held", "G3 W1", full_of_held, {.die = 0}},
      {"waits_beside", "W1", waits_beside, {.die = 0}},
      {"heard_once", "G6", heard_once, {.die = 0}},
      {"late_views", "the place of a stream", late_views, {.die = 0}},
      {"stream_place", "the place of a stream", stream_place, {}},
      {"condemned", "lost and counted", condemned, {.die = 0}},
      {"condemned_group", "lost and counted, B1", condemned_group, {.die = 0}},
      {"condemned_full", "W1", condemned_full, {.die = 0}},
      {"condemned_empty", "W1", condemned_empty, {.die = 0}},
      {"condemned_in_hand", "A5", condemned_in_hand, {.die = 0}},
      {"condemned_twice", "lost and counted", condemned_twice, {.die = 0}},
      {"condemned_copied", "lost and counted", condemned_copied, {.die = 0}},
  };
  return all;
}

}  // namespace explore
