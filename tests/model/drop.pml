/* Dropping the oldest, counted: {gone, skipped} in the ring and {floor, settled} of a shared group, each changed as a pair, so that what a group
 * has missed is known exactly whoever dies where.
 *
 * Modelled: a ring of R slots; numbers 1 .. MSGS, each published or given up; a producer that finds no room drops the oldest number that is not
 * claimed, whoever needs it. Two members share a window of W words: they claim under a hold, look at `gone`, acknowledge or hand back; who finds
 * `gone` above the floor first takes all words below it ("dropped"), counting those that the group has settled, then moves the floor there. Only this goes over such words.
 * dropped = messages below the floor - settled. One member may die at each step; the supervisor hands back, and counts once more. Every shared
 * word, or pair of words that one compare-and-swap changes, is one step; a pair is read word by word. -DSOLO: one producer. -DABORT: numbers may be
 * given up. -DDEATH, -DNACK.
 *
 * Invariants: a view's bytes stay the same until its hold is raised. A message is acknowledged at most once. A number below the floor is never
 * acknowledged as `ok` afterwards. At the end every message was acknowledged, or is counted as dropped: acknowledged + dropped = published.
 *
 * Faults: COUNT_APART   skipped is raised after `gone`, in a step of its own (with ABORT)
 *         SETTLED_APART settled is raised after the floor, in a step of its own (with DEATH)
 *         LEAVE_CLAIMED words that are claimed are left as they are below `gone`
 *         FROM_GONE     claims go by `gone`, before the floor is there: words are used again before they are counted
 *         WALK_DROPPED  the floor goes over dropped words as over finished ones
 *         FINISH_GONE   who has claimed what is gone finishes it as if it had it
 *         NO_RECOUNT    the supervisor does not count once more after a death (with DEATH)
 *         CLAIM_GONE    a claim of room looks at `gone` instead of `limit`
 *         HOLD_LATE     the hold is set after the look at `gone`
 * Bounds: MSGS, R, W.
 * Run:    ./run drop      Result: docs/models.md
 */
#ifndef MSGS
#define MSGS 4
#endif
#ifndef R
#define R 2
#endif
#ifndef W
#define W 2
#endif
#define NONE 99

#define CLAIMED_N 0                     /* of a number: claimed by its producer */
#define MESSAGE 1
#define ABORTED 2

#define AVAILABLE 0                     /* of a word; an older sequence in it: never claimed */
#define CLAIMED 1                       /* + the member */
#define FINISHED 3
#define PASSED 4                        /* no message; the floor goes over it as over what is finished */
#define DROPPED 5                       /* below gone; the floor goes over it only together with all that is */

byte content[R];                        /* whose the slot is */
byte fate[R];
byte tail = 1, gone = 1, skipped = 0, limit = 1;
byte hold[2] = { NONE, NONE };
byte word_seq[W], word_state[W];
byte floor = 1, settled = 0, dropped = 0;
byte producers = 0;
bit died = 0, dead[2], repaired = 0;
byte published = 0, acked = 0;          /* ghosts */
bit was_acked[MSGS + 2];

#ifdef SOLO
#define PRODUCERS 1
#else
#define PRODUCERS 2
#endif
#ifdef DEATH
#define REPAIRED (!died || repaired)
#else
#define REPAIRED true
#endif
#define AT_REST (floor > MSGS && producers == PRODUCERS && REPAIRED && hold[0] == NONE && hold[1] == NONE)

#define C(g, k) ((g) - 1 - (k))         /* messages below g, where k numbers are none */

#ifdef WALK_DROPPED
#define WALKS || word_state[s % W] == DROPPED
#else
#define WALKS
#endif

inline raise(word, x) { d_step { if :: word < x -> word = x :: else fi } }
inline lower_to_hold(x, h) { d_step { if :: h < x -> x = h :: else fi } }

