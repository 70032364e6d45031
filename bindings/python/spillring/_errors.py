"""The exceptions of spillring. Each is also the standard one that fits."""

import queue as _queue


class Error(Exception):
    """Base of all of spillring's exceptions.

    ``code`` is the failure's short name, for example ``"not_found"``; ``hint`` says what to do
    about it.
    """

    code = "internal"
    hint = ""

    def __init__(self, message="", code=None, hint=""):
        super().__init__(message)
        if code is not None:
            self.code = code
        if hint:
            self.hint = hint
            if hasattr(self, "add_note"):  # Python 3.11: shown below the traceback
                self.add_note(f"hint: {hint}")

    def __str__(self):  # KeyError's own would show the message's repr
        return str(self.args[0]) if self.args else ""


class Full(Error, _queue.Full):
    """There is no room in the queue, or none came in time."""

    code = "full"


class Empty(Error, _queue.Empty):
    """There is no message, or none came in time."""

    code = "empty"


class Timeout(Error, TimeoutError):
    """The supervisor did not answer in time."""

    code = "timeout"


class Closed(Error):
    """The object was closed, or ended with ack(), nack(), publish() or cancel()."""

    code = "closed"


class NotFound(Error, KeyError):
    """There is no queue or group of that name."""

    code = "not_found"


class Exists(Error):
    """There is something else of that name."""

    code = "exists"


class Denied(Error, PermissionError):
    """Not permitted."""

    code = "denied"


class TooLarge(Error, ValueError):
    """Larger than the queue's largest message."""

    code = "too_large"


class Invalid(Error, ValueError):
    """An argument, or a call in this state, that can never work."""

    code = "invalid"


class Stale(Error):
    """Too late: the message was given to another consumer, or the loan was revoked."""

    code = "stale"


class Deleted(Error):
    """The queue was deleted."""

    code = "deleted"


class Poisoned(Error):
    """The queue's memory was found damaged; nothing in it can be trusted."""

    code = "poisoned"


class Corrupt(Error):
    """What was read contradicts itself; the supervisor was told."""

    code = "corrupt"


class Unavailable(Error, ConnectionError):
    """No supervisor answers."""

    code = "unavailable"


class Forked(Error):
    """The object was made before a fork; the child process needs its own."""

    code = "forked"


class InDoubt(Error):
    """The message was sent, but nobody can say whether it has reached the disk."""

    code = "in_doubt"


class NoMemory(Error, MemoryError):
    """Shared memory was refused by the system or by a limit."""

    code = "no_memory"


for _class in list(globals().values()):
    if isinstance(_class, type):
        _class.__module__ = "spillring"
