"""The names that are fixed, and how each is called: in the stub, which mypy.stubtest holds against the module, and in
what help() says first."""

import ast
import pathlib
import re

import pytest
import spillring
import spillring.aio
import spillring.compat
import spillring.testing

STUB = pathlib.Path(spillring.__file__).with_name("__init__.pyi")

# As in the documentation: what a caller writes. Where the stub has None for an option of a queue, its default is the
# supervisor's to choose.
CALLS = """
connect(socket=None, *, user=False, timeout=5, autostart=True)
embedded(state_dir=None)
Bus.queue(name, *, create=False, capacity='16MiB', slots=65536, full=None, durability='memory', keep='unread', retain=None, max_deliveries=None, dead_letter=None, lease=None, mode=384, owner_group=None, exclusive_producer=False, prealloc=False)
Bus.queues()
Bus.delete(name)
Bus.close()
Queue.put(buf, *, key=None, headers=None, ttl=None, timeout=None, durable=False)
Queue.put_nowait(buf, *, key=None, headers=None, ttl=None)
Queue.put_many(buffers, *, timeout=None, atomic=False)
Queue.loan(nbytes, *, key=None, headers=None, timeout=None)
Queue.get(*, group='default', timeout=None, ack=True)
Queue.get_nowait(*, group='default', ack=True)
Queue.get_many(n, *, group='default', timeout=None)
Queue.consume(group='default', *, prefetch=64, start='earliest', timeout=None)
Queue.subscribe(group=None, *, start='latest')
Queue.peek(n=1, *, seq=None)
Queue.info()
Queue.groups()
Queue.remove_group(name)
Queue.purge()
Queue.__len__()
Consumer.receive(timeout=None)
Consumer.receive_many(n, timeout=None)
Consumer.fileno()
Consumer.seek(to)
Consumer.lag
Consumer.close()
Consumer.__iter__()
Consumer.__enter__()
Message.seq
Message.key
Message.headers
Message.timestamp
Message.deliveries
Message.queue
Message.ack()
Message.nack(delay=0)
Message.copy()
Message.__enter__()
Loan.publish(size=None)
Loan.cancel()
Loan.__enter__()
""".split("\n")[1:-1]

EXCEPTIONS = {
    "Error": Exception, "Full": "queue.Full", "Empty": "queue.Empty", "Timeout": TimeoutError, "Closed": None,
    "NotFound": KeyError, "Exists": None, "Denied": PermissionError, "TooLarge": ValueError, "Stale": None,
    "InDoubt": None, "Deleted": None, "Poisoned": None, "Unavailable": ConnectionError, "Corrupt": None, "Forked": None,
}


def stub():
    """{name: its node}, those of a class as Class.name."""
    nodes = {}
    for node in ast.parse(STUB.read_text()).body:
        nodes[getattr(node, "name", None)] = node
        for inner in node.body if isinstance(node, ast.ClassDef) else []:
            nodes[f"{node.name}.{getattr(inner, 'name', None)}"] = inner
    return nodes


def parameters(node):
    """{name: (keyword only?, default)}."""
    arguments = node.args
    positional = [a for a in arguments.posonlyargs + arguments.args if a.arg != "self"]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    pairs = [(a, d, False) for a, d in zip(positional, defaults, strict=True)]
    pairs += [(a, d, True) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return {a.arg: (only, None if d is None else repr(ast.literal_eval(d))) for a, d, only in pairs}


def is_property(node):
    return any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.split("(")[0])
def test_is_called_as_it_is_written(call):
    name, _, rest = call.partition("(")
    node = stub()[name]
    assert is_property(node) != bool(rest)
    found = spillring
    for part in name.split("."):
        found = getattr(found, part)
    if not rest:
        return
    wanted = parameters(ast.parse(f"def f({rest}: ...").body[0])
    known = parameters(node)
    for parameter, how in wanted.items():
        assert known[parameter] == how, parameter
    # What came later is an option: calls as above go on working, and places do not change.
    assert list(known)[: len([p for p, (only, _) in wanted.items() if not only])] == [
        p for p, (only, _) in wanted.items() if not only]
    for parameter in known.keys() - wanted.keys():
        assert known[parameter][0] and known[parameter][1] is not None, parameter


@pytest.mark.parametrize("name", [call.split("(")[0] for call in CALLS if "(" in call and "__" not in call])
def test_help_begins_with_the_call(name):
    """Each parameter of the stub is there, in its order, unless it says that there are more."""
    found = spillring
    for part in name.split("."):
        found = getattr(found, part)
    said = re.sub(r"\s+", " ", found.__doc__)
    begins = re.match(rf"{name.split('.')[-1]}\((.*?)\) ->", said)
    assert begins, said[:100]
    written = re.findall(r"(?:^|, )(\w+)", re.sub(r"=[^,]*", "", begins.group(1)))
    if "..." in begins.group(1):
        return
    assert written == list(parameters(stub()[name]))


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_are_what_they_are_called(name):
    import queue  # noqa: PLC0415

    exception, base = getattr(spillring, name), EXCEPTIONS[name]
    assert issubclass(exception, spillring.Error) or name == "Error"
    if isinstance(base, str):
        base = getattr(queue, base.split(".")[1])
    assert base is None or issubclass(exception, base)


def test_what_else_there_is():
    assert {"Bus", "Queue", "Consumer", "connect", "embedded"} <= set(spillring.aio.__all__)
    assert issubclass(spillring.compat.Queue, object) and callable(spillring.testing.supervisor)
