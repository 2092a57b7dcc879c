from collections.abc import Iterator

import pytest
from django.test import override_settings

from tests.receivers import MailReceiver, WebReceiver, serving


@pytest.fixture
def receiver() -> Iterator[WebReceiver]:
    """A web server that ALERT_URLS names, while DEBUG is on."""
    one = WebReceiver()
    with serving(one.server), override_settings(DEBUG=True, ALERT_URLS=[f"json://{one.host}/alerts"]):
        yield one


@pytest.fixture
def mails() -> Iterator[MailReceiver]:
    one = MailReceiver()
    with serving(one.server), override_settings(DEBUG=True):
        yield one
