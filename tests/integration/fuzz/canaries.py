"""Secrets that no answer, line or entry may ever hold, and whatever the portal logs, as production writes it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from portal import platform
from portal.logs import configure
from portal.settings import DEFAULT_SECRET_KEY

APP_KEY = "FUZZKEY20261129"
APP_SECRET = "fuzz-app-secret-4f7c1e9ab2"
METRICS_TOKEN = "fuzz-metrics-token-1c5e"
FIELD_KEY = Fernet.generate_key().decode()
SECRETS = (APP_SECRET, DEFAULT_SECRET_KEY, METRICS_TOKEN, FIELD_KEY)
"""What nobody may read anywhere. The app key isn't one: the page about the account shows it."""


real_client = platform.client
"""Tests put others in its place."""


class Lines(logging.Handler):
    """Every line of the log, formatted as in production."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        formatter = configure(json_lines=True)["formatters"]["lines"]
        make = formatter.pop("()")
        self.setFormatter(make(**formatter))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def taken(self) -> str:
        """Return what was logged since the last time."""
        text = "\n".join(self.lines)
        self.lines.clear()
        return text


@contextmanager
def watched() -> Iterator[Lines]:
    """Work under the secrets above, with the log at hand."""
    lines = Lines()
    root = logging.getLogger()
    named = {"METRICS_TOKEN": METRICS_TOKEN, "FIELD_ENCRYPTION_KEYS": [FIELD_KEY]}
    account = {"WIKEYUN_APP_KEY": APP_KEY, "WIKEYUN_APP_SECRET": APP_SECRET, "WIKEYUN_STORE_ID": "1"}
    account["WIKEYUN_BASE_URL"] = "http://127.0.0.1:9/rest/"
    with override_settings(**named, **account):
        real_client.cache_clear()
        others, root.handlers = root.handlers, [lines]  # a hundred thousand requests would drown what pytest shows
        try:
            yield lines
        finally:
            root.handlers = others
            real_client.cache_clear()


def held(text: str, *more: str) -> list[str]:
    """Return which secrets stand in a text; `more` are others that must not stand there either."""
    return [secret for secret in (*SECRETS, *more) if secret in text]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with watched() as lines:
        yield lines
