from collections.abc import Iterator
from contextlib import AbstractContextManager

from spillring import Bus

__all__ = ["spillring_bus", "supervisor"]

def supervisor() -> AbstractContextManager[Bus]: ...
def spillring_bus() -> Iterator[Bus]: ...
