/* Reclaim: two producers (slow, or dying half way) against readers' holds, the floors of groups that come and go, and the journal.
 *
 * Modelled: `gone` (readers must not start below it) and `limit` (everything below may be overwritten), both raised by CAS-maximum: announce in gone,
 * then look at every hold, then raise limit. A ring of R slots; a claim overwrites the slot at once, which is the worst case. Readers with a hold
 * word each; a hold may be left where it is if it is low enough, lowered by a fenced store, raised or cleared without. Every shared word is a
 * step. -DSPILL: the supervisor journals under its own hold, starting and stopping at any time (SPILLS times). -DJOIN: a second group joins beside
 * the first. -DBASE: there is no group at first, only `base`, a group without members, which leaves when the group has joined. -DDROP_OLDEST: what
 * nobody holds is dropped, the reader takes the gap. -DDEATH: one producer dies between its announcement and the end. -DSOLO: one
 * producer. -DLEAVE: the second group (with JOIN) is removed at any time, though it reads: its entry is free, and its reader finds that out at its next
 * look.
 *
 * Invariants: a view's bytes stay the same until its hold is raised. What a group has not finished and is not in the ring is in the journal. A
 * group that joined reads everything from its start on, as long as it is there. What is journaled is the message. limit <= gone <= tail; tail <= limit + R.
 *
 * Faults: CLAIM_GONE   claims look at `gone` instead of `limit`
 *         HOLD_LATE    the hold is set after the look at `gone`
 *         SCAN_FIRST   holds are looked at before `gone` is raised
 *         NO_SUP_HOLD  the supervisor journals without a hold (with SPILL)
 *         NO_SECOND_LOOK  it does not look at `gone` again under its hold (with SPILL)
 *         PLAIN_LIMIT  limit is stored, not raised
 *         TWO_READS    the clamp of `limit` reads a hold twice: once to compare, once to use
 *         NO_VERSION   group_version is not looked at again (with JOIN, or BASE)
 *         JOIN_GONE    a group starts at `gone`, not at the least floor of the others (with JOIN)
 *         BLAME        a reader that finds its message gone does not look whether its group still is there (with JOIN, LEAVE)
 *         LEAVE_HOLDS  a removed group's holds do not count (with JOIN, LEAVE)
 *         BASE_FIRST   base leaves before the group has joined (with BASE)
 * Bounds: MSGS, R, SPILLS.
 * Run:    ./run reclaim      Result: docs/models.md
 */
#ifndef MSGS
#define MSGS 3
#endif
#ifndef R
#define R 2
#endif
#ifndef SPILLS
#define SPILLS 2
#endif
#define NONE 99
#define SUP 2                           /* the supervisor's hold */

byte content[R];                        /* ghost: whose bytes are in the slot */
byte tail = 1, gone = 1, limit = 1;
byte hold[3] = { NONE, NONE, NONE };    /* first reader, second reader, supervisor */
byte floor[2] = { 1, 1 };
#ifdef BASE
bit live[2] = { 0, 0 };
byte base = 1;
#else
bit live[2] = { 1, 0 };
#endif
byte group_version = 0;
bit removed = 0;                        /* the second group was */
bit died = 0;
#ifdef SPILL
byte journaled_seq = 1;
byte journal[MSGS + 2];                 /* ghost: what the journal holds; 0: a gap */
#endif

inline raise(word, x) { d_step { if :: word < x -> word = x :: else fi } }
inline lower_to(x, other) { d_step { if :: other < x -> x = other :: else fi } }
#ifdef TWO_READS
inline lower_to_hold(x, h) { if :: h < x -> x = h :: else fi }
#else
inline lower_to_hold(x, h) { d_step { if :: h < x -> x = h :: else fi } }
#endif

inline scan_holds(x) {
#ifndef BASE
    lower_to_hold(x, hold[0]);
#endif
#ifdef LEAVE_HOLDS
    if :: !removed -> lower_to_hold(x, hold[1]) :: else fi;
#elif defined(JOIN) || defined(BASE)
    lower_to_hold(x, hold[1]);
#endif
#ifdef SPILL
    lower_to_hold(x, hold[SUP]);
#endif
}

proctype Producer() {
    byte s, f, v, x;
    bit joined;
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
                -> content[s % R] = s; tail = s + 1
            }
        :: else ->
#ifdef DROP_OLDEST
            f = limit;
            atomic { f = f + 1; if :: f > s -> f = s :: else fi };
#else
            v = group_version;
            f = NONE;
#if defined(JOIN) || defined(BASE)
            joined = live[1];           /* the table first, the floors after */
