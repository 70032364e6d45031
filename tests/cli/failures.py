"""The form of every failure: what, why, what to do about it."""

import re

THREE_PARTS = re.compile(r"error: (?P<what>.+)\n  why: (?P<why>.+)\n  hint: (?P<hint>.+)\n")


def assert_failure(outcome, what, hint=""):
    """Three parts on stderr, nothing on stdout; `what` and `hint` are contained in theirs."""
    assert outcome.bytes == b"", outcome.out
    parts = THREE_PARTS.fullmatch(outcome.err)
    assert parts, f"no three parts: {outcome.err!r}"
    assert what in parts["what"], outcome.err
    assert hint in parts["hint"], outcome.err
