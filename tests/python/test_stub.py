"""The stub says what the module has, and the module has what the stub says."""

import ast
import inspect
import pathlib

import pytest
import spillring

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
    own = set(vars(getattr(spillring, name)))
    always = {"__init__", "__doc__", "__module__", "__repr__"}
    assert own - always == names_in(CLASSES[name]) - always


@pytest.mark.parametrize("name", ["Error", "QueueInfo", "GroupInfo"])
def test_names_of_a_python_class(name):
    for member in names_in(CLASSES[name]):
        owner = getattr(spillring, name)
        assert hasattr(owner, member) or member in owner.__annotations__


@pytest.mark.parametrize("name", set(CLASSES) - set(OWN) - {"QueueInfo", "GroupInfo"})
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
