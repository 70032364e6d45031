"""Faults that are seeded into production code. Each replaces a text that is in its source exactly once: where the code has
changed since, it is not guessed at where it belongs, and the fault has to be written anew."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Stale(SystemExit):
    """Not caught, it ends the program with these words."""


def place_of(name, source, before):
    """Where in `source` the text of the fault is."""
    text = (ROOT / source).read_text()
    if (count := text.count(before)) != 1:
        raise Stale(f"{source} has changed: the fault '{name}' has to be written anew, its text is {count} times in it, not once")
    return text.index(before)


def changed(name, source, before, after):
    """The text of `source` with the fault in it."""
    at = place_of(name, source, before)
    text = (ROOT / source).read_text()
    return text[:at] + after + text[at + len(before):]


def main(faults):
    """For builds: `FAULT OUTPUT` writes the changed copy of the source; `faults`: {name: (source, before, after, ...)}"""
    name, output = sys.argv[1:]
    pathlib.Path(output).write_text(changed(name, *faults[name][:3]))
