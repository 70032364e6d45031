"""spillring.aio: the same names, awaitable."""

import asyncio
import os
import random
import threading
import time

import pytest
import spillring
import spillring.aio
from conftest import LONG, eventually


CONSUMERS = int(os.environ.get("SPILLRING_AIO_CONSUMERS", 1000))
ROUNDS = int(os.environ.get("SPILLRING_AIO_ROUNDS", 60))
IN_TIME = 4 * LONG + ROUNDS
IDLE = 0.01  # of a processor: seven times what a thousand consumers use


def run(main):
    async def in_time():
        return await asyncio.wait_for(main(), IN_TIME)

    return asyncio.run(in_time())


def test_put_and_get():
    async def main():
        async with spillring.aio.embedded() as bus:
            queue = await bus.queue("q", create=True)
            assert await queue.put(b"one", key=b"k", headers={"h": b"v"}) == 1
            message = await queue.get()
            assert (bytes(message), message.key, message.headers) == (b"one", b"k", {"h": b"v"})
            assert await queue.put_many([b"two", b"three"]) == (2, 3)
            assert [bytes(m) for m in await queue.get_many(5)] == [b"two", b"three"]
            with pytest.raises(spillring.Empty):
                await queue.get(timeout=0.001)
            with pytest.raises(spillring.Empty):
                queue.get_nowait()
            with await queue.loan(4) as loan:
                memoryview(loan)[:] = b"four"
            [peeked] = await queue.peek()
            assert bytes(peeked) == b"four"
            assert (await queue.info()).messages == 1
            assert [group.name for group in await queue.groups()] == ["default"]
            assert [info.name for info in await bus.queues()] == ["q"]
            assert await queue.purge() == 1
            assert (await queue.set(lease=5)).lease == 5

    run(main)


def test_connect(daemon):
    async def main():
        bus = await spillring.aio.connect(daemon.socket)
        await bus.queue("q", create=True)
        await bus.delete("q")
        with pytest.raises(spillring.NotFound):
            await bus.queue("q")
        await bus.close()

    run(main)


def test_get_waits_while_others_work(bus, queue):
    async def main():
        async with spillring.aio.connect(bus.socket) as other:
            mine = await other.queue(queue.name)
            getting = asyncio.create_task(mine.get())
            for _ in range(10):
                await asyncio.sleep(0)
            assert not getting.done()
            queue.put(b"x")
            assert bytes(await getting) == b"x"

    run(main)


def test_a_consumer_is_awaited_entered_or_iterated(bus, queue):
    async def main():
        async with spillring.aio.connect(bus.socket) as other:
            mine = await other.queue(queue.name)
            for start in range(3):
                queue.put(bytes([start]))
            consumer = await mine.consume()
            with await consumer.receive() as message:
                assert message.seq == 1
            await consumer.close()
            async with mine.consume() as consumer:
                with await consumer.receive() as message:
                    assert message.seq == 2
                assert consumer.group == "default"
                assert consumer.lag == 1
            async for message in mine.consume(timeout=0.001):
                with message:
                    assert message.seq == 3
            async with mine.subscribe("s", start="earliest") as consumer:
                assert [m.seq for m in await consumer.receive_many(9)] == [1, 2, 3]
                await consumer.seek(2)
                assert [m.seq for m in await consumer.receive_many(9)] == [2, 3]
                assert await consumer.receive_many(9, timeout=0.001) == []

    queue.subscribe("keeper", start="earliest").close()  # for whom everything stays
    run(main)


def test_a_closed_consumer_ends_the_iteration(bus, queue):
    async def main():
        async with spillring.aio.connect(bus.socket) as other:
            consumer = await (await other.queue(queue.name)).consume()

            async def count():
                return len([message async for message in consumer])

            counting = asyncio.create_task(count())
            await asyncio.sleep(0.01)
            await consumer.close()
            assert await counting == 0
            with pytest.raises(spillring.Closed):
                await consumer.receive()

    run(main)


def test_a_closed_bus_tells_who_waits(bus, queue):
    async def main():
        other = await spillring.aio.connect(bus.socket)
        getting = asyncio.create_task((await other.queue(queue.name)).get())
        await asyncio.sleep(0.01)
        await other.close()
        with pytest.raises(spillring.Closed):
            await getting

    run(main)


def test_cancelling_takes_nothing(bus, queue):
    async def main():
        async with spillring.aio.connect(bus.socket) as other:
            mine = await other.queue(queue.name)
            for number in range(200):
                cancelled, *others = [asyncio.create_task(mine.get()) for _ in range(3)]
                await asyncio.sleep(0)
                queue.put(bytes([number]))
                cancelled.cancel()
                finished, waiting = await asyncio.wait(
                    others, return_when=asyncio.FIRST_COMPLETED, timeout=LONG
                )
                assert [bytes(task.result()) for task in finished] == [bytes([number])]
                for task in waiting:
                    task.cancel()
                await asyncio.gather(cancelled, *waiting, return_exceptions=True)

    run(main)


