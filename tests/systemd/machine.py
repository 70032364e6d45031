"""A machine for one test run: systemd as the first process of its own namespaces, with the daemon installed.

It sees this machine's programs, but has directories, users, processes and control groups of its own; of the
units it knows only those under test and a few empty targets.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from supervised import PATIENCE, eventually

SYSTEMD = "/lib/systemd/systemd"
PREFIX = "/usr/local"  # what the build was configured for
TARGETS = ["sysinit", "basic", "sockets", "multi-user", "shutdown"]
USER = 4321  # tester, whose own manager runs there

BOOT = """
set -e
mount --make-rprivate /
umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/etc /mnt/etc-work /run/systemd /run/systemd/system /run/user-units
mount --bind "$1/user-units" /run/user-units
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/etc,workdir=/mnt/etc-work /etc
mount --bind "$1/usr/local" /usr/local
mount -t proc proc /proc
systemd-sysusers /usr/local/lib/sysusers.d/spillring.conf
systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/spillring.conf
echo 'u tester 4321 - /var/lib/user' | systemd-sysusers -
export container=spillring-test SYSTEMD_LOG_TARGET=console
export SYSTEMD_UNIT_PATH="$1/units:/usr/local/lib/systemd/system"
exec /lib/systemd/systemd --system --unit=multi-user.target
"""

USER_MANAGER = """
[Unit]
DefaultDependencies=no
[Service]
Type=notify
User=tester
Delegate=yes
RuntimeDirectory=user
StateDirectory=user
Environment=XDG_RUNTIME_DIR=/run/user HOME=/var/lib/user SYSTEMD_UNIT_PATH=/run/user-units:/usr/local/lib/systemd/user:/usr/lib/systemd/user
ExecStart=/lib/systemd/systemd --user --unit=default.target
KillMode=mixed
"""


def why_not():
    """What is wanting for such a machine here; None: nothing."""
    if os.geteuid() != 0:
        return "namespaces with a systemd of their own need root"
    if not os.access(SYSTEMD, os.X_OK):
        return "systemd is not installed"
    group = cgroup_root()
    if group is None or not os.access(group, os.W_OK):
        return "there is no control group (v2) to write to"
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "true"],
                           capture_output=True, check=False)
    return f"no namespaces: {tried.stderr.decode().strip()}" if tried.returncode else None


def cgroup_root():
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mounted, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            own = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines()
                       if line.startswith("0::"))
            return Path(mounted.split()[4]) / own.lstrip("/")
    return None


class Machine:
    def __init__(self, folder, build):
        self.folder = folder
        self.group = cgroup_root() / f"spillring-test-{os.getpid()}"
        self.process = None
        subprocess.run(["cmake", "--install", build, "--component", "daemon", "--prefix", PREFIX],
                       env={**os.environ, "DESTDIR": str(folder)}, check=True, capture_output=True)
        shutil.copy(Path(build) / "bin/spillring", folder / "usr/local/bin/spillring")
        (folder / "units/spillringd.service.d").mkdir(parents=True)
        (folder / "user-units").mkdir()
        for target in TARGETS:
            self.unit(f"{target}.target", "[Unit]\nDefaultDependencies=no\n")
        for target in ["default", "basic"]:
            (folder / f"user-units/{target}.target").write_text("[Unit]\nDefaultDependencies=no\n")
        # There is no journal here: where its lines go is all that differs from what is installed.
        self.unit("spillringd.service.d/log.conf", "[Service]\nStandardError=append:/run/spillringd.log\n")
        self.unit("user-manager.service", USER_MANAGER)

    def unit(self, name, text):
        (self.folder / "units" / name).write_text(text)

    def boot(self):
        self.group.mkdir()
        script = self.folder / "boot"
        script.write_text(BOOT)
        with open(self.folder / "console", "wb") as console:
            self.process = subprocess.Popen(
                ["bash", "-c", 'echo 0 >"$0/cgroup.procs" && exec unshare --mount --pid --fork --kill-child '
                 '--cgroup --uts --ipc bash "$1" "$2"', self.group, script, self.folder],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True)
        eventually(lambda: self.run("systemctl", "is-system-running", code=None).stdout.strip() == "running",
                   "the machine is up")

    def halt(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        eventually(self.remove_group, "its processes are gone")

    def remove_group(self):
        for folder, _, _ in os.walk(self.group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
        return True

    def first_process(self):
        assert self.process.poll() is None, (self.folder / "console").read_text()
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return children[0] if children else "0"

    def run(self, *command, code=0, user=None, stdin=""):
        """Runs a command there. `code`: what it must exit with; None: anything."""
        enter = ["nsenter", "-t", self.first_process(), "-m", "-p", "-C", "-u", "-i"]
        if user is not None:
            enter += ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
            enter += ["env", "XDG_RUNTIME_DIR=/run/user", "HOME=/var/lib/user"]
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("SPILLRING_", "XDG_", "SYSTEMD_"))}
        done = subprocess.run([*enter, *map(str, command)], input=stdin, capture_output=True, text=True,
                              env={**environment, "PATH": f"{PREFIX}/bin:/usr/bin:/bin:/usr/sbin:/sbin"},
                              timeout=PATIENCE, check=False)
        assert code is None or done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done


class Service:
    """The daemon as a unit of a manager: the system's, or a user's."""

    def __init__(self, machine, user=None):
        self.machine = machine
        self.user = user

    def run(self, *command, **options):
        return self.machine.run(*command, user=self.user, **options)

    def ctl(self, *arguments, code=0):
        scope = ["--user"] if self.user is not None else []
        return self.run("systemctl", *scope, "--no-pager", *arguments, code=code).stdout.strip()

    def spillring(self, *arguments, **options):
        return self.run("spillring", *arguments, **options).stdout

    def show(self, *names):
        lines = self.ctl("show", "spillringd.service", "-p", ",".join(names)).splitlines()
        values = dict(line.split("=", 1) for line in lines)
        return values[names[0]] if len(names) == 1 else values

    def processes(self):
        """{"keeper": PID, "supervisor": PID}, as their manager sees them; None where it does not know yet."""
        words = self.show("StatusText").replace(",", "").replace(".", "").split()
        return {"keeper": int(words[1]), "supervisor": int(words[3])} if len(words) == 4 else None

    def settled(self):
        """The processes, when the manager knows which there are."""
        def known():
            now = self.processes()
            alive = now and all(self.run("test", "-d", f"/proc/{pid}", code=None).returncode == 0
                                for pid in now.values())
            return now if alive and int(self.show("MainPID")) == now["keeper"] else None
        return eventually(known, "keeper and supervisor are there, and the manager knows")

    def replaced(self, before, which):
        """The processes after this one has been replaced."""
        return eventually(lambda: (now := self.settled())[which] != before[which] and now,
                          f"there is another {which}")

    def kill(self, pid, number=signal.SIGKILL):
        self.run("kill", f"-{int(number)}", pid)

