/* Claim, publish, abort, revoke: two producers, the supervisor, one reader.
 *
 * Modelled: `tail` as a hint (plain stores, it may go backwards; -DFORGED: once set to anything at all). Claim words C = {lap, owner, B = end of the
 * extent}, changed by one CAS and by nothing else; publish words P = {lap, state} in an array of their own. Extents of 1 or 2 bytes in a circular
 * arena of ARENA bytes; `limit`, and the oldest start derived from the claim word before it. Every shared word is a step of its own (claim words
 * are read in two halves, lap first), so a claimer may sleep between any two of them while the ring goes round. A producer publishes
 * or aborts; it may die after its claim at each step; the supervisor then scans [limit, limit+N), may die in the scan at each step and repeats it.
 * The supervisor revokes any claim at any time (it cannot tell slow from stopped). -DSEAL: it also seals the ring at any time, dies between
 * the two words of the seal, finds it again. -DEXCLUSIVE: one producer at a time with plain stores (B first, then the lap), the next one is
 * admitted after the death scan of the first; it is not revoked.
 *
 * Invariants: A1 laps only grow, P.lap <= C.lap. A2 numbers are given out one after the other, no slot is reused before its message and the
 * one whose end it keeps are below `limit`. A3 extents are disjoint and contiguous. A4 only the owner writes its extent, and not after
 * anybody else may have it. A5 published as `ok` <=> delivered exactly once; what is delivered was filled. A6 when everything rests, each
 * producer is done or dead, the reader and `limit` are at the end (no claim of a dead owner is left).
 *
 * Faults: NO_LAP    only "already claimed" is looked for: an older lap goes over a live claim
 *         NO_PREV   the slot before is not checked (with FORGED)
 *         NO_GAP    N-1 instead of N-2 (with SEAL)
 *         REVOKE_ABORTS  a revoke makes the bytes free at once
 *         BLIND_PUBLISH  publish does not look at REVOKED
 *         TORN_START     the end of the message before is read before its lap (with FORGED)
 *         SHRINK    a payload smaller than its loan lowers B
 *         SCAN_TAIL the death scan ends at `tail`, a hint
 *         SCAN_SKIPS_REVOKED   the death scan leaves REVOKED alone
 *         LAP_FIRST an exclusive producer stores the lap before B (with EXCLUSIVE)
 *         NO_STOP_AT_SEAL      claimers do not look for the seal (with SEAL)
 * Bounds: N, ARENA, K0 and K1 (messages of each producer), DEATHS, REVOKES.
 * Run:    ./run claim        Result: docs/models.md
 */
#ifndef N
#define N 4
#endif
#ifndef ARENA
#define ARENA 4
#endif
#ifndef K0
#define K0 3
#endif
#ifndef K1
#define K1 3
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef REVOKES
#define REVOKES 2
#endif
#define LAST (K0 + K1 + 1)              /* the highest number possible, a seal among them */
#define LAP(s) ((s) / N + 1)

#define COMMITTED 1
#define ABORTED 2
#define REVOKED 3
#define RELEASED 4
#define SEALED 5
#define SEAL_OWNER 2

byte C_lap[N], C_owner[N], C_end[N];    /* claim words */
byte P_lap[N], P_state[N];              /* publish words */
byte tail = 1, limit = 1;
bit dead[2], scanned[2];                /* scanned: the supervisor has made the slot free */
byte deaths = 0, revokes = 0, done = 0;
bit sealed = 0;

/* ghosts: seen by the assertions only */
byte top = 0;                           /* the highest number given out */
byte cell[ARENA];                       /* whose byte it is; 0: free */
bit filled[LAST + 1], okay[LAST + 1], delivered[LAST + 1];

#define CLAIMED(i) (C_lap[i] > P_lap[i])
#define DIES atomic { deaths < DEATHS -> deaths++; dead[me] = 1; goto out }

/* what a claim of s from `start` to `end` must never break */
inline check_claim(from, to) {
    assert(s == top + 1 && s <= LAST);
    assert(C_lap[s % N] + 1 == LAP(s) && P_lap[s % N] + 1 == LAP(s));
    assert(s < limit + N - 1);          /* the slot of limit-1 stays */
    assert(from == C_end[(s - 1) % N]);
    top = s;
    i = from;
    do
    :: i < to -> assert(cell[i % ARENA] == 0); cell[i % ARENA] = s; i++
    :: else -> break
    od;
    i = 0
}

