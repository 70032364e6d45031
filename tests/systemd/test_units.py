"""What systemd's own tools say of the units."""

UNITS = "/usr/local/lib/systemd/"


def test_verify(machine):
    done = machine.run("systemd-analyze", "verify", f"{UNITS}system/spillringd.service",
                       f"{UNITS}system/spillringd.socket")
    assert done.stderr == ""


def test_exposure(machine):
    """At most 2.0 of 10."""
    done = machine.run("systemd-analyze", "security", "--offline=true", "--threshold=20",
                       f"{UNITS}system/spillringd.service")
    assert "Overall exposure level" in done.stdout


def test_user_and_directories(machine):
    user = machine.run("getent", "passwd", "spillring").stdout.strip().split(":")
    assert 0 < int(user[2]) < 1000
    assert user[5:] == ["/var/lib/spillring", "/usr/sbin/nologin"]
    listed = machine.run("stat", "-c", "%U %G %a", "/run/spillring", "/var/lib/spillring").stdout
    assert listed == "spillring spillring 755\nspillring spillring 700\n"
