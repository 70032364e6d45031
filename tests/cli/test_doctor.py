"""spillring doctor: what it finds, in words and for programs, and that it changes nothing."""

import os
import signal
import socket
import stat
import subprocess

import pytest
from supervised import built, eventually
from test_autostart import home  # noqa: F401

CHECKS = {
    "kernel", "sealed-memory", "pidfd", "peer-pidfd", "futex-waitv", "populate", "cmpxchg16b", "pid-namespace",
    "memory", "overcommit", "open-files", "file-size", "locked-memory", "program", "directory", "socket", "lock",
    "supervisor", "versions", "processes", "descriptors", "queues",
}
EXIT = {"ok": 0, "warn": 1, "fail": 2}


class Report:
    """What the command found, as it says to programs."""

    def __init__(self, command, *arguments):
        outcome = command("doctor", "--json", *arguments, code=None)
        document = outcome.json
        assert document["schema"] == "spillring.doctor.v1"
        self.findings = document["findings"]
        verdicts = [finding["verdict"] for finding in self.findings]
        assert outcome.code == max(EXIT[verdict] for verdict in verdicts)

    def __getitem__(self, check):
        """The findings of one check."""
        return [finding for finding in self.findings if finding["check"] == check]

    def worst(self, check):
        found = self[check]
        return max((finding["verdict"] for finding in found), key=EXIT.get) if found else None


def assert_wrong(report, check, verdict, *words):
    """The check has found something that bad, and says what, why and what to do."""
    found = [finding for finding in report[check] if finding["verdict"] == verdict]
    assert found, report.findings
    text = "\n".join(f"{f['what']}\n{f['why']}\n{f['hint']}" for f in found)
    for word in words:
        assert word in text, text


def test_a_supervisor_that_is_well(spillring, supervisor, orders):
    report = Report(spillring)
    assert {f["check"] for f in report.findings if f["verdict"] == "fail"} == set(), report.findings
    for check in ("supervisor", "versions", "lock", "directory", "socket", "program", "queues"):
        assert report.worst(check) == "ok", report.findings
    assert [f["verdict"] for f in report["processes"]] == ["ok", "ok"]
    for role, pid in supervisor.processes().items():
        assert any(f"the {role}, process {pid}," in f["what"] for f in report["processes"])
    assert len(report["descriptors"]) == 2
    assert "1 of 1 queues" in report["queues"][0]["what"]
    assert "SPILLRING_SOCKET names it" in report["socket"][0]["what"]


def test_the_kernel_is_probed(spillring):
    report = Report(spillring)
    for check in ("kernel", "sealed-memory", "pidfd", "cmpxchg16b", "memory"):
        assert report.worst(check) == "ok"
    assert os.uname().release in report["kernel"][0]["what"]


def test_schema(spillring, orders):
    report = Report(spillring)
    assert {finding["check"] for finding in report.findings} <= CHECKS
    for finding in report.findings:
        assert list(finding) == ["schema", "check", "verdict", "what", "why", "hint"]
        assert finding["schema"] == "spillring.finding.v1"
        assert finding["verdict"] in EXIT
        assert isinstance(finding["what"], str) and finding["what"]
        assert finding["why"] is None or finding["verdict"] != "ok"
    lines = spillring("doctor", "-o", "ndjson", code=None)
    assert [finding["check"] for finding in lines.envelopes] == [f["check"] for f in report.findings]
    rows = spillring("doctor", "-o", "tsv", code=None).lines
    assert rows[0].split("\t") == ["VERDICT", "CHECK", "WHAT", "WHY", "HINT"]
    assert len(rows) == 1 + len(report.findings)
    spillring("doctor", "-o", "raw", code=64)


def test_lines_for_people(lonely):
    lines = lonely("doctor", code=2).lines
    at = next(number for number, line in enumerate(lines) if line.startswith("FAIL  socket"))
    assert lines[at + 1].split() [0] == "why:"
    assert f"spillringd --socket {lonely.socket}" in lines[at + 2]
    assert lines[-1].startswith("1 failure, ")
    assert all(line[:6].strip() in ("ok", "warn", "FAIL", "") for line in lines[:-1])


def test_no_supervisor_at_a_socket_that_was_named(lonely):
    report = Report(lonely)
    assert_wrong(report, "socket", "fail", "not there", f"spillringd --socket {lonely.socket}")
    assert not report["supervisor"] and not report["queues"]


def test_nothing_is_wrong_before_the_first_use_and_nothing_starts(home):  # noqa: F811
    report = Report(home)
    assert "the first use starts a supervisor" in report["socket"][0]["what"]
    assert report.worst("directory") == "ok"
    assert not home.state.exists()
    home.environment["SPILLRING_AUTOSTART"] = "0"
    assert_wrong(Report(home), "socket", "fail", "not there")


