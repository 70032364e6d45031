/* A shared group: its window of words g[s % W] = {lap, state, count, owner}, the floor, `next`, and `rescan`.
 *
 * Modelled: two members claim, acknowledge or hand back MSGS messages that all exist from the start. An older lap means "available, count 0", a
 * newer lap "finished, the caller's floor is stale". Claims only in [low, low+W), low = max(floor, start). floor, next and rescan are hints:
 * `next` is raised by CAS-maximum (-DPLAIN_NEXT: a plain store, it may go backwards). `rescan` = {seq, version}, seq = NONE: nothing was handed
 * back. Lowering it always changes the version; raising it to NONE is a CAS from exactly what was read before a look from rescan.seq to next that
 * found nothing; raising it past s, the same after s was found and claimed. A member whose wait timed out tries the floor and looks from there.
 * The supervisor repairs after a death (every word, the floor, rescan = floor, ring) and (-DRESTART) dies in its own work, at any step, and starts
 * anew. A member may die, or stop for ever, at any step after its claim.
 * Switches: -DNO_TIMEOUT waits without end, so the hints alone must be enough (nobody stops in that case); -DNACK -DDEATH -DLEASE -DSTOP how
 * many of each in one run (0 if not given), FX of them at most together; -DQUIT a member turns to other work for ever after an acknowledgement;
 * -DPURGE `start` jumps to next once, at any time; -DDEAD_LETTER messages handed out MAX times are DEAD, copied to the dead-letter queue, then
 * finished. -DTTL the time of message 1 is over from any moment on: who has claimed it then and looks, passes it instead of handing it out: it
 * is finished (with DEAD_LETTER: EXPIRED, set aside for the dead-letter queue, and this was no delivery). Who had looked before keeps it.
 *
 * Invariants: G1 one successful acknowledgement of a message. G2 what is not finished stays reachable: when everything rests the floor is at the end,
 * or one who stopped still has a message. G4 count <= MAX. A word is given to a later message only when its former one is finished
 * or purged; no finished message is claimed. A dead letter is copied at least once. What was passed is not acknowledged, and the other way round;
 * nobody is handed what was found too late before.
 *
 * Faults: ANY_LAP      a word of any other lap counts as available
 *         NO_WINDOW    claims are not kept below low+W
 *         SAME_VERSION lowering leaves the version as it was
 *         LOWER_PLAIN  lowering stores its own number even over a lower one (with NO_TIMEOUT)
 *         NO_LOWER     the repair after a death leaves rescan alone (with NO_TIMEOUT)
 *         LOWER_FIRST  a nack lowers rescan before the word is available (with NO_TIMEOUT)
 *         NO_FULL_LOOK after a wait that timed out a member looks from rescan only (with STOP)
 *         NO_FLOOR_RING  who moves the floor does not ring those who wait at the window's end (with NO_TIMEOUT, QUIT)
 *         NO_FLOOR_WALK  a member whose wait timed out does not try the floor (with STOP)
 *         NEXT_TWICE   `next` is read again between the look and the claim (with NO_TIMEOUT)
 *         NEXT_ANYWAY  a failed claim raises `next` even if the word is still open: an owner whose message was purged has just acknowledged it (with
 *                      PURGE, NO_TIMEOUT)
 *         ACK_FIRST    a dead letter is finished before it is copied (with DEAD_LETTER)
 *         PASS_BLIND   who finds it too late stores the word, whoever has it by then (with TTL, LEASE)
 *         PASS_QUIETLY who passes a message leaves the floor where it is (with TTL, NO_TIMEOUT)
 * Run:    ./run window       Result: docs/models.md
 */
#ifndef MSGS
#define MSGS 3
#endif
#ifndef W
#define W 2
#endif
#ifndef FX
#define FX 9
#endif
#ifndef NACK
#define NACK 0
#endif
#ifndef DEATH
#define DEATH 0
#endif
#ifndef LEASE
#define LEASE 0
#endif
#ifndef STOP
#define STOP 0
#endif
#ifndef MAX
#ifdef DEAD_LETTER
#define MAX 2
#else
#define MAX 250
#endif
#endif
#ifndef RESTART
#define RESTART 0
#endif
#define LAP(s) ((s) / W + 1)
#define NONE 99

