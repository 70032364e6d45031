"""Ourselves: put and get of the module, with a supervisor of its own."""

import os
import pathlib
import socket
import subprocess
import time

import spillring

PATIENCE = 0.02  # seconds; then the harness is asked whether there is more to come


class Carrier:
    def __init__(self, work):
        self._socket = pathlib.Path(work.directory) / "socket"
        program = pathlib.Path(os.environ["SPILLRING_BUILD"]) / "bin" / "spillringd"
        self._supervisor = subprocess.Popen([program, "--socket", self._socket], stderr=subprocess.DEVNULL)
        while not self._listens():
            time.sleep(0.001)

    def _listens(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def _queue(self, lane):
        bus = spillring.connect(str(self._socket))
        return bus.queue(f"lane{lane}", create=True, full="block")

    def out(self, lane):
        return self._queue(lane)

    def inlet(self, lane):
        return Inlet(self._queue(lane))

    def close(self):
        self._supervisor.terminate()
        self._supervisor.wait()


class Inlet:
    def __init__(self, queue):
        self._queue = queue

    def get(self):
        try:
            return bytes(self._queue.get(timeout=PATIENCE))
        except spillring.Empty:
            return None
        except spillring.Timeout:
            return None

    def get_many(self, most):
        try:
            return [bytes(message) for message in self._queue.get_many(most, timeout=PATIENCE)]
        except spillring.Empty:
            return []
