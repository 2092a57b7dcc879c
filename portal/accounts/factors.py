"""The second factor: who must have one, and whether this session has shown it, and how lately.

Nothing here asks the database for factors at every request: a sign-in notes in its session what is due.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from . import kept_forms, password
from .models import DuePassword

APPROVERS, ALL, NONE = "approvers", "all", "none"
"""The values of MFA_REQUIRED; administrators are meant by the first, too."""
POWERS = ("recharge.approve_order", "recharge.change_account", "recharge.teach_reading", "auth.change_user")
"""What approvers and administrators may do; whoever sees the administration is one, too."""

SHOW, CHANGE_PASSWORD, SET_UP = "factor_check", "password_change", "factors"
"""What may be due before anything else, by the name of its page."""

signed_in = Signal()
"""Tells of a sign-in: that somebody is let in, or so far only that the password was right (`completed` is false)."""

_DUE = "factor_due"
_OPEN = "sign_in_open"
_SHOWN_AT = "factor_shown_at"
_PASSWORD_DUE = "password_due"  # noqa: S105  (a name)

View = Callable[..., HttpResponseBase]


def is_required_of(user: User | AnonymousUser) -> bool:
    """Say whether somebody may do nothing without a second factor; by what he may do now, not when he signed in."""
    if settings.MFA_REQUIRED == ALL:
        return True
    is_one = user.is_staff or user.is_superuser or any(user.has_perm(power) for power in POWERS)
    return bool(settings.MFA_REQUIRED == APPROVERS and is_one)


def has_one(user: User | AnonymousUser) -> bool:
    """Say whether somebody has set up a second factor; recovery codes alone are none."""
    factors = Authenticator.objects.filter(user_id=user.pk).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return bool(factors.exists())


def begin(request: HttpRequest, user: User) -> None:
    """Note in the session of a new sign-in what is due: nothing that was shown before counts.

    A password that another person has set matters to who signs in by it, not to who has an account elsewhere.
    """
    for mark in (_DUE, _SHOWN_AT, _PASSWORD_DUE):
        request.session.pop(mark, None)
    if has_one(user):
        request.session[_DUE] = True
    if not getattr(request, "signed_in_by", "") and DuePassword.objects.filter(user=user).exists():
        request.session[_PASSWORD_DUE] = True
    request.session[_OPEN] = True
    if _step(request, user):
        signed_in.send(sender=None, request=request, user=user, completed=False)
    else:
        _complete(request, user)


def next_step(request: HttpRequest) -> str:
    """Return what is due before anything else: SHOW, CHANGE_PASSWORD, SET_UP, or "" where nothing is."""
    return _step(request, request.user)


def _step(request: HttpRequest, user: User | AnonymousUser) -> str:
    if request.session.get(_DUE):
        return SHOW
    if request.session.get(_PASSWORD_DUE):
        return CHANGE_PASSWORD
    if _SHOWN_AT in request.session or not is_required_of(user):
        return ""
    return SHOW if has_one(user) else SET_UP


def _complete(request: HttpRequest, user: User | AnonymousUser) -> None:
    """Tell, once a sign-in, that nothing is due any more."""
    if request.session.get(_OPEN) and not _step(request, user):
        del request.session[_OPEN]
        signed_in.send(sender=None, request=request, user=user, completed=True)


def remember(request: HttpRequest) -> None:
    """Note that a second factor was shown just now."""
    request.session.pop(_DUE, None)
    request.session[_SHOWN_AT] = timezone.now().timestamp()
    _complete(request, request.user)


def forget(request: HttpRequest) -> None:
    """Note that there is no second factor any more: from now on the password is asked for."""
    request.session.pop(_SHOWN_AT, None)


def password_changed(request: HttpRequest) -> None:
    """Note that nobody else knows the password any more."""
    DuePassword.objects.filter(user_id=request.user.pk or 0).delete()
    request.session.pop(_PASSWORD_DUE, None)
    _complete(request, request.user)


def was_shown(request: HttpRequest) -> bool:
    """Say whether this session has shown a second factor: from then on it is asked for, not the password."""
    return _SHOWN_AT in request.session


def is_fresh(request: HttpRequest) -> bool:
    """Say whether the second factor, or without one the password, came within MFA_FRESH_MINUTES."""
    if not was_shown(request):
        return password.age(request) < settings.MFA_FRESH_MINUTES * 60
    return bool(0 <= timezone.now().timestamp() - request.session[_SHOWN_AT] < settings.MFA_FRESH_MINUTES * 60)


def needs_password(request: HttpRequest) -> bool:
    """Say whether a form must ask for the password: it was typed too long ago, and there is no second factor."""
    return not was_shown(request) and not password.is_fresh(request)


def after_fresh_factor(*, page: str = "") -> Callable[[View], View]:
    """Ask for the second factor before a form is taken, where it was shown too long ago; the form is kept meanwhile.

    Whoever has no second factor goes on: his forms ask for the password.

    Args:
        page: the name of the page that leads to this address, where this address shows none by itself.
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" and was_shown(request) and not is_fresh(request):
                return show_first(kept_forms.keep_until_shown(request, page=page and reverse(page)))
            return view(request, *args, **kwargs)

        return asked

    return decorator


def show_first(back: str) -> HttpResponseBase:
    """Send to the page that asks for the second factor or the password, and from there to an address."""
    return redirect(f"{reverse(SHOW)}?{urlencode({'next': back})}")
