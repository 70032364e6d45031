"""A private supervisor for each test, and the command as its users run it."""

from supervised import lonely, orders, place, serve, spillring, supervisor  # noqa: F401
