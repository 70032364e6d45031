/* A damaged ring is condemned: its place in M is marked, a new ring begins behind every number it can have given out, and what the journal has not
 * got of it is lost, and counted.
 *
 *     supervisor   knows that ring r contradicts itself (that it never errs is not for a model: docs/decisions/0010-condemned-rings.md)
 *                  0  a newer ring is there, so the end is known, and there is no journal: say [r's first, the newer one's first)
 *                  1  condemned[place of r] = r's name
 *                  2  none is there: z = F + slots - 1, F the furthest of floors and journal, read after 1;  make the next ring, for z + 1
 *                  3  first[a free place] = z + 1
 *                  4  the journal has come to r, and no copy is under way: say [journaled, z + 1);  lost_until = z + 1;  journaled = z + 1;  ring all bells
 *     restart      ring all bells; the newest ring is condemned: go on at 2; its end is above lost_until, or the journal is in it: go on at 4
 *     let go       as any ring, oldest first, when floors (and journal) are behind its end: until then its name says where its numbers are
 *     claimer      after its swap, before it writes anything: condemned[place] >= this ring's name: leaves the claim, goes to the newest ring
 *     publisher    after its swap: likewise, and it is `stale`
 *     reader       s is in a condemned ring: below journaled or lost_until it is in the journal, or lost and counted; else wait
 *     for the disk journaled > s, then lost_until <= s: it is there; else nobody can say
 *
 * Modelled: a chain of RINGS rings, whose names stand at PLACES places. Two producers; claims, reclaim and holds in coarse steps (claim.pml and reclaim.pml
 * have them one by one), SLOTS unfinished numbers in a ring. Any ring but the last may be damaged at any time, DAMAGES of them: from then on each look in it
 * and each claim may see what is true, or nothing. What is seen as published was published: who forges messages can do so without damage. A stream's reader that
 * keeps a view under its hold; or (SHARED) two members of a group with a word for each message. Who finds nothing sleeps until a bell is rung, with the second look.
 * Switches: -DDIES=n the supervisor dies at any step; -DKILL=n a producer (SHARED: a member) does; -DSTOP a producer stops for ever with a claim; -DOLD an older
 * ring is there, sealed and not read, with a claim of producer 0 in it; -DDURABLE a copier beside the supervisor writes the journal, what is not written is not freed, and
 * producers wait for the disk; -DFORGED damage leads producers to numbers beyond what is free (views are not checked); -DFORGED_P (SHARED) damage shows members numbers that
 * are no messages, where nobody has claimed anything: what an honest producer publishes there in the same ring may be missed, and nothing else.
 *
 * Invariants: `ok` only if the message was published before its ring was condemned. No number is told as `ok` twice. No view is overwritten, in whichever ring. Nothing is
 * handed out twice without a mark. What is said to be on the disk is in the journal. When everything rests: each message that was `ok` was handed out, or is counted as lost, not
 * both; what is lost is in a range that was said, and the journal has nothing of that; each producer is done, dead or stopped; the floor is at the newest ring's end; every other ring has been let go.
 *
 * Faults: NO_PUBLISH_LOOK   publish does not look at `condemned`
 *         CLAIM_LOOK_FIRST  a claimer looks before its swap, not after it
 *         Z_EARLY           F is read before `condemned` is stored
 *         Z_FLOOR           the new ring begins at F, without the slots beyond it
 *         Z_GROUPS          z looks at F only, though claim words say more (with FORGED)
 *         LETGO_AT_ONCE     the condemned ring's name is cleared as soon as a newer ring is there
 *         NO_END            readers go on in a condemned ring before its end is known
 *         BY_PLACE          whatever stands where a condemned ring stood is taken for condemned
 *         SAME_NAME         `condemned` is compared with ==
 *         NO_RESUME         a restarted supervisor takes a condemned ring for done with (with DIES)
 *         SAY_LATE          the range is said after lost_until is stored (with DIES)
 *         NO_BELLS          nobody is rung at the end
 *         LOST_BLIND        a member stores "lost" into a word, whoever has it by then (with SHARED)
 *         NO_JOURNAL_LOOK   readers in a condemned ring wait for lost_until, though the journal is behind them (with DURABLE)
 *         NO_DISK_LOOK      who waits for the disk looks at `journaled` only (with DURABLE)
 *         NO_REACH          members pass what damage shows them however far ahead it is (with FORGED_P)
 *         REACH_LATE        they look how far ahead it may be after they looked whether the ring is condemned (with FORGED_P)
 *         JUMP_FIRST        `journaled` goes over the hole before lost_until is stored (with DURABLE)
 *         JUMP_BUSY         it does so while a copy is under way (with DURABLE)
 * Run:    ./run condemn      Result: docs/models.md
 */
