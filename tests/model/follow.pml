/* Following: queues whose every message is journaled. Who tells the supervisor to write, who is woken when it has, and what may be overwritten.
 *
 *     supervisor  a batch is on its way: follow_from = none;  nothing to write: follow_from = first unpublished;  look again;  sleep
 *     publisher   P = published;  s >= follow_from, and not told of that value (or it is s itself): eventfd
 *     who waits   mark;  journaled > s: done;  futex_wait(bell)          woken by: journaled = end;  ring
 *     room        free_until = min(max(floor, journaled) or floor, journaled)
 *
 * Modelled: two publishers that publish or (-DCANCEL) give up, tell the supervisor and wait for the disk; a ring of R slots in which a claim
 * overwrites at once; a reader; the supervisor's loop; a writer beside it that copies while others go on; the bell `disk`. An eventfd rung
 * while the supervisor is writing is taken and forgotten. Each shared word is a step. -DSPILL: what is journaled need not stay in the ring.
 * DIES: so many times the supervisor dies, at any step, its writer with it. -DDEATH: a publisher dies at any step after its claim; the
 * supervisor learns of it, gives up its claim and looks. -DSTOP: a publisher stops for ever behind its publish. -DLOANS: publisher 0 has two
 * loans at a time, and publishes the later one first. -DRUN: publisher 0 sends two at a time, and tells once, behind the second, or before
 * it waits for room for that. Waits are without end, but with NAPS: so many times, when everything rests, a second
 * goes by, and who waits, for the disk or for room, asks.
 *
 * Invariants: what is written is what was published; what the reader has not had is in the ring or in the journal; everything is journaled in
 * the end, and everybody who waited for it goes on.
 *
 * Faults: NO_BOUND       what every group has finished with is overwritten, journaled or not (not with SPILL)
 *         UNWRITTEN      journaled rises when the batch is handed over (with SPILL)
 *         NO_LOOK        the supervisor does not look again after it has stored follow_from
 *         TOLD_FIRST     a publisher looks at follow_from before it publishes
 *         TOLD_ONCE      it tells once of each value, its own number or not (with LOANS)
 *         NO_LOOK_AFTER  the supervisor does not look again when a batch is written
 *         CANCEL_SILENT  who gives up tells nobody (with CANCEL)
 *         NO_START       a restarted supervisor does not look
 *         NO_START_RING  a restarted supervisor does not ring
 *         NO_DEATH_LOOK  the supervisor does not look after it has given up the claims of the dead (with DEATH)
 *         NO_MARK_LOOK   who waits does not look again after setting the mark
 *         RING_FIRST     the supervisor rings before it raises journaled
 *         NO_ASK         who has waited for a second does not ask (with STOP)
 *         RUN_EARLY      who sends two at a time tells before the second (with RUN)
 *         RUN_SILENT     it waits for room for the second without having told of the first (with RUN)
 * Bounds: K0, K1 (messages of each publisher), R, DIES, NAPS.
 * Run:    ./run follow      Result: docs/models.md
 */
#ifndef K0
#define K0 2
#endif
#ifndef K1
#define K1 1
#endif
#ifndef R
#define R 2
#endif
#ifndef DIES
#define DIES 0
#endif
#ifndef NAPS
#define NAPS 0
#endif
#if defined(LOANS) || defined(RUN)
#define MSGS (2 * K0 + K1)
#else
#define MSGS (K0 + K1)
#endif
#define NONE 99
#define NOTHING 0
#define COMMITTED 1
#define ABORTED 2

#ifdef DEATH
#define DIE if :: atomic { !failed -> failed = 1; dead[me] = 1; goto out } :: skip fi
#else
#define DIE skip
#endif
#define MAY_DIE if :: atomic { died < DIES -> died++; batch = 0; written = 0; goto start } :: skip fi

byte P[MSGS + 2];                       /* of each number */
byte owner[MSGS + 2];
byte content[R];                        /* ghost: whose bytes are in the slot */
byte journal[MSGS + 2];                 /* ghost: what was written */
byte tail = 1, journaled = 1, floor = 1, follow_from = 1;
bit event = 0;                          /* the eventfd: it outlives the supervisor */
byte bell = 1, mark = 0;
bit asleep[2], dead[2], repaired[2], done[2];
byte first, batch = 0, written = 0;     /* on its way to the writer, and back: the end; 0: none */
byte died = 0, naps = 0;
bit failed = 0;                         /* a publisher has died or stopped */

#define published(s) (P[s] != NOTHING)

#ifdef SPILL
#define FREE_UNTIL journaled
#else
#ifdef NO_BOUND
#define FREE_UNTIL floor
#else
#define FREE_UNTIL (floor < journaled -> floor : journaled)
#endif
#endif

/* Making room is reclaim.pml's: here it is one step. */
inline claim() {
    atomic {
        tail < FREE_UNTIL + R ->
        s = tail;
        tail++;
        owner[s] = me;
        content[s % R] = s
    }
}

inline tell() {
#ifndef TOLD_FIRST
    from = follow_from;
#endif
    if
#ifdef TOLD_ONCE
    :: s >= from && from != told ->
#else
    :: s >= from && (from != told || s == from) ->
#endif
        d_step { told = from; from = 0 };
        DIE;
        event = 1
    :: else -> from = 0
    fi
}

