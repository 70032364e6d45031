/* Replacing the ring: seal by CAS, a new ring (larger, or smaller), one store in M. A chain of rings may be alive at once.
 *
 * Modelled (claims in coarser steps than in claim.pml, which has them one by one): RINGS rings of N0, N1, N2, N3 slots; the next ring is wanted at
 * any time, however many older ones are still there; these are let go, oldest first, as the floor passes their seal. Two producers that
 * may sleep between any two steps with what they read; claim words C and publish words P apart; reclaim in each ring, late in sealed ones
 * too. A producer that finds no room, or a seal, sets its wait up, looks a second time, and sleeps on `room` until somebody rings. The
 * supervisor may die at each step (DIES times) and starts again: it seals, finds its seal, stores first[], rings, lets go. A stream reader
 * owns the floor. A look at M.first[] is one step here; attach.pml has it entry by entry.
 * Switches: -DSTOP one producer stops for ever with a claim (in any ring but the last); -DKILL=n producers die with a claim, their claims are
 * repaired in each ring that is left (the supervisor may die in that, too); -DREVOKES=n claims revoked at any time (the claim of a stopped
 * one always is, in the end); -DDEMAND a ring is replaced only when it is full and a producer sleeps; -DLATE nobody reads until the producers
 * are done; -DEXTENTS payloads of 1 or 2 bytes in arenas of A0, A1, A2 bytes; -DVIEWS a member that keeps two views, in one ring or
 * in two, under its one hold, and may stop for ever (-DVIEW_STOP); -DSPILL the supervisor journals from the oldest ring on, across the seals.
 *
 * Invariants: numbers are given out one after the other, no claim in a ring succeeds after its seal, no slot or byte is reused that anybody may
 * still need. `ok` <=> delivered exactly once. No view is overwritten. What was let go had been finished, or is in the journal. When
 * everything rests: each producer is done, dead or stopped; the floor is at the end; every ring but the newest has been let go.
 *
 * Faults: NO_SEAL_CHECK  claimers do not look for the seal
 *         FIRST_FIRST    first[] is stored before the seal
 *         REINIT         a restarted supervisor writes the first state of a ring that M names
 *         LETGO_EARLY    a ring is let go as soon as there is a newer one
 *         NO_PUBLISH_WORD  a seal found at a restart is taken as it is, its publish word not stored
 *         SCAN_NEWEST    the repair after a death looks at the newest ring only (with KILL)
 *         RING_FIRST     the supervisor rings before it stores first[]
 *         NO_RESTART_RING  a restarted supervisor does not ring
 *         NO_SECOND_LOOK a claimer sleeps without the second look
 *         NEXT_RING      a claimer at the seal goes to the ring after, though that may have been let go (the newest is right)
 *         OLD_SIZE       the first state of the new ring is laid out with the older ring's size
 *         HOLD_KEEP      a hold meant for an older ring is taken for enough (with VIEWS)
 *         HOLD_BLOCK     a reclaimer heeds holds of older rings (with VIEWS, VIEW_STOP)
 *         NO_RESUME      a restarted supervisor goes on with a seal only if somebody still waits (with DEMAND, DIES)
 *         NO_HOLD_RING   the supervisor raises its hold and does not ring (with SPILL)
 *         SPILL_NEW      spilling starts in the newest ring (with SPILL)
 * Run:    ./run replace      Result: docs/models.md
 */
#ifndef RINGS
#define RINGS 3
#endif
#ifndef N0
#define N0 3
#endif
#ifndef N1
#define N1 4
#endif
#ifndef N2
#define N2 3
#endif
#ifndef N3
#define N3 3
#endif
#ifndef A0
#define A0 2
#endif
#ifndef A1
#define A1 3
#endif
#ifndef A2
#define A2 2
#endif
#ifndef K0
#define K0 2
#endif
#ifndef K1
#define K1 1
#endif
#ifndef DIES
#define DIES 0
#endif
#ifndef REVOKES
#define REVOKES 0
#endif
#ifndef KILL
#define KILL 0
#endif
#define SLOTS (N0 + N1 + N2 + N3)
#if RINGS == 2
#undef SLOTS
#define SLOTS (N0 + N1)
#elif RINGS == 3
#undef SLOTS
#define SLOTS (N0 + N1 + N2)
#endif
#define N(r) ((r) == 0 -> N0 : ((r) == 1 -> N1 : ((r) == 2 -> N2 : N3)))
#define BASE(r) ((r) == 0 -> 0 : ((r) == 1 -> N0 : ((r) == 2 -> N0 + N1 : N0 + N1 + N2)))
#define D(r, s) (BASE(r) + (s) % N(r))
#define LAP(r, s) ((s) / N(r) + 1)
#define LAST (K0 + K1 + RINGS - 1)      /* the highest number possible: each ring but the last has a seal */
#define NONE 99

