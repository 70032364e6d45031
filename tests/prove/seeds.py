"""The faults that `seeded` puts into production code, and the methods of methods.tsv that have to find them."""

import typing

PYTEST = ("/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider")


class Seed(typing.NamedTuple):
    method: str   # as methods.tsv calls it
    name: str     # what the fault is
    source: str
    before: str   # once in the source
    after: str
    command: tuple  # the narrowest form of the method that finds it
    words: str    # an expression for what it says then: that it is red for the right reason
    preset: str = "dev"

    @property
    def targets(self):
        """What the command needs."""
        return next(targets for word, targets in TARGETS.items() if any(word in each for each in self.command))


CLI, MODULE = ("spillringd", "spillring_cli"), ("spillringd", "spillring_cli", "_spillring")
TARGETS = {
    "spillring_tests": ("spillring_tests",),
    "tests/hostile/run": ("hostile",),
    "tests/kill/run": (*CLI, "storm", "storm_verify"),
    "tests/kill/": MODULE,
    "tests/kernel/": MODULE,
    "tests/power/run": MODULE,
    "tests/refusals/": (*MODULE, "refuse", "work"),
    "tests/security/": MODULE,
    "tests/step/run": (*CLI, "step", "rounds"),
    "tests/step/": (*MODULE, "step", "spoiler"),
    "tests/stop/run": ("spillringd", "stopped", "flow"),
    "tests/syscalls/run": ("spillringd", "traffic"),
}

# Methods that have faults of their own, in tests of their own.
ELSEWHERE = {
    "models": "tests/model/run",
    "interleavings of the production code": "tests/explore/mutants --faults",
    "mutants of the protocols": "tests/explore/mutants --faults",
    "clients killed and stopped at instructions": "tests/points/run",
    "fuzzed inputs": "tests/fuzz/run",
    "the methods themselves": "each fault is looked for in the sources as they are, too",
}


def unit(filter_):
    return ("build/dev/tests/spillring_tests", "--gtest_brief=1", f"--gtest_filter={filter_}")


def raced(filter_):
    """gcc 12's ThreadSanitizer cannot start where the kernel randomises addresses widely."""
    return ("setarch", "-R", "build/tsan/tests/spillring_tests", "--gtest_brief=1", f"--gtest_filter={filter_}")


STEP = ("tests/step/run", "--points", "1", "--restarts", "4")
PURGE = ("tests/step/purge", "--points", "20")
CONDEMNED = ("tests/step/condemned", "--points", "2")
ON_THE_WAY = ("tests/step/letters", "--points", "16")
STOP = ("tests/stop/run",)
SOAK = ("tests/kill/run", "--soak")
STORM = ("tests/kill/run", "--kills", "60", "--supervisors", "30", "--keepers", "15", "--messages", "150000", "--spill", "60000")
LETTERS = ("tests/kill/dead_letters", "--messages", "60000", "--kills", "6", "--supervisors", "20")
DROPPING = ("tests/kill/dropping", "--messages", "15000", "--kills", "8", "--supervisors", "4")
FAILOVER = ("tests/kill/failover", "--messages", "8000", "--kills", "10", "--supervisors", "2")
POWER = ("tests/power/run", "--cuts", "8")
CALLS = ("tests/syscalls/run",)


def refused(*only):
    return ("tests/refusals/run", "--all", "--only", *only)


HOSTILE = ("tests/hostile/run", "20")
CUT = unit("PowerCut.LeavesWhatWasSynced/AfterFaults")
FAILED = unit("Faults.*")
MISSING = "tests/kernel/test_missing.py::"

