from collections.abc import Iterator

import pytest
from django.utils import translation

from recharge.trail.services import sealing


@pytest.fixture(autouse=True)
def _short_links(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sealing, "PIECE", 10)
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _refused_nothing_yet() -> None:
    sealing.refuse.cache_clear()