#define COMMITTED 1
#define ABORTED 2                       /* RELEASED and ABORTED */
#define REVOKED 3
#define SEALED 4
#define SEAL_OWNER 2
#define NOBODY 3

byte C_lap[SLOTS], C_owner[SLOTS], P_lap[SLOTS], P_state[SLOTS];
byte tail[RINGS], gone[RINGS], limit[RINGS];
byte first[RINGS + 1];                  /* M: 0: not there yet */
bit let_go[RINGS];                      /* M: not there any more */
byte floor = 1;
bit woken[2];                           /* the bell `room` has been rung since this producer read it */
#ifdef DEMAND
bit asleep[2];
#endif
byte deaths = 0, revokes = 0, dies = 0, done = 0;
byte halted = 0;                       /* which + 1 */
bit dead[2], scanned[2];
#ifdef VIEWS
byte hold = NONE;
#endif
#ifdef SPILL
byte hold0 = NONE, journaled_seq = 1;
bit journal[LAST + 2];
#endif
#ifdef EXTENTS
#define ARENA(r) ((r) == 0 -> A0 : ((r) == 1 -> A1 : A2))
#define CELL(r, x) (((r) == 0 -> 0 : ((r) == 1 -> A0 : A0 + A1)) + (x) % ARENA(r))
byte C_end[SLOTS];
byte cell[A0 + A1 + A2];
#endif

/* ghosts */
byte top = 0;                           /* the highest number given out */
bit okay[LAST + 2], delivered[LAST + 2];

#define CLAIMED(i) (C_lap[i] > P_lap[i])
#define READY(r, s) (P_lap[D(r, s)] == LAP(r, s))
#define OWN_CLAIM(i, who) (C_owner[i] == who && CLAIMED(i))
#define IS_SEAL(r, s) (C_lap[D(r, s)] == LAP(r, s) && C_owner[D(r, s)] == SEAL_OWNER)

inline ring_room() { d_step { woken[0] = 1; woken[1] = 1 } }
inline newest(x) { x = 0; do :: x < RINGS - 1 && first[x + 1] != 0 -> x++ :: else -> break od }

/* what a claim of s in ring r must never break */
inline check_claim() {
    assert(s == top + 1 && s <= LAST);
    assert(C_lap[D(r, s)] + 1 == LAP(r, s) && P_lap[D(r, s)] + 1 == LAP(r, s));
    assert(s < limit[r] + N(r) - 1);
    assert(first[r] != 0 && s >= first[r]);
    top = s
}

