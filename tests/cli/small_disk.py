"""A supervisor whose state directory is a small file system of its own, in a mount namespace of its own."""

import os
import subprocess
from pathlib import Path

import pytest


def can_mount():
    private = ["unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/tmp"]
    return os.geteuid() == 0 and subprocess.run(private, check=False, capture_output=True).returncode == 0


needs_mount = pytest.mark.skipif(not can_mount(), reason="no file system can be mounted here; needs root")


class SmallDisk:
    def __init__(self, supervisor, state, filler):
        self.path = Path(f"/proc/{supervisor.processes()['keeper']}/root{state}")
        self.filler = self.path / "filler"
        self.filler.write_bytes(bytes(filler))

    def free(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize


@pytest.fixture
def small_disk(serve, tmp_path):
    """small_disk(*options, size, filler): the command, and the disk, of which a file takes `filler` bytes."""
    def make(*options, size, filler):
        state = tmp_path / "state"
        state.mkdir(mode=0o700)
        command, supervisor = serve(
            "--state-dir", state, *options,
            confinement=f"exec unshare --mount --propagation private bash -c '"
                        f'mount -t tmpfs -o size={size},mode=0700 none {state}; exec "$@"\' bash "$@"')
        return command, SmallDisk(supervisor, state, filler)
    return make
