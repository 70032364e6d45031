"""The processors' time that carrying messages takes."""

from goals import rate

WORKS = {
    "cpu64_idle": "Nothing sent",
    "cpu64_1k": "1,000 messages a second",
    "cpu64_full": "As many as go through",
    "python_cpu64_idle": "Python, nothing sent",
    "python_cpu64_1k": "Python, 1,000 messages a second",
    "python_cpu64_full": "Python, as many as go through",
}


def section(results, _folder):
    all_works = results.get("works", {})
    works = {work: all_works[work] for work in WORKS if work in all_works}
    if not works:
        return
    yield from ["## Processors' time", ""]
    yield "Seconds of a processor in each second, 64 bytes, the receiver in the call that waits (the harness makes it return every 20 ms)."
    yield "Others: supervisor and keeper, and other peers' servers; what runs in a peer's own threads is its process's."
    yield ""
    for work, peers in works.items():
        yield from [f"### {WORKS[work]} (`{work}`)", ""]
        yield "| | all | sender | receiver | others | done | us a message | windows |"
        yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        done = [(name, series) for name, series in peers.items() if "median" in series]
        for name, series in sorted(done, key=lambda item: item[1]["median"]):
            yield row(name, series, work.startswith("python"))
        yield ""
        missing = "; ".join(f"{name}: {series['missing']}" for name, series in peers.items() if "missing" in series)
        yield from [f"Not here: {missing}.", ""] if missing else []


def row(name, series, together):
    """`together`: one program began the processes of both sides, so they are not told apart."""
    sides = ("", "", "") if together else (f"{100 * series[side]:.3g} %" for side in ("senders", "receivers", "others"))
    cells = [name, f"{100 * series['median']:.3g} %", *sides]
    cells += [rate(series["rate"]), f"{series['median'] / series['rate'] * 1e6:.3g}"] if series["rate"] else ["", ""]
    return "| " + " | ".join([*cells, str(len(series["windows"]))]) + " |"
