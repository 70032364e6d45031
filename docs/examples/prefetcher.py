"""Input for a model that is being trained: processes decode ahead, the trainer reads batches in place.

    python3 prefetcher.py [BATCHES]

The queue's slots are how far ahead they work: who is ahead by as many waits, so memory is bounded.
"""

import multiprocessing
import sys
import time

import numpy as np
import spillring

DECODERS = 3
SHAPE = (32, 64, 64, 3)  # of a batch of images
BYTES = int(np.prod(SHAPE))
AHEAD = 64  # batches


def decode(wanted, batches):
    """Makes the batches that are wanted, each written once, where the trainer reads it."""
    for order in wanted.consume("decoders", prefetch=1, timeout=2):
        with order:
            number = int(bytes(order))
            noise = np.random.default_rng(number)  # in place of files, codecs and augmentation
            with batches.loan(BYTES, key=b"%d" % number) as slot:
                np.asarray(slot).reshape(SHAPE)[:] = noise.integers(0, 256, SHAPE, dtype=np.uint8)


def train(batches, count):
    """Takes each batch once, in whichever order they come. Returns what it saw, and how long it waited."""
    seen, waited = {}, 0.0
    with batches.consume("trainer", prefetch=4) as ahead:
        while len(seen) < count:
            begun = time.monotonic()
            with ahead.receive(timeout=30) as batch:  # the memory is the decoders' again at the end
                waited += time.monotonic() - begun
                images = np.frombuffer(batch, np.uint8).reshape(SHAPE)
                seen[int(batch.key)] = float(images.mean(dtype=np.float64))
                del images  # no view may outlive its message
    return seen, waited


def main():
    count = int(sys.argv[1]) if sys.argv[1:] else 200
    with spillring.embedded() as bus:
        wanted = bus.queue("wanted", create=True)
        batches = bus.queue("batches", create=True, capacity="64MiB", slots=AHEAD, full="block")
        decoders = [multiprocessing.Process(target=decode, args=(wanted, batches)) for _ in range(DECODERS)]
        for decoder in decoders:
            decoder.start()
        wanted.put_many(b"%d" % number for number in range(count))
        seen, waited = train(batches, count)
        for decoder in decoders:
            decoder.join()
    right = sum(
        mean == np.random.default_rng(number).integers(0, 256, SHAPE, dtype=np.uint8).mean(dtype=np.float64)
        for number, mean in seen.items()
    )
    print(f"{count} batches, {right} right", flush=True)
    print(f"the trainer waited {waited:.2f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
