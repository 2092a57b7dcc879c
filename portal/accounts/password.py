"""Whether the password was entered recently, so that nobody decides anything at an unattended screen."""

import datetime as dt
import math

from django.contrib.auth import logout
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest
from django.utils import timezone

from portal.web.request import Request

FRESH_FOR = dt.timedelta(minutes=5)
WRONG_TRIES = 5
"""So many wrong ones in a row end the session."""

_TYPED_AT = "password_typed_at"
_WRONG = "passwords_wrong"


def remember(request: HttpRequest) -> None:
    """Note that the password was typed just now, and was right."""
    request.session[_TYPED_AT] = timezone.now().timestamp()
    request.session.pop(_WRONG, None)


def age(request: HttpRequest) -> float:
    """Return the seconds since the password was typed in this session; endless where it wasn't, or in the future."""
    seconds = timezone.now().timestamp() - request.session.get(_TYPED_AT, -math.inf)
    return seconds if seconds >= 0 else math.inf


def is_fresh(request: HttpRequest) -> bool:
    """Say whether the password was typed within FRESH_FOR in this session."""
    return age(request) < FRESH_FOR.total_seconds()


def verify(request: Request, typed: str) -> bool:
    """Compare a password with that of who is signed in, and note in the session what came of it.

    Returns:
        Whether it is right. Too many wrong ones in a row sign him out: `request.user` is anonymous then.
    """
    # Not User.check_password, which may save a stronger hash, and that would end the session.
    if check_password(typed, request.user.password):
        remember(request)
        return True
    count_wrong(request)
    return False


def count_wrong(request: HttpRequest) -> None:
    """Count a wrong password; sign the user out after too many."""
    request.session[_WRONG] = request.session.get(_WRONG, 0) + 1
    if request.session[_WRONG] >= WRONG_TRIES:
        logout(request)