#endif
#ifdef BASE
            lower_to(f, base);
#else
            lower_to(f, floor[0]);
#endif
#if defined(JOIN) || defined(BASE)
            if :: joined -> joined = 0; lower_to(f, floor[1]) :: else fi;
#endif
#ifndef NO_VERSION
            if :: group_version != v -> goto again :: else fi;
#endif
            v = 0;
#ifdef SPILL
            raise(f, journaled_seq);
#endif
            lower_to(f, s);             /* the tail as it was */
#endif
#ifdef SCAN_FIRST
            x = f;
            scan_holds(x);
            raise(gone, f);
#else
            raise(gone, f);
#ifdef DEATH
            if :: atomic { !died -> died = 1; goto out } :: skip fi;
#endif
            x = f;
            scan_holds(x);
#endif
            f = 0;
#ifdef PLAIN_LIMIT
            limit = x;
#else
            raise(limit, x);
#endif
            d_step { assert(tail <= limit + R && limit <= gone && gone <= tail); x = 0 }
        fi;
again:  atomic { s = 0; f = 0; v = 0; x = 0; joined = 0 }
    od;
out: skip
}

proctype Reader(byte g) {
    byte s = 1;
    bit there;
#if defined(JOIN) || defined(BASE)
    /* the supervisor joins the second group */
    if
    :: g == 1 ->
#ifdef BASE_FIRST
        base = NONE;
        group_version++;
#endif
        s = limit;
        floor[1] = s;
        live[1] = 1;                    /* JOINING */
        group_version++;
#ifdef BASE
#ifdef BASE_FIRST
        s = floor[1];
#else
        s = base;
#endif
#else
#ifdef JOIN_GONE
        s = gone;
#else
        s = floor[0];
#endif
#endif
        floor[1] = s;                   /* and start: LIVE */
#if defined(BASE) && !defined(BASE_FIRST)
        base = NONE;
        group_version++;
#endif
    :: else
    fi;
#endif
end: do
    :: s > MSGS -> break
#ifdef LEAVE
    :: g == 1 && removed -> break       /* it is told */
#endif
    :: s <= MSGS && s < tail ->
#ifdef HOLD_LATE
        there = (gone <= s);
        hold[g] = s;
#else
        if
        :: hold[g] <= s                 /* low enough already */
        :: hold[g] != s -> hold[g] = s
        fi;
        there = (gone <= s);
#endif
        if
        :: there ->
            assert(content[s % R] == s);
            assert(content[s % R] == s);                /* later: still the same bytes */
            s++
        :: else ->
#ifdef DROP_OLDEST
            s = gone                    /* the gap is reported */
#else
#ifdef SPILL
            assert(journaled_seq > s && journal[s] == s);
#elif defined(LEAVE) && !defined(BLAME)
            assert(g == 1 && removed);
#else
            assert(false);
#endif
            s++
#endif
        fi;
        there = 0;
        floor[g] = s;
        if
        :: hold[g] != NONE -> hold[g] = NONE
        :: skip
        fi
    od;
    hold[g] = NONE
}

#ifdef SPILL
proctype Supervisor() {
    byte x, c, runs = 0;
    do
    :: runs < SPILLS && journaled_seq <= MSGS ->
        runs++;
        x = gone;
#ifndef NO_SUP_HOLD
        hold[SUP] = x;
#endif
#ifndef NO_SECOND_LOOK
        x = gone;
#endif
        d_step {                        /* below x everything was finished before: a gap */
            if :: journaled_seq < x -> journaled_seq = x :: else -> x = journaled_seq fi
        };
#ifndef NO_SUP_HOLD
        hold[SUP] = x;
#endif
        do
        :: x < tail && x <= MSGS ->
            c = content[x % R];
            d_step { assert(c == x); journal[x] = c; x++; c = 0 };
            journaled_seq = x;
#ifndef NO_SUP_HOLD
            hold[SUP] = x
#endif
        :: break
        od;
        hold[SUP] = NONE;
        x = 0
    :: break
    od
}
#endif

#ifdef LEAVE
proctype Remover() {
    if
    :: atomic { live[1] -> removed = 1; live[1] = 0 };      /* one word, in the table */
        group_version++
    :: skip
    fi
}
#endif

init {
    atomic {
#ifdef LEAVE
        run Remover();
#endif
        run Producer();
#ifndef SOLO
        run Producer();
#endif
#ifndef BASE
        run Reader(0);
#endif
#if defined(JOIN) || defined(BASE)
        run Reader(1);
#endif
#ifdef SPILL
        run Supervisor()
#endif
    }
}
