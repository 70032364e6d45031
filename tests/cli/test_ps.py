"""Who is attached, which groups there are, whether all is well."""

import json
import os
import subprocess

import pytest
from failures import assert_failure
from supervised import eventually


@pytest.fixture
def busy(spillring, orders):
    """A sender, a member that holds a message, and one of another group that waits."""
    spillring("send", orders, "one", "two")
    member = spillring.start("recv", orders, "-n", "3", "-t", "inf", "--no-ack")
    assert member.stdout.readline() == b"one\n"
    sender = spillring.start("send", orders, stdin=subprocess.PIPE)
    eventually(lambda: len(spillring("ps", orders, "-o", "ndjson", code=None).lines) == 2, "both are attached")
    return {"member": member, "sender": sender}


def test_ps(spillring, busy, orders):
    clients = {client["role"]: client for client in spillring("ps", "--json").json["clients"]}
    consumer, producer = clients["consumer"], clients["producer"]
    assert consumer["pid"] == busy["member"].pid
    assert (consumer["queue"], consumer["group"], consumer["command"]) == (orders, "default", "spillring")
    assert consumer["unacked"] >= 1
    assert consumer["lag"] == 2
    assert producer["pid"] == busy["sender"].pid
    assert [producer[name] for name in ("group", "lag", "unacked", "hold")] == [None] * 4


def test_ps_as_a_table(spillring, busy, orders):
    head, *rows = spillring("ps").lines
    assert head.split("\t") == "QUEUE PID USER COMMAND ROLE GROUP LAG UNACKED HOLD".split()
    assert sorted(row.split("\t")[4] for row in rows) == ["consumer", "producer"]
    assert all(row.split("\t")[0] == orders for row in rows)


def test_ps_of_one_queue(spillring, busy, orders):
    spillring("create", "other")
    assert len(spillring("ps", orders, "--no-header").lines) == 2
    assert spillring("ps", "other", "--no-header", code=1).out == ""
    assert_failure(spillring("ps", "oders", code=69), "there is no queue 'oders'", "orders")


def test_ps_survives_the_supervisor(spillring, supervisor, busy):
    before = spillring("ps", "-o", "ndjson").lines
    victim = supervisor.processes()["supervisor"]
    os.kill(victim, 9)
    eventually(lambda: supervisor.processes()["supervisor"] != victim, "another supervisor is there")
    assert spillring("ps", "-o", "ndjson").lines == before


def test_group_ls(spillring, busy, orders):
    assert [group["name"] for group in spillring("group", "ls", orders, "--json").json["groups"]] == ["default"]
    row = dict(zip(*(line.split("\t") for line in spillring("group", "ls", orders).lines)))
    assert (row["GROUP"], row["KIND"], row["LAG"], row["MEMBERS"]) == ("default", "shared", "2", "1")


def test_group_ls_of_none(spillring, orders):
    assert spillring("group", "ls", orders, "--no-header", code=1).out == ""


def test_group_rm(spillring, orders):
    spillring("send", orders, "m")
    spillring("recv", orders, "-g", "gone")
    spillring("recv", orders, "-g", "stays", code=1)  # it begins where somebody still needs something
    spillring("group", "rm", orders, "gone", "-y")
    assert [group["name"] for group in spillring("group", "ls", orders, "--json").json["groups"]] == ["stays"]
    assert_failure(spillring("group", "rm", orders, "gone", "-y", code=69), "has no group 'gone'")


def test_group_rm_in_use(spillring, busy, orders):
    assert_failure(spillring("group", "rm", orders, "default", "-y", code=75), "is in use")


def test_group_rm_asks(spillring, orders):
    """Not a terminal: it would remove nothing silently, so it says how to."""
    outcome = spillring("group", "rm", orders, "default", code=64)
    assert_failure(outcome, "removing group 'default'")


@pytest.mark.parametrize(("line", "what"), [
    ("group lx", "there is no verb 'lx'"),
    ("group ls", "QUEUE is missing"),
    ("group rm q", "GROUP is missing"),
    ("group ls q --jsn", "there is no option '--jsn'"),
    ("group --frobnicate", "there is no option '--frobnicate'"),
    ("ps a b", "'b' is one argument too many"),
])
def test_bad_command_lines(lonely, line, what):
    assert_failure(lonely(*line.split(), code=64), what)


def test_group_alone_shows_help(lonely):
    assert "rm " in lonely("group").out
    assert lonely("group").out == lonely("group", "--help").out


def test_check(spillring, orders):
    assert spillring("check").out.startswith("SPILLRING OK: 1 queue at ")
    spillring("recv", orders, code=1)
    spillring("send", orders, "a", "b", "c")
    warned = spillring("check", "--lag-warn", "3", "--lag-crit", "4", code=1)
    assert warned.out == "SPILLRING WARNING: group 'default' of queue 'orders' is 3 messages behind\n"
    critical = spillring("check", orders, "--lag-warn", "1", "--lag-crit", "3", "--min-consumers", "1", code=2)
    assert critical.out == ("SPILLRING CRITICAL: queue 'orders' has 0 of 1 consumer; "
                            "group 'default' of queue 'orders' is 3 messages behind\n")
    assert spillring("check", "--lag-warn", "4").out.startswith("SPILLRING OK")


def test_check_without_what_it_checks(spillring, lonely):
    assert spillring("check", "nothere", code=2).out == "SPILLRING CRITICAL: there is no queue 'nothere'\n"
    assert lonely("check", code=2).out.startswith("SPILLRING CRITICAL: cannot reach the supervisor")


def test_json_has_a_schema(spillring, busy):
    documents = [json.loads(line) for line in spillring("ps", "-o", "ndjson").lines]
    assert {document["schema"] for document in documents} == {"spillring.client.v1"}
