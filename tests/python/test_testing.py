"""spillring.testing, used as a test of somebody else's would."""

import os
import subprocess
import sys

import spillring
import spillring.testing
from conftest import BUILD

THEIRS = """
import spillring

def test_bus(spillring_bus):
    queue = spillring_bus.queue("orders", create=True, durability="disk")
    queue.put(b"hello", durable=True)
    with spillring.connect() as other:
        assert bytes(other.queue("orders").get()) == b"hello"

def test_nothing_is_left(spillring_bus):
    assert spillring_bus.queues() == []
"""


def test_the_fixture(tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["spillring.testing"]\n')
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        env={**os.environ, "PYTHONPATH": str(BUILD / "python")},
        capture_output=True,
        text=True,
    )
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def test_the_environment_is_as_before(monkeypatch):
    monkeypatch.delenv("SPILLRING_SOCKET", raising=False)
    with spillring.testing.supervisor() as bus:
        assert os.environ["SPILLRING_SOCKET"] == bus.socket
        with spillring.testing.supervisor() as inner:
            assert os.environ["SPILLRING_SOCKET"] == inner.socket != bus.socket
        assert os.environ["SPILLRING_SOCKET"] == bus.socket
    assert "SPILLRING_SOCKET" not in os.environ
