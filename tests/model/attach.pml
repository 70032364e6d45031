/* Finding and attaching a ring in a chain: M.first[] read entry by entry, fds asked for by name, rings let go meanwhile, a killed consumer.
 *
 * Modelled: M has ENTRIES entries, each the name (first sequence) of a ring or 0; the supervisor stores a new ring in any free entry and clears
 * the entry of the oldest when the floor is past its seal, so entries are used again in any order. Clients read them one by one. The ring for s is
 * the last one that starts at or below s. If none is seen, the client looks a second time, and only if that look finds none either s is finished.
 * Who has not mapped the ring asks the supervisor for its fd by name; if it has been let go meanwhile the client looks again. One producer
 * (attaches the newest ring, publishes, meets seals, waits on `room`), two members of a shared group with a word per message (claimed,
 * acknowledged; a seal goes straight to acknowledged), either may be killed (-DKILL) at each step once it has mapped a ring; the supervisor makes
 * its words available again, the other member goes on in whichever ring they are. The supervisor may die at each step (DIES times). Rings are
 * abstract: a number exists in one of them.
 *
 * Invariants: nobody takes an unfinished number for finished. One successful acknowledgement of a message. When everything rests: every message is
 * acknowledged, the producer done, every ring but the newest let go, and nobody sleeps though there is something to do.
 *
 * Faults: LOOK_ONCE     one look that finds no ring is believed
 *         KEEP_ASKING   a client whose ring was let go asks for the same ring again
 *         LETGO_EARLY   a ring is let go when a newer one is there
 *         LETGO_NEXT    a ring is let go when every number in it is claimed, finished or not
 *         NO_OLD_WORDS  after a death only words in the newest ring are made available again (with KILL)
 *         NO_RESTART_RING  a restarted supervisor does not ring (with DIES)
 *         STALE_LOOK    who finds nothing at s sleeps without a second look at M
 * Bounds: ENTRIES, RINGS, MSGS; -DALONE one member (then the producer, too, reads entry by entry); -DSUCCESSOR the second member comes when the
 * first has been killed. NO_LETGO_RING: nobody is rung when a ring is let go (not a fault: nobody waits for that).
 * Run:    ./run attach       Result: docs/models.md
 */
#ifndef ENTRIES
#define ENTRIES 2
#endif
#ifndef RINGS
#define RINGS 3
#endif
#ifndef MSGS
#define MSGS 2
#endif
#ifndef KILL
#define KILL 0
#endif
#ifndef DIES
#define DIES 0
#endif
#define LAST (MSGS + RINGS - 1)
#define MESSAGE 1
#define SEAL 2
#define AVAILABLE 0
#define ACKED 3                         /* a word: available, claimed by 0 (1) or by 1 (2), or acknowledged */

byte entry[ENTRIES];                    /* M.first[]; a ring is called by its number here, its first sequence is ring_first[] */
byte ring_first[RINGS + 2];
bit let_go[RINGS + 2];
byte what[LAST + 2], where[LAST + 2];   /* what has been published as s, and in which ring */
byte top = 0;
byte word[LAST + 2];
byte floor = 1;
bit woken[3];                           /* the bell has rung since it was read; 0 and 1: data, 2: room */
bit dead[2], freed[2];
byte kills = 0, dies = 0;
bit finished_sending = 0;

#define EXISTS(r, s) (s <= LAST && what[s] != 0 && where[s] == r)
#define SEALED(r) (top > 0 && (where[top] > r || (where[top] == r && what[top] == SEAL)))

inline ring_data() { d_step { woken[0] = 1; woken[1] = 1 } }
inline ring_both() { d_step { woken[0] = 1; woken[1] = 1; woken[2] = 1 } }

/* the ring for s: the last one that starts at or below s, as far as this reader of the entries sees */
#define SEE(best, s) if :: entry[i] != 0 && ring_first[entry[i]] <= s && entry[i] > best -> best = entry[i] :: else fi
inline find_ring(s, best) {
    atomic { best = 0; i = 0 };
    do
    :: atomic { i < ENTRIES -> SEE(best, s); i++ }
    :: atomic { i >= ENTRIES -> i = 0; break }
    od
}
inline find_ring_at_once(s, best) {
    d_step {
        best = 0; i = 0;
        do
        :: i < ENTRIES -> SEE(best, s); i++
        :: else -> break
        od;
        i = 0
    }
}
inline raise_floor() {
    d_step {
        do
        :: floor <= LAST && word[floor] == ACKED -> floor++
        :: else -> break
        od;
        i = 0
    }
}