proctype Producer() {
    byte s, g, k, x, n;
    do
    :: tail > MSGS -> break
    :: else ->
        s = tail;
        if
        :: d_step {
                s <= MSGS && tail == s &&
#ifdef CLAIM_GONE
                s < gone + R
#else
                s < limit + R
#endif
                -> content[s % R] = s; fate[s % R] = CLAIMED_N; tail = s + 1
            };
            if
            :: d_step { fate[s % R] = MESSAGE; published++ }
#ifdef ABORT
            :: fate[s % R] = ABORTED
#endif
            fi
        :: else ->
            if :: tail != s -> goto again :: else fi;
            g = gone;
            k = skipped;
            x = NONE;                   /* what is held is not dropped; no more than a courtesy */
            lower_to_hold(x, hold[0]);
            lower_to_hold(x, hold[1]);
            if
            :: x > g && g < s ->
                d_step { n = (content[g % R] == g -> fate[g % R] : MESSAGE); x = (content[g % R] == g && n == CLAIMED_N) };
                if :: x -> goto again :: else fi;       /* a claim is in the way */
                n = (n == MESSAGE -> 0 : 1);
#ifdef COUNT_APART
                d_step { x = (gone == g); if :: x -> gone = g + 1 :: else fi };
                if :: x -> skipped = skipped + n :: else fi
#else
                d_step { if :: gone == g && skipped == k -> gone = g + 1; skipped = k + n :: else fi }
#endif
            :: else
            fi;
            x = gone;
            lower_to_hold(x, hold[0]);
            lower_to_hold(x, hold[1]);
            raise(limit, x);
            assert(tail <= limit + R && limit <= gone && gone <= tail)
        fi;
again:  atomic { s = 0; g = 0; k = 0; x = 0; n = 0 }
    od;
    producers++
}

/* The floor goes from f over what is finished. */
inline move_floor() {
    f = floor;
    a = settled;
    s = f;
    n = 0;
    do
    :: s < f + W && word_seq[s % W] == s && (word_state[s % W] == FINISHED || word_state[s % W] == PASSED WALKS) ->
        d_step { if :: word_state[s % W] == FINISHED -> n++ :: else fi; s++ }
    :: else -> break
    od;
    pass(s)
}

/* {floor, settled}: {f, a} -> {to, a + n} */
inline pass(to) {
#ifdef SETTLED_APART
    d_step { x = (floor == f && to > f); if :: x -> floor = to :: else fi };
    if :: x -> settled = settled + n :: else fi
#else
    d_step { x = (floor == f && settled == a && to > f); if :: x -> floor = to; settled = a + n :: else fi }
#endif
}

inline swap_word(s_, from_seq, from_state, to_state) {
    d_step {
        x = (word_seq[s_ % W] == from_seq && word_state[s_ % W] == from_state);
        if :: x -> word_seq[s_ % W] = s_; word_state[s_ % W] = to_state :: else fi
    }
}

/* Reads {gone, skipped}; k counts only where gone stayed the same meanwhile. */
inline read_gone() {
    g = gone;
    k = skipped;
    do
    :: gone == g -> break
    :: else -> g = gone; k = skipped
    od
}

inline may_die(me) {
#ifdef DEATH
    if :: atomic { !died -> died = 1; dead[me] = 1; goto out } :: skip fi
#endif
    skip
}

/* Everything below g is dropped, but for what was settled. */
inline pass_dropped(me) {
    f = floor;
    a = settled;
    if
    :: g > f && floor == f ->
        s = f;
        n = 0;
        do
        :: s < f + W && s < g ->
            d_step { q = word_seq[s % W]; w = word_state[s % W] };
            if
            :: q > s -> break           /* the floor has moved on */
            :: q == s && w >= FINISHED -> d_step { if :: w == FINISHED -> n++ :: else fi; s++ }
#ifdef LEAVE_CLAIMED
            :: q == s && w >= CLAIMED && w < FINISHED -> s++
#endif
            :: else -> swap_word(s, q, w, DROPPED); if :: x -> s++ :: else fi
            fi
        :: else -> break
        od;
        if
        :: s == f + W || s == g ->
            pass(g);
            may_die(me);
            if :: x -> n = a + n; raise(dropped, C(g, k) - n) :: else fi
        :: else
        fi
    :: g == f && floor == f -> raise(dropped, C(g, k) - a)      /* who has moved it may not have come to this */
    :: else
    fi;
    atomic { s = 0; n = 0; q = 0; w = 0; x = 0; f = 0; a = 0; g = 0; k = 0 }
}

