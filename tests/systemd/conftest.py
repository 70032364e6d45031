"""One machine for all tests; each begins with the service stopped and as it was installed."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))

from machine import USER, Machine, Service, why_not  # noqa: E402

BUILD = os.environ.get("SPILLRING_BUILD", str(Path(__file__).resolve().parents[2] / "build/dev"))


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    wanting = why_not()
    if wanting:
        pytest.skip(wanting)
    machine = Machine(tmp_path_factory.mktemp("machine"), BUILD)
    try:
        machine.boot()
        yield machine
    finally:
        machine.halt()


@pytest.fixture
def service(machine):
    service = Service(machine)
    machine.run("sh", "-c", ": >/run/spillringd.log")
    config = machine.folder / "usr/local/etc/spillring/spillringd.toml"
    installed = config.read_text()
    yield service
    config.write_text(installed)
    service.ctl("stop", "spillringd.socket", "spillringd.service", code=None)
    service.ctl("reset-failed", code=None)
    machine.run("sh", "-c", "rm -rf /var/lib/spillring/*")


@pytest.fixture
def running(service):
    service.ctl("start", "spillringd.service")
    return service


@pytest.fixture
def user_service(machine):
    machine.run("systemctl", "start", "user-manager.service")
    service = Service(machine, USER)
    yield service
    service.ctl("stop", "spillringd.service", code=None)
    service.run("sh", "-c", "rm -rf ~/.local")
    machine.run("systemctl", "stop", "user-manager.service")
