/* The keeper: what is kept when, and a request that two supervisors carry out.
 *
 * Modelled: one name, at most QUEUES queues of it one after the other, each with the mark that it is deleted and who made it (M); what the living
 * supervisor knows; what the keeper keeps; the packets on the line between them; a request for each client that stays in its connection until it is
 * discarded; the notes. The supervisor may die after each step (DIES times): the keeper reads the line to its end and starts the next one, which
 * adopts what is kept and begins with the request that the notes name. The keeper may die at any time (KEEPER times), with what was on the line: the
 * supervisor starts another and tells it everything. Both at once is not modelled: one may die only when the other knows everything.
 * Client 0 creates the queue, purges it, publishes, and removes it. Client 1 creates it again as soon as client 0 has been told that it is removed.
 *
 * Invariants: creating and removing are answered ok. A message published after a purge was answered stays. The queue that client 1 has created is there
 * at the end, and the keeper keeps it and nothing else. Everybody gets an answer (no invalid end).
 *
 * Faults: TELL_FIRST   a client is answered before the queue is kept
 *         NO_DRAIN     the keeper starts the next supervisor before it has read the line to its end
 *         ANY_ORDER    the next supervisor does not begin with the request that was being carried out
 *         FORGET       it does not know that this may have been done already
 *         PURGE_ANEW   a purge that is repeated goes to what is the end by then
 *         RECEIVE      requests are received, not looked at
 *         NO_DEPOSIT   a new keeper is told only what comes
 * Run:    ./run keeper       Result: docs/models.md
 */
#ifndef DIES
#define DIES 2
#endif
#ifndef KEEPER
#define KEEPER 0
#endif
#define QUEUES (DIES + 4)               /* ids are not used again: each death may cost one */

mtype = { none, create, purge, remove, keep, drop };

/* connections */
mtype pending[2] = none;
byte number[2];                         /* of the request */
bool answered[2];
bool good[2];
byte told[2];                           /* the queue that the answer names */

/* shared memory: held by whoever has a descriptor, here for ever */
bool deleted[QUEUES];
byte maker[QUEUES], maker_number[QUEUES];
byte tail = 1, start = 1;               /* of client 0's queue */

/* notes */
byte last = 0, noted = 2, noted_number = 0, purge_to = 0;   /* noted: the client; 2: none */
bool begun = false;

/* the keeper, and the line to it */
bool kept[QUEUES];
chan line = [4] of { mtype, byte };
bool supervisor_dead = false, keeper_dead = false, in_step = true;
byte dies = 0, keeper_dies = 0;
bool resting = false;                   /* it waits for something to do */
byte supervisor_knows = 0;              /* the queue that the living supervisor serves; 0: none */

inline clear_notes() { d_step { begun = false; purge_to = 0 } }

proctype keeper() {
    mtype op; byte id;
end_keeper:
    do
    :: atomic { !supervisor_dead && !keeper_dead && nempty(line) ->
           line?op, id;
           if :: op == keep -> kept[id] = true :: else -> kept[id] = false fi }
    :: atomic { supervisor_dead && !keeper_dead ->
#ifndef NO_DRAIN
           do
           :: nempty(line) -> line?op, id;
               if :: op == keep -> kept[id] = true :: else -> kept[id] = false fi
           :: empty(line) -> break
           od;
#else
           do :: nempty(line) -> line?op, id :: empty(line) -> break od;
#endif
           supervisor_dead = false }
    :: atomic { !supervisor_dead && !keeper_dead && in_step && keeper_dies < KEEPER ->
           /* with all that it keeps, and what has not been read */
           keeper_dies++; keeper_dead = true; in_step = false;
           do :: nempty(line) -> line?op, id :: empty(line) -> break od;
           id = 0;
           do :: id < QUEUES -> kept[id] = false; id++ :: else -> break od }
    od
}

/* A step of the supervisor is over: it may be its last one, if the keeper knows everything. */
#define STEP if :: atomic { dies < DIES && in_step && !keeper_dead -> \
    dies++; in_step = false; resting = false; supervisor_knows = 0; supervisor_dead = true; goto died } :: skip fi

/* The client takes the first answer to a request; a second one has the number of a request that is answered. */
#define GOOD(c, id) d_step { if :: !answered[c] -> good[c] = true; told[c] = id; answered[c] = true :: else fi }
#define BAD(c) d_step { if :: !answered[c] -> good[c] = false; answered[c] = true :: else fi }

#define TELL(op, id) if :: atomic { !keeper_dead -> line!op, id } :: keeper_dead -> skip fi

