/* Sleeping on a bell and ringing it: {bell, mark}. No bits per sleeper; the dead leave nothing behind.
 *
 *     sleep:  e = bell;  mark = max(mark, {set, e}) by CAS;  look again;  futex_wait(bell, e)
 *     ring:   after the change: m = mark;  if set: bell++;  futex_wake(all);  CAS(mark, m -> not set)
 *
 * Modelled: two publishers that publish and ring, two members that take messages (-DBROADCAST: each reads them all) and sleep, the supervisor that
 * rings for the dead. Each shared word is a step; futex_wait compares under its own lock. One publisher may die at any step, or (-DSTOP) one
 * publisher or member stops for ever and nobody rings for it: then the next publish must wake everybody. -DRUN: publishers publish two at
 * a time, and look at the mark once, behind the second. A wait without end: the wait of
 * at most 1 s, which would repair much, is left out. mark = 0 is "not set", bell starts at 1.
 *
 * Invariant: when everything rests, each member has seen every message, unless the last publisher stopped between its publish and its ring.
 *
 * Faults: CLEAR_BLIND  the ringer clears the mark, not only the mark it saw
 *         CLEAR_FIRST  it clears the mark before the wake (with STOP)
 *         PLAIN_MARK   an older mark may replace a newer one (with STOP)
 *         SERVED       the publisher remembers that it has served a mark
 *         NO_RING      the supervisor does not ring at a death
 *         NO_LOOK      a sleeper does not look again after setting the mark
 *         RUN_EARLY    the one look comes before the second publish (with RUN)
 * Bounds: MSGS (publisher 0 sends MSGS, publisher 1 one less).
 * Run:    ./run bell        Result: docs/models.md
 */
#ifndef MSGS
#define MSGS 2
#endif

byte published = 0, bell = 1, mark = 0;
byte seen[2];                           /* a group: seen[0] is what the two have taken together */
bit asleep[2], dead[2], halted[2];
byte faults = 0;
bit stopped = 0, after = 0;             /* a publisher stopped; somebody published after that */

#ifdef STOP
#define FAILS atomic { faults < 1 -> faults++; stopped = 1; goto out }
#else
#define FAILS atomic { faults < 1 -> faults++; dead[me] = 1; goto out }
#endif
#ifdef BROADCAST
#define MINE seen[me]
#else
#define MINE seen[0]
#endif

inline wake_all() { d_step { asleep[0] = 0; asleep[1] = 0 } }
#ifdef PLAIN_MARK
inline set_mark() { mark = e }
#else
inline set_mark() { d_step { if :: mark < e -> mark = e :: else fi } }
#endif
inline look() { d_step { if :: published > MINE -> MINE++; got = 1 :: else -> got = 0 fi } }
inline clear_seen_mark() { d_step { if :: mark == m -> mark = 0 :: else fi } }

proctype Publisher(byte me) {
    byte m, k = 0, served = 0;
    do
    :: k < MSGS - me ->
        d_step { k++; published++; after = stopped };                   /* publish: a seq_cst CAS */
#ifdef RUN
        if :: FAILS :: skip fi;
#ifdef RUN_EARLY
        m = mark;
#endif
        if :: k < MSGS - me -> d_step { k++; published++; after = stopped } :: else fi;
#endif
#ifdef RUN_EARLY
        if :: FAILS :: skip fi;
#else
        if :: FAILS :: m = mark fi;
#endif
#ifdef SERVED
        if
        :: m != 0 && served == 1 -> m = 0
        :: m == 0 -> served = 0
        :: else -> served = 1
        fi;
#endif
        if
        :: m != 0 ->
#ifdef CLEAR_FIRST
            clear_seen_mark();
            if :: FAILS :: skip fi;
#endif
            bell++;
            if :: FAILS :: skip fi;
            wake_all();
            if :: FAILS :: skip fi;
#ifdef CLEAR_BLIND
            mark = 0
#else
            clear_seen_mark()
#endif
        :: else
        fi;
        m = 0
    :: else -> break
    od;
out: skip
}

proctype Member(byte me) {
    byte e;
    bit got;
    do
    :: e = bell;
#ifdef NO_LOOK
        look();
        set_mark();
#else
        set_mark();
        look();
#endif
#ifdef STOP
        if :: atomic { !got && faults < 1 -> faults++; halted[me] = 1; goto out } :: skip fi;
#endif
        if
        :: got -> got = 0
        :: else ->
            d_step { if :: bell == e -> asleep[me] = 1 :: else fi };
end:        (!asleep[me]);
        fi
    od;
out: skip
}

proctype Supervisor() {
    bit rung[2];
end: do
#ifndef NO_RING
    :: atomic { dead[0] && !rung[0] -> rung[0] = 1; bell++ }; wake_all()
    :: atomic { dead[1] && !rung[1] -> rung[1] = 1; bell++ }; wake_all()
#endif
    :: false
    od
}

init {
    atomic { run Publisher(0); run Publisher(1); run Member(0); run Member(1); run Supervisor() };
    timeout;
#ifdef BROADCAST
    assert((stopped && !after) || ((published == seen[0] || halted[0]) && (published == seen[1] || halted[1])))
#else
    assert((stopped && !after) || published == seen[0])
#endif
}