proctype Producer(byte me; byte left) {
    byte s, l, b, start, f, low, size, i;
    bit won;
#ifdef EXCLUSIVE
    if :: me == 1 -> (done == 1 && (!dead[0] || scanned[0])) :: else fi;
#endif
    do
    :: left == 0 -> break
    :: else ->
        s = tail;
look:   atomic {
            l = C_lap[s % N];
            if
#ifdef NO_LAP
            :: l == LAP(s) -> s++; goto look
#else
            :: l >= LAP(s) -> s = s + (l - LAP(s)) * N + 1; goto look           /* claimed, or the hint is laps behind */
            :: l < LAP(s) && l + 1 != LAP(s) -> goto scan                        /* ahead: never claim there */
#endif
            :: else
            fi;
            b = C_end[s % N]            /* torn from the lap, it would only fail the CAS */
        };
#ifdef TORN_START
        start = C_end[(s - 1) % N];
#endif
#if !defined(NO_PREV) && !defined(NO_LAP)
        atomic {
            if
            :: C_lap[(s - 1) % N] != LAP(s - 1) -> goto scan
#ifndef NO_STOP_AT_SEAL
            :: C_lap[(s - 1) % N] == LAP(s - 1) && C_owner[(s - 1) % N] == SEAL_OWNER -> goto out
#endif
            :: else
            fi
        };
#endif
#ifndef TORN_START
        start = C_end[(s - 1) % N];
#endif
        f = limit;
        atomic {
            if :: C_lap[(f - 1) % N] != LAP(f - 1) -> goto again :: else fi;
            low = C_end[(f - 1) % N]
        };
        atomic {
#ifdef ANY_SIZE
        if :: size = 1 :: size = 2 fi;
#else
        size = 1 + (left + me) % 2;
#endif
        if
#ifdef NO_GAP
        :: s < f + N - 1 && start + size <= low + ARENA
#else
        :: s < f + N - 2 && start + size <= low + ARENA
#endif
        :: else -> goto noroom
        fi };
#ifdef EXCLUSIVE
#ifdef LAP_FIRST
        d_step { check_claim(start, start + size); C_owner[s % N] = me; C_lap[s % N] = LAP(s) };
        if :: DIES :: skip fi;
        C_end[s % N] = start + size;
#else
        C_end[s % N] = start + size;
        if :: DIES :: skip fi;
        d_step { check_claim(start, start + size); C_owner[s % N] = me; C_lap[s % N] = LAP(s) };
#endif
        won = 1;
#else
        d_step {                        /* cmpxchg16b: owner and extent in one step */
            won = (C_lap[s % N] == l && C_end[s % N] == b);
            if
            :: won ->
                check_claim(start, start + size);
                C_lap[s % N] = LAP(s); C_owner[s % N] = me; C_end[s % N] = start + size
            :: else
            fi
        };
#endif
        atomic { l = 0; b = 0; f = 0; low = 0; if :: !won -> goto again :: else fi };
        if :: DIES :: tail = s + 1 fi;
        if
        :: DIES
        :: d_step {                     /* fill: a write to the extent and the fields */
            true ->
            i = start;
            do
            :: i < start + size -> assert(cell[i % ARENA] == s); i++
            :: else -> break
            od;
            i = 0; start = 0; size = 0; filled[s] = 1
            }
        fi;
        if :: DIES :: skip fi;
#ifdef SHRINK
        d_step { if :: C_end[s % N] == C_end[(s - 1) % N] + 2 -> C_end[s % N] = C_end[s % N] - 1 :: else fi };
#endif
        atomic {                        /* one CAS from the older value */
            if
            :: true -> i = COMMITTED
            :: left == 1 -> i = ABORTED /* only the last, to bound the run */
            fi;
#ifdef BLIND_PUBLISH
            won = 1;
#else
            won = (P_lap[s % N] < LAP(s));
#endif
            if
            :: won -> P_lap[s % N] = LAP(s); P_state[s % N] = i;
                if :: i == COMMITTED -> okay[s] = 1 :: else fi
            :: else
            fi;
            i = 0; left--;
            if :: won -> goto again :: else fi
        };
        if
        :: DIES
        :: d_step {                     /* `stale`; the last access of this owner */
                assert(P_lap[s % N] == LAP(s) && P_state[s % N] == REVOKED && C_owner[s % N] == me);
                P_state[s % N] = RELEASED
            }
        fi;
        goto again;
noroom: atomic { (limit != f || sealed) -> goto again };                        /* waits for room */
scan:   atomic { s = limit; goto look };
again:  atomic { s = 0; l = 0; b = 0; start = 0; f = 0; low = 0; size = 0; won = 0 }
    od;
out:
    atomic { s = 0; l = 0; b = 0; start = 0; f = 0; low = 0; size = 0; won = 0; left = 0; done++ }
}

inline move_limit() {
    do
    :: limit < s && P_state[limit % N] != REVOKED ->
        assert(C_lap[(limit - 1) % N] == LAP(limit - 1));                   /* its start is derivable */
        i = C_end[(limit - 1) % N];
        do
        :: i < C_end[limit % N] -> assert(cell[i % ARENA] == limit); cell[i % ARENA] = 0; i++
        :: else -> break
        od;
        limit++
    :: else -> break
    od;
    i = 0
}

