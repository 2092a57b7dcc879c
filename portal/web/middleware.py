"""The portal's own middleware."""

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import translation
from django_htmx.http import HttpResponseClientRefresh

from .request import Request

SIGN_IN_PAGES = ("factor_check", "factors", "password_change")
"""Where somebody is led who has not signed in to the end, see portal/accounts/gate.py."""


def language_from_cookie(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Show Chinese unless the cookie of the language switch says otherwise.

    The stock LocaleMiddleware follows the browser, which gives a Chinese clerk at an English Windows English pages.
    """
    languages = dict(settings.LANGUAGES)

    def middleware(request: HttpRequest) -> HttpResponse:
        wanted = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        with translation.override(wanted if wanted in languages else settings.LANGUAGE_CODE):
            request.LANGUAGE_CODE = translation.get_language()
            response = get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response

    return middleware


def refresh_when_signed_out(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[Request], HttpResponse]:
    """Reload the whole page where htmx is redirected to the sign-in, which would else be inserted into a table."""

    def middleware(request: Request) -> HttpResponse:
        response = get_response(request)
        return HttpResponseClientRefresh() if request.htmx and _leads_to_sign_in(response) else response

    return middleware


def _leads_to_sign_in(response: HttpResponse) -> bool:
    pages = tuple(resolve_url(name) for name in (settings.LOGIN_URL, *SIGN_IN_PAGES))
    return isinstance(response, HttpResponseRedirect) and response.url.startswith(pages)


class OrderNumberInLogs:
    """Put the number of the order that an address names into every line that the request logs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, arguments: Any, named: dict[str, Any]) -> None:
        if "order_no" in named:
            structlog.contextvars.bind_contextvars(order_no=named["order_no"])
