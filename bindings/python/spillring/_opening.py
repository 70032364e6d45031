"""What pickled handles are made of: functions that open them in another process."""

from . import _spillring


def open_bus(socket):
    return _spillring.connect(socket)


def open_queue(socket, name):
    """All queues that came by pickle share one connection to their supervisor."""
    return _spillring._open(socket, name)
