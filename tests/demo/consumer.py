"""Shares the work of a group: takes files as messages, in place, and reports each one's SHA-256.

    consumer.py SOCKET REPORTS [HOLD_AFTER]

Ends when its standard input is closed and nothing is left to do. After HOLD_AFTER messages it takes
some more, says so, and holds them for ever.
"""

import hashlib
import json
import os
import select
import sys
import time

import spillring

HELD = 4


def tell(line):
    print(json.dumps(line), flush=True)


def describe(message):
    return {
        "path": os.fsdecode(bytes(message.key)),
        "sha256": hashlib.sha256(message).hexdigest(),  # over the queue's own memory: no copy
        "size": len(memoryview(message)),
        "seq": message.seq,
        "deliveries": message.deliveries,
    }


def told_to_finish():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def hold(consumer, first):
    held = [first]
    while len(held) < HELD:
        held.append(consumer.receive())
    tell({"holding": [message.seq for message in held]})
    while True:
        time.sleep(60)


def work(consumer, reports, hold_after):
    received = 0
    while True:
        message = consumer.receive(timeout=0.1)
        if message is None:
            if told_to_finish():
                return
            continue
        os.write(reports, (json.dumps(describe(message)) + "\n").encode())
        received += 1
        if received == hold_after:
            hold(consumer, message)
        message.ack()


def main():
    reports = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    hold_after = int(sys.argv[3]) if len(sys.argv) > 3 else None
    with spillring.connect(sys.argv[1]) as bus:
        with bus.queue("files").consume("workers", prefetch=8) as consumer:
            tell({"ready": True})
            work(consumer, reports, hold_after)


if __name__ == "__main__":
    main()