inline wait_for_disk() {
    do
    :: e = bell;
#ifdef NO_MARK_LOOK
        if :: journaled > s -> break :: else fi;
        d_step { if :: mark < e -> mark = e :: else fi };
#else
        d_step { if :: mark < e -> mark = e :: else fi };
        if :: journaled > s -> break :: else fi;
#endif
        d_step { if :: bell == e -> asleep[me] = 1 :: else fi };
        (!asleep[me])
    od;
    e = 0
}

proctype Publisher(byte me) {
    byte k, s, t, e, from, told;
    do
    :: k < (me == 0 -> K0 : K1) ->
        k++;
        claim();
#ifdef LOANS
        if
        :: me == 0 -> t = s; claim(); P[s] = COMMITTED; tell(); atomic { s = t; t = 0 }
        :: else
        fi;
#endif
        DIE;
#ifdef TOLD_FIRST
        from = follow_from;
#endif
        if
        :: P[s] = COMMITTED
#ifdef CANCEL
        :: P[s] = ABORTED;
#ifdef CANCEL_SILENT
            goto next
#endif
#endif
        fi;
#ifdef RUN
        if
        :: me == 0 ->
            DIE;
#ifdef RUN_EARLY
            tell();
#endif
            if
            :: atomic { tail < FREE_UNTIL + R -> s = tail; tail++; owner[s] = me; content[s % R] = s }
            :: else ->
#ifndef RUN_SILENT
                tell();
#endif
                claim()
            fi;
            DIE;
            P[s] = COMMITTED;
#ifdef RUN_EARLY
            goto wait
#endif
        :: else
        fi;
#endif
        DIE;
#ifdef STOP
        if :: atomic { !failed -> failed = 1; goto out } :: skip fi;
#endif
        tell();
wait:   wait_for_disk();
next:   atomic { s = 0; from = 0 }
    :: else -> break
    od;
out:    done[me] = 1
}

proctype Reader() {
    do
    :: floor <= MSGS ->
end:    d_step {
            published(floor) ->
            assert(P[floor] == ABORTED || content[floor % R] == floor || (journaled > floor && journal[floor] == floor));
            floor++
        }
    :: else -> break
    od
}

/* Its pieces are the ring's own bytes: read while others go on. */
proctype Writer() {
    byte x;
end: do
    :: atomic { batch != 0 -> x = first };
        do
        :: atomic {
                batch != 0 && x < batch ->
                assert(P[x] == ABORTED || content[x % R] == x);
                journal[x] = x;
                x++
            }
        :: atomic { batch != 0 && x >= batch -> written = batch; batch = 0; break }
        :: atomic { batch == 0 -> break }   /* it died with the supervisor */
        od;
        x = 0
    od
}

inline ring() {
    m = mark;
    if
    :: m != 0 ->
        bell++;
        MAY_DIE;
        d_step { asleep[0] = 0; asleep[1] = 0 };
        MAY_DIE;
        d_step { if :: mark == m -> mark = 0 :: else fi }
    :: else
    fi;
    m = 0
}

/* The first number that is not published, from `journaled` on. */
inline look() {
    end_of = journaled;
    do
    :: end_of <= MSGS && published(end_of) -> end_of++
    :: else -> break
    od
}

inline give_up_claims(who) {
    c = journaled;
    do
    :: c < tail -> d_step { if :: owner[c] == who && P[c] == NOTHING -> P[c] = ABORTED :: else fi; c++ }
    :: else -> break
    od;
    c = 0;
    repaired[who] = 1
}

proctype Supervisor() {
    byte end_of, m, c;
    bit busy;
    goto idle;
start: atomic { busy = 0; end_of = 0; m = 0; c = 0 };
#ifndef NO_START_RING
    ring();
#endif
#ifdef NO_START
    goto idle;
#endif
service:
    MAY_DIE;
    if
    :: busy -> goto idle                /* what is published meanwhile is seen when it is written */
    :: else
    fi;
    look();
    if
    :: end_of == journaled ->
        follow_from = journaled;
        MAY_DIE;
#ifndef NO_LOOK
        look()
#endif
    :: else
    fi;
    if
    :: end_of == journaled -> goto idle
    :: else
    fi;
    follow_from = NONE;
    MAY_DIE;
    busy = 1;
    d_step { first = journaled; batch = end_of };
#ifdef UNWRITTEN
    journaled = end_of;
#endif
idle: atomic { end_of = 0; m = 0 };
end: do
    :: event -> event = 0; goto service
    :: written != 0 ->
#ifdef RING_FIRST
        ring();
#endif
        journaled = written;
        MAY_DIE;
#ifndef RING_FIRST
        ring();
#endif
        atomic { written = 0; busy = 0 };
#ifdef NO_LOOK_AFTER
        goto idle;
#else
        goto service;
#endif
    :: dead[0] && !repaired[0] -> give_up_claims(0); goto looked
    :: dead[1] && !repaired[1] -> give_up_claims(1); goto looked
    :: atomic { died < DIES -> died++; batch = 0; written = 0; goto start }
    od;
looked:
#ifdef NO_DEATH_LOOK
    goto idle;
#else
    ring();
    goto service;
#endif
}

init {
    atomic { run Publisher(0); run Publisher(1); run Reader(); run Writer(); run Supervisor() };
    do
    :: timeout ->
        if
        :: d_step {
                naps < NAPS && !(done[0] && done[1]) ->
                naps++;
                asleep[0] = 0;
                asleep[1] = 0;
#ifndef NO_ASK
                event = 1
#endif
            }
        :: else -> break
        fi
    od;
    assert(done[0] && done[1]);
#ifndef STOP
    assert(journaled == tail)           /* else it may wait for somebody who wants to know */
#endif
}