def test_put_waits_for_room(bus):
    bus.queue("small", create=True, slots=64, full="block")

    async def main():
        async with spillring.aio.connect(bus.socket) as other:
            queue = await other.queue("small")
            async with queue.consume() as consumer:
                room = 0
                with pytest.raises(spillring.Full):
                    while True:
                        queue.put_nowait(b"x")
                        room += 1
                with pytest.raises(spillring.Full):
                    await queue.put(b"x", timeout=0.01)
                putting = [asyncio.create_task(queue.put(b"y", timeout=LONG)) for _ in range(20)]
                await asyncio.sleep(0.05)
                assert not any(task.done() for task in putting)
                received = 0
                while (message := await consumer.receive(timeout=0.5)) is not None:
                    message.ack()
                    received += 1
                assert len(await asyncio.gather(*putting)) == 20
                assert received == room + 20

    run(main)


@pytest.mark.parametrize("extra", [{"ttl": 60}, {"key": b"k"}], ids=str)
def test_put_sleeps_where_only_what_belongs_to_the_message_has_no_room(bus, extra):
    bus.queue("small", create=True, capacity="64KiB", full="block")

    async def main():
        async with spillring.aio.connect(bus.socket) as other:
            queue = await other.queue("small")
            with pytest.raises(spillring.Full):
                while True:
                    queue.put_nowait(bytes(4000))
            with pytest.raises(spillring.Full):
                while True:
                    queue.put_nowait(b"x", **extra)
            queue.put_nowait(b"x")  # there are slots, and this needs no other room
            used = time.process_time()
            with pytest.raises(spillring.Full):
                await queue.put(b"x", timeout=1, **extra)
            assert time.process_time() - used < 0.5

    run(main)


def test_put_into_a_queue_that_rejects(bus):
    bus.queue("small", create=True, slots=64, full="reject")

    async def main():
        async with spillring.aio.connect(bus.socket) as other:
            queue = await other.queue("small")
            with pytest.raises(spillring.Full):
                for _ in range(1000):
                    await queue.put(b"x")

    run(main)


def test_a_busy_consumer_leaves_turns_to_others(bus, queue):
    queue.put_many([b"x"] * 1000)

    async def main():
        turns = 0

        async def other_task():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with spillring.aio.connect(bus.socket) as other:
            task = asyncio.create_task(other_task())
            mine = await other.queue(queue.name)
            turns, seen = 0, 0
            async with mine.consume() as consumer:
                turns = 0
                async for message in consumer:
                    message.ack()
                    seen += 1
                    if seen == 1000:
                        break
            task.cancel()
        return turns

    assert run(main) >= 10


def test_no_message_is_lost_among_a_thousand_consumers(bus):
    """Single messages, each to a queue whose consumer has gone to sleep."""
    per_queue = 10
    names = [f"q{number}" for number in range(CONSUMERS // per_queue)]
    queues = [bus.queue(name, create=True, keep="attached") for name in names]

    received = [0] * (per_queue * len(names))

    async def main():
        async with spillring.aio.connect(bus.socket) as other:
            consumers = []
            for name in names:
                mine = await other.queue(name)
                consumers += [await mine.subscribe() for _ in range(per_queue)]
            everything = asyncio.Event()
            left = len(consumers) * ROUNDS

            async def follow(place, consumer):
                nonlocal left
                for number in range(ROUNDS):
                    with await consumer.receive() as message:
                        assert bytes(message) == str(number).encode()
                    received[place] += 1
                    left -= 1
                    if left == 0:
                        everything.set()

            tasks = [asyncio.create_task(follow(*entry)) for entry in enumerate(consumers)]
            await asyncio.sleep(0)
            sender = threading.Thread(target=send)
            sender.start()
            try:
                await asyncio.wait_for(everything.wait(), IN_TIME)
            finally:
                sender.join()
                late = [place for place, count in enumerate(received) if count < ROUNDS]
                assert not late, f"{len(late)} consumers have waited in vain"
            await asyncio.gather(*tasks)

    def send():
        order = list(enumerate(queues))
        for number in range(ROUNDS):
            random.shuffle(order)
            for place, queue in order:
                consumers = slice(per_queue * place, per_queue * (place + 1))
                if place % 2:  # all have had the last one, and sleep, or are about to
                    eventually(lambda where=consumers: min(received[where]) == number)
                queue.put(str(number).encode())

    run(main)


def test_a_thousand_idle_consumers_use_no_processor(bus):
    """Time on the processor, not on the clock; once all of them have gone to sleep, which takes a while."""

    async def used_in(seconds):
        before = time.process_time()
        await asyncio.sleep(seconds)
        return (time.process_time() - before) / seconds

    async def main():
        async with spillring.aio.connect(bus.socket) as other:
            queues = [await other.queue(f"q{n}", create=True, keep="attached") for n in range(10)]
            tasks = []
            for number in range(1000):
                consumer = await queues[number % len(queues)].subscribe()
                tasks.append(asyncio.create_task(consumer.receive()))
            while (used := await used_in(3)) > IDLE:  # who polls never ends this
                print(f"{100 * used:.2f} % of a processor")
            assert not any(task.done() for task in tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return used

    print(f"{100 * run(main):.2f} % of a processor")
