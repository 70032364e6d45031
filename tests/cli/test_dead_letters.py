"""Messages that are delivered so often and no more, and how they come back."""

import base64

import pytest
from failures import assert_failure
from supervised import eventually
from test_envelope import NOT_UTF8, contents



@pytest.fixture
def jobs(spillring):
    spillring("create", "dead")
    spillring("create", "jobs", "--max-deliveries", "2", "--dead-letter", "dead")
    return "jobs"


def names_of(headers):
    """However they are written: by name, or in pairs where bytes or repetitions want it."""
    if isinstance(headers, dict):
        return list(headers)
    return [base64.b64decode(name).decode() for name, _ in headers]


def without_origin(message):
    """Without the headers that a dead letter has more: the last five."""
    kept = []
    for name, value in message:
        if name.startswith("headers"):
            names = names_of(value)
            own = [at for at, header in enumerate(names) if header.startswith("spillring-")]
            assert not own or own == list(range(len(names)))[-5:]
            value = list(value.items() if isinstance(value, dict) else value)
            value = value[: len(value) - len(own)]
        if value != []:
            kept.append((name, value))
    return kept


def use_up(spillring, queue, messages):
    """Every message fails as often as it is delivered."""
    for _ in range(2 * messages):
        spillring("recv", queue, "--exec", "false", code=3)


def test_are_shown(spillring, jobs):
    info = spillring.info(jobs)
    assert (info["max_deliveries"], info["dead_letter"]) == (2, "dead")
    assert (info["doomed"], info["dead_lettered"], info["discarded"]) == (0, 0, 0)
    info = spillring.info("dead")
    assert (info["max_deliveries"], info["dead_letter"]) == (None, None)


def test_come_back_exact_when_they_are_moved(spillring, jobs):
    spillring("send", jobs, "-f", "-", "-H", "a=b", "-H", "a=c", "--key", "k", stdin=NOT_UTF8)
    spillring("send", jobs, "-f", "-", stdin=bytes(range(256)) * 4096)
    before = contents(spillring, jobs)
    use_up(spillring, jobs, 2)
    eventually(lambda: spillring.count(jobs) == 0, "both are dead letters")
    letters = contents(spillring, "dead")
    spillring("move", "dead", jobs)
    after = contents(spillring, jobs)
    assert after == letters, "a move changes nothing"
    for sent, letter in zip(before, after, strict=True):
        assert without_origin(letter) == without_origin(sent), "but for where they come from, nor does death"


def test_stay_where_the_queue_is_away(spillring, jobs):
    spillring("send", jobs, "x")
    spillring("rm", "dead", "--yes")
    use_up(spillring, jobs, 1)
    eventually(lambda: spillring.info(jobs)["doomed"] == 1, "it stays")
    spillring("create", "dead")
    eventually(lambda: spillring.count("dead") == 1, "it is there")
    eventually(lambda: spillring.info(jobs)["doomed"] == 0, "it is settled")


def test_the_queue_must_be_there(spillring):
    outcome = spillring("create", "jobs", "--dead-letter", "dead", code=69)
    assert_failure(outcome, "there is no queue 'dead'")


def test_ls_shows_which_queues_have_them(spillring, jobs):
    header, dead, source = (line.split("\t") for line in spillring("ls").lines)
    assert header[-2:] == ["DELIVERIES", "DEAD-LETTER"]
    assert (dead[0], dead[-2:]) == ("dead", ["-", "-"])
    assert (source[0], source[-2:]) == (jobs, ["2", "dead"])
