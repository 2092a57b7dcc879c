"""What the browser keeps while somebody is at a provider: a cookie, signed, good for some minutes and one return.

So nothing is written into the database before a provider has said who somebody is.
"""

import hmac
from dataclasses import asdict

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from .exchange import Ticket

COOKIE = "outside"
PATH = "/accounts/outside/"
GOOD_FOR = 10 * 60
"""Seconds."""
LONGEST_BACK = 1500
"""Characters of an address within the portal; browsers keep no cookie of more than 4096."""
_SALT = "sign-in by an account elsewhere"


def hand_out(response: HttpResponse, ticket: Ticket, *, back: str) -> None:
    """Give the browser a ticket, and the address within the portal to go to afterwards."""
    kept = {**asdict(ticket), "back": back if len(back) <= LONGEST_BACK else ""}
    value = signing.dumps(kept, salt=_SALT)
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(COOKIE, value, max_age=GOOD_FOR, path=PATH, secure=secure, httponly=True, samesite="Lax")


def shown(request: HttpRequest, provider: str) -> tuple[Ticket, str] | None:
    """Return the ticket of the browser, and the address to go to, if the answer it brings belongs to that ticket."""
    try:
        kept = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        return None
    back = kept.pop("back")
    ticket = Ticket(**kept)
    state = request.GET.get("state", "")
    if ticket.provider != provider or not hmac.compare_digest(state.encode(errors="replace"), ticket.state.encode()):
        return None
    return ticket, back


def take_back(response: HttpResponse) -> None:
    """Let a ticket be good for one return only."""
    response.delete_cookie(COOKIE, path=PATH, samesite="Lax")
