"""Logs of several processes go to a shipper that may die: nothing is lost, and nothing is shipped twice unmarked.

    python3 log_shipping.py [LINES]

The queue is durable and keeps an hour to look into. The shipper appends batches to a file, makes the disk have them, and
only then acknowledges: killed in between, its successor ships that batch again, each line with the number that it had, so
whoever reads the file can tell.
"""

import logging
import multiprocessing
import os
import signal
import sys
import tempfile

import spillring

SERVICES = 3
BATCH = 100


class QueueHandler(logging.Handler):
    """What a program adds to its logging to have it shipped."""

    def __init__(self, queue):
        super().__init__()
        self.queue = queue

    def emit(self, record):
        self.queue.put(self.format(record).encode(), headers={"level": record.levelname.encode()})


def serve(queue, number, lines):
    """A service that has something to say."""
    log = logging.getLogger(f"service-{number}")
    log.setLevel(logging.INFO)
    log.addHandler(QueueHandler(queue))
    for line in range(lines):
        log.log(logging.ERROR if line % 100 == 99 else logging.INFO, "service %d line %d", number, line)
    queue.flush()  # on the disk, before this process says that it is done


def ship(queue, path, dies_after=None):
    """Appends to the file until nothing has come for a second."""
    shipped = 0
    with open(path, "ab") as file, queue.consume("shipper", prefetch=BATCH) as reader:
        while batch := reader.receive_many(BATCH, timeout=1):
            for message in batch:
                file.write(b"%d %s %s\n" % (message.seq, message.headers["level"], bytes(message)))
            file.flush()
            os.fsync(file.fileno())
            shipped += len(batch)
            if dies_after is not None and shipped >= dies_after:
                os.kill(os.getpid(), signal.SIGKILL)
            for message in batch:
                message.ack()


def main():
    lines = int(sys.argv[1]) if sys.argv[1:] else 2000
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "shipped.log")
        with spillring.embedded(os.path.join(directory, "state")) as bus:
            logs = bus.queue("logs", create=True, durability="disk", retain="1h,64MiB")
            services = [multiprocessing.Process(target=serve, args=(logs, n, lines)) for n in range(SERVICES)]
            first = multiprocessing.Process(target=ship, args=(logs, path, lines))
            for process in [*services, first]:
                process.start()
            for process in [*services, first]:
                process.join()
            ship(logs, path)
            errors = sum(m.headers["level"] == b"ERROR" for m in logs.peek(SERVICES * lines, seq=1))
        with open(path, "rb") as file:
            numbers = [line.split(b" ", 1) for line in file]
    once = dict(numbers)
    killed = first.exitcode == -signal.SIGKILL
    print(f"{len(once)} lines shipped, {SERVICES * lines - len(once)} lost, {errors} errors in the history, "
          f"{int(killed)} shipper killed")
    print(f"{len(numbers) - len(once)} lines were shipped again", file=sys.stderr)


if __name__ == "__main__":
    main()