proctype Producer(byte me; byte left) {
    byte r, s, l, f, w, h, z;
    bit won, armed;
#ifdef EXTENTS
    byte start, size, i;
#endif
    do
    :: left == 0 -> break
    :: else ->
        s = tail[r];
look:   atomic {
            l = C_lap[D(r, s)];
            if
            :: l >= LAP(r, s) -> s = s + (l - LAP(r, s)) * N(r) + 1; goto look
            :: l + 1 < LAP(r, s) -> s = limit[r]; goto look
            :: else
            fi;
            if
            :: C_lap[D(r, s - 1)] != LAP(r, s - 1) -> s = limit[r]; goto look
#ifndef NO_SEAL_CHECK
            :: IS_SEAL(r, s - 1) -> goto sealed
#endif
            :: else
            fi
#ifdef EXTENTS
            ; start = C_end[D(r, s - 1)]; size = 1 + (left + me) % 2
#endif
        };
        f = limit[r];
#ifdef EXTENTS
        atomic {
            if :: C_lap[D(r, f - 1)] != LAP(r, f - 1) -> goto again :: else fi;
            w = C_end[D(r, f - 1)]
        };
        if :: s >= f + N(r) - 2 || start + size > w + ARENA(r) -> goto noroom :: else fi;
#else
        if :: s >= f + N(r) - 2 -> goto noroom :: else fi;
#endif
        d_step {
            won = (C_lap[D(r, s)] == l);
            if
            :: won ->
                check_claim();
                C_lap[D(r, s)] = LAP(r, s); C_owner[D(r, s)] = me;
#ifdef EXTENTS
                C_end[D(r, s)] = start + size;
                i = start;
                do
                :: i < start + size -> assert(cell[CELL(r, i)] == 0); cell[CELL(r, i)] = s; i++
                :: else -> break
                od;
                i = 0; start = 0; size = 0
#endif
            :: else
            fi;
            l = 0; f = 0; w = 0
        };
        atomic {
            if :: !won -> goto again :: else -> won = 0; armed = 0 fi;
            tail[r] = s + 1
        };
        if
#ifdef STOP
        :: atomic { !halted && r < RINGS - 1 -> halted = me + 1; goto out }
#endif
        :: atomic { deaths < KILL -> deaths++; dead[me] = 1; goto out }
        :: atomic {
                assert(C_lap[D(r, s)] == LAP(r, s) && C_owner[D(r, s)] == me);
                left--;
                if
                :: P_lap[D(r, s)] < LAP(r, s) -> P_lap[D(r, s)] = LAP(r, s); P_state[D(r, s)] = COMMITTED; okay[s] = 1; goto again
                :: else -> assert(P_state[D(r, s)] == REVOKED); P_state[D(r, s)] = ABORTED
                fi
            };
            ring_room()
        fi;
        goto again;

noroom: atomic { l = 0; w = 0; won = 0; f = floor };
#ifdef SPILL
        d_step { if :: journaled_seq > f -> f = journaled_seq :: else fi };
#endif
        atomic {
            h = limit[r]; w = h;
            do
            :: w < f && READY(r, w) && P_state[D(r, w)] != REVOKED -> w++
            :: else -> break
            od;
            f = h; h = 0;
            if :: w == f -> goto idle :: else fi
        };
        d_step { if :: gone[r] < w -> gone[r] = w :: else fi };
#ifdef VIEWS
        h = hold;
#ifdef HOLD_BLOCK
        if :: h < w -> w = h :: else fi;
#else
        if :: h >= first[r] && h < w -> w = h :: else fi;
#endif
#endif
#ifdef SPILL
        h = hold0;
        if :: h >= first[r] && h < w -> w = h :: else fi;
#endif
        d_step {
            if :: w > f -> won = 1 :: else fi;
            h = 0; f = limit[r];
            do
            :: f < w ->
#ifdef EXTENTS
                i = C_end[D(r, f - 1)];
                do
                :: i < C_end[D(r, f)] -> assert(cell[CELL(r, i)] == f); cell[CELL(r, i)] = 0; i++
                :: else -> break
                od;
                i = 0;
#endif
                f++
            :: else -> break
            od;
            if :: limit[r] < w -> limit[r] = w :: else fi
        };
        if :: won -> goto again :: else -> goto idle fi;

sealed: atomic {
            z = s - 1;
            l = 0;
#ifdef NEXT_RING
            if :: first[r + 1] != 0 -> assert(!let_go[r + 1]); r++; armed = 0; goto again :: else fi
#else
            newest(h);
            if :: first[h] > z -> r = h; armed = 0; goto again :: else -> h = 0 fi
#endif
        };
idle:   atomic {
#ifdef NO_SECOND_LOOK
            woken[me] = 0;
            armed = 1;
#endif
            s = 0; l = 0; f = 0; w = 0; h = 0; z = 0; won = 0;
#ifdef EXTENTS
            start = 0; size = 0;
#endif
            if
            :: !armed -> armed = 1; woken[me] = 0; goto again           /* reads the bell, sets the mark; then the second look */
            :: else
            fi
        };
        #ifdef DEMAND
        asleep[me] = 1;
#endif
        atomic {
            woken[me] -> armed = 0;
#ifdef DEMAND
            asleep[me] = 0
#endif
        };
again:  atomic {
            s = 0; l = 0; f = 0; w = 0; h = 0; z = 0; won = 0
#ifdef EXTENTS
            ; start = 0; size = 0
#endif
        }
    od;
out:
    atomic { r = 0; s = 0; left = 0; armed = 0; done++ }
}