#ifndef RINGS
#define RINGS 2
#endif
#ifndef PLACES
#define PLACES 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef K0
#define K0 2
#endif
#ifndef K1
#define K1 1
#endif
#ifndef DAMAGES
#define DAMAGES 1
#endif
#ifndef DIES
#define DIES 0
#endif
#ifndef KILL
#define KILL 0
#endif
#ifndef LAST
#define LAST 12                         /* no run comes so far */
#endif
#define NONE 99

/* what there is of a number in a ring */
#define FREE 0
#define CLAIMED 1
#define COMMITTED 2
#define SKIPPED 3                       /* aborted, or revoked */
#define SEALED 4
#define P(r, s) state[(r) * (LAST + 2) + (s)]
#define PUBLISHED(r, s) (P(r, s) >= COMMITTED)

byte state[RINGS * (LAST + 2)];
byte tail[RINGS], limit[RINGS];
bit damaged[RINGS];
byte begins[RINGS], place[RINGS];       /* the name of a ring, and where it stands; a ring's number + 1 stands for its name */
byte first[PLACES], condemned[PLACES];  /* M */
byte lost_until = 0, journaled = 1;     /* M */
byte floor = 1, hold = NONE;
byte damages = 0, dies = 0, kills = 0, done = 0;
bit woken[4];                           /* the bell has rung since it was read: producers, readers */
byte claim_ring[2], claim_number[2];    /* whose claim is where */
bit gone[2];                            /* a producer is dead, or stopped for ever */
bit busy, cut;                          /* a copy is under way; it ended with the supervisor */

/* ghosts */
bit was_condemned[RINGS];
bit okay[LAST + 2], given[LAST + 2], lost[LAST + 2], said[LAST + 2];
#ifdef FORGED_P
byte misled[LAST + 2], ok_in[LAST + 2]; /* in which ring's name (+ 1) a number was passed for nothing, and in which it was `ok` */
#endif
#ifdef DURABLE
byte journal[LAST + 2];                 /* 0: nothing, 1: that it is no message, 2: a message */
#define WRITTEN(s) (journal[s] != 0)
#define IN_JOURNAL(s) (journal[s] == 2)
#define FREED(s) ((s) <= journaled)
#ifdef NO_JOURNAL_LOOK
#define KNOWN_LOST(s) (lost_until > (s))
#else
#define KNOWN_LOST(s) (lost_until > (s) || journaled > (s))
#endif
#else
#define WRITTEN(s) false
#define IN_JOURNAL(s) false
#define FREED(s) true
#define KNOWN_LOST(s) (lost_until > (s))
#endif
#ifndef SHARED
byte view = 0, view_ring = 0;
#endif

#define NAMED(r) (begins[r] != 0 && first[place[r]] == (r) + 1)
#define HAS(r, s) ((r) < RINGS && NAMED((r) % RINGS) && begins[(r) % RINGS] <= (s))
#define IS_FOR(r, s) (HAS(r, s) && !HAS((r) + 1, s) && !HAS((r) + 2, s) && !HAS((r) + 3, s))
#define NEWEST(r) IS_FOR(r, LAST)
#ifdef BY_PLACE
#define CONDEMNED(r) (condemned[place[r]] != 0)
#elif defined(SAME_NAME)
#define CONDEMNED(r) (condemned[place[r]] == (r) + 1)
#else
#define CONDEMNED(r) (condemned[place[r]] >= (r) + 1)
#endif

inline ring_all() { d_step { woken[0] = 1; woken[1] = 1; woken[2] = 1; woken[3] = 1 } }
inline find_ring(s, r) { atomic { r = RINGS - 1; do :: r == NONE || HAS(r, s) -> break :: else -> if :: r == 0 -> r = NONE :: else -> r-- fi od } }

