"""Signing in by an account elsewhere: to the provider, and back. It stands for the password, and for nothing else."""

import logging

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal.accounts import sessions, tries
from portal.accounts.adapters import address_of
from portal.kit.audit import tell
from portal.web.request import own_address

from . import exchange, providers, services, tickets
from .connecting import Unclear, Unreachable
from .exchange import Identity, Ticket
from .wording import STATUS, TEXTS, TITLES, Outcome

BACKEND = "django.contrib.auth.backends.ModelBackend"
CANCELLED = "access_denied"
"""What providers say where somebody has refused."""
logger = logging.getLogger("portal.accounts")


@require_POST
@never_cache
@login_not_required
def outside_begin(request: HttpRequest, provider: str) -> HttpResponse:
    """Lead somebody to a provider.

    By a page: a form may lead nowhere else, and browsers hold its redirects to that, too.
    """
    _require_on(provider)
    try:
        address, ticket = exchange.address_at(request, provider)
    except (Unreachable, Unclear) as error:
        return _failed(request, provider, error)
    response = render(request, "accounts/outside/going.html", {"address": address, **_called(provider)})
    tickets.hand_out(response, ticket, back=request.POST.get("next", ""))
    return response


@require_safe
@never_cache
@login_not_required
def outside_back(request: HttpRequest, provider: str) -> HttpResponse:
    """Take what a provider sends somebody back with, and sign in whoever the identity is matched with."""
    _require_on(provider)
    shown = tickets.shown(request, provider)
    if shown is None:
        _note(request, provider, Outcome.STALE.value)
        return _page(request, provider, Outcome.STALE)
    ticket, back = shown
    response = _answered(request, ticket, back)
    tickets.take_back(response)
    return response


def _answered(request: HttpRequest, ticket: Ticket, back: str) -> HttpResponse:
    provider = ticket.provider
    if request.GET.get("error") == CANCELLED:
        return _page(request, provider, Outcome.CANCELLED)
    code = request.GET.get("authCode") or request.GET.get("code") or ""  # the first is DingTalk's
    try:
        if not code:
            raise Unclear("no code")
        identity = exchange.identity_of(request, code, ticket)
    except (Unreachable, Unclear) as error:
        return _failed(request, provider, error)
    user = services.user_of(identity)
    if user is None or not user.is_active:
        return _is_nobodys(request, provider, identity, user)
    return _sign_in(request, user, identity, back)


def _sign_in(request: HttpRequest, user: User, identity: Identity, back: str) -> HttpResponse:
    """Sign somebody in as the password would: what is due next is asked for by the gate."""
    request.signed_in_by = identity.source  # type: ignore[attr-defined]  # for whoever listens to sign-ins
    sessions.know_device(request)
    login(request, user, backend=BACKEND)
    response = redirect(own_address(request, back))
    sessions.keep_device(request, response)
    sessions.begin(request)
    return response


def _is_nobodys(request: HttpRequest, provider: str, identity: Identity, user: User | None) -> HttpResponse:
    """Refuse in the same words, whether an identity is matched with nobody or with somebody who may not sign in."""
    if user is None:
        services.note_unmatched(identity)
    about = f"user:{user.pk}" if user else ""
    _note(request, identity.source, "inactive" if user else Outcome.UNMATCHED.value, about=about)
    code = services.code_of(identity.source, identity.key)
    return _page(request, provider, Outcome.UNMATCHED, code=code, name=identity.name)


def _failed(request: HttpRequest, provider: str, error: Unreachable | Unclear) -> HttpResponse:
    outcome = Outcome.UNREACHABLE if isinstance(error, Unreachable) else Outcome.UNCLEAR
    logger.warning("outside_sign_in_failed: %s, %s, %s", provider, outcome.value, error)
    _note(request, provider, outcome.value)
    return _page(request, provider, outcome)


def _note(request: HttpRequest, way: str, why: str, *, about: str = "") -> None:
    """Write down a sign-in that failed, unless there were many from the same address lately."""
    if tries.is_worth_noting(address_of(request)):
        tell("SIGN_IN_FAILED", actor=None, about=about, way=way, why=why)


def _page(request: HttpRequest, provider: str, outcome: Outcome, **known: str) -> HttpResponse:
    called = _called(provider)
    context = {"title": TITLES[outcome] % called, "text": TEXTS[outcome] % called, **called, **known}
    return render(request, "accounts/outside/ended.html", context, status=STATUS[outcome])


def _called(provider: str) -> dict[str, str]:
    return {"provider": providers.name_of(provider)}


def _require_on(provider: str) -> None:
    if not providers.is_on(provider):
        raise Http404
