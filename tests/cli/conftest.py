"""A private supervisor for each test, and the command as its users run it."""

from journals import saved, state  # noqa: F401
from supervised import lonely, orders, place, serve, spillring, supervisor, tmp_path  # noqa: F401