proctype Producer(byte me; byte left) {
    byte r, s, f;
    bit armed, late;
#ifdef OLD
    if :: me == 0 -> r = 0; s = 1; goto claimed :: else fi;
#endif
advance:
    find_ring(LAST, r);
    do
    :: left == 0 -> break
    :: else ->
#ifdef CLAIM_LOOK_FIRST
        if :: CONDEMNED(r) -> goto idle :: else fi;
#endif
        atomic {
            s = tail[r];
            if
            :: damaged[r] -> s = 0; goto idle
#ifdef FORGED
            :: damaged[r] && s <= 4 -> s++
#endif
            :: P(r, s - 1) == SEALED -> s = 0; goto idle
            :: P(r, s - 1) != SEALED && s >= limit[r] + SLOTS -> s = 0; goto noroom
            :: P(r, s - 1) != SEALED && s < limit[r] + SLOTS
            fi;
            assert(s <= LAST && P(r, s) == FREE);
            P(r, s) = CLAIMED; tail[r] = s + 1;
            claim_ring[me] = r; claim_number[me] = s; armed = 0
        };
#ifndef CLAIM_LOOK_FIRST
        if :: CONDEMNED(r) -> goto leave :: else fi;
#endif
#if !defined(SHARED) && !defined(FORGED)
        assert(!(view != 0 && view_ring == r && view + SLOTS == s));    /* it is about to write there */
#endif
claimed:
        if
#if KILL > 0 && !defined(SHARED)
        :: atomic { kills < KILL -> kills++; gone[me] = 1; goto out }
#endif
#ifdef STOP
        :: atomic { !gone[0] && !gone[1] -> gone[me] = 1; goto out }
#endif
        :: atomic { assert(P(r, s) == CLAIMED); P(r, s) = COMMITTED; late = was_condemned[r] }
        fi;
        atomic {
            left--;
            claim_number[me] = 0;
#ifndef NO_PUBLISH_LOOK
            if :: CONDEMNED(r) -> goto leave :: else fi;
#endif
            assert(!late);
            assert(!okay[s]);
            okay[s] = 1; late = 0;
#ifdef FORGED_P
            ok_in[s] = r + 1
#endif
        };
        ring_all();
#ifdef DURABLE
        journaled > s;
#ifndef NO_DISK_LOOK
        if :: lost_until > s -> goto again :: else fi;
#endif
        assert(IN_JOURNAL(s));
#endif
        goto again;

leave:  atomic { claim_number[me] = 0; s = 0; late = 0; goto advance };         /* stale, or nobody was told anything */

noroom: atomic { f = floor; if :: !FREED(f) -> f = journaled :: else fi };
        d_step {
            s = limit[r];
            do :: s < f && PUBLISHED(r, s) -> s++ :: else -> break od;
            f = s; s = 0
        };
        d_step { if :: hold >= begins[r] && hold < f -> f = hold :: else fi };
        atomic { if :: limit[r] < f -> limit[r] = f; goto again :: else fi };
idle:   atomic { f = 0; if :: !armed -> armed = 1; woken[me] = 0; goto advance :: else fi };
        atomic { woken[me] -> armed = 0; goto advance };
again:  atomic { s = 0; f = 0 }
    od;
out:
    atomic { r = 0; s = 0; left = 0; armed = 0; late = 0; done++ }
}

/* what a look at s in ring r may lead to, where nobody has been told that it is condemned */
#define LOOK(r, s, otherwise) \
    if \
    :: damaged[r] -> goto otherwise \
    :: PUBLISHED(r, s) \
    :: !damaged[r] && !PUBLISHED(r, s) -> goto otherwise \
    fi

