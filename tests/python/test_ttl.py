"""Messages that are delivered within a time, and then no more."""

import asyncio
import math
import pathlib
import random
import subprocess
import sys
import time

import pytest
import spillring
import spillring.aio
from conftest import eventually

MOMENT = 0.001


def let_it_pass():
    time.sleep(0.05)


def test_what_is_too_late_is_not_delivered(queue):
    queue.put(b"late", ttl=MOMENT)
    queue.put_nowait(b"late", ttl=MOMENT)
    with queue.loan(4, ttl=MOMENT) as loan:
        memoryview(loan)[:] = b"late"
    queue.put(b"good", key=b"k", ttl=3600)
    let_it_pass()
    assert [(bytes(m), m.expired) for m in queue.peek(4)] == [(b"late", True)] * 3 + [(b"good", False)]
    message = queue.get(timeout=30)
    assert (bytes(message), message.key, message.ttl) == (b"good", b"k", 3600)
    with pytest.raises(spillring.Empty):
        queue.get_nowait()
    [group] = queue.groups()
    assert group.expired == 3
    assert len(queue) == 0


def test_a_subscription_passes_it(queue):
    with queue.subscribe("log", start="earliest") as log:
        queue.put(b"late", ttl=MOMENT)
        queue.put(b"good")
        let_it_pass()
        message = log.receive(30)
        assert (bytes(message), message.ttl, message.expired) == (b"good", None, False)
    [group] = queue.groups()
    assert group.expired == 1


def test_it_becomes_a_dead_letter(bus):
    dead = bus.queue("dead", create=True)
    jobs = bus.queue("jobs", create=True, dead_letter="dead")
    jobs.put(b"late", headers={"a": b"b"}, ttl=MOMENT)
    let_it_pass()
    with pytest.raises(spillring.Empty):
        jobs.get_nowait()
    letter = dead.get(timeout=30)
    assert bytes(letter) == b"late"
    assert letter.headers == {
        "a": b"b",
        "spillring-reason": b"expired",
        "spillring-source": b"jobs",
        "spillring-group": b"default",
        "spillring-sequence": b"1",
        "spillring-deliveries": b"0",
    }


def test_a_queue_has_a_default(bus):
    queue = bus.queue("q", create=True, ttl=3600)
    assert queue.info().ttl == 3600
    queue.put_many([b"a", b"b"])
    queue.put(b"c", ttl=7.5)
    queue.put(b"d", ttl=math.inf)
    assert [message.ttl for message in queue.peek(4)] == [3600, 3600, 7.5, None]
    assert bus.queue("other", create=True).info().ttl is None


@pytest.mark.parametrize("ttl", [0, -1, math.nan])
def test_a_time_that_cannot_be_is_refused(bus, queue, ttl):
    for call in (queue.put, queue.put_nowait, lambda _, ttl: queue.loan(1, ttl=ttl)):
        with pytest.raises(spillring.Invalid, match="ttl"):
            call(b"x", ttl=ttl)
    with pytest.raises(spillring.Invalid, match="ttl"):
        bus.queue("q", create=True, ttl=ttl)
    assert len(queue) == 0


def test_a_time_is_a_number(queue):
    with pytest.raises(TypeError, match="ttl"):
        queue.put(b"x", ttl="soon")


def test_a_small_one_waits_for_room_as_others_do(bus):
    queue = bus.queue("q", create=True, capacity=4096, full="block", ttl=3600)
    with pytest.raises(spillring.Full):
        while True:
            queue.put(b"x", timeout=0)
    began = time.process_time()
    with pytest.raises(spillring.Full):
        queue.put(b"x", timeout=0.5)
    assert time.process_time() - began < 0.25, "it sleeps"


@pytest.mark.parametrize("dead_letter", ["dead", None])
def test_each_is_passed_once_whoever_is_killed_meanwhile(bus, dead_letter):
    count = 20_000
    dead = bus.queue("dead", create=True)
    jobs = bus.queue("jobs", create=True, dead_letter=dead_letter, ttl=MOMENT)
    jobs.put_many([b"%d" % number for number in range(count)])
    let_it_pass()
    work = f"""
import sys
sys.path.insert(0, {str(pathlib.Path(spillring.__file__).parents[1])!r})
import spillring
queue = spillring.connect({bus.socket!r}).queue("jobs")
while True:
    queue.get(timeout=1)
"""
    kills = 0
    while len(jobs):
        with subprocess.Popen([sys.executable, "-c", work], stderr=subprocess.DEVNULL) as consumer:
            eventually(lambda: jobs.groups() and jobs.groups()[0].members == 1 or not len(jobs))
            time.sleep(random.uniform(0, 0.001))
            consumer.kill()
            kills += 1
        eventually(lambda: jobs.groups()[0].members == 0)
        eventually(lambda: jobs.info().doomed == 0)
    assert count - kills <= jobs.groups()[0].expired <= count  # the count is not what must not be lost
    letters = []
    for letter in dead.consume("auditor", timeout=0.2):
        with letter:
            letters.append(int(bytes(letter)))
    assert sorted(letters) == (list(range(count)) if dead_letter else [])


def test_asyncio():
    async def main():
        async with spillring.aio.embedded() as bus:
            queue = await bus.queue("q", create=True, ttl=60)
            await queue.put(b"late", ttl=MOMENT)
            queue.put_nowait(b"late", ttl=MOMENT)
            with await queue.loan(4, ttl=MOMENT) as loan:
                memoryview(loan)[:] = b"late"
            await queue.put(b"good")
            await asyncio.sleep(0.05)
            message = await queue.get(timeout=30)
            assert (bytes(message), message.ttl) == (b"good", 60)
            assert (await queue.groups())[0].expired == 3

    asyncio.run(main())


def test_put_many_has_one_for_each(queue):
    queue.put_many((b"late%d" % number for number in range(5)), ttl=MOMENT)
    queue.put_many([bytes(100_000), b"late"], ttl=MOMENT)  # a large one goes another way
    queue.put_many([b"good", b"better"], ttl=3600)
    let_it_pass()
    messages = queue.get_many(10)
    assert [(bytes(m), m.ttl) for m in messages] == [(b"good", 3600), (b"better", 3600)]
    with pytest.raises(spillring.Invalid):
        queue.put_many([b"x"], ttl=-1)


def test_put_many_on_asyncio():
    async def main():
        async with spillring.aio.embedded() as bus:
            queue = await bus.queue("q", create=True, group_expiry=3600)
            await queue.put_many([b"a", b"b"], ttl=3600)
            assert [m.ttl for m in await queue.get_many(2)] == [3600, 3600]
            consumer = await queue.consume("jobs")
            await queue.remove_group("jobs", force=True)
            with pytest.raises(spillring.Deleted):
                await consumer.receive()

    asyncio.run(main())
