"""Somebody who has given only the password reaches no page, not even the admin or a 404."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils.http import urlencode

from . import factors

OPEN = {
    *("login", "logout", "admin:logout", "set_language", "outside_begin", "outside_back"),
    *("healthz", "readyz", "callback", "callback_probe"),
}
"""Addresses that show nothing of the portal's to anybody."""
OF_STEP = {
    factors.SHOW: {"factor_check"},
    factors.CHANGE_PASSWORD: {"password_change"},
    factors.SET_UP: {"factors", "factor_app", "factor_passkey", "factor_check"},
}


def hold_back(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Lead whoever owes a factor, or a new password, to its page, from every address but the few that need none."""

    def middleware(request: HttpRequest) -> HttpResponse:
        step = factors.next_step(request) if request.user.is_authenticated else ""
        request.step_due = step  # type: ignore[attr-defined]  # for the templates
        if not step or _name(request) in OPEN | OF_STEP[step]:
            return get_response(request)
        back = {"next": request.get_full_path()} if request.method == "GET" else {}
        return redirect(f"{reverse(step)}?{urlencode(back)}".removesuffix("?"))

    return middleware


def _name(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return ""