/* the stream reader: in order, owns the floor */
proctype Reader() {
    byte s = 1, r;
#ifdef LATE
    (done == 2);
#endif
end: do
    :: atomic { r < RINGS - 1 && first[r + 1] != 0 && s >= first[r + 1] -> r++ }
    :: atomic {
            !(r < RINGS - 1 && first[r + 1] != 0 && s >= first[r + 1]) && s <= LAST && (READY(r, s) || s < gone[r] || let_go[r]) ->
            if
            :: !let_go[r] && s >= gone[r] ->
                assert(C_lap[D(r, s)] == LAP(r, s));
                if :: P_state[D(r, s)] == COMMITTED -> assert(!delivered[s] && okay[s]); delivered[s] = 1 :: else fi
            :: else ->
#ifdef SPILL
                assert(journaled_seq > s);
                if :: journal[s] -> delivered[s] = 1 :: else fi
#else
                assert(false)
#endif
            fi
        };
        atomic { s++; floor = s };
        ring_room()
    od
}

#ifdef VIEWS
/* a member whose messages were given on: views under its hold only. It takes one view and keeps it while it takes a second, in the same or a newer
 * ring, then drops one after the other */
inline take(s, r, has) {
    atomic { s = 1; do :: s < top && s < LAST -> s++ :: break od };
    atomic {                            /* attach before anything else */
        do :: r < RINGS - 1 && first[r + 1] != 0 && s >= first[r + 1] -> r++ :: else -> break od;
        if
        :: s < first[r] || s > top || s < floor - 1 -> s = 0            /* an older ring needs no hold; the rest bounds the run */
#ifdef HOLD_KEEP
        :: s >= first[r] && s <= top && s >= floor - 1 && hold <= s
#else
        :: s >= first[r] && s <= top && s >= floor - 1 && hold <= s && hold >= first[r]
#endif
        :: else -> hold = s
        fi
    };
    if
    :: s != 0 ->
        if
        :: gone[r] > s
        :: else -> atomic { if :: READY(r, s) && P_state[D(r, s)] == COMMITTED -> has = 1 :: else fi }
        fi
    :: else
    fi
}

proctype Viewer() {
    byte r, s, v, vr;
    bit has, second;
    take(v, r, has);
    vr = r;
    if
    :: has ->
#ifdef VIEW_STOP
        if :: atomic { r < RINGS - 1 -> goto out } :: skip fi;          /* with hold and view and all */
#endif
        take(s, r, second);
        assert(C_lap[D(vr, v)] == LAP(vr, v));
        if
        :: second ->
            if
            :: atomic { hold = NONE; second = 0; has = (r != vr) ; if :: r == vr -> hold = v; has = 1 :: else fi }  /* drops the second */
            :: atomic { hold = s; has = 0 }                             /* drops the first */
            fi;
            ring_room();
            assert(!second || C_lap[D(r, s)] == LAP(r, s))
        :: else
        fi;
        assert(!has || C_lap[D(vr, v)] == LAP(vr, v))
    :: else
    fi;
    atomic { hold = NONE; ring_room() };
out: atomic { r = 0; s = 0; v = 0; vr = 0; has = 0; second = 0 }
}
#endif

#ifdef LETGO_EARLY
#define UNNEEDED(k) true
#elif defined(SPILL)
#define UNNEEDED(k) (floor >= first[k + 1] || journaled_seq >= first[k + 1])
#else
#define UNNEEDED(k) (floor >= first[k + 1])
#endif
#define LETTABLE(k) (!let_go[k] && (k == 0 || let_go[(k + RINGS - 1) % RINGS]) && first[k + 1] != 0 && UNNEEDED(k))
#if DIES > 0
#define MAY_DIE if :: atomic { dies < DIES -> dies++; goto restart } :: skip fi;
#else
#define MAY_DIE
#endif

