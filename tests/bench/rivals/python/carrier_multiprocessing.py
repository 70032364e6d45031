"""multiprocessing.Queue."""

import multiprocessing
import queue


class Carrier:
    def __init__(self, work):
        depth = 64 if work.size >= 65536 else 4096
        self._queues = [Inlet(multiprocessing.Queue(depth)) for _ in range(2)]

    def out(self, lane):
        return self._queues[lane].queue

    def inlet(self, lane):
        return self._queues[lane]

    def close(self):
        pass


class Inlet:
    def __init__(self, made):
        self.queue = made

    def get(self):
        try:
            return self.queue.get(timeout=0.02)  # then the harness is asked whether there is more to come
        except queue.Empty:
            return None
