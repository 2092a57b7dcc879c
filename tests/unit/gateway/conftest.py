from collections.abc import Iterator

import pytest

from .servers import clients


@pytest.fixture(autouse=True)
def _close_clients() -> Iterator[None]:
    """Leave no connection behind that the garbage collector would complain about in another test."""
    yield
    while clients:
        clients.pop().close()