def test_a_stale_socket(spillring, supervisor):
    supervisor.kill()
    assert stat.S_ISSOCK(os.stat(supervisor.socket).st_mode)
    report = Report(spillring)
    assert_wrong(report, "supervisor", "fail", "stale", "spillringd --socket")
    assert "left by a supervisor that was killed" in report["lock"][0]["what"]


def test_a_file_in_the_place_of_the_socket(lonely):
    open(lonely.socket, "w").close()
    assert_wrong(Report(lonely), "socket", "fail", "is no socket")


def test_a_stopped_supervisor(spillring, supervisor):
    pid = supervisor.processes()["supervisor"]
    os.kill(pid, signal.SIGSTOP)
    try:
        report = Report(spillring, "--timeout", "100ms")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert_wrong(report, "supervisor", "fail", "does not answer")
    assert_wrong(report, "processes", "fail", f"process {pid}, is stopped", f"kill -CONT {pid}")


def test_a_directory_that_others_may_write_to(spillring, supervisor):
    folder = os.path.dirname(supervisor.socket)
    os.chmod(folder, 0o777)
    report = Report(spillring)
    os.chmod(folder, 0o700)
    assert_wrong(report, "directory", "fail", "mode 0777", f"chmod go-w {folder}")


@pytest.mark.parametrize("limit, verdict", [("512:512", "warn"), ("32:32", "fail")])
def test_a_low_limit_of_open_files(spillring, limit, verdict):
    done = subprocess.run(["prlimit", f"--nofile={limit}", *spillring.argv("doctor", "-o", "tsv")],
                          env=spillring.environment, capture_output=True, text=True, timeout=60, check=False)
    row = next(line.split("\t") for line in done.stdout.splitlines() if "\topen-files\t" in line)
    assert row[0].lower() == verdict
    assert "LimitNOFILE=" in row[4]


def test_a_limit_of_the_size_of_files(spillring):
    done = spillring.shell("ulimit -f 8192; $spillring doctor -o tsv")
    assert b"warn\tfile-size\tfiles have at most 8388608 bytes" in done.stdout


def test_a_supervisor_that_has_few_descriptors_left(spillring, supervisor, orders):
    pid = supervisor.processes()["supervisor"]
    used = len(os.listdir(f"/proc/{pid}/fd"))
    subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={used + 3}"], check=True)
    assert_wrong(Report(spillring), "descriptors", "warn", f"of {used + 3} open files", "LimitNOFILE=")


def test_another_name_of_the_socket(lonely, supervisor):
    os.symlink(supervisor.socket, lonely.socket)
    report = Report(lonely)
    assert_wrong(report, "lock", "warn", f"{lonely.socket}.lock is not there")
    assert report.worst("supervisor") == "ok"


def test_somebody_else_at_the_socket(spillring, supervisor):
    supervisor.kill()
    os.unlink(supervisor.socket)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(supervisor.socket)
        listener.listen()
        report = Report(spillring, "--timeout", "100ms")
    assert_wrong(report, "supervisor", "fail", "does not answer")


def test_a_full_queue(spillring):
    spillring("create", "small", "--slots", "64", "--full", "reject")
    spillring("send", "small", "--no-wait", stdin="m\n" * 64, code=None)
    assert_wrong(Report(spillring), "queues", "warn", "queue 'small' is full", "spillring group ls small")


def test_a_queue_that_nobody_reads(spillring, orders):
    sender = spillring.start("send", orders, stdin=subprocess.PIPE)
    sender.stdin.write(b"m\n")
    sender.stdin.flush()
    eventually(lambda: spillring.count(orders) == 1, "the message is there")
    assert_wrong(Report(spillring), "queues", "warn", f"queue '{orders}' grows", "no consumers")
    spillring.start("recv", orders, "-n", "2", "-t", "inf")
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "somebody reads")
    assert Report(spillring).worst("queues") == "ok"
    sender.stdin.close()


@pytest.fixture
def other_program(tmp_path):
    """other_program(script): the command in a directory of its own, beside a spillringd that is this script."""

    def make(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        # A copy: the command looks for spillringd beside the program that it runs.
        subprocess.run(["cp", built("spillring"), folder], check=True)
        if script is not None:
            (folder / "spillringd").write_text(f"#!/bin/sh\n{script}\n")
            (folder / "spillringd").chmod(0o755)
        return folder

    return make


@pytest.mark.parametrize("script, verdict, words", [
    ("echo spillringd 9.9.9", "warn", "it says 'spillringd 9.9.9'"),
    ("exit 1", "warn", "it says ''"),
    (None, "fail", "is not on PATH"),
])
def test_the_program_on_disk(lonely, other_program, script, verdict, words):
    folder = other_program(script)
    lonely.environment["PATH"] = "/nonexistent"
    done = subprocess.run([folder / "spillring", "doctor", "-o", "tsv"], env=lonely.environment,
                          capture_output=True, text=True, timeout=60, check=False)
    row = next(line for line in done.stdout.splitlines() if "\tprogram\t" in line)
    assert row.lower().startswith(verdict) and words in row