#ifndef SHARED
proctype Reader() {
    byte s = 1, r;
    bit armed;
end: do
    :: find_ring(s, r);
        if
        :: r == NONE -> goto next                       /* let go: everybody is past it */
        :: else
        fi;
        if
        :: CONDEMNED(r) ->
#ifdef NO_END
            if :: s < LAST :: else -> goto idle fi;
#else
            if :: KNOWN_LOST(s) :: else -> goto idle fi;
#endif
            atomic {
                if
                :: IN_JOURNAL(s) -> assert(!given[s]); given[s] = 1
                :: WRITTEN(s) && !IN_JOURNAL(s)
                :: !WRITTEN(s) -> assert(!given[s]); lost[s] = 1
                fi;
                goto next
            }
        :: else
        fi;
        if :: view != 0 && view_ring != r -> hold = NONE :: else fi;    /* in an older ring it needs none */
        LOOK(r, s, idle);
        if :: P(r, s) != COMMITTED -> goto next :: else fi;
        atomic { if :: view_ring == r -> view = 0 :: else fi; hold = s };
        atomic {
            assert(!given[s] && !lost[s]);
            given[s] = 1;
            if :: view == 0 -> view = s; view_ring = r :: else fi
        };
next:   atomic { s++; floor = s; r = 0; armed = 0 };
        ring_all();
        goto again;
idle:   atomic { r = 0; if :: !armed -> armed = 1; woken[2] = 0; goto again :: else fi };
end_asleep:
        if
        :: atomic { view != 0 -> view = 0; view_ring = 0; hold = NONE; woken[0] = 1; woken[1] = 1 }
        :: atomic { woken[2] -> armed = 0 }
        fi;
again:  skip
    od
}
#else
#define AVAILABLE 0
#define TAKEN(m) ((m) + 1)
#define FINISHED 3
byte word[LAST + 2];
bit seen[LAST + 2];                     /* handed out once */
bit dead[2];
proctype Member(byte me) {
    byte s, r;
    bit armed;
#ifdef FORGED_P
    byte reach;
#endif
end: do
    :: d_step { s = floor; do :: s <= LAST && word[s] != AVAILABLE -> s++ :: else -> break od };
        if :: s > LAST -> goto idle :: else fi;
        find_ring(s, r);
        if
        :: r == NONE -> goto move                       /* let go: another has moved the floor meanwhile */
        :: else
        fi;
        if
        :: CONDEMNED(r) ->
            if :: KNOWN_LOST(s) :: else -> goto idle fi;
            atomic {
#ifdef LOST_BLIND
                word[s] = FINISHED; lost[s] = 1;
#else
                if
                :: word[s] != AVAILABLE
                :: word[s] == AVAILABLE && IN_JOURNAL(s) -> word[s] = FINISHED; given[s] = 1
                :: word[s] == AVAILABLE && WRITTEN(s) && !IN_JOURNAL(s) -> word[s] = FINISHED
                :: word[s] == AVAILABLE && !WRITTEN(s) -> word[s] = FINISHED; lost[s] = 1
                fi;
#endif
                goto move
            }
        :: else
        fi;
#ifdef FORGED_P
        if
        :: damaged[r] && !PUBLISHED(r, s) && s <= 2 ->
#ifdef REACH_LATE
            if :: CONDEMNED(r) -> goto again :: else fi;
#endif
#ifndef NO_REACH
            atomic { reach = (floor > journaled -> floor : journaled); if :: reach < begins[r] -> reach = begins[r] :: else fi; reach = reach + SLOTS };
            if :: atomic { s >= reach -> reach = 0; goto idle } :: atomic { s < reach -> reach = 0 } fi;
#endif
#ifndef REACH_LATE
            if :: CONDEMNED(r) -> goto again :: else fi;
#endif
            atomic { if :: word[s] == AVAILABLE -> word[s] = FINISHED; misled[s] = r + 1 :: else fi; goto move }
        :: true
        fi;
#endif
        LOOK(r, s, idle);
        if :: P(r, s) != COMMITTED -> atomic { if :: word[s] == AVAILABLE -> word[s] = FINISHED :: else fi; goto move } :: else fi;
        atomic {
            if
            :: word[s] == AVAILABLE -> assert(!seen[s] || kills > 0); word[s] = TAKEN(me); seen[s] = 1
            :: else -> goto move
            fi
        };
        if
#if KILL > 0
        :: atomic { kills < KILL -> kills++; dead[me] = 1; goto out }
#endif
        :: atomic { assert(word[s] == TAKEN(me) && !given[s] && !lost[s]); word[s] = FINISHED; given[s] = 1 }
        fi;
move:   atomic { armed = 0; do :: floor <= LAST && word[floor] == FINISHED -> floor++ :: else -> break od };
        ring_all();
        goto again;
idle:   atomic { s = 0; r = 0; if :: !armed -> armed = 1; woken[2 + me] = 0; goto again :: else fi };
end_asleep:
        atomic { woken[2 + me] -> armed = 0 };
again:  atomic { s = 0; r = 0 }
    od;
out:    atomic { s = 0; r = 0; armed = 0 }
}
#endif

#ifdef DURABLE
#define CAN_COPY(r) (!busy && IS_FOR(r, journaled) && !CONDEMNED(r) && PUBLISHED(r, journaled))
proctype Copier() {
    byte r, x, n;
end: do
    :: atomic {
            if
            :: CAN_COPY(0) -> r = 0
            :: CAN_COPY(1) -> r = 1
#if RINGS > 2
            :: CAN_COPY(2) -> r = 2
#endif
            fi;
            busy = 1; cut = 0; n = journaled
        };
        x = P(r, n);
        atomic {
            if
            :: cut -> cut = 0                           /* the supervisor died, and this with it */
            :: else -> journal[n] = (x == COMMITTED -> 2 : 1); journaled = (journaled > n -> journaled : n + 1); busy = 0
            fi;
            x = 0; r = 0; n = 0
        };
        ring_all()
    od
}
#endif

