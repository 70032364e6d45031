"""What bench_compare measured, as Markdown and plots."""

import datetime
import json
import platform
import re
import subprocess

import curves
import goals
import loads
import plots
import processors
from goals import duration, rate

TITLES = {
    "rtt24": "Round trip, 24 bytes, busy",
    "rtt64": "Round trip, 64 bytes, busy",
    "rtt1k": "Round trip, 1 KiB, busy",
    "rtt64_wait": "Round trip, 64 bytes, by the call that waits",
    "rtt64_sleep": "Round trip, 64 bytes, both sides asleep when it comes (200 us apart)",
    "stream64": "Stream, 64 bytes",
    "stream64_exclusive": "Stream, 64 bytes, a producer that is the only one",
    "stream64_batch": "Stream, 64 bytes, batches of 32",
    "stream1k": "Stream, 1 KiB",
    "stream1k_batch": "Stream, 1 KiB, batches of 32",
    "stream64k": "Stream, 64 KiB",
    "stream1m": "Stream, 1 MiB",
    "handover1m": "1 MiB handed over, first word written and read",
    "producers3": "3 producers to 1 consumer, 64 bytes",
    "fanout3": "3 subscribers, each gets all, 1 KiB",
    "group64_1": "Shared group, 1 consumer, 64 bytes, each acknowledged",
    "group64_3": "Shared group, 3 consumers, 64 bytes, each acknowledged",
    "attach": "From nothing to the first message",
    "python64": "Python, put and get, 64 bytes",
    "python64_batch": "Python, 256 at a time, 64 bytes",
    "python1m": "Python, put and get, 1 MiB",
    "python_rtt64": "Python, round trip, 64 bytes",
}
SIZES = [("stream64", 64), ("stream1k", 1024), ("stream64k", 65536), ("stream1m", 1 << 20)]
PERCENTILES = ["0.5", "0.9", "0.99", "0.999", "0.9999"]


def is_rate(work):
    return not ("rtt" in work or work == "attach")


def machine(results):
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.*)", file.read())[1]
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    return (
        f"{model}, {cores} cores, Linux {platform.release()}, {results.get('build', '')}, "
        f"{datetime.date.today().isoformat()}"
    )


def goal_table(figures, journal):
    yield "| | work | ours | beside | ratio | goal | |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | --- |"
    for row in goals.rows(figures, journal):
        verdict = "cores far apart" if row.far else "met" if row.met else "**not met**"
        yield (
            f"| {row.goal} | {row.what} | {row.ours} | {row.beside} | {row.ratio:.3g} | {row.bound} | {verdict} |"
        )


def series_row(work, name, series, ours):
    text = rate if is_rate(work) else duration
    cells = [name, text(series["median"]), f"{text(series['lower'])} to {text(series['upper'])}"]
    cells.append(text(series["p99"]) if "p99" in series else "")
    cells.append(f"{ours / series['median'] if is_rate(work) else series['median'] / ours:.3g}" if ours else "")
    cells.append(f"{len(series['windows'])}" + (", far" if series["far"] else ""))
    return "| " + " | ".join(cells) + " |"


def work_table(work, peers):
    own = "python_spillring" if work.startswith("python") else "spillring"
    ours = peers.get(own, {}).get("median")
    yield f"### {TITLES.get(work, work)} (`{work}`)"
    yield ""
    yield "| | median | quartiles | p99 | we are better by | windows |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    done = [(name, series) for name, series in peers.items() if "median" in series]
    for name, series in sorted(done, key=lambda item: item[1]["median"], reverse=is_rate(work)):
        yield series_row(work, name, series, ours)
    missing = {name: series["missing"] for name, series in peers.items() if "missing" in series}
    if missing:
        yield ""
        yield "Not here: " + "; ".join(f"{name}: {why}" for name, why in missing.items()) + "."
    if work == "attach":
        yield ""
        yield "Memory: " + "; ".join(memory_text(name, series) for name, series in done) + "."
    yield ""


def memory_text(name, series):
    shared, own = series["shared_bytes"] / 2**20, series["own_bytes"] / 2**20
    return f"{name} {shared:.2f} MiB shared, {own:.2f} MiB its own"


def write_plots(works, folder):
    """Returns (file name, what it shows) of those that there is something for."""
    made = []
    names = [name for name in works.get("stream64", {}) if name != "memcpy"]
    by_size = []
    for name in names:
        values = [works.get(work, {}).get(name, {}).get("median") for work, _ in SIZES]
        values = [value and value * size / 1e9 for value, (_, size) in zip(values, SIZES)]
        if sum(bool(value) for value in values) > 1:
            by_size.append((name, values))
    if by_size:
        svg = plots.lines(
            "Throughput, 1 producer to 1 consumer", ["64 B", "1 KiB", "64 KiB", "1 MiB"], by_size, "GB/s",
            "size of a message", "{:g}".format,
        )
        (folder / "throughput.svg").write_text(svg)
        made.append(("throughput.svg", "Throughput by size"))
    for work, file in (("stream64", "stream64.svg"), ("rtt64_wait", "rtt64_wait.svg")):
        values = [(name, series["median"]) for name, series in works.get(work, {}).items() if "median" in series]
        if len(values) > 1:
            text = rate if is_rate(work) else duration
            (folder / file).write_text(plots.bars(TITLES[work], values, "messages a second" if is_rate(work) else "time", text))
            made.append((file, TITLES[work]))
    tails = [
        (name, [series["quantiles"].get(p) for p in PERCENTILES])
        for name, series in works.get("rtt64", {}).items()
        if "quantiles" in series
    ]
    if tails:
        labels = ["50 %", "90 %", "99 %", "99.9 %", "99.99 %"]
        (folder / "latency.svg").write_text(plots.lines(TITLES["rtt64"], labels, tails, "time", "so many are not slower", duration))
        made.append(("latency.svg", "Distribution of round trips"))
    return made


def write(results_file, folder):
    results = json.loads(results_file.read_text())
    works = results.get("works", {})
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# Figures", "", "Written by `./dev bench`; [performance.md](../performance.md) says how they are made.", ""]
    lines += [machine(results) + ".", ""]
    probes = sorted(results.get("probes", []))
    if probes:
        quartiles = [probes[len(probes) * part // 4] for part in (1, 2, 3)]
        least, most = results["placement"]
        counted = f"windows count between {least} and {most}"
        lines += [f"Probes of a cache line's round trip between the cores: quartiles {quartiles} ns; {counted}.", ""]
    lines += ["## Goals", "", *goal_table(goals.Results(works), results.get("journal", {})), ""]
    for file, what in write_plots(works, folder):
        lines += [f"![{what}]({file})", ""]
    for part in (loads, processors, curves):
        lines += part.section(results, folder)
    lines += ["## Works", ""]
    for work in [work for work in works if work in TITLES]:
        lines += work_table(work, works[work])
    seconds = results.get("seconds", {})
    if seconds:
        longest = sorted(seconds.items(), key=lambda item: -item[1])
        parts = ", ".join(f"{work} {value:.0f}" for work, value in longest)
        lines += [f"The run took {sum(seconds.values()) / 60:.1f} minutes; seconds of works, those in turns by the first: {parts}.", ""]
    lines += ["## Settings", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {text} |" for name, text in results.get("settings", {}).items()]
    (folder / "table.md").write_text("\n".join(lines) + "\n")
