"""A supervisor for each test, and for nobody else.

In conftest.py:

    pytest_plugins = ["spillring.testing"]

and in a test:

    def test_orders(spillring_bus):
        spillring_bus.queue("orders", create=True).put(b"hello")
        program_under_test()  # its spillring.connect() finds the same supervisor

Without pytest: `with spillring.testing.supervisor() as bus:`.
"""

import contextlib
import os
import tempfile

import pytest

from . import _spillring

__all__ = ["spillring_bus", "supervisor"]


@contextlib.contextmanager
def supervisor():
    """Runs a supervisor in this process, with a state directory of its own, so that queues can spill
    and be durable; gives a Bus connected to it. Meanwhile $SPILLRING_SOCKET names it: connect(), the
    command and programs started by this process find it."""
    before = os.environ.get("SPILLRING_SOCKET")
    with tempfile.TemporaryDirectory(prefix="spillring-") as directory:
        with _spillring.embedded(directory) as bus:
            os.environ["SPILLRING_SOCKET"] = bus.socket
            try:
                yield bus
            finally:
                if before is None:
                    del os.environ["SPILLRING_SOCKET"]
                else:
                    os.environ["SPILLRING_SOCKET"] = before


@pytest.fixture
def spillring_bus():
    """A Bus connected to a supervisor of the test's own; see supervisor()."""
    with supervisor() as bus:
        yield bus