proctype Member(byte me) {
    byte s, f, a, n, x, q, w, g, k;
end:
    do
    :: floor > MSGS -> break
    :: atomic { floor <= MSGS && gone > floor } ->
        read_gone();
        pass_dropped(me)
    :: floor <= MSGS ->
#ifdef FROM_GONE
        f = (gone > floor -> gone : floor);
#else
        f = floor;
#endif
        if :: s = f :: W > 1 -> s = f + 1 fi;
        f = 0;
        d_step { q = word_seq[s % W]; w = word_state[s % W] };
        if
        :: s > MSGS || q > s || (q == s && w != AVAILABLE) -> goto next
        :: else
        fi;
        if
        :: d_step { content[s % R] == s && fate[s % R] == ABORTED } ->
            swap_word(s, q, w, PASSED);
            if :: x -> move_floor() :: else fi
        :: d_step { content[s % R] == s && fate[s % R] == MESSAGE } ->
#ifdef HOLD_LATE
            g = (gone > s);
            hold[me] = s;
#else
            hold[me] = s;
#endif
            swap_word(s, q, w, CLAIMED + me);
            if
            :: !x -> hold[me] = NONE; goto next
            :: else
            fi;
            may_die(me);
#ifndef HOLD_LATE
            g = (gone > s);
#endif
            if
            :: !g ->
                assert(content[s % R] == s);
                assert(content[s % R] == s);            /* later: still the same bytes */
                if
                :: atomic {
                        x = (word_seq[s % W] == s && word_state[s % W] == CLAIMED + me);
                        if
                        :: x -> word_state[s % W] = FINISHED; assert(!was_acked[s]); was_acked[s] = 1; acked++
                        :: else                         /* stale */
                        fi
                    }
#ifdef NACK
                :: swap_word(s, s, CLAIMED + me, AVAILABLE)
#endif
                fi;
                hold[me] = NONE;
                may_die(me);
                move_floor()
            :: else ->
#ifdef FINISH_GONE
                swap_word(s, s, CLAIMED + me, FINISHED);
#endif
                hold[me] = NONE;
                read_gone();
                pass_dropped(me)
            fi
        :: else
        fi;
next:   atomic { s = 0; n = 0; q = 0; w = 0; x = 0; f = 0; a = 0; g = 0; k = 0 }
    od;
out: skip
}

#ifdef DEATH
/* After a death: hands back, and counts what the dead may not have said. */
proctype Supervisor() {
    byte s, me, g, k, a, n, x, f;
end:
    died;
    me = (dead[0] -> 0 : 1);
    s = 0;
    do
    :: s < W ->
        d_step { if :: word_state[s] == CLAIMED + me -> word_state[s] = AVAILABLE :: else fi };
        s++
    :: else -> break
    od;
    hold[me] = NONE;
    s = 0;
    move_floor();
#ifndef NO_RECOUNT
    d_step {                            /* read word by word, and again where gone or the floor has moved: as pass_dropped() */
        if
        :: floor >= gone ->
            n = 0;
            s = gone;
            do
            :: s < floor -> n = n + (fate[s % R] != MESSAGE); s++
            :: else -> break
            od;
            n = C(floor, skipped + n) - settled;
            if :: n > dropped -> dropped = n :: else fi
        :: else
        fi
    };
#endif
    repaired = 1
}
#endif

/* When nothing goes on any more. */
active proctype Ledger() {
    AT_REST;
    timeout -> assert(acked + dropped == published && settled == acked)
}

init {
    atomic {
        run Producer();
#ifndef SOLO
        run Producer();
#endif
        run Member(0);
        run Member(1);
#ifdef DEATH
        run Supervisor()
#endif
    }
}