#define KILLED atomic { kills < KILL -> kills++; dead[me] = 1; goto out }

proctype Member(byte me) {
    byte s, r, i;
    bit armed, second, mapped[RINGS + 1];
#ifdef SUCCESSOR
    if
    :: me == 1 ->
end_wait: (dead[0])
    :: else
    fi;
#endif
    do
    :: true ->
fresh:  atomic {                        /* the first number that is not finished nor claimed (window.pml has this in full) */
            s = floor;
            do
            :: s <= LAST && word[s] != AVAILABLE -> s++
            :: else -> break
            od;
            r = 0
        };
look:   if
        :: me == 0 -> find_ring(s, r)
        :: else -> find_ring_at_once(s, r)      /* one reader entry by entry is enough */
        fi;
        if
#ifndef LOOK_ONCE
        :: atomic { r == 0 && !second -> second = 1; goto look }
        :: atomic { r == 0 && second -> second = 0 };
#else
        :: r == 0 ->
#endif
            assert(s <= LAST && word[s] == ACKED);
            goto again
        :: atomic { r != 0 -> second = 0 }
        fi;
        if
        :: mapped[r]
        :: else ->
            atomic {                    /* asked, and answered by the supervisor, some time after the look */
                if
#ifdef KEEP_ASKING
                :: let_go[r] -> (!let_go[r])
#else
                :: let_go[r] -> r = 0; goto look
#endif
                :: else -> mapped[r] = 1
                fi
            };
            if :: KILLED :: skip fi
        fi;
        if
        :: atomic { EXISTS(r, s) && what[s] == SEAL -> if :: word[s] == AVAILABLE -> word[s] = ACKED :: else fi }
        :: atomic {
                EXISTS(r, s) && what[s] == MESSAGE ->
                if :: word[s] == AVAILABLE -> word[s] = me + 1 :: else -> goto again fi
            };
            if :: KILLED :: skip fi;
            d_step { assert(word[s] == me + 1); word[s] = ACKED };
            if :: KILLED :: skip fi
        :: atomic {
                !EXISTS(r, s) ->
#ifdef STALE_LOOK
                if :: !armed -> armed = 1; woken[me] = 0 :: else fi;
#else
                if :: !armed -> armed = 1; woken[me] = 0; s = 0; r = 0; goto fresh :: else fi;
#endif
                s = 0; r = 0
            };
end:        atomic { woken[me] -> armed = 0; goto again }
        fi;
        raise_floor();
        ring_data();
again:  atomic { s = 0; r = 0; armed = 0; second = 0 }
    od;
out:
    atomic {
        s = 0; r = 0; i = 0; armed = 0;
        do
        :: i <= RINGS -> mapped[i] = 0; i++
        :: else -> i = 0; break
        od
    }
}

proctype Producer() {
    byte r, n, i, left = MSGS;
    bit armed, mapped[RINGS + 1];
    do
    :: left == 0 -> break
    :: left > 0 && r != 0 ->
        d_step {
            if
            :: SEALED(r) -> n = 1
            :: else -> top++; what[top] = MESSAGE; where[top] = r; left--; n = 0; armed = 0
            fi
        };
        if
        :: n == 0 -> ring_data()
        :: else -> n = 0; goto newest
        fi
    :: left > 0 && r == 0 ->
newest:
#ifdef ALONE
        find_ring(LAST + 1, n);
#else
        find_ring_at_once(LAST + 1, n);
#endif
        if
        :: n > r ->
            if
            :: mapped[n]
            :: else ->
                atomic { if :: let_go[n] -> n = 0; goto newest :: else -> mapped[n] = 1 fi }
            fi;
            atomic { r = n; n = 0; armed = 0 }
        :: else ->
            atomic {
                n = 0;
                if :: !armed -> armed = 1; woken[2] = 0; goto newest :: else fi
            };
            atomic { woken[2] -> armed = 0 }
        fi
    od;
    atomic {
        finished_sending = 1; r = 0; n = 0;
        do
        :: i <= RINGS -> mapped[i] = 0; i++
        :: else -> i = 0; break
        od
    }
}