#if DIES > 0
#define MAY_DIE if :: atomic { dies < DIES -> dies++; goto restart } :: skip fi;
#else
#define MAY_DIE
#endif

/* the numbers from `from` to below `to`: in the log */
inline say(from, to) { atomic { i = from; do :: i < to -> said[i] = 1; i++ :: else -> break od; i = 0 } }

/* F, and in a ring that may have led producers further also what its claim words say */
inline see_end(r) {
    atomic {
        z = (floor > journaled -> floor : journaled);
#ifndef Z_FLOOR
        z = z + SLOTS - 1;
#endif
#if defined(FORGED) && !defined(Z_GROUPS)
        i = z + 1;
        do :: i <= LAST -> if :: P(r, i) != FREE -> z = i :: else fi; i++ :: else -> break od;
        i = 0;
#endif
    }
}

#define IS_LAST_NAMED(r) (NAMED(r) && NEWEST(r))
#define KNOWN(r) (damaged[r] && NAMED(r) && !CONDEMNED(r))
#define FREE_PLACE (first[0] == 0 || first[PLACES - 1] == 0)
#ifdef NO_RESUME
#define TO_REPLACE(r) (fresh && CONDEMNED(r) && IS_LAST_NAMED(r) && FREE_PLACE)
#else
#define TO_REPLACE(r) (CONDEMNED(r) && IS_LAST_NAMED(r) && FREE_PLACE)
#endif
#ifdef DURABLE
#ifdef JUMP_BUSY
#define TO_CLOSE(r) (CONDEMNED(r) && NAMED(r) && !NEWEST(r) && IS_FOR(r, journaled))
#else
#define TO_CLOSE(r) (CONDEMNED(r) && NAMED(r) && !NEWEST(r) && IS_FOR(r, journaled) && !busy)
#endif
#define SAID_FROM(r) journaled
#else
#define TO_CLOSE(r) (CONDEMNED(r) && NAMED(r) && !NEWEST(r) && begins[r + 1] > lost_until)
#define SAID_FROM(r) begins[r]
#endif
#ifdef LETGO_AT_ONCE
#define UNNEEDED(r) (CONDEMNED(r) || (floor >= begins[r + 1] && FREED(begins[r + 1])))
#else
#define UNNEEDED(r) (floor >= begins[r + 1] && FREED(begins[r + 1]))
#endif
#define OLDEST(r) (NAMED(r) && ((r) == 0 || !NAMED((r + RINGS - 1) % RINGS)))
#define TO_LET_GO(r) (OLDEST(r) && !NEWEST(r) && UNNEEDED(r))
#define TO_REPAIR(o) (gone[o] && claim_number[o] != 0 && P(claim_ring[o], claim_number[o]) == CLAIMED)

