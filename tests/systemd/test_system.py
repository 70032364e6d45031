"""The system's daemon, run by a real systemd as its unit says."""

import json
import signal
from pathlib import Path

from supervised import eventually

CLIENT = 1234  # a user who is not that of the service
SOCKET = "/run/spillring/spillringd.sock"


def log_of(service):
    return service.run("cat", "/run/spillringd.log").stdout


def write_config(service, text):
    service.run("sh", "-c", "cat >/usr/local/etc/spillring/spillringd.toml", stdin=text)


def may_protect_from_oom():
    """Even root may not where CAP_SYS_RESOURCE was taken away."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("CapEff:")[2].split()[0], 16) >> 24 & 1 == 1


def test_starts_and_says_so(service):
    service.ctl("start", "spillringd.service")  # returns when it is ready
    processes = service.processes()
    assert service.show("ActiveState", "SubState", "MainPID") == {
        "ActiveState": "active", "SubState": "running", "MainPID": str(processes["keeper"])}
    service.spillring("send", "q", "hello", "--create")
    assert service.spillring("recv", "q") == "hello\n"


def test_runs_as_its_user_in_its_directories(running):
    pid = running.processes()["supervisor"]
    assert running.run("stat", "-c", "%U %a", SOCKET, "/run/spillring", "/var/lib/spillring").stdout.split("\n") == [
        "spillring 666", "spillring 755", "spillring 700", ""]
    status = running.run("cat", f"/proc/{pid}/status").stdout
    values = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert (values["CapEff"], values["NoNewPrivs"], values["Seccomp"]) == ("0" * 16, "1", "2")
    if may_protect_from_oom():
        assert running.run("cat", f"/proc/{pid}/oom_score_adj").stdout == "-900\n"


def test_clients_of_another_user(running):
    """Credentials, pidfds, descriptors in packets and /proc work in what the unit leaves."""
    running.machine.run("spillring", "send", "q", "hello", "--create", user=CLIENT)
    assert running.machine.run("spillring", "recv", "q", user=CLIENT).stdout == "hello\n"
    running.machine.run("sh", "-c", "spillring recv q -t inf >/dev/null 2>&1 &", user=CLIENT)

    def waiting():
        return [client for client in json.loads(running.spillring("ps", "-o", "json", code=None))["clients"]
                if client["user"] == str(CLIENT)]
    running.kill(eventually(waiting, "it waits for a message")[0]["pid"])
    eventually(lambda: not waiting(), "its death is noticed")


def test_a_reload_replaces_the_supervisor_and_takes_new_settings(running):
    running.spillring("send", "q", "kept", "--create")
    before = running.settled()
    write_config(running, f'socket = "{SOCKET}"\nsocket_mode = "0666"\nmax_queues = 1\n')
    running.ctl("reload", "spillringd.service")
    after = running.replaced(before, "supervisor")
    assert after["keeper"] == before["keeper"]
    assert running.spillring("recv", "q") == "kept\n"
    running.machine.run("spillring", "create", "one", user=CLIENT)
    assert "1 of 1" in running.machine.run("spillring", "create", "two", user=CLIENT, code=None).stderr


def test_a_reload_with_a_wrong_file_changes_nothing(running):
    running.spillring("send", "q", "kept", "--create")
    before = running.settled()
    write_config(running, "max_qeues = 1\n")
    running.ctl("reload", "spillringd.service")
    running.replaced(before, "supervisor")
    assert running.spillring("recv", "q") == "kept\n"
    log = log_of(running)
    assert "spillringd.toml:1:1: there is no setting 'max_qeues'; did you mean 'max_queues'?" in log
    assert "the settings stay as they were" in log


def test_a_wrong_file_stops_the_start_for_good(service):
    write_config(service, "max_qeues = 1\n")
    service.ctl("start", "spillringd.service", code=1)
    assert service.show("ActiveState", "ExecMainStatus", "NRestarts") == {
        "ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0"}


def test_killed_processes_are_replaced_and_nothing_is_lost(running):
    running.spillring("create", "q")
    sent = 0
    for which in ["supervisor", "keeper", "supervisor", "keeper", "keeper", "supervisor"]:
        running.spillring("send", "q", f"m{sent}")
        sent += 1
        before = running.settled()
        running.kill(before[which])
        running.replaced(before, which)
        assert running.show("ActiveState", "NRestarts") == {"ActiveState": "active", "NRestarts": "0"}
    assert running.spillring("recv", "q", "--all").split() == [f"m{number}" for number in range(sent)]


def test_stops_well_after_its_keeper_was_killed(running):
    before = running.settled()
    running.kill(before["keeper"])
    running.replaced(before, "keeper")
    running.ctl("stop", "spillringd.service")
    assert running.show("ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    running.run("test", "-e", SOCKET, code=1)


def test_both_killed_at_once_is_a_restart(running):
    before = running.settled()
    running.ctl("kill", "--kill-whom=all", "--signal=KILL", "spillringd.service")
    eventually(lambda: running.show("NRestarts") == "1", "systemd starts it anew")
    after = eventually(lambda: running.show("ActiveState") == "active" and running.settled(), "it runs again")
    assert set(after.values()).isdisjoint(before.values())
    running.spillring("ls")


def test_restart_and_stop(running):
    before = running.settled()
    running.ctl("restart", "spillringd.service")
    assert set(running.settled().values()).isdisjoint(before.values())
    running.ctl("stop", "spillringd.service")
    assert running.show("ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    running.run("test", "-e", SOCKET, code=1)
    assert running.run("pgrep", "-x", "spillringd", code=1).stdout == ""


def test_queues_and_messages_are_back_after_a_stop_and_a_start(running):
    """What is in memory, and what has spilled: 2 MB through a queue of 256 KiB."""
    running.spillring("create", "q", "--mode", "0660")
    running.spillring("create", "small", "--capacity", "256KiB")
    running.spillring("send", "q", "one", "two", "three")
    running.spillring("recv", "q", "-g", "readers")
    lines = "".join(f"{number} {'x' * 1000}\n" for number in range(2000))
    running.spillring("send", "small", stdin=lines)
    assert json.loads(running.spillring("info", "small", "-o", "json"))["journaled"] > 1000
    running.ctl("stop", "spillringd.service")
    assert running.run("pgrep", "-x", "spillringd", code=1).stdout == ""
    running.ctl("start", "spillringd.service")
    info = json.loads(running.spillring("info", "q", "-o", "json"))
    assert (info["messages"], info["mode"], info["group_list"][0]["name"]) == (2, "0660", "readers")
    assert running.spillring("recv", "q", "-g", "readers", "--all") == "two\nthree\n"
    running.ctl("restart", "spillringd.service")
    assert running.spillring("recv", "small", "--all") == lines
    eventually(lambda: running.run("find", "/var/lib/spillring/journal", "-type", "f").stdout == "",
               "the disk is given back")
    assert "stays on the disk" not in log_of(running)


def test_the_first_client_starts_it(service):
    service.ctl("start", "spillringd.socket")
    assert service.show("ActiveState") == "inactive"
    service.spillring("send", "q", "hello", "--create")
    assert service.show("ActiveState") == "active"
    assert service.spillring("recv", "q") == "hello\n"
    assert service.run("stat", "-c", "%a", SOCKET).stdout == "666\n"
    assert service.run("cat", f"{SOCKET}.lock").stdout.startswith("supervisor ")


def test_a_passed_socket_stays_and_outlives_every_process(service):
    service.ctl("start", "spillringd.socket")
    inode = service.run("stat", "-c", "%i", SOCKET).stdout
    service.spillring("send", "q", "kept", "--create")
    for which in ["supervisor", "keeper", "supervisor"]:
        before = service.settled()
        service.kill(before[which])
        service.replaced(before, which)
    assert service.spillring("recv", "q") == "kept\n"
    service.ctl("stop", "spillringd.service")
    assert service.run("stat", "-c", "%i", SOCKET).stdout == inode
    service.run("test", "-e", f"{SOCKET}.lock", code=1)
    service.spillring("send", "again", "and again", "--create")  # started once more
    assert service.spillring("recv", "again") == "and again\n"


def test_socket_of_another_kind_is_refused(service):
    service.machine.unit("wrong.socket", "[Unit]\nDefaultDependencies=no\n[Socket]\n"
                         "ListenStream=/run/wrong.sock\nService=spillringd.service\n")
    service.ctl("daemon-reload")
    service.ctl("start", "wrong.socket")
    service.ctl("start", "spillringd.service", code=1)
    assert service.show("ExecMainStatus") == "64"
    assert "ListenSequentialPacket=" in log_of(service)
    service.ctl("stop", "wrong.socket")
    (service.machine.folder / "units/wrong.socket").unlink()
    service.ctl("daemon-reload")


def test_a_second_sighup_and_a_signal_in_a_reload(running):
    """Whatever comes in the middle of a reload, it ends in a service that serves."""
    before = running.settled()
    for _ in range(3):
        running.kill(before["keeper"], signal.SIGHUP)
    running.replaced(before, "supervisor")
    eventually(lambda: running.show("SubState") == "running", "the reload ends")
    running.spillring("ls")
