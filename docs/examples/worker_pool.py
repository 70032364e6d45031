"""A pool of worker processes, one of which is killed in the middle of a job: no job is lost.

    python3 worker_pool.py [JOBS]
"""

import hashlib
import multiprocessing
import os
import signal
import sys

import spillring

WORKERS = 3


def work(jobs, results):
    # prefetch=1: a job that waits behind a long one could be somebody else's.
    for job in jobs.consume("workers", prefetch=1, timeout=2):
        with job:  # acknowledged at the end; after a death it goes to another worker
            if job.deliveries == 1 and job.key == b"deadly":
                os.kill(os.getpid(), signal.SIGKILL)
            digest = hashlib.sha256(job).hexdigest()
            results.put(f"{job.seq} {digest}".encode())


def main():
    count = int(sys.argv[1]) if sys.argv[1:] else 200
    with spillring.embedded() as bus:
        jobs = bus.queue("jobs", create=True)
        results = bus.queue("results", create=True)
        workers = [
            multiprocessing.Process(target=work, args=(jobs, results)) for _ in range(WORKERS)
        ]
        for worker in workers:
            worker.start()
        sent = {}
        for number in range(count):
            job = os.urandom(1000)
            key = b"deadly" if number == count // 2 else None
            sent[jobs.put(job, key=key)] = hashlib.sha256(job).hexdigest()
        done = {}
        while len(done) < count:
            seq, digest = bytes(results.get(timeout=30)).decode().split()
            done[int(seq)] = digest
        for worker in workers:
            worker.join()
        killed = sum(worker.exitcode == -signal.SIGKILL for worker in workers)
    print(f"{count} jobs, {sum(sent[seq] == done[seq] for seq in sent)} right, {killed} worker killed")


if __name__ == "__main__":
    main()