proctype Supervisor() {
    byte r, z, i;
#ifdef NO_RESUME
    bit fresh = 1;
#endif
    goto begin;
restart:
    atomic {
        r = 0; z = 0; i = 0;
#ifdef NO_RESUME
        fresh = 0;
#endif
        if :: busy -> busy = 0; cut = 1 :: else fi
    };
    ring_all();
begin:
end: do
    :: atomic { KNOWN(0) -> r = 0 }; goto condemn
    :: atomic { TO_REPLACE(0) -> r = 0 }; goto replace
    :: atomic { NAMED(0) && TO_CLOSE(0) -> r = 0 }; goto close
    :: atomic { TO_LET_GO(0) -> first[place[0]] = 0 }; ring_all()
#if RINGS > 2
    :: atomic { KNOWN(1) -> r = 1 }; goto condemn
    :: atomic { TO_REPLACE(1) -> r = 1 }; goto replace
    :: atomic { NAMED(1) && TO_CLOSE(1) -> r = 1 }; goto close
    :: atomic { TO_LET_GO(1) -> first[place[1]] = 0 }; ring_all()
#endif
#if RINGS > 3
    :: atomic { KNOWN(2) -> r = 2 }; goto condemn
    :: atomic { TO_REPLACE(2) -> r = 2 }; goto replace
    :: atomic { NAMED(2) && TO_CLOSE(2) -> r = 2 }; goto close
    :: atomic { TO_LET_GO(2) -> first[place[2]] = 0 }; ring_all()
#endif
    :: atomic { TO_REPAIR(0) -> P(claim_ring[0], claim_number[0]) = SKIPPED }; ring_all()
    :: atomic { TO_REPAIR(1) -> P(claim_ring[1], claim_number[1]) = SKIPPED }; ring_all()
#if defined(SHARED) && KILL > 0
    :: atomic {
            dead[0] || dead[1] ->
            i = 1;
            do
            :: i <= LAST -> if :: (dead[0] && word[i] == TAKEN(0)) || (dead[1] && word[i] == TAKEN(1)) -> word[i] = AVAILABLE :: else fi; i++
            :: else -> break
            od;
            i = 0; dead[0] = 0; dead[1] = 0
        };
        ring_all()
#endif
    od;

condemn:
#ifndef DURABLE                         /* else the journal tells, when it comes there */
    if :: !NEWEST(r) -> say(begins[r], begins[r + 1]) :: else fi;
    MAY_DIE
#endif
#ifdef Z_EARLY
    see_end(r);
#endif
    atomic { condemned[place[r]] = r + 1; was_condemned[r] = 1 };
    MAY_DIE
    if
    :: !NEWEST(r) -> ring_all()                         /* its readers may go on, if lost_until is behind it */
    :: else
    fi;
#ifdef Z_EARLY
    if :: NEWEST(r) && FREE_PLACE -> goto made :: else fi;
#endif
    goto begin;

replace:
    see_end(r);
made:
    atomic { begins[r + 1] = z + 1; tail[r + 1] = z + 1; limit[r + 1] = z + 1; place[r + 1] = (first[0] == 0 -> 0 : PLACES - 1); z = 0 };
    MAY_DIE
    first[place[r + 1]] = r + 2;
    MAY_DIE
    ring_all();
    goto begin;

close:
#ifndef SAY_LATE
    say(SAID_FROM(r), begins[r + 1]);
    MAY_DIE
#endif
#ifdef JUMP_FIRST
    journaled = begins[r + 1];
    MAY_DIE
#endif
    lost_until = (lost_until > begins[r + 1] -> lost_until : begins[r + 1]);
    MAY_DIE
#ifdef SAY_LATE
    say(begins[r], begins[r + 1]);
#endif
#ifdef DURABLE
    journaled = begins[r + 1];
    MAY_DIE
#endif
#ifndef NO_BELLS
    ring_all();
#endif
    goto begin
}

/* any ring but the last, at any time */
#define DAMAGE(r) :: atomic { damages < DAMAGES && NAMED(r) && !damaged[r] -> damages++; damaged[r] = 1 }
proctype Damage() {
end: do
    DAMAGE(0)
#if RINGS > 2
    DAMAGE(1)
#endif
#if RINGS > 3
    DAMAGE(2)
#endif
    od
}

proctype Monitor() {
    byte i;
    timeout ->
    d_step {
        assert(done == 2);
        i = 1;
        do
        :: i <= LAST ->
#ifdef FORGED_P
            assert(!okay[i] || given[i] + lost[i] == 1 || (misled[i] != 0 && misled[i] == ok_in[i]));
#else
            assert(!okay[i] || given[i] + lost[i] == 1);
#endif
            assert(!given[i] || !lost[i]);
            assert(!lost[i] || said[i]);
            assert(!said[i] || !WRITTEN(i));
            assert(!given[i] || okay[i] || damages > 0);
            i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < RINGS -> assert(!NAMED(i) || (NEWEST(i) && floor == tail[i])); i++
        :: else -> break
        od
    }
}

init {
    atomic {
#ifdef OLD
        begins[0] = 1; place[0] = 0; first[0] = 1; limit[0] = 1; tail[0] = 3;
        P(0, 1) = CLAIMED; P(0, 2) = SEALED; claim_ring[0] = 0; claim_number[0] = 1;
        begins[1] = 3; place[1] = PLACES - 1; first[PLACES - 1] = 2; limit[1] = 3; tail[1] = 3;
#else
        begins[0] = 1; place[0] = 0; first[0] = 1; limit[0] = 1; tail[0] = 1;
#endif
        run Producer(0, K0);
#if K1 > 0
        run Producer(1, K1);
#else
        done = 1;
#endif
#ifdef SHARED
        run Member(0); run Member(1);
#else
        run Reader();
#endif
#ifdef DURABLE
        run Copier();
#endif
        run Supervisor(); run Damage(); run Monitor()
    }
}
