"""The stand-in for the platform as what the settings name, reached over the wire."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from portal import platform
from portal.sandbox import Sandbox


@pytest.fixture
def sandbox(settings: LazySettings) -> Iterator[Sandbox]:
    with Sandbox(latency=0, pace=1000, app_key="the-key", app_secret="the-long-secret", store_id="1") as sandbox:
        settings.WIKEYUN_BASE_URL = sandbox.base_url
        settings.WIKEYUN_APP_KEY, settings.WIKEYUN_APP_SECRET = "the-key", "the-long-secret"
        settings.WIKEYUN_STORE_ID = "1"
        platform.client.cache_clear()
        yield sandbox
    platform.client.cache_clear()


def set_to(sandbox: Sandbox, **values: object) -> None:
    sandbox.settings.adopt(sandbox.settings.changed(values))