proctype supervisor() {
    byte c, id, first;
    bool repeated, mine[QUEUES];
    mtype request;
adopt: skip;
    /* what the keeper has is received as a whole; then either may die */
    d_step {
        id = 1; supervisor_knows = 0;
        do :: id < QUEUES -> mine[id] = kept[id]; id++ :: else -> break od;
        id = 1; in_step = true
    };
    do
    :: id < QUEUES && mine[id] && deleted[id] -> TELL(drop, id); id++; STEP
    :: id < QUEUES && mine[id] && !deleted[id] -> supervisor_knows = id; id++
    :: id < QUEUES && !mine[id] -> id++
    :: id == QUEUES -> break
    od;
    id = 0;
#ifdef ANY_ORDER
    first = 2;
#else
    first = noted;
#endif
    resting = true;

end_loop:
    if
    :: atomic { keeper_dead ->
           /* another keeper, told everything before anything else happens */
           keeper_dead = false;
#ifndef NO_DEPOSIT
           if :: supervisor_knows != 0 -> kept[supervisor_knows] = true :: else fi;
#endif
           in_step = true }; goto end_loop
    :: atomic { !keeper_dead && first != 2 && pending[first] != none -> c = first; first = 2 }
    :: atomic { !keeper_dead && first != 2 && pending[first] == none -> first = 2 }; goto end_loop
    :: atomic { !keeper_dead && first == 2 && pending[0] != none -> c = 0 }
    :: atomic { !keeper_dead && first == 2 && pending[1] != none -> c = 1 }
    fi;
    atomic { resting = false; request = pending[c] };

    repeated = (noted == c && noted_number == number[c]);
#ifdef FORGET
    repeated = false;
#endif
    if :: !repeated -> clear_notes() :: else fi;
    d_step { noted = c; noted_number = number[c] };
    STEP;
#ifdef RECEIVE
    pending[c] = none; STEP;
#endif

    if
    :: request == create && supervisor_knows != 0 ->
        if
        :: repeated && maker[supervisor_knows] == c && maker_number[supervisor_knows] == number[c] -> GOOD(c, supervisor_knows)
        :: else -> BAD(c)
        fi
    :: request == create && supervisor_knows == 0 ->
        d_step { last++; id = last; maker[id] = c; maker_number[id] = number[c] };
        STEP;
#ifdef TELL_FIRST
        GOOD(c, id); STEP; TELL(keep, id); supervisor_knows = id
#else
        TELL(keep, id); supervisor_knows = id; STEP;
        GOOD(c, supervisor_knows)
#endif
    :: request == purge && supervisor_knows != told[c] -> BAD(c)
    :: request == purge && supervisor_knows == told[c] ->
#ifdef PURGE_ANEW
        purge_to = tail;
#else
        if :: purge_to == 0 -> purge_to = tail :: else fi;
#endif
        STEP;
        if :: start < purge_to -> start = purge_to :: else fi;
        STEP;
        GOOD(c, supervisor_knows)
    :: request == remove && supervisor_knows == 0 ->
        if :: repeated && begun -> GOOD(c, 0) :: else -> BAD(c) fi
    :: request == remove && supervisor_knows != 0 ->
        begun = true; STEP;
        deleted[supervisor_knows] = true; STEP;
        TELL(drop, supervisor_knows); supervisor_knows = 0; STEP;
        GOOD(c, 0)
    fi;
    STEP;
    pending[c] = none; STEP;
    noted = 2; STEP;
    resting = true;
    goto end_loop;

died:
    atomic { !supervisor_dead -> goto adopt }
}

byte request_number = 0;
bool removed = false;

inline ask(c, what) {
    atomic { pending[c] == none -> request_number++; number[c] = request_number; answered[c] = false; pending[c] = what };
    answered[c]
}

proctype client() {
    byte message;
    ask(0, create); assert(good[0]);
    tail = 2;                            /* one message, which the purge may discard */
    ask(0, purge); assert(good[0]);
    d_step { message = tail; tail = tail + 1 };
    ask(0, remove); assert(good[0]);
    assert(start <= message);
    removed = true
}

proctype successor() {
    removed;
    ask(1, create); assert(good[1]);
    /* when everything rests */
    d_step {
        resting && pending[0] == none && pending[1] == none && in_step && empty(line) && !keeper_dead ->
        assert(supervisor_knows == told[1]);
        assert(kept[told[1]] && !deleted[told[1]]);
        assert(told[1] < 2 || !kept[1]);
        assert(told[1] < 3 || !kept[2])
    }
}

init { atomic { run keeper(); run supervisor(); run client(); run successor() } }