#define AVAILABLE 0
#define CLAIMED 1
#define ACKED 2
#define DEAD 3
#define EXPIRED 4
#define NOBODY 2

byte g_lap[W], g_state[W], g_count[W], g_owner[W];                  /* read and swapped whole */
byte floor = 1, next = 1, rescan = NONE, version = 0;              /* in G: hints */
byte start = 1;                                                     /* in M: only grows */
byte bell = 0;
bit dead[2], freed[2], stopped[2];
byte nacks = 0, deaths = 0, leases = 0, stops = 0;
bit purged = 0;
#ifdef QUIT
byte quits = 0;
#endif

/* ghosts */
bit finished[MSGS + 1], acked[MSGS + 1];
#ifdef TTL
bit over;                               /* the time of message 1 is */
bit passed;                             /* somebody has found that */
#endif
byte letters[MSGS + 1];
bit rests[2];                           /* waits, and has looked from the floor; or is gone */

#define MORE (nacks + deaths + leases + stops < FX)
#define MAX_OF(a, b) ((a) > (b) -> (a) : (b))
#define MIN_OF(a, b) ((a) < (b) -> (a) : (b))
#define AT(s, what) (g_lap[(s) % W] == LAP(s) && g_state[(s) % W] == what)
#ifdef ANY_LAP
#define OPEN(s) (g_lap[(s) % W] != LAP(s) || g_state[(s) % W] == AVAILABLE)
#else
#define OPEN(s) (g_lap[(s) % W] < LAP(s) || AT(s, AVAILABLE))
#endif
#define FINISHED(s) ((s) < start || AT(s, ACKED) || g_lap[(s) % W] > LAP(s))
#define HELD_BY_STOPPED(i) (g_state[i] == CLAIMED && g_owner[i] != NOBODY && stopped[g_owner[i]])

#define FAILS \
    atomic { deaths < DEATH && MORE -> deaths++; dead[me] = 1; goto out } \
    :: atomic { stops < STOP && MORE -> stops++; stopped[me] = 1; goto out }

inline lower(x) {                       /* a CAS loop: one step */
    d_step {
#ifdef LOWER_PLAIN
        rescan = x;
#else
        rescan = MIN_OF(rescan, x);
#endif
#ifndef SAME_VERSION
        version++
#endif
    }
}
/* over the finished prefix; the walk reads words that stay finished, so it is one step, and its CAS-maximum another */
inline walk_floor(x) {
    d_step {
        x = floor;
        do
        :: x <= MSGS && FINISHED(x) -> x++
        :: else -> break
        od
    }
}
inline raise_floor(x) {
    d_step {
        if
        :: floor < x ->
            floor = x;
#ifndef NO_FLOOR_RING
            bell++
#endif
        :: else
        fi;
        x = 0
    }
}
inline hand_back(s) {                   /* the exact word -> AVAILABLE or DEAD */
    if
    :: g_count[s % W] >= MAX -> g_state[s % W] = DEAD
    :: else -> g_state[s % W] = AVAILABLE
    fi;
    g_owner[s % W] = NOBODY
}

