"""Full policy drop-oldest at the terminal."""

import json


def test_senders_never_wait_and_who_reads_is_told(spillring):
    spillring("create", "q", "--full", "drop-oldest", "--capacity", "64KiB", "--slots", "64")
    spillring("send", "q", stdin="".join(f"{number}\n" for number in range(1000)))
    got = spillring("recv", "q", "--all")
    numbers = [int(line) for line in got.out.splitlines()]
    assert numbers == list(range(1000 - len(numbers), 1000)), "the newest, in order"
    assert f"warning: {1000 - len(numbers)} messages missed" in got.err
    (group,) = json.loads(spillring("info", "q", "--json").out)["group_list"]
    assert group["dropped"] == 1000 - len(numbers)
    header, row = (line.split("\t") for line in spillring("ls").out.splitlines())
    assert int(dict(zip(header, row))["DROPPED"]) == group["dropped"]


def test_the_envelope_says_it_and_can_be_sent_again(spillring):
    spillring("create", "q", "--full", "drop-oldest", "--capacity", "64KiB", "--slots", "64")
    spillring("send", "q", stdin="".join(f"{number}\n" for number in range(200)))
    first = json.loads(spillring("recv", "q", "--json").out)
    assert first["gap"] == int(first["payload"])
    second = json.loads(spillring("recv", "q", "--json").out)
    assert "gap" not in second
    spillring("send", "other", "--create", "--json", stdin=json.dumps(first) + "\n")
    assert spillring("recv", "other").out == first["payload"] + "\n"
