"""What may be missing by its type, and may not be missing in a test."""

from typing import TypeVar

T = TypeVar("T")


def known(value: T | None) -> T:
    """Return what is there."""
    assert value is not None
    return value
