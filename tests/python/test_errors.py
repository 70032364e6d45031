import pickle
import queue
import traceback

import pytest
import spillring

ALSO = {
    "Full": queue.Full,
    "Empty": queue.Empty,
    "Timeout": TimeoutError,
    "NotFound": KeyError,
    "Denied": PermissionError,
    "TooLarge": ValueError,
    "Invalid": ValueError,
    "Unavailable": ConnectionError,
    "NoMemory": MemoryError,
    "Closed": Exception,
    "Exists": Exception,
    "Stale": Exception,
    "Deleted": Exception,
    "Poisoned": Exception,
    "Corrupt": Exception,
    "Forked": Exception,
}


@pytest.mark.parametrize("name", ALSO)
def test_exception_is_also_the_standard_one(name):
    exception = getattr(spillring, name)
    assert issubclass(exception, spillring.Error)
    assert issubclass(exception, ALSO[name])
    assert exception.__module__ == "spillring"
    with pytest.raises(ALSO[name]):
        raise exception("text")


def test_every_exception_has_a_code_of_its_own():
    codes = {getattr(spillring, name).code for name in ALSO}
    assert len(codes) == len(ALSO)


@pytest.mark.parametrize("name", [*ALSO, "Error"])
def test_exception_survives_a_pickle(name):
    error = getattr(spillring, name)("what", "some_code", "do this")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.code, copy.hint) == ("what", "some_code", "do this")


def test_not_found_reads_well(bus):
    with pytest.raises(spillring.NotFound) as error:
        bus.queue("frames")
    text = str(error.value)
    assert "frames" in text
    assert not text.startswith(("'", '"'))
    assert error.value.code == "not_found"


def test_hint_is_shown_with_the_traceback(bus):
    with pytest.raises(spillring.Invalid) as error:
        bus.queue("q", create=True, capacity="lots")
    shown = "".join(traceback.format_exception(error.value))
    assert shown.startswith("Traceback")
    assert "spillring.Invalid: capacity='lots'" in shown
    assert f"hint: {error.value.hint}" in shown


def test_names_of_codes_agree_with_the_library(bus, make):
    queue = make(capacity="64KiB", full="reject")
    raised = {}

    def collect(call):
        with pytest.raises(spillring.Error) as error:
            call()
        raised[type(error.value).__name__] = error.value

    collect(queue.get_nowait)
    collect(lambda: queue.put(bytes(1 << 20)))
    collect(lambda: bus.queue("none"))
    collect(lambda: bus.queue(".bad"))
    collect(lambda: [queue.put(bytes(8192)) for _ in range(100)])
    assert set(raised) == {"Empty", "TooLarge", "NotFound", "Invalid", "Full"}
    for error in raised.values():
        assert error.code == type(error).code
