"""What is to be reached, each goal as a ratio within one run."""

import dataclasses


@dataclasses.dataclass
class Row:
    goal: str  # P1 ...
    what: str
    ours: str
    beside: str  # what it is measured against
    ratio: float
    bound: str  # for people
    met: bool
    far: bool = False  # no window of one of the two found the cores near: nothing is judged


class Figure(float):
    """A measured one, and whether the cores were far apart for it."""

    def __new__(cls, value, far):
        made = super().__new__(cls, value)
        made.far = far
        return made


def is_far(*figures):
    return any(getattr(figure, "far", False) for figure in figures)


def duration(ns):
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= 10 * factor or (unit != "us" and ns >= factor):
            return f"{ns / factor:.3g} {unit}"
    return f"{ns:.0f} ns"


def rate(messages):
    for unit, factor in (("G/s", 1e9), ("M/s", 1e6), ("k/s", 1e3)):
        if messages >= factor:
            return f"{messages / factor:.3g} {unit}"
    return f"{messages:.3g} /s"


class Results:
    def __init__(self, works):
        self._works = works

    def value(self, work, peer, what="median"):
        series = self._works.get(work, {}).get(peer, {})
        return Figure(series[what], series["far"]) if what in series else None

    def peers(self, work):
        """(name, median) of those that did it, but yardsticks and ourselves."""
        own = {"spillring", "python_spillring", "ring", "lines", "futex", "memcpy"}
        return [
            (name, series["median"])
            for name, series in self._works.get(work, {}).items()
            if "median" in series and name not in own
        ]


def at_most(goal, what, ours, beside, bound, text, name):
    """A duration that may be `bound` times another."""
    if not ours or not beside:
        return None
    ratio = ours / beside
    return Row(goal, what, text(ours), f"{name} {text(beside)}", ratio, f"<= {bound:g} x", ratio <= bound, is_far(ours, beside))


def at_least(goal, what, ours, beside, bound, name):
    """A rate that is to be `bound` times another."""
    if not ours or not beside:
        return None
    ratio = ours / beside
    return Row(goal, what, rate(ours), f"{name} {rate(beside)}", ratio, f">= {bound:.3g} x", ratio >= bound, is_far(ours, beside))


def within(goal, what, value, bound, text):
    if not value:
        return None
    return Row(goal, what, text(value), "", value / bound, f"<= {text(bound)}", value <= bound, is_far(value))


def journal_rows(journal):
    """Spilling and durable sending, beside the disk's own."""

    def part(what, ours, beside, ratio, bound, most=False):
        sign = "<=" if most else ">="
        return Row("P13", what, ours, beside, ratio, f"{sign} {bound:g} x", ratio <= bound if most else ratio >= bound)

    def mib(value):
        return f"{value:,.0f} MiB/s"

    bounds = {65536: 0.8, 1024: 0.5}  # by size
    for row in journal.get("spill", []):
        bound = bounds.get(row["size"])
        for what, plain, ratio in (("spilled", "written", row["spilled"]), ("read back", "read", row["read_back"])):
            if bound:
                name = f"{row['size'] / 1024:g} KiB {what}"
                yield part(name, mib(ratio * row[plain]), f"plain file {mib(row[plain])}", ratio, bound)
    for row in journal.get("durable", []):
        what = f"durable, {row['senders']:g} sender{'s' if row['senders'] > 1 else ''}"
        sync = f"{row['sync']:.0f} us"
        allowed = row["rate"] / row["of_allowed"]
        yield part(
            what, rate(row["rate"]), f"fdatasync of {sync}: {rate(allowed)}", row["of_allowed"],
            0.65 if row["senders"] == 1 else 0.8,
        )
        if row["senders"] == 1:
            yield part("the same, p99", "", "fdatasync's p99", row["p99_of_sync"], 2, most=True)


def rows(results, journal):
    """All goals that this run can say something about."""
    value = results.value
    us, ring = "spillring", "ring"

    def against_ring(goal, work, what, bound, yardstick=None):
        return at_least(goal, what, value(work, us), value(yardstick or work, ring), bound, ring)

    def mib(size):
        return f"{size / 2**20:.2g} MiB"

    def against(goal, work, what, bound, peer, own=us):
        return at_least(goal, what, value(work, own), value(work, peer), bound, peer)

    rtt64 = value("rtt64", us)
    stream64 = value("stream64", us)
    handover = value("handover1m", us)
    all_rows = [
        at_most("P1", "round trip 64 B, busy, p50", rtt64, value("rtt64", ring), 1.0, duration, ring),
        at_most("P1", "the same, p99", value("rtt64", us, "p99"), value("rtt64", ring, "p99"), 1.2, duration, ring),
        at_most("P1", "round trip 24 B, busy", value("rtt24", us), value("rtt24", "lines"), 1.2, duration, "lines"),
        at_most("P2", "round trip 1 KiB, busy", value("rtt1k", us), value("rtt1k", ring), 1.0, duration, ring),
        at_most("P3", "round trip 64 B, waiting as by default", value("rtt64_wait", us), rtt64, 1.3, duration, "busy"),
        at_most(
            "P3", "the same, both sleep", value("rtt64_sleep", us), value("rtt64_sleep", "futex"), 1.05, duration, "futex"
        ),
        against_ring("P4", "stream64", "stream 64 B", 1.5),
        against_ring("P5", "stream64_exclusive", "stream 64 B, exclusive producer", 3, "stream64"),
        against_ring("P6", "stream64_batch", "stream 64 B, batches of 32", 2),
        against_ring("P7", "stream1k", "stream 1 KiB", 1.5),
        against_ring("P7", "stream1k_batch", "stream 1 KiB, batches of 32", 1.0),
        against_ring("P8", "stream64k", "stream 64 KiB", 0.95),
        against_ring("P8", "stream1m", "stream 1 MiB", 0.95),
        within("P9", "1 MiB handed over untouched", Figure(1e9 / handover, handover.far) if handover else None, 100, duration),
        against_ring("P10", "producers3", "3 producers, 64 B", 1.0),
        against_ring("P11", "fanout3", "3 subscribers, 1 KiB", 1.0),
        at_least("P12", "shared group, 1 consumer", value("group64_1", us), stream64, 0.5, "stream64"),
        at_least("P12", "shared group, 3 consumers", value("group64_3", us), stream64, 0.5, "stream64"),
        against("P12", "group64_1", "the same as Redis lists, 1 consumer", 50, "redis_list"),
        against("P12", "group64_1", "the same as RabbitMQ, 1 consumer", 250, "rabbitmq"),
        *journal_rows(journal),
        within("P14", "attach to first message", value("attach", us), 0.5e6, duration),
        within("P14", "shared memory then", value("attach", us, "shared_bytes"), 3 * 2**20, mib),
        at_least("P15", "bursts of 64 B, 63 more groups", value("groups_64", us), value("groups_1", us), 1 / 1.1, "without"),
        at_least("P15", "stream 64 B, 999 more queues", value("queues_1000", us), value("queues_1", us), 1 / 1.1, "without"),
        against("P16", "python64", "Python put and get, 64 B", 20, "python_multiprocessing", "python_spillring"),
        against("P16", "python64", "the same", 3, "python_zmq", "python_spillring"),
    ]
    batch = value("python64_batch", "python_spillring")
    if batch:
        all_rows.append(at_least("P16", "Python, 256 at a time", batch, 5e6, 1, "goal"))
    return [row for row in all_rows if row]
