"""provoke.py CODE SOCKET MODULE: makes the Python module fail with CODE, where test_errors.py has prepared that.

Prints "ready" and reads a line before the call that fails; then the exception's class, code, text and hint.
"""

import os
import sys

CODE, SOCKET, MODULE = sys.argv[1:]
sys.path.insert(0, MODULE)

import spillring  # noqa: E402

FOREVER = 60


def in_child(call):
    """Calls it in a forked child, which goes on as this program does."""
    child = os.fork()
    if child == 0:
        ready()
        call()
    os.waitpid(child, 0)
    os._exit(0)


def ready():
    print("ready", flush=True)
    sys.stdin.readline()


def connect():
    return spillring.connect(SOCKET, timeout=0.2 if CODE == "timeout" else FOREVER)


def stale(queue):
    late = queue.get(ack=False, timeout=FOREVER)
    with queue.get(ack=False, timeout=FOREVER):  # once the lease is over
        ready()
        late.ack()


def at_once(code):
    """What fails when a connection is made, or a queue is opened or created."""
    ready()
    if code == "denied":
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    bus = connect()
    if code == "invalid":
        bus.queue(".q")
    elif code == "not_found":
        bus.queue("none")
    elif code == "no_memory":
        bus.queue("large", create=True, capacity="1TiB", prealloc=True)
    elif code == "unsupported":
        bus.queue("q").consume().fileno()
    elif code in ("no_space", "io"):
        bus.queue("other", create=True, durability="disk")
    elif code == "exists":
        queue = bus.queue("q")
        queue.consume("shared")
        queue.subscribe("shared")
    else:
        bus.queue("q").put_nowait(b"x")


def with_queue(code):
    queue = connect().queue("q")
    if code == "stale":
        stale(queue)
    elif code == "forked":
        consumer = queue.consume()
        in_child(lambda: consumer.receive(timeout=0))
    elif code == "closed":
        consumer = queue.consume()
        consumer.close()
        ready()
        consumer.receive(timeout=0)
    elif code == "in_doubt":
        queue.put(b"first")
        ready()
        queue.put(b"x", durable=True)
    else:
        ready()
        {
            "full": lambda: [queue.put_nowait(b"x") for _ in range(1000)],
            "empty": lambda: queue.get_nowait(),
            "deleted": lambda: queue.put(b"x"),
            "too_large": lambda: queue.put(bytes(5 << 20)),
            "busy": lambda: queue.remove_group("default"),
        }[code]()


def damaged(code):
    queue = connect().queue("q")
    ready()
    queue.put(b"x") if code == "poisoned" else queue.get(timeout=FOREVER)


BUSY = {"stale", "forked", "closed", "in_doubt", "full", "empty", "deleted", "too_large", "busy"}
try:
    if CODE in BUSY:
        with_queue(CODE)
    elif CODE in ("poisoned", "corrupt"):
        damaged(CODE)
    else:
        at_once(CODE)
except spillring.Error as error:
    print(type(error).__name__, error.code, str(error), error.hint, sep="\n", flush=True)
    os._exit(0)  # some handles belong to whom has gone
print("nothing failed")
