"""The stub says what the module has, and the module has what the stub says."""

import ast
import inspect
import os
import pathlib
import subprocess
import sys

import pytest
import spillring
import spillring.aio
import spillring.compat
import spillring.testing
from conftest import BUILD

PACKAGE = pathlib.Path(spillring.__file__).parent
STUB = ast.parse((PACKAGE / "__init__.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
OWN = ["Bus", "Queue", "Consumer", "Message", "Loan"]


def names_in(node):
    names = set()
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.ClassDef)):
            names.add(item.name)
        elif isinstance(item, ast.AnnAssign):
            names.add(item.target.id)
    return names


def test_package_is_typed():
    assert (PACKAGE / "py.typed").exists()


def test_names_of_the_module():
    assert names_in(STUB) == set(spillring.__all__)
    for name in spillring.__all__:
        assert hasattr(spillring, name)


@pytest.mark.parametrize("name", OWN)
def test_names_of_a_class(name):
    own = {own for own in vars(getattr(spillring, name)) if own.startswith("__") or own[0] != "_"}
    always = {"__init__", "__doc__", "__module__", "__repr__", "__reduce__", "__buffer__"}
    always.add("__slotnames__")  # copyreg's, once somebody has tried to pickle one
    assert own - always == names_in(CLASSES[name]) - always


def test_mypy_finds_the_stubs_right():
    allowed = pathlib.Path(__file__).with_name("stubtest-allowlist.txt")
    found = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "--concise", "--allowlist", allowed, "spillring"],
        env={**os.environ, "PYTHONPATH": str(BUILD / "python")},
        cwd=BUILD,  # where it leaves its cache
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("module", [spillring.aio, spillring.compat, spillring.testing])
def test_everything_public_has_a_docstring(module):
    assert module.__doc__
    for name in module.__all__:
        thing = getattr(module, name)
        assert inspect.getdoc(thing), name
        for member, value in vars(thing).items() if isinstance(thing, type) else ():
            if not member.startswith("_"):
                assert inspect.getdoc(value), f"{name}.{member}"


@pytest.mark.parametrize("name", ["Error", "QueueInfo", "GroupInfo"])
def test_names_of_a_python_class(name):
    for member in names_in(CLASSES[name]):
        owner = getattr(spillring, name)
        assert hasattr(owner, member) or member in owner.__annotations__


@pytest.mark.parametrize("name", sorted(set(CLASSES) - set(OWN) - {"QueueInfo", "GroupInfo"}))
def test_bases_of_an_exception(name):
    bases = [ast.unparse(base).split(".")[-1] for base in CLASSES[name].bases]
    assert [base.__name__ for base in getattr(spillring, name).__bases__] == bases


@pytest.mark.parametrize("name", OWN)
def test_docstrings_name_the_parameters(name):
    owner = getattr(spillring, name)
    assert inspect.getdoc(owner)
    for node in CLASSES[name].body:
        if node.name.startswith("__"):
            continue
        document = inspect.getdoc(getattr(owner, node.name))
        assert document, f"{name}.{node.name} has no docstring"
        if node.decorator_list:  # a property
            continue
        signature = document.splitlines()[0]
        assert signature.startswith(f"{node.name}(")
        for argument in node.args.args[1:] + node.args.kwonlyargs:
            assert argument.arg in document


def test_version():
    major, minor, patch = spillring.__version__.split(".")
    assert all(part.isdigit() for part in (major, minor, patch))
