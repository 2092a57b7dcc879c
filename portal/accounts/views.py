"""Django's pages for signing in and for a new password; after either, the password counts as just entered."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout, views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.kit.audit import tell
from portal.web.devices import device_of
from portal.web.request import Request

from . import factors, password, services, sessions
from .adapters import UNKNOWN_ADDRESS
from .forms import NewPasswordForm, SignInForm
from .outside import providers

METHODS = ("get", "head", "post", "options")
"""Django's forms take PUT, too, for no browser's sake."""


class LoginView(views.LoginView):
    authentication_form = SignInForm
    http_method_names = METHODS

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        ways = [(provider, providers.name_of(provider)) for provider in providers.switched_on()]
        return super().get_context_data(**context, outside_ways=ways)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        sessions.know_device(self.request)
        response = super().form_valid(form)
        sessions.keep_device(self.request, response)
        password.remember(self.request)
        sessions.begin(self.request)
        return response


class PasswordChangeView(views.PasswordChangeView):
    form_class = NewPasswordForm
    http_method_names = METHODS

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            tell("PASSWORD_CHANGED", actor=form.user, about=f"user:{form.user.pk}")
        password.remember(self.request)
        factors.password_changed(self.request)
        sessions.enlist(self.request)  # its key is another one now
        return response

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        if form.has_error("old_password", "password_incorrect"):
            password.count_wrong(self.request)
        return signed_out(self.request) if self.request.user.is_anonymous else super().form_invalid(form)


@require_safe
def session_list(request: Request) -> HttpResponse:
    """Show somebody where he is signed in."""
    rows = [_shown(session, request) for session in sessions.in_force(request.user)]
    return render(request, "accounts/sessions.html", {"rows": rows, "others": sum(not row["is_this"] for row in rows)})


@require_POST
def session_end(request: Request, session_id: int) -> HttpResponse:
    """End one of one's own sign-ins."""
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    is_this = session.session_key == request.session.session_key
    session.end()
    if is_this:
        logout(request)
        return redirect("login")
    messages.success(request, _("Ended: that browser has to sign in again."))
    return redirect("session_list")


@require_POST
def sessions_end(request: Request) -> HttpResponse:
    """End all of one's own sign-ins but this one."""
    services.end_sessions(request.user, but=request.session.session_key)
    messages.success(request, _("All others are ended."))
    return redirect("session_list")


def signed_out(request: HttpRequest) -> HttpResponse:
    """Send users who were signed out for too many wrong passwords or codes back to the sign-in."""
    messages.error(request, _("It was wrong too often: you have been signed out. Nothing was changed."))
    return redirect("login")


def _shown(session: UserSession, request: Request) -> dict[str, Any]:
    return {
        "session": session,
        "device": device_of(session.user_agent),
        "address": "" if session.ip == UNKNOWN_ADDRESS else session.ip,
        "is_this": session.session_key == request.session.session_key,
    }
