"""State directories that nobody has open, sound, for tests to look into and to damage."""

import os
import struct

import pytest

PAGE = 4096
COUNT = 1000  # messages
BATCH = "<4sIQQQQ16xQ"  # magic, count, first, data, time, sum of the body, sum of the header


class State:
    """A state directory that nobody has open, and the command for it."""

    def __init__(self, command, directory):
        self.command = command
        self.directory = directory
        self.sound = []  # its messages, before a test damages them

    def __call__(self, verb, *arguments, **how):
        return self.command("journal", verb, *arguments, "--state-dir", self.directory, **how)

    def folder(self, number=1):
        return self.directory / "journal" / f"{number:016x}"

    def segments(self, number=1):
        return sorted(self.folder(number).glob("*.segment"))

    def files(self):
        """All there is, with its content."""
        return {path: path.read_bytes() for path in sorted(self.directory.rglob("*")) if path.is_file()}

    def payloads(self, *arguments, queue="orders", code=0):
        return [envelope["payload"] for envelope in
                self("cat", queue, "--json", *arguments, code=code).envelopes]

    def sound_without(self, first, end):
        """What is left when the numbers from `first` to the one before `end` are lost."""
        return [each["payload"] for each in self.sound if not first <= each["seq"] < end]

    def findings(self, queue="orders", code=65):
        return self("verify", queue, "--json", code=code).json["journals"][0]["findings"]


def batches(segment):
    """(offset, first, end, size) of each, as the headers say."""
    content, at, found = segment.read_bytes(), PAGE, []
    while content[at:at + 4] == b"BTCH":
        _, count, first, data, *_ = struct.unpack_from(BATCH, content, at)
        size = (64 + 64 * count + data + 63) // 64 * 64
        found.append((at, first, first + count, size))
        at += size
    return found


def flip(path, offset, bit=1):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ bit]))


def text(number):
    return f"{number} " + "x" * 1000


@pytest.fixture
def state(serve, tmp_path):
    """state(send, size): what a supervisor leaves that ended well; `send(command)` filled its queues."""

    def make(send, size="64KiB"):
        directory = tmp_path / "state"
        command, supervisor = serve("--state-dir", str(directory), "--segment-size", size)
        send(command)
        supervisor.stop()
        return State(command, directory)

    return make


@pytest.fixture
def saved(state):
    """Messages of 1,000 bytes in several segments, of several batches each."""

    def send(command):
        command("create", "orders", "--capacity", "256KiB")
        command("send", "orders", stdin="".join(f"{text(number)}\n" for number in range(1, COUNT + 1)))

    there = state(send, "256KiB")
    there.sound = there("cat", "orders", "--json").envelopes
    return there


# Ways to damage a segment's last batch, which begins at `offset`.
LAST_BATCH = {
    "header": lambda segment, offset, size: flip(segment, offset + 9),
    "body": lambda segment, offset, size: flip(segment, offset + size - 100),
    "cut header": lambda segment, offset, size: os.truncate(segment, offset + 10),
    "cut body": lambda segment, offset, size: os.truncate(segment, offset + size - 100),
}