proctype Supervisor() {
    byte r, s, l, x, i, o;
    bit won;
#ifdef SPILL
    byte j;
#endif
    goto begin;
restart:
    atomic {
        s = 0; l = 0; x = 0; i = 0; o = 0; won = 0; r = 0;
#ifdef SPILL
        j = 0;
        hold0 = NONE;
#endif
#ifndef REINIT
        newest(r)
#endif
    };
#ifndef NO_RESTART_RING
    ring_room();
#endif
begin:
end: do
#ifdef DEMAND                           /* replace: when somebody waits at a full ring, whatever else is still there */
#ifdef NO_RESUME
    :: d_step { r < RINGS - 1 && (asleep[0] || asleep[1]) && (top + 1 >= limit[r] + N(r) - 2 || IS_SEAL(r, top)) };
#else                                   /* and a seal that is found is always gone on with */
    :: d_step { r < RINGS - 1 && (((asleep[0] || asleep[1]) && top + 1 >= limit[r] + N(r) - 2) || IS_SEAL(r, top)) };
#endif
#else                                   /* replace: wanted at any time */
    :: r < RINGS - 1 ->
#endif
#ifdef FIRST_FIRST
        s = tail[r];
        first[r + 1] = s + 1;
#endif
        s = tail[r];
look:   atomic {
            l = C_lap[D(r, s)];
            if
            :: IS_SEAL(r, s) -> goto found
            :: l >= LAP(r, s) && !IS_SEAL(r, s) -> s = s + (l - LAP(r, s)) * N(r) + 1; goto look
            :: l + 1 < LAP(r, s) -> s = limit[r]; goto look
            :: else
            fi;
            if
            :: C_lap[D(r, s - 1)] != LAP(r, s - 1) -> s = limit[r]; goto look
            :: IS_SEAL(r, s - 1) -> s = s - 1; goto found
            :: else
            fi
        };
        d_step {
            won = (C_lap[D(r, s)] == l);
            if
            :: won ->
                check_claim();
                C_lap[D(r, s)] = LAP(r, s); C_owner[D(r, s)] = SEAL_OWNER;
#ifdef EXTENTS
                C_end[D(r, s)] = C_end[D(r, s - 1)]
#endif
            :: else
            fi;
            l = 0
        };
        atomic { if :: !won -> s = tail[r]; goto look :: else -> won = 0 fi };
        MAY_DIE
        atomic { P_lap[D(r, s)] = LAP(r, s); P_state[D(r, s)] = SEALED; goto make };
#ifdef NO_PUBLISH_WORD
found:  skip;
#else
found:  atomic { P_lap[D(r, s)] = LAP(r, s); P_state[D(r, s)] = SEALED; l = 0; won = 0 };
#endif
make:   MAY_DIE
#if DIES > 0
        d_step {                        /* half of the first state */
            i = 0;
            do
            :: i < N(r + 1) -> C_lap[BASE(r + 1) + i] = 0; P_lap[BASE(r + 1) + i] = 0; P_state[BASE(r + 1) + i] = 0; i++
            :: else -> break
            od;
            i = 0
        };
        MAY_DIE
#endif
        atomic {                        /* each slot: the lap before its next one */
            i = s + 1;
            do
            :: i < s + 1 + N(r + 1) ->
#ifdef OLD_SIZE
                C_lap[D(r + 1, i)] = LAP(r, i) - 1; P_lap[D(r + 1, i)] = LAP(r, i) - 1;
#else
                C_lap[D(r + 1, i)] = LAP(r + 1, i) - 1; P_lap[D(r + 1, i)] = LAP(r + 1, i) - 1;
#endif
                C_owner[D(r + 1, i)] = NOBODY; P_state[D(r + 1, i)] = ABORTED;
                i++
            :: else -> break
            od;
            i = 0;
            tail[r + 1] = s + 1; gone[r + 1] = s + 1; limit[r + 1] = s + 1
        };
        MAY_DIE
#ifdef RING_FIRST
        ring_room();
#endif
        first[r + 1] = s + 1;
        MAY_DIE
#ifndef RING_FIRST
        ring_room();
#endif
        atomic { r++; s = 0 }

    /* let go, oldest first */
    :: d_step { LETTABLE(0) -> let_go[0] = 1 };
        MAY_DIE
        ring_room()
#if RINGS > 2
    :: d_step { LETTABLE(1) -> let_go[1] = 1 };
        MAY_DIE
        ring_room()
#endif
#if RINGS > 3
    :: d_step { LETTABLE(2) -> let_go[2] = 1 };
        MAY_DIE
        ring_room()
#endif

#if KILL > 0
    :: atomic { dead[0] && !scanned[0] -> o = 0; goto death }
    :: atomic { dead[1] && !scanned[1] -> o = 1; goto death }
#endif

#define REVOKABLE(n) (n < SLOTS && C_owner[(n) % SLOTS] < 2 && CLAIMED((n) % SLOTS) && (revokes < REVOKES || halted == C_owner[(n) % SLOTS] + 1))
#define REVOKE(n) d_step { REVOKABLE(n) -> \
        if :: revokes < REVOKES -> revokes++ :: else fi; P_lap[(n) % SLOTS] = C_lap[(n) % SLOTS]; P_state[(n) % SLOTS] = REVOKED }