proctype Member(byte me) {
    byte s, e, r, v, low, n, x, c;
    byte ol, os, oc, oo;
    bit won, timed;
    do
    :: floor > MSGS -> break
    :: else ->
        e = bell;
        atomic { r = rescan; v = version };
        atomic { n = next; low = floor };
        atomic {
            low = MAX_OF(low, start);
            #ifdef NO_FULL_LOOK
            x = MAX_OF(low, r);
#else
            x = MAX_OF(low, (timed -> low : r));
#endif
            s = 0
        };
        do
        :: atomic { x < n && x <= MSGS -> if :: OPEN(x) -> s = x; break :: else -> x++ fi }
        :: atomic { x >= n || x > MSGS -> break }
        od;
        x = 0;
        if
        :: s == 0 ->
            d_step { if :: r != NONE && rescan == r && version == v -> rescan = NONE :: else fi };
#ifdef NEXT_TWICE
            n = next;
#endif
            s = MAX_OF(n, low)
        :: else
        fi;
        atomic {
            if :: s >= n -> r = 0; v = 0 :: else fi;                        /* kept for one that was handed back */
            n = 0;
#ifdef NO_WINDOW
            if :: s > MSGS -> goto wait :: else fi
#else
            if :: s > MSGS || s >= low + W -> goto wait :: else fi
#endif
        };
        atomic { e = 0; low = 0; timed = 0; ol = g_lap[s % W]; os = g_state[s % W]; oc = g_count[s % W]; oo = g_owner[s % W] };
        d_step {
            won = (ol == g_lap[s % W] && os == g_state[s % W] && oc == g_count[s % W] && oo == g_owner[s % W] && OPEN(s));
            if
            :: won ->
                assert(g_lap[s % W] == LAP(s) || s <= W || finished[s - W] || s - W < start);
                assert(!finished[s] || s < start);
                c = (ol == LAP(s) -> oc + 1 : 1);
                assert(c <= MAX);
                g_lap[s % W] = LAP(s); g_state[s % W] = CLAIMED; g_count[s % W] = c; g_owner[s % W] = me
            :: else
            fi;
            ol = 0; os = 0; oc = 0; oo = 0
        };
#ifndef NEXT_ANYWAY
        atomic { if :: !won && OPEN(s) -> goto again :: else fi };          /* a failed CAS shows the word: it may still be open */
#endif
        if
        :: d_step {                     /* handed back, and claimed: all below s + 1 was looked at */
            won && v + r > 0 ->
            if :: rescan == r && version == v -> rescan = s + 1 :: else fi;
            r = 0; v = 0
        }
        :: atomic { !won || v + r == 0 -> r = 0; v = 0 }
        fi;
        if
        :: atomic { won && deaths < DEATH && MORE -> deaths++; dead[me] = 1; goto out }
        :: atomic { won && stops < STOP && MORE -> stops++; stopped[me] = 1; goto out }
#ifdef PLAIN_NEXT
        :: next = s + 1
#else
        :: d_step { true -> if :: next < s + 1 -> next = s + 1 :: else fi }
#endif
        fi;
        atomic { if :: !won -> goto again :: else -> won = 0 fi };
#ifdef TTL
        if
        :: atomic { s == 1 && over };
            if
            :: FAILS
            :: d_step {                 /* pass it: the exact word */
                    true ->
                    if
#ifdef PASS_BLIND
                    :: true ->
#else
                    :: AT(s, CLAIMED) && g_owner[s % W] == me && g_count[s % W] == c ->
#endif
                        assert(!acked[s]); passed = 1; g_owner[s % W] = NOBODY;
#ifdef DEAD_LETTER
                        g_count[s % W] = c - 1;
                        g_state[s % W] = EXPIRED
#else
                        g_state[s % W] = ACKED; finished[s] = 1
#endif
                    :: else
                    fi
                };
#ifndef PASS_QUIETLY
                if :: FAILS :: walk_floor(x) fi;
                if :: FAILS :: raise_floor(x) fi
#endif
            fi;
            goto again
        :: atomic { s != 1 || !over -> assert(s != 1 || !passed) }          /* it is handed out */
        fi;
#endif
        if
        :: FAILS
        :: d_step {                     /* acknowledge: the exact word */
                true ->
                if
                :: AT(s, CLAIMED) && g_owner[s % W] == me && g_count[s % W] == c ->
                    g_state[s % W] = ACKED; g_owner[s % W] = NOBODY;
                    assert(!acked[s]); acked[s] = 1; finished[s] = 1
#ifdef TTL
                    ; assert(s != 1 || !passed)
#endif
                :: else
                fi;
                c = 0
            };
            if :: FAILS :: walk_floor(x) fi;
            if :: FAILS :: raise_floor(x) fi;
#ifdef QUIT
            if :: atomic { quits < 1 -> quits++; goto out } :: skip fi
#endif
        :: atomic { nacks < NACK && MORE -> nacks++ };
#ifdef LOWER_FIRST
            lower(s);
#endif
            d_step {
                if
                :: AT(s, CLAIMED) && g_owner[s % W] == me && g_count[s % W] == c -> hand_back(s); won = 1
                :: else
                fi;
                c = 0
            };
            if
            :: won ->
#ifndef LOWER_FIRST
                if :: FAILS :: lower(s) fi;
#endif
                if :: FAILS :: bell++ fi
            :: else
            fi
        fi;
        goto again;
wait:   atomic {
            s = 0; low = 0;
#ifdef NO_TIMEOUT
            rests[me] = 1
#else
            rests[me] = timed
#endif
        };
end:    if
        :: atomic { bell != e || floor > MSGS -> timed = 0; rests[me] = 0 }
#ifndef NO_TIMEOUT
        :: atomic { timeout && !timed -> timed = 1 };                       /* nobody else can do anything */
#ifndef NO_FLOOR_WALK
            walk_floor(x);
            raise_floor(x)
#endif
#endif
        fi;
again:  atomic { s = 0; e = 0; r = 0; v = 0; low = 0; n = 0; x = 0; c = 0; won = 0 }
    od;
out:
    atomic { s = 0; e = 0; r = 0; v = 0; low = 0; n = 0; x = 0; c = 0; won = 0; timed = 0; rests[me] = 1 }
}

