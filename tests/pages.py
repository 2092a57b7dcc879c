"""Forms, sent as a browser sends them."""

import re
from typing import TYPE_CHECKING, TypeAlias

from django.test import Client

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

Page: TypeAlias = "_MonkeyPatchedWSGIResponse"
"""What the test client got: a response, and what it noted of it."""


def streamed(page: Page) -> bytes:
    """Return what was sent piece by piece."""
    assert page.streaming
    return page.getvalue()


def hidden_fields(page: Page) -> dict[str, str]:
    """Return what a page's hidden fields hold."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()))


def press(client: Client, address: str, **typed: str) -> Page:
    """Open a page and press its button, with what was typed into it; return the answer, followed nowhere."""
    return client.post(address, {**hidden_fields(client.get(address)), **typed})


def confirm(client: Client, address: str, **typed: str) -> Page:
    """Press a page's button as `press` does, and follow the answer."""
    return client.post(address, {**hidden_fields(client.get(address)), **typed}, follow=True)
