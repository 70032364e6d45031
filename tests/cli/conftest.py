"""A private supervisor for each test, and the command as its users run it."""

import pytest
from supervised import Command, Supervisor


@pytest.fixture
def supervisor(tmp_path):
    daemon = Supervisor(tmp_path / "spillringd.sock")
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()


@pytest.fixture
def spillring(supervisor):
    command = Command(supervisor.socket)
    yield command
    command.close()


@pytest.fixture
def lonely(tmp_path):
    """The command where there is no supervisor."""
    command = Command(str(tmp_path / "nobody.sock"))
    yield command
    command.close()


@pytest.fixture
def orders(spillring):
    """An empty queue, by name."""
    spillring("create", "orders")
    return "orders"