#define ASIDE(i) (g_state[i] == DEAD || g_state[i] == EXPIRED)
#define MAY_RESTART if :: atomic { RESTART > restarts -> restarts++; goto restart } :: skip fi

proctype Supervisor() {
    byte i, s, o, x, restarts;
    goto idle;
restart:                                /* the start of a supervisor: every group's floor, rescan = floor, ring every bell */
    atomic { i = 0; s = 0; o = 0; x = 0 };
    walk_floor(x);
    raise_floor(x);
    x = floor;
    lower(x);
    d_step { x = 0; bell++ };
idle:
end: do
    :: atomic { dead[0] && !freed[0] -> o = 0; goto death }
    :: atomic { dead[1] && !freed[1] -> o = 1; goto death }
#if LEASE > 0
    :: atomic { leases < LEASE && MORE && floor <= MSGS -> leases++; s = floor };
        if
        :: d_step { AT(s, CLAIMED) && !dead[g_owner[s % W]] -> hand_back(s) }; MAY_RESTART; lower(s); MAY_RESTART; bell++
        :: atomic { !(AT(s, CLAIMED) && !dead[g_owner[s % W]]) -> skip }
        fi;
        s = 0
#endif
#ifdef TTL
    :: atomic { !over -> over = 1 }     /* time passes */
#endif
#ifdef PURGE
    :: atomic { !purged && next > 1 -> purged = 1; start = next };
        walk_floor(x);
        raise_floor(x);
        bell++
#endif
#ifdef DEAD_LETTER
    :: atomic { ASIDE(0) || ASIDE(1) -> i = (ASIDE(0) -> 0 : 1); s = (g_lap[i] - 1) * W + i };
#ifdef ACK_FIRST
        d_step { g_state[i] = ACKED; finished[s] = 1 };
        MAY_RESTART;
        letters[s]++;
#else
        letters[s]++;
        MAY_RESTART;
        d_step { g_state[i] = ACKED; finished[s] = 1 };
#endif
        MAY_RESTART;
        walk_floor(x);
        raise_floor(x);
        d_step { i = 0; s = 0; bell++ }
#endif
    od;
death:
    i = 0;
    do
    :: i < W ->
        d_step {
            if
            :: g_state[i] == CLAIMED && g_owner[i] == o -> s = i; hand_back(s); s = 0
            :: else
            fi;
            i++
        };
        MAY_RESTART
    :: else -> break
    od;
    walk_floor(x);
    raise_floor(x);
#ifndef NO_LOWER
    x = floor;
    lower(x);
#endif
    MAY_RESTART;
    d_step { freed[o] = 1; i = 0; o = 0; x = 0; bell++ };
    goto idle
}

#if defined(TTL) && !defined(DEAD_LETTER)
#define WAS_PASSED(i) (i == 1 && passed)
#else
#define WAS_PASSED(i) false
#endif

proctype Monitor() {
    byte i;
    bit nothing_left;
    atomic { timeout && rests[0] && rests[1] };
    d_step {
        nothing_left = (floor > MSGS || HELD_BY_STOPPED(0) || HELD_BY_STOPPED(1));
        assert(nothing_left);           /* that somebody could take */
        i = 1;
        do
        :: i <= MSGS ->
            assert(floor <= MSGS || acked[i] || letters[i] > 0 || i < start || WAS_PASSED(i));
            i++
        :: else -> break
        od
    }
}

init {
    byte i;
    atomic {
        g_owner[0] = NOBODY; g_owner[1] = NOBODY;
        run Member(0); run Member(1); run Supervisor(); run Monitor()
    }
}
