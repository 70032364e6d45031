"""A service on asyncio: requests in one queue, each answer in the queue that its request names.

    python3 service.py [CLIENTS]
"""

import asyncio
import json
import sys

import spillring.aio


async def serve(bus):
    """Answers requests, many at a time."""
    requests = await bus.queue("requests", create=True)
    answers = {}  # queues that were answered to

    async def answer(request):
        with request:
            numbers = json.loads(bytes(request))
            name = request.headers["reply-to"].decode()
            if name not in answers:
                answers[name] = await bus.queue(name)
            await asyncio.sleep(0.001)  # what the service does
            result = json.dumps(sum(numbers)).encode()
            await answers[name].put(result, headers={"request": request.headers["request"]})

    async with asyncio.TaskGroup() as tasks:
        async for request in requests.consume("service", timeout=1):
            tasks.create_task(answer(request))


async def client(bus, number):
    """Sends requests without waiting, and reads the answers as they come."""
    requests = await bus.queue("requests", create=True)
    name = f"answers-{number}"
    answers = await bus.queue(name, create=True)
    wanted = {}
    for count in range(20):
        wanted[str(count)] = number * count
        await requests.put(
            json.dumps([number] * count).encode(),
            headers={"reply-to": name.encode(), "request": str(count).encode()},
        )
    right = 0
    async for answer in answers.consume(timeout=30):
        with answer:
            right += json.loads(bytes(answer)) == wanted.pop(answer.headers["request"].decode())
        if not wanted:
            break
    await bus.delete(name)
    return right


async def main():
    clients = int(sys.argv[1]) if sys.argv[1:] else 50
    async with spillring.aio.embedded() as bus:
        service = asyncio.create_task(serve(bus))
        right = await asyncio.gather(*(client(bus, number) for number in range(clients)))
        await service
    print(f"{clients} clients, {sum(right)} of {20 * clients} answers right")


asyncio.run(main())
