"""How long a sign-in lasts: not past SESSION_IDLE_MINUTES without anybody there, nor past SESSION_HOURS.

All that are in force are listed for their owner.
"""

import datetime as dt
import secrets
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from . import kept_forms

NOTED_EVERY = 60
"""Seconds between two notes that somebody is there, so that not every request writes."""

DEVICE = "device"
"""The cookie with the random number by which a browser is known again."""
KNOWN_FOR = 400 * 24 * 3600
"""Seconds; browsers keep no cookie for longer."""

_BEGAN_AT = "signed_in_at"
_SEEN_AT = "seen_at"


def know_device(request: HttpRequest) -> None:
    """Find out which browser it is, before somebody is signed in, for whoever listens to that."""
    number = request.COOKIES.get(DEVICE) or secrets.token_urlsafe(32)
    request.device = number  # type: ignore[attr-defined]  # for whoever listens to sign-ins


def device_of(request: HttpRequest) -> str:
    """Return the number by which a browser is known again; "" where it has none."""
    return getattr(request, "device", "") or request.COOKIES.get(DEVICE, "")


def keep_device(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser bring its number along the next time."""
    device: str = request.device  # type: ignore[attr-defined]  # what know_device found out
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(DEVICE, device, max_age=KNOWN_FOR, secure=secure, httponly=True, samesite="Lax")


def begin(request: HttpRequest) -> None:
    """Note that somebody has signed in just now, and list his sign-in among his others."""
    request.session[_BEGAN_AT] = request.session[_SEEN_AT] = timezone.now().timestamp()
    UserSession.objects.purge_and_list(request.user)
    enlist(request)


def enlist(request: HttpRequest) -> None:
    """List a session among the person's own, with browser and address; again where its key has changed."""
    UserSession.objects.create_from_request(request)


def in_force(user: User) -> list[UserSession]:
    """Return the sign-ins of somebody that have not ended, nor would with the next request; the latest first."""
    since = timezone.now() - dt.timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    found = [session for session in UserSession.objects.purge_and_list(user) if session.last_seen_at > since]
    return sorted(found, key=lambda session: session.last_seen_at, reverse=True)


def end_sessions(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Sign out users who were idle or signed in for too long; note that all others are active."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if _BEGAN_AT in request.session and request.user.is_authenticated:
            _end_or_note(request)
        kept_forms.forget(request)
        return get_response(request)

    return middleware


class SignInRequired(LoginRequiredMiddleware):
    """Send strangers to the sign-in; what somebody sent whose sign-in has just ended is not lost.

    The check against forged forms comes before: nothing is kept that another site sent.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        ended: int | None = getattr(request, "sign_in_ended_of", None)
        if ended is not None and request.method == "POST":
            return kept_forms.keep_and_sign_in(request, ended)
        return super().handle_no_permission(request, view_func)


def keep_out_of_caches(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Keep pages for signed-in users out of browser caches: after signing out, the back button shows nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.user.is_authenticated:
            add_never_cache_headers(response)
        return response

    return middleware


def _end_or_note(request: HttpRequest) -> None:
    now = timezone.now().timestamp()
    began, seen = request.session[_BEGAN_AT], request.session[_SEEN_AT]
    if now - seen >= settings.SESSION_IDLE_MINUTES * 60 or now - began >= settings.SESSION_HOURS * 3600:
        request.sign_in_ended_of = request.user.pk  # type: ignore[attr-defined]  # a mark that SignInRequired reads
        logout(request)
        messages.info(request, _("You were signed out, because nobody was there or the day was over. Sign in again."))
    elif now - seen >= NOTED_EVERY and not _asks_by_itself(request):
        request.session[_SEEN_AT] = now
        UserSession.objects.filter(session_key=request.session.session_key).update(
            last_seen_at=timezone.now(), ip=get_adapter().get_client_ip(request)
        )


def _asks_by_itself(request: HttpRequest) -> bool:
    """Say whether a page refreshes itself, which doesn't show that anybody is there; see includes/live.html."""
    return "X-Seen" in request.headers