#if REVOKES > 0 || defined(STOP)
    :: REVOKE(0)
    :: REVOKE(1)
    :: REVOKE(2)
    :: REVOKE(3)
    :: REVOKE(4)
    :: REVOKE(5)
    :: REVOKE(6)
    :: REVOKE(7)
    :: REVOKE(8)
    :: REVOKE(9)
    :: REVOKE(10)
    :: REVOKE(11)
    :: REVOKE(12)
#endif

#ifdef SPILL
    :: journaled_seq <= LAST && top >= journaled_seq ->         /* a run of spilling */
        d_step {
            j = 0;
#ifdef SPILL_NEW
            newest(j)
#else
            do :: let_go[j] -> j++ :: else -> break od          /* the oldest ring not let go */
#endif
        };
        hold0 = gone[j];
        d_step {
            s = gone[j];
            if :: journaled_seq > s -> s = journaled_seq :: else -> journaled_seq = s fi
        };
        do
        :: atomic { j < RINGS - 1 && first[j + 1] != 0 && s >= first[j + 1] -> j++ };      /* across a seal, the hold taken anew */
            hold0 = s;
            d_step { if :: gone[j] > s -> s = gone[j]; journaled_seq = s :: else fi }
        :: atomic {
                !(j < RINGS - 1 && first[j + 1] != 0 && s >= first[j + 1]) && s <= LAST && READY(j, s) ->
                x = (P_state[D(j, s)] == COMMITTED)
            };
            d_step {
                assert(C_lap[D(j, s)] == LAP(j, s) || floor > s);
                journal[s] = x;
                x = 0; s++; journaled_seq = s; hold0 = s
            };
            ring_room();
            MAY_DIE
            skip
        :: break
        od;
        hold0 = NONE;
#ifndef NO_HOLD_RING
        ring_room();
#endif
        atomic { s = 0; x = 0; j = 0 }
#endif
    od;

#if KILL > 0
death:
#ifdef SCAN_NEWEST
    newest(i);
#else
    i = 0;
#endif
    do
    :: i < RINGS && first[i] != 0 ->
        if
        :: let_go[i]
        :: else ->
            atomic { s = limit[i]; l = s + N(i) };
            do
            :: s < l ->
                d_step {
                    if
                    :: C_lap[D(i, s)] == LAP(i, s) && C_owner[D(i, s)] == o ->
                        if
                        :: P_lap[D(i, s)] < LAP(i, s) || P_state[D(i, s)] == REVOKED -> P_lap[D(i, s)] = LAP(i, s); P_state[D(i, s)] = ABORTED
                        :: else
                        fi
                    :: else
                    fi;
                    s++
                };
                MAY_DIE
                skip
            :: else -> break
            od
        fi;
        i++
    :: else -> break
    od;
    ring_room();
    scanned[o] = 1;
    atomic { s = 0; l = 0; i = 0; o = 0; goto begin }
#endif
}

proctype Monitor() {
    byte i;
    timeout ->
    d_step {
        assert(done == 2);
        i = 1;
        do
        :: i <= LAST -> assert(okay[i] == delivered[i]); i++
        :: else -> break
        od;
        assert(floor == top + 1);
        i = 0;
        do
        :: i < RINGS - 1 -> assert(first[i + 1] == 0 || let_go[i]); i++
        :: else -> break
        od
    }
}

init {
    byte i;
    atomic {
        i = 1;
        do
        :: i < 1 + N0 -> C_lap[i % N0] = LAP(0, i) - 1; P_lap[i % N0] = LAP(0, i) - 1; C_owner[i % N0] = NOBODY; P_state[i % N0] = ABORTED; i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < RINGS -> tail[i] = 1; gone[i] = 1; limit[i] = 1; i++
        :: else -> break
        od;
        i = 0; first[0] = 1;
        run Producer(0, K0); run Producer(1, K1); run Reader();
#ifdef VIEWS
        run Viewer();
#endif
        run Supervisor(); run Monitor()
    }
}
