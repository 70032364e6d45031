"""What a rate becomes when one thing grows: more groups, more queues, larger messages."""

import plots
from goals import rate

TITLES = {
    "groups": "Groups on one queue, of which one reads (bursts, 64 bytes)",
    "readers": "Groups on one queue that all read, messages to each (64 bytes)",
    "queues": "Queues of one supervisor, of which one is used (64 bytes)",
    "producers": "Producers to one consumer, in all (64 bytes)",
    "sizes": "Size of messages",
    "capacity": "Size of the ring (1 KiB messages)",
}
AXES = {
    "groups": "groups",
    "readers": "groups",
    "queues": "queues",
    "producers": "producers",
    "sizes": "size of a message",
    "capacity": "size of the ring",
}


def label(curve, at):
    if not AXES[curve].startswith("size"):
        return f"{at:,}"
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if at >= factor:
            return f"{at // factor} {unit}"
    return f"{at} B"


def cell(curve, at, series):
    if "median" not in series:
        return ""
    text = rate(series["median"])
    if curve == "sizes":
        text += f", {series['median'] * at / 1e9:.3g} GB/s"
    return text + f" ({rate(series['lower'])} to {rate(series['upper'])}{', far' if series['far'] else ''})"


def names_of(points, works):
    """Of those that did any of it, ourselves first."""
    names = {name for work in points for name, series in works[work].items() if "median" in series}
    return sorted(names, key=lambda name: (name != "spillring", name))


def table(curve, points, works):
    names = names_of(points, works)
    yield f"| {AXES[curve]} | " + " | ".join(names) + " |"
    yield "| ---: |" + " ---: |" * len(names)
    for work, at in points.items():
        yield f"| {label(curve, at)} | " + " | ".join(cell(curve, at, works[work].get(name, {})) for name in names) + " |"
    yield ""


def plot(curve, points, works, folder):
    series = [
        (name, [works[work].get(name, {}).get("median") for work in points]) for name in names_of(points, works)
    ]
    labels = [label(curve, at) for at in points.values()]
    if not series or len(points) < 2:
        return
    forms = [("", "messages a second", lambda value, _: value, rate)]
    if curve == "sizes":
        forms.append(("_bytes", "GB/s", lambda value, at: value * at / 1e9, "{:g}".format))
    for suffix, unit, form, text in forms:
        drawn = [
            (name, [value and form(value, at) for value, at in zip(values, points.values())]) for name, values in series
        ]
        file = folder / f"curve_{curve}{suffix}.svg"
        file.write_text(plots.lines(TITLES[curve], labels, drawn, unit, AXES[curve], text))
        yield f"![{TITLES[curve]}, {unit}]({file.name})"
        yield ""


def section(results, folder):
    curves = results.get("curves", {})
    if not curves:
        return
    yield from ["## Curves", ""]
    yield "Medians of messages a second, and quartiles."
    yield ""
    for curve in TITLES:
        points = dict(sorted(curves.get(curve, {}).items(), key=lambda item: item[1]))
        if points:
            yield from [f"### {TITLES[curve]}", ""]
            yield from table(curve, points, results["works"])
            yield from plot(curve, points, results["works"], folder)
