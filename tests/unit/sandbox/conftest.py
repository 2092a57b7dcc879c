from collections.abc import Iterator

import pytest

from portal.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Quick, and with empty books."""
    with Sandbox(pace=0, latency=0) as running:
        yield running
