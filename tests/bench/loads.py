"""Latency at a part of each peer's own greatest rate."""

import plots
from goals import duration, rate

PARTS = {"load64_10": "10 %", "load64_50": "50 %", "load64_90": "90 %"}
FIRST = ("spillring", "ring")
PERCENTILES = {"0.5": "50 %", "0.9": "90 %", "0.99": "99 %", "0.999": "99.9 %", "0.9999": "99.99 %"}


def plot(peers, part, file):
    tails = [
        (name, [series["quantiles"].get(p) for p in PERCENTILES])
        for name, series in peers.items()
        if "quantiles" in series
    ]
    if not tails:
        return
    title = f"From due to received, 64 bytes, at {part} of each one's greatest rate"
    file.write_text(plots.lines(title, list(PERCENTILES.values()), tails, "time", "so many are not slower", duration))
    yield f"![Latency at {part}]({file.name})"
    yield ""


def row(name, part, series):
    cells = [name, part, rate(series["asked"]), rate(series["rate"])]
    cells += [duration(series["quantiles"][p]) for p in ("0.5", "0.99", "0.999", "0.9999")]
    cells.append(f"{len(series['windows'])}" + (", far" if series["far"] else ""))
    return "| " + " | ".join(cells) + " |"


def section(results, folder):
    all_works = results.get("works", {})
    works = {work: all_works[work] for work in PARTS if work in all_works}
    if not works:
        return
    yield from ["## Latency under load", ""]
    yield "64 bytes, sent on schedule at a part of the greatest rate of each peer, measured just before in the same processes."
    yield "It counts from when a message was due, not from when it was sent, until it is received."
    yield ""
    yield "| | of its greatest rate | asked | done | p50 | p99 | p99.9 | p99.99 | windows |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    names = sorted({name for peers in works.values() for name in peers}, key=lambda name: (name not in FIRST, name))
    missing = {}
    for name in names:
        for work, peers in works.items():
            series = peers.get(name, {})
            if "quantiles" in series:
                yield row(name, PARTS[work], series)
            elif "missing" in series:
                missing[name] = series["missing"]
    yield ""
    if missing:
        yield "Not here: " + "; ".join(f"{name}: {why}" for name, why in missing.items()) + "."
        yield ""
    for work, peers in works.items():
        yield from plot(peers, PARTS[work], folder / f"{work}.svg")