SEEDS = [
    # ---- the supervisor killed -----------------------------------------------------------------------
    # Historic: sleepers slept out their second.
    Seed("the supervisor killed at instructions", "who takes over rings no bells", "daemon/adoption.cpp",
         "    ring_bells();  // the one before may have died between a change and the ring for it\n", "", STEP,
         "FAIL  who sleeps when the supervisor dies is woken by the next one"),
    Seed("the supervisor killed at instructions", "counted before it is written", "daemon/ring_to_journal.cpp",
         "    journal.append(batch, plan_.sync);\n", """\
    ring::raise(plan_.memory->words().journaled, batch.end());
    journal.append(batch, plan_.sync);
""", STEP, "FAIL  messages lost"),
    # Historic.
    Seed("the supervisor killed in a purge", "the base and its count apart", "daemon/dropping.cpp", """\
  os::compare_and_swap(&m.base, {m.base.load(std::memory_order_relaxed), m.base_settled},
                       {base, settled});
""", """\
  m.base.store(base, std::memory_order_seq_cst);
  m.base_settled = settled;
""", PURGE, "FAIL  each message counts once"),
    Seed("the supervisor killed in a purge", "start before the floor", "daemon/dropping.cpp", """\
    if (!group_table_[slot] || !purge_group(slot, {to, *messages})) continue;
    ring::raise(manifest().groups[slot].start, to);
""", """\
    if (!group_table_[slot]) continue;
    ring::raise(manifest().groups[slot].start, to);
    purge_group(slot, {to, *messages});
""", PURGE, "FAIL  each message counts once"),
    Seed("the supervisor killed while it gives up a ring", "an end before what can be claimed", "daemon/condemning.cpp",
         "ring::furthest_claim(view, furthest + view.slots() - 1, furthest_led)",
         "ring::furthest_claim(view, furthest, furthest_led)", CONDEMNED, "the next ring begins at"),
    Seed("the supervisor killed while it gives up a ring", "what is lost is not said", "daemon/condemning.cpp",
         "    m.lost_until.store(end, std::memory_order_seq_cst);\n", "", CONDEMNED, r"got \[.*\] instead of"),

    Seed("the supervisor killed on the way to the dead letters", "who takes over forgets what was promised", "daemon/adoption.cpp",
         "if (entry_presence(word) == Presence::free) forget_hand_overs_of(slot);",
         "if (entry_presence(word) == Presence::live) forget_hand_overs_of(slot);", ON_THE_WAY, "FAIL  each is there once"),
    Seed("the supervisor killed on the way to the dead letters", "a promise is cleared before it is kept", "daemon/dead_letters.cpp",
         "finish_doomed(slot, letter.sequence, letter.word.load(std::memory_order_relaxed),",
         "finish_doomed(slot, letter.sequence, letter.word.exchange(0, std::memory_order_seq_cst),", ON_THE_WAY,
         "FAIL  each is there once"),

    # ---- stops and kills -----------------------------------------------------------------------------
    Seed("stopped in mid-message", "twice the stall timeout", "daemon/service.cpp",
         "os::after(since, options_.stall_timeout_ns)", "os::after(since, 2 * options_.stall_timeout_ns)", STOP,
         "FAIL  no (send|receive) took longer than the promise"),
    Seed("stopped in mid-message", "acknowledged by number alone", "lib/group/shared_group.cpp", """\
  return slot(s).compare_exchange_strong(receipt, packed({lap(s), Delivery::finished, count, {}}),
                                         std::memory_order_seq_cst);
}

GroupWord""", """\
  slot(s).store(packed({lap(s), Delivery::finished, count, {}}), std::memory_order_seq_cst);
  return true;
}

GroupWord""", STOP, "FAIL  its late acknowledgement is stale"),
    Seed("soak: kills and stops of all parts", "what the dead had claimed stays claimed", "daemon/queue.cpp",
         "    for (const auto& ring : rings_) ring::abort_claims_of(ring->view(), owner);\n", "", SOAK,
         "FAIL  (every living process makes progress|consumers drain)"),
    Seed("soak: kills and stops of all parts", "a view without a hold", "lib/client/consumer_core.hpp", """\
      hold_ = s;
      hold_word_->store(s, std::memory_order_seq_cst);
""", "      hold_ = s;\n", SOAK, "FAIL  messages damaged"),
    Seed("storm of kills", "what the dead had seen is not marked", "daemon/queue.cpp",
         "hand_back_all_of(owner, cursors().holds[slot].ahead.load())", "hand_back_all_of(owner, 0)", STORM,
         "FAIL  duplicates not flagged as redelivery"),
    Seed("storm of kills", "what the dead had is finished with them", "lib/group/shared_group.cpp",
         "hand_back(s, word, s < ahead)) ++handed", "finish(s, word) && s < ahead) ++handed", STORM,
         "FAIL  messages never acknowledged"),
    Seed("messages that kill their consumers", "a letter without its key", "daemon/dead_letters.cpp",
         "encoded({layout::decode_key(letter.metadata), headers})", "encoded({std::nullopt, headers})", LETTERS,
         "FAIL  every letter is what was sent"),
    Seed("messages that kill their consumers", "one delivery more than may be", "lib/group/shared_group.hpp",
         "count >= most_deliveries_", "count > most_deliveries_", LETTERS, "FAIL  after at most 3 deaths"),
    Seed("queues that drop their oldest, under kills", "what is no message counts as dropped", "lib/ring/reclaim.cpp", """\
      const std::uint64_t more = skipped_between(ring, seen.sequence, to);
      if (!swap_gone(ring, seen, {to, seen.skipped + more})) continue;
""", "      if (!swap_gone(ring, seen, {to, seen.skipped})) continue;\n", DROPPING,
         "FAIL  acknowledged and dropped are all that was published"),
    Seed("queues that drop their oldest, under kills", "what was acknowledged counts as dropped", "lib/group/shared_group.cpp",
         "    if (distance == 0 && word_of_s.state == Delivery::finished) ++settled;\n", "", DROPPING,
         "FAIL  acknowledged and dropped are all that was published"),
    Seed("stream groups, under kills", "a floor above what is held", "lib/client/stream_consumer.cpp",
         "std::min(live().oldest(), position_.load(std::memory_order_relaxed))",
         "position_.load(std::memory_order_relaxed)", FAILOVER, "FAIL  nothing is skipped"),
    Seed("stream groups, under kills", "who stands by reads along", "lib/client/stream_consumer.cpp",
         "  mine_ = group_.take(attachment().owner());\n",
         "  static_cast<void>(group_.take(attachment().owner()));\n  mine_ = true;\n", FAILOVER,
         "FAIL  (each reads in order|nothing comes again)"),

    # ---- the journal ---------------------------------------------------------------------------------
    Seed("crash images of the journal", "a directory that is not synced", "lib/journal/segment_writer.cpp",
         "  storage_.sync_directory(options_.directory);\n  entered_ = true;\n", "  entered_ = true;\n", CUT, "is lost"),
    Seed("crash images of the journal", "a name before there is a header", "lib/journal/segment_writer.cpp",
         "  if (sync) file_->sync();\n", "", CUT, "a file has its name, but not its header"),
    Seed("real power cuts", "no sync at all", "lib/journal/storage.cpp",
         'if (::fdatasync(file_.get()) != 0) fail("cannot sync " + path_);',
         'if (file_.get() < 0) fail("cannot sync " + path_);', POWER, "FAIL  no message that was confirmed is lost"),
    Seed("real power cuts", "confirmed before it is synced", "daemon/ring_to_journal.cpp",
         "  if (plan_.sync) journal.sync();\n", "", POWER, "FAIL  no message that was confirmed is lost"),
    Seed("every call to the disk fails in turn", "a sync that fails is not told of", "lib/journal/segment_writer.cpp", """\
  placed_ = false;
  throw;
}

void SegmentWriter::sync_names""", """\
  placed_ = false;
}

void SegmentWriter::sync_names""", FAILED, "it failed, and nobody was told"),
    Seed("every call to the disk fails in turn", "what could not be synced is synced again", "lib/journal/segment_writer.cpp", """\
  unsynced_ = false;
} catch (...) {
  file_.reset();
""", """\
  unsynced_ = false;
} catch (...) {
""", FAILED, "a file that has failed is (synced|written to)"),
    Seed("journals cut at every length, every bit flipped", "a body that is not summed", "lib/journal/segment_reader.cpp",
         "  if (sum.value() != header.body_sum) return nullptr;\n", "", unit("DamageTest.*"), "is_right"),
    # What rivals do with a torn tail.
    Seed("journals cut at every length, every bit flipped", "damage taken for the end", "lib/journal/segment_walk.cpp",
         "options_.place.until != 0 || at_ < options_.counted;", "options_.place.until != 0;", unit("WalkTest.AtTheEnd*"),
         r"all.readable \+ all.lost"),

    # ---- the kernel ----------------------------------------------------------------------------------
    Seed("system calls, busy and idle", "ten looks a second in vain", "lib/wait/bell.cpp",
         "os::now() + longest_nap", "os::now() + longest_nap / 10", CALLS,
         "FAIL  a waiting client makes at most one system call"),
    Seed("system calls, busy and idle", "who waits for silent clients looks for ever", "daemon/connections.cpp",
         "  if (next == os::never) return;\n", "  if (next == os::never) next = os::after(now, 100'000'000);\n", CALLS,
         "FAIL  an idle supervisor makes at most one system call"),
    Seed("system calls, busy and idle", "who was woken stays announced", "lib/wait/bell.cpp",
         "  bell.mark.compare_exchange_strong(mark, layout::mark_clear, std::memory_order_seq_cst);\n",
         "  static_cast<void>(mark);\n", CALLS, "FAIL  a burst costs its sender one wake"),
    Seed("system calls that fail, one by one", "a write that fails is taken for one", "lib/journal/storage.cpp",
         """if (done <= 0) fail("cannot write to " + path_, done < 0 ? errno : ENOSPC);""", "if (done <= 0) return;",
         refused("supervisor", "durable", "pwritev"), "confirmed messages are not on the disk"),
    # Historic.
    Seed("system calls that fail, one by one", "what cannot be looked at is damaged", "lib/os/memory.cpp",
         """  if (::fstat(memory.get(), &status) != 0) fail("cannot inspect shared memory");
  const int seals""", "  (void)::fstat(memory.get(), &status);\n  const int seals", refused("client", "memory", "newfstatat"),
         "it was told '.*corrupt'"),
    # Both historic.
    Seed("kernels that lack something", "an event that cannot be cleared", "lib/os/socket.cpp",
         "  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EPERM) return;\n",
         "  if (errno != ENOSYS && errno != EPERM) return;\n",
         (*PYTEST, MISSING + "test_it_works_without[preadv2=EOPNOTSUPP-5.8]"), "with nothing to do it does nothing"),
    Seed("kernels that lack something", "nothing is closed", "lib/os/detach.cpp",
         "if (::close_range(first, last, 0) == 0) return;", "if (::close_range(first, last, 0) == 0 || errno == ENOSYS) return;",
         (*PYTEST, MISSING + "test_in_the_background_nothing_stays_open_without_close_range"), "BlockingIOError"),

    # ---- people and programs that mean ill -----------------------------------------------------------
    Seed("access, quotas, containers", "a queue that grows is not charged", "daemon/queue.cpp",
         "  ring->charge = std::move(charge);\n", "",
         (*PYTEST, "tests/security/test_quotas.py::test_growth_counts"), r"AssertionError: \[[0-9]"),
    Seed("access, quotas, containers", "the group's rights are not asked for", "daemon/access.cpp",
         "who.uid == owner ? 6 : is_member(who, group) ? 3 : 0", "who.uid == owner ? 6 : 0",
         (*PYTEST, "tests/security/test_access.py", "-k", "test_group"), "AssertionError: .*denied"),
    Seed("a hostile client beside others", "a message may lie anywhere", "lib/ring/extent.hpp", """\
  if (metadata > layout::max_metadata || lead > ring.arena() || size > ring.arena() - lead ||
      start < lead) {
    return std::nullopt;
  }
""", "", HOSTILE, "ended by signal 11"),
    Seed("a hostile client beside others", "a walk without an end", "lib/ring/claim.cpp",
         "{ return 4 * ring.slots() + (1U << 20); }", "{ return UINT64_MAX / ring.slots() * ring.slots(); }", HOSTILE,
         "the supervisor does not answer|FAIL (all clients ended well|every call returns in time|the supervisor)"),
    # Historic.
    Seed("attacks by strangers", "an older handle is taken back", "daemon/supervisor.cpp",
         "const bool may_withdraw = !repeated && !handle_made_by(session, request);", "const bool may_withdraw = !repeated;",
         (*PYTEST, "tests/security/test_attacks.py", "-k", "places"), "more than there are"),
    Seed("attacks by strangers", "a segment that can be cut", "lib/os/memory.cpp",
         "F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL", "F_SEAL_GROW | F_SEAL_SEAL",
         (*PYTEST, "tests/security/test_attacks.py", "-k", "cut"), r"assert \['it'"),
    # What the kernel makes.
    Seed("attacks by strangers", "memory of mode 0777", "lib/os/memory.cpp",
         "  if (::fchmod(memory.get(), 0600) != 0) fail(what);\n", "",
         (*PYTEST, "tests/security/test_modes.py::test_shared_memory"), "AssertionError: /memfd:spillring"),
    # Historic.
    Seed("attacks by strangers", "whatever is at the socket's path is removed", "lib/os/socket.cpp",
         "errno == EADDRINUSE && is_socket(path) && !answers(path)", "errno == EADDRINUSE && !answers(path)",
         (*PYTEST, "tests/security/test_modes.py::test_something_else_where_the_socket_is_made[a file]"),
         "TimeoutExpired: Command .*spillringd"),

    # ---- threads -------------------------------------------------------------------------------------
    Seed("sanitizers", "a watch is armed without the lock", "lib/wait/waiter.cpp", """\
  if (armed_.load(std::memory_order_relaxed)) return;  // or told at this moment: as good
  const std::scoped_lock lock(waiter_->mutex_);
""", """\
  if (armed_.load(std::memory_order_relaxed)) return;  // or told at this moment: as good
""", raced("WaiterConcurrent*"), "WARNING: ThreadSanitizer: data race", preset="tsan"),
    Seed("sanitizers", "a file is entered without the lock", "daemon/journal.cpp", """\
  if (begun.first == 0 && sync_follows && spare.first == 0) return;
  const std::lock_guard lock(files_->mutex);
""", "  if (begun.first == 0 && sync_follows && spare.first == 0) return;\n", raced("SpillTest.Concurrent*"),
         "WARNING: ThreadSanitizer: data race", preset="tsan"),
]
