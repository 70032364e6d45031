"""A full disk: a real file system of 2 MiB as state directory, in a mount namespace of the supervisor's own."""

from small_disk import needs_mount, small_disk  # noqa: F401

FILLER = 1 << 20
COUNT = 4000  # messages of 1,000 bytes: more than memory and disk have room for
SMALL = ("--capacity", "256KiB", "--slots", "1024")


pytestmark = needs_mount


def message(number):
    return f"{number:<1000}"


def lines(numbers):
    return "".join(f"{message(number)}\n" for number in numbers)


def test_producers_wait_and_nothing_is_lost(small_disk, tmp_path):  # noqa: F811
    spillring, disk = small_disk("--segment-size", "128KiB", "--disk-reserve", "0", size="2m", filler=FILLER)
    spillring("create", "q", *SMALL)
    refused = spillring("send", "q", "--wait", "1s", stdin=lines(range(COUNT)), code=75)
    assert "full" in refused.err and "the disk of the state directory is full" in refused.err
    assert spillring.info("q")["alarm"] == "full"
    sent = spillring.count("q")
    assert 0 < sent < COUNT, "the disk was full before everything was sent"
    assert spillring.info("q")["journaled"] > 0

    more = tmp_path / "more.txt"
    more.write_text(lines(range(sent, sent + 500)))
    with more.open() as stdin:
        rest = spillring.start("send", "q", "--wait", "inf", stdin=stdin)
    assert rest.poll() is None, "it waits"
    disk.filler.unlink()
    assert rest.wait() == 0, "freed space is enough"

    received = spillring("recv", "q", "--all", "--wait", "2s").lines
    assert received == [message(number) for number in range(sent + 500)]
