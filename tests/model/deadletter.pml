/* A hand-over to the dead-letter queue (daemon/dead_letters.cpp).
 *
 *     1  claim t in the ring, as `own`     2  promise = {s, t}     3  publish t     4  the journal has t (-DDURABLE)
 *     5  doomed word -> finished, once t has arrived;  promise = 0
 *     restart: settle the promise (arrived: 5, else promise = 0);  abort the claims of `own`;  go on
 *
 * Modelled: one doomed message; the supervisor, which may die DIES times at any step; the dead-letter queue as a ring whose finished
 * numbers its readers and producers use again at any time; a disk that gets what is published at any time. Each shared word is a step. -DPURGE: the
 * owner purges the source at any time, which finishes the message in its group.
 *
 * Invariants: there is at most one copy; the source is finished by the hand-over only after a copy is published, and on the disk where
 * the queue is durable; at rest the promise is free and the source finished; without a purge there is exactly one copy.
 *
 * Faults: PROMISE_LATE   the promise is stored after the publish
 *         NO_PROMISE     there is none
 *         ABORT_FIRST    a restarted supervisor aborts before it settles
 *         NO_SETTLE      a restarted supervisor forgets promises
 *         FINISH_FIRST   the source is finished before the publish
 *         NO_DISK        it is finished before the disk has the copy (with DURABLE)
 *         CLEAR_FIRST    the promise is cleared before the source is finished
 * Bounds: DIES, T (numbers of the dead-letter queue).
 * Run:    ./run deadletter   Result: docs/models.md
 */
#ifndef DIES
#define DIES 2
#endif
#define T (DIES + 2)

mtype = { UNCLAIMED, CLAIMED, COMMITTED, ABORTED };
mtype state[T];
bool gone[T];         /* its slot was used again */
byte on_disk;         /* numbers below are there */
byte tail;            /* the next number */
bool finished;        /* the doomed word is */
bool purged;
byte promise;         /* t + 1; 0: free */
byte copies;
byte dies = DIES;
bool alive, ended;

#define ARRIVED(t) (gone[t] || state[t] == COMMITTED)
#define MAY_DIE    if :: dies > 0 -> dies--; goto dead :: skip fi

#ifdef DURABLE
#define SAFE(t) (on_disk > t)
#else
#define SAFE(t) true
#endif

inline publish(t) { d_step { state[t] = COMMITTED; copies++; assert(copies <= 1) } }

inline finish(t) {                      /* the exact word: a purge may have come first */
    d_step {
        if
        :: !finished ->
#ifdef DURABLE
            assert(on_disk > t);
#endif
            assert(copies == 1);
            finished = true
        :: else
        fi
    }
}

proctype supervisor() {
    byte t, i;
#ifdef ABORT_FIRST
    for (i : 0 .. T - 1) { MAY_DIE; if :: state[i] == CLAIMED -> state[i] = ABORTED :: else fi }
    MAY_DIE;
#endif
#ifdef NO_SETTLE
    promise = 0;
#endif
settle:
    if
    :: promise != 0 ->
        t = promise - 1;
        if
        :: ARRIVED(t) ->
#ifndef NO_DISK
            do
            :: SAFE(t) -> break
            :: dies > 0 -> dies--; goto dead
            od;
#endif
#ifdef CLEAR_FIRST
            promise = 0;
            MAY_DIE;
#endif
            finish(t)
        :: else
        fi;
        MAY_DIE;
        promise = 0
    :: else
    fi;
    MAY_DIE;
    for (i : 0 .. T - 1) { if :: state[i] == CLAIMED -> state[i] = ABORTED :: else fi; MAY_DIE }
    if
    :: finished -> ended = true; goto end
    :: else
    fi;
    d_step { t = tail; state[t] = CLAIMED; tail++ };
    MAY_DIE;
#ifdef FINISH_FIRST
    finish(t);
    MAY_DIE;
#endif
#ifdef PROMISE_LATE
    publish(t);
    MAY_DIE;
    promise = t + 1;
#else
#ifndef NO_PROMISE
    promise = t + 1;
    MAY_DIE;
#endif
    publish(t);
#endif
    MAY_DIE;
#ifdef NO_PROMISE
    finish(t);
#endif
    goto settle;
dead:
    alive = false;
end:
    skip
}

proctype others() {                     /* readers and producers of the dead-letter queue; its journal; a purge */
    byte i;
end:
    do
    :: i < T - 1 -> i++
    :: i > 0 -> i--
    :: atomic { (state[i] == COMMITTED || state[i] == ABORTED) && !gone[i] -> gone[i] = true }
    :: atomic { on_disk < tail && (state[on_disk] == COMMITTED || state[on_disk] == ABORTED || gone[on_disk]) -> on_disk++ }
#ifdef PURGE
    :: atomic { !purged -> purged = true; finished = true }
#endif
    od
}

init {
    byte i;
    for (i : 0 .. T - 1) { state[i] = UNCLAIMED };
    atomic { alive = true; run others(); run supervisor() };
    do
    :: atomic { !alive -> alive = true; run supervisor() }
    :: ended -> break
    od;
    assert(finished && promise == 0);
    assert(purged || copies == 1)
}