#if DIES > 0
#define MAY_DIE if :: atomic { dies < DIES -> dies++; goto restart } :: skip fi;
#else
#define MAY_DIE
#endif
#if defined(LETGO_EARLY)
#define UNNEEDED(r) true
#elif defined(LETGO_NEXT)
#define UNNEEDED(r) (word[ring_first[r]] != AVAILABLE && word[ring_first[r + 1] - 1] != AVAILABLE)
#else
#define UNNEEDED(r) (floor >= ring_first[r + 1])
#endif
#ifdef NO_LETGO_RING
#define RING_LETGO skip
#else
#define RING_LETGO ring_both()
#endif
#define LETTABLE(i) (entry[i] != 0 && entry[i] < newest && (entry[i] == 1 || let_go[entry[i] - 1]) && UNNEEDED(entry[i]))

proctype Supervisor() {
    byte newest = 1, i, s;
    goto begin;
restart:
    atomic {
        newest = 0; i = 0; s = 0;
        do
        :: i < ENTRIES -> if :: entry[i] > newest -> newest = entry[i] :: else fi; i++
        :: else -> break
        od;
        i = 0
    };
#ifndef NO_RESTART_RING
    ring_both();
#endif
begin:
end: do
    /* a new ring, wanted at any time if an entry is free; a seal that is found is gone on with */
    :: atomic { newest < RINGS && (entry[0] == 0 || entry[1] == 0 || entry[ENTRIES - 1] == 0) -> skip };
        atomic {
            if
            :: SEALED(newest)
            :: else -> top++; what[top] = SEAL; where[top] = newest
            fi;
            s = top + 1
        };
        MAY_DIE
        atomic {
            ring_first[newest + 1] = s;
            if
            :: entry[0] == 0 -> entry[0] = newest + 1
            :: entry[1] == 0 -> entry[1] = newest + 1
            :: ENTRIES > 2 && entry[ENTRIES - 1] == 0 -> entry[ENTRIES - 1] = newest + 1
            fi;
            s = 0; newest++
        };
        MAY_DIE
        ring_both()

    /* let go of the oldest */
    :: d_step { LETTABLE(0) -> let_go[entry[0]] = 1; entry[0] = 0 };
        MAY_DIE
        RING_LETGO
    :: d_step { LETTABLE(1) -> let_go[entry[1]] = 1; entry[1] = 0 };
        MAY_DIE
        RING_LETGO
#if ENTRIES > 2
    :: d_step { LETTABLE(2) -> let_go[entry[2]] = 1; entry[2] = 0 };
        MAY_DIE
        RING_LETGO
#endif

#if KILL > 0
    :: atomic { dead[0] && !freed[0] -> i = 0; goto death }
    :: atomic { dead[1] && !freed[1] -> i = 1; goto death }
#endif
    od;
#if KILL > 0
death:
#ifdef NO_OLD_WORDS
    s = ring_first[newest];
#else
    s = 1;
#endif
    do
    :: s <= LAST ->
        d_step { if :: word[s] == i + 1 -> word[s] = AVAILABLE :: else fi; s++ };
        MAY_DIE
        skip
    :: else -> break
    od;
    s = i;
    raise_floor();
    freed[s] = 1;
    s = 0;
    ring_both();
    goto begin
#endif
}

proctype Monitor() {
    byte i;
    timeout ->
    d_step {
        assert(finished_sending);
        assert(floor == top + 1);
        i = 0;
        do
        :: i < ENTRIES -> assert(entry[i] == 0 || (entry[i] == RINGS || ring_first[entry[i] + 1] == 0)); i++
        :: else -> break
        od
    }
}

init {
    atomic {
        entry[0] = 1; ring_first[1] = 1;
        run Member(0);
#ifndef ALONE
        run Member(1);
#endif
        run Producer(); run Supervisor(); run Monitor()
    }
}
