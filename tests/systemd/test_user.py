"""A user's own daemon, run by that user's manager."""

from supervised import eventually


def test_user_unit(user_service):
    service = user_service
    service.ctl("start", "spillringd.service")
    service.spillring("--user", "send", "q", "kept", "--create")
    assert service.run("stat", "-c", "%a", "/run/user/spillring/spillringd.sock").stdout == "600\n"
    for which in ["supervisor", "keeper"]:
        before = service.settled()
        service.kill(before[which])
        service.replaced(before, which)
    before = service.settled()
    service.ctl("reload", "spillringd.service")
    service.replaced(before, "supervisor")
    assert service.spillring("--user", "recv", "q") == "kept\n"
    service.ctl("stop", "spillringd.service")
    assert service.show("ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}


def test_reads_the_users_file(user_service):
    service = user_service
    service.run("sh", "-c", "mkdir -p ~/.config/spillring && echo 'socket_mode = \"0660\"' "
                ">~/.config/spillring/spillringd.toml")
    service.ctl("start", "spillringd.service")
    assert service.run("stat", "-c", "%a", "/run/user/spillring/spillringd.sock").stdout == "660\n"
    service.run("sh", "-c", "echo nonsense >~/.config/spillring/spillringd.toml")
    service.ctl("restart", "spillringd.service", code=1)
    assert service.show("ExecMainStatus") == "78"
    service.run("rm", "/var/lib/user/.config/spillring/spillringd.toml")
    eventually(lambda: service.show("ActiveState") == "failed", "it is not tried again")
    service.ctl("reset-failed")
