"""Forms, sent as a browser sends them."""

import re

from django.http import HttpResponse
from django.test import Client


def hidden_fields(page: HttpResponse) -> dict[str, str]:
    """Return what a page's hidden fields hold."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()))


def confirm(client: Client, address: str, **typed: str) -> HttpResponse:
    """Open a page and press its button, with what was typed into it."""
    return client.post(address, {**hidden_fields(client.get(address)), **typed}, follow=True)
