"""What another user may do is what the queue's mode says; everything else is refused, and says so."""

import pytest
from conftest import NOBODY, SOME_GROUP

EVERYTHING = """
c = Connection()
opened = c.ask("open", name="q")
id = 1
report = {"open": opened.code, "list": c.ask("list").records}
for what in "info groups observe purge".split():
    report[what] = c.ask(what, queue=id).code
report["produce"] = c.ask("produce", queue=id).code
report["consume"] = c.ask("consume", queue=id, name="g").code
report["ring"] = c.ask("ring", queue=id, number=1).code
report["set"] = c.ask("set", queue=id).code
report["remove_group"] = c.ask("remove_group", queue=id, name="g").code
report["remove"] = c.ask("remove", name="q").code
say(report)
"""
LOOK, SEND, RECEIVE = ("open", "info", "groups"), ("produce",), ("consume", "observe", "ring")
NEVER = ("purge", "set", "remove", "remove_group")


def assert_allowed(report, *allowed):
    allowed = {name for names in allowed for name in names}
    for name, code in report.items():
        if name == "list":
            assert code == (1 if allowed else 0)
        else:
            assert code == ("ok" if name in allowed else "denied"), (name, report)


def test_a_users_own_socket_admits_nobody_else(serve, stranger, place):
    spillring, supervisor = serve("--socket-mode", "0600")
    report = stranger('say(attempt(lambda: Connection()))')
    assert report == "EACCES"


@pytest.mark.parametrize(("mode", "allowed"), [
    ("0600", ()), ("0660", ()), ("0604", (LOOK, RECEIVE)), ("0602", (LOOK, SEND)), ("0606", (LOOK, SEND, RECEIVE)),
    ("0066", (LOOK, SEND, RECEIVE)),
])
def test_mode(opened, stranger, mode, allowed):
    spillring, _ = opened()
    spillring("create", "q", "--mode", mode)
    assert_allowed(stranger(EVERYTHING), *allowed)
    assert spillring.info("q")["mode"] == mode


@pytest.mark.parametrize(("mode", "allowed"), [
    ("0600", ()), ("0640", (LOOK, RECEIVE)), ("0620", (LOOK, SEND)), ("0660", (LOOK, SEND, RECEIVE)),
    ("0606", ()),  # as for a file: the group's part decides, even if all others may do more
])
def test_group(opened, stranger, mode, allowed):
    spillring, _ = opened()
    spillring("create", "q", "--mode", mode, "--owner-group", str(SOME_GROUP))
    assert_allowed(stranger(EVERYTHING, groups=[SOME_GROUP]), *allowed)


def test_the_owner_is_who_creates(opened, stranger):
    spillring, _ = opened()
    report = stranger(f"""
c = Connection()
say([c.ask("create", name="mine").code, c.ask("produce", queue=1).code, c.ask("purge", queue=1).code,
     c.ask("create", name="wrong", group={SOME_GROUP}).code, c.ask("create", name="mode", mode=0o700).code])
""")
    assert report == ["ok", "ok", "ok", "denied", "invalid"]
    assert stranger("""say(Connection().ask("remove", name="mine").code)""", user=NOBODY - 1) == "denied"
    info = spillring.info("mine")
    assert (info["owner"], info["mode"]) == ("nobody", "0600")
    assert stranger("""say(Connection().ask("remove", name="mine").code)""") == "ok"


def test_refusals_say_why(opened, stranger):
    spillring, _ = opened()
    spillring("create", "q", "--mode", "0602")
    what, why, hint = stranger("""say(Connection().ask("observe", queue=1).text.splitlines())""")
    assert what == f"user {NOBODY} may not consume from queue 'q'"
    assert "belongs to user 0, group 0, mode 0602" in why
    assert hint


def test_a_consumer_cannot_write_messages(opened, stranger):
    """M and the ring are only readable, and stay so however they are opened."""
    spillring, _ = opened()
    spillring("create", "q", "--mode", "0604")
    report = stranger("""
c = Connection()
h = c.ask("consume", queue=1, name="g")
ring = c.ask("ring", queue=1, handle=h.handle, number=1)
say({"manifest": attempts_on(h.fds[0]), "ring": attempts_on(ring.fds[0])})
""")
    assert_read_only(report)


def test_a_producer_cannot_write_positions(opened, stranger):
    spillring, _ = opened()
    spillring("create", "q", "--mode", "0602")
    report = stranger("""
c = Connection()
h = c.ask("produce", queue=1)
say({"manifest": attempts_on(h.fds[0]), "groups": attempts_on(h.fds[1])})
""")
    assert_read_only(report)


def assert_read_only(report):
    for segment, attempts in report.items():
        for what, outcome in attempts.items():
            assert outcome in ("EACCES", "EPERM", "EBADF", "EINVAL"), (segment, what, outcome)


def test_what_is_writable_keeps_its_size(opened, stranger):
    spillring, _ = opened()
    spillring("create", "q", "--mode", "0602")
    report = stranger("""
c = Connection()
h = c.ask("produce", queue=1)
ring = c.ask("ring", queue=1, handle=h.handle, number=1).fds[0]
size = os.fstat(ring).st_size
say([attempt(lambda: os.ftruncate(ring, 0)), attempt(lambda: os.ftruncate(ring, 2 * size)),
     attempt(lambda: os.open(f"/proc/self/fd/{ring}", os.O_RDWR)), attempt(lambda: os.fchmod(ring, 0o666))])
""")
    assert report == ["EPERM", "EPERM", "EACCES", "EPERM"]


def test_a_handle_counts_only_for_its_own_connection(opened, stranger):
    """The ring of somebody else's producer is not had by naming it."""
    spillring, _ = opened()
    spillring("create", "q", "--mode", "0606")
    report = stranger("""
owner, other = Connection(), Connection()
h = owner.ask("produce", queue=1)
ring = other.ask("ring", queue=1, handle=h.handle, number=1)
other.ask("detach", queue=1, handle=h.handle)
say({"ring": attempts_on(ring.fds[0]), "still": owner.ask("ring", queue=1, handle=h.handle, number=1).code})
""")
    assert report.pop("still") == "ok"
    assert_read_only(report)
    assert spillring.info("q")["producers"] == 0  # its process has ended