/* reads in order and reclaims behind itself (reclaim.pml has that in full) */
proctype Reader() {
    byte s = 1, i;
end: do
    :: d_step {
            s <= LAST && P_lap[s % N] == LAP(s) ->
            if
            :: P_state[s % N] == COMMITTED ->
                assert(filled[s] && !delivered[s]);
                i = C_end[(s - 1) % N];
                do
                :: i < C_end[s % N] -> assert(cell[i % ARENA] == s); i++
                :: else -> break
                od;
                i = 0; delivered[s] = 1
            :: else
            fi;
            s++;
            move_limit()
        }
    :: d_step { limit < s && P_state[limit % N] != REVOKED -> move_limit() }
    od
}

#define MAY_RESTART if :: atomic { !restarted -> restarted = 1; goto start } :: skip fi

proctype Supervisor() {
    byte s, l, b, f, i, o;
    bit restarted = 0, won;
start:
    atomic { s = 0; l = 0; b = 0; f = 0; i = 0; o = 0; won = 0 };
end: do
    :: atomic { dead[0] && !scanned[0] -> o = 0; goto death }
    :: atomic { dead[1] && !scanned[1] -> o = 1; goto death }
#ifdef REVOKE_ABORTS
#define REVOKE(n) d_step { revokes < REVOKES && CLAIMED(n) && C_owner[n] != SEAL_OWNER -> revokes++; P_lap[n] = C_lap[n]; P_state[n] = ABORTED }
#else
#define REVOKE(n) d_step { revokes < REVOKES && CLAIMED(n) && C_owner[n] != SEAL_OWNER -> revokes++; P_lap[n] = C_lap[n]; P_state[n] = REVOKED }
#endif
    :: REVOKE(0)
    :: REVOKE(1)
    :: REVOKE(2)
    :: REVOKE(3)
#ifdef SEAL
    :: atomic { !sealed || (C_owner[top % N] == SEAL_OWNER && CLAIMED(top % N)) -> s = tail };
look:   atomic {
            l = C_lap[s % N];
            if
            :: l == LAP(s) && C_owner[s % N] == SEAL_OWNER -> goto found    /* its own, from before a restart */
            :: l >= LAP(s) && !(l == LAP(s) && C_owner[s % N] == SEAL_OWNER) -> s = s + (l - LAP(s)) * N + 1; goto look
            :: l < LAP(s) && l + 1 != LAP(s) -> s = limit; goto look
            :: else
            fi
        };
        b = C_end[s % N];
        atomic {
            if
            :: C_lap[(s - 1) % N] != LAP(s - 1) -> s = limit; goto look
            :: C_lap[(s - 1) % N] == LAP(s - 1) && C_owner[(s - 1) % N] == SEAL_OWNER -> s = s - 1; goto found
            :: else
            fi
        };
        f = C_end[(s - 1) % N];
        d_step {                        /* a claim without the test for room */
            won = (C_lap[s % N] == l && C_end[s % N] == b);
            if
            :: won ->
                check_claim(f, f);
                C_lap[s % N] = LAP(s); C_owner[s % N] = SEAL_OWNER; C_end[s % N] = f; sealed = 1
            :: else
            fi
        };
        atomic { l = 0; b = 0; f = 0; if :: !won -> s = tail; goto look :: else -> won = 0 fi };
        MAY_RESTART;
found:  atomic { P_lap[s % N] = LAP(s); P_state[s % N] = SEALED; s = 0; l = 0; b = 0; f = 0; won = 0 }
#endif
    od;
death:
#ifdef SCAN_TAIL
    atomic { s = limit; f = tail };
#else
    atomic { s = limit; f = s + N };
#endif
    do
    :: s >= f -> break
    :: s < f ->
        d_step {
            if
            :: C_lap[s % N] == LAP(s) && C_owner[s % N] == o ->
                if
                :: P_lap[s % N] < LAP(s) -> P_lap[s % N] = LAP(s); P_state[s % N] = ABORTED
#ifndef SCAN_SKIPS_REVOKED
                :: P_lap[s % N] == LAP(s) && P_state[s % N] == REVOKED -> P_state[s % N] = RELEASED
#endif
                :: else
                fi
            :: else
            fi;
            s++
        };
        MAY_RESTART
    od;
    scanned[o] = 1;
    goto start
}

#ifdef FORGED
proctype Forger() { if :: tail = 0 :: tail = 1 :: tail = 3 :: tail = 5 :: tail = 6 :: tail = 9 fi }
#endif

proctype Monitor() {
    byte i;
    timeout ->
    d_step {
        assert(done == 2);
        assert(limit == top + 1);
        i = 1;
        do
        :: i <= LAST -> assert(okay[i] == delivered[i]); i++
        :: else -> break
        od
    }
}

init {
    byte i;
    atomic {                            /* first state: each slot has the lap before its next one */
        i = 1;
        do
        :: i < N -> P_state[i] = ABORTED; i++
        :: else -> break
        od;
        C_lap[0] = 1; P_lap[0] = 1; P_state[0] = ABORTED;
        i = 0;
        do
        :: i < N -> C_owner[i] = SEAL_OWNER + 1; i++
        :: else -> break
        od;
        i = 0;
        run Producer(0, K0); run Producer(1, K1); run Reader(); run Supervisor(); run Monitor();
#ifdef FORGED
        run Forger()
#endif
    }
}
