"""What every page's template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from recharge.services import accounts, guard
from recharge.services.stopping import current_stop

from . import platform


def portal(request: HttpRequest) -> dict[str, Any]:
    """Add what the frame of every page shows."""
    return {
        "platform_configured": platform.is_configured(),
        "trying_out": settings.DEBUG,
        "stop": _stop(request),
        "guard": guard.closed() if _signed_in(request) else None,
        "account_changed": _signed_in(request) and platform.is_configured() and not accounts.is_confirmed(),
    }


def _signed_in(request: HttpRequest) -> bool:
    return bool(getattr(request, "user", None)) and not request.user.is_anonymous


def _stop(request: HttpRequest) -> Any:
    """What is shown while everything is stopped: asked for by whoever is signed in, once a request, if at all."""
    if not _signed_in(request):
        return None
    return request.__dict__.setdefault("_emergency_stop", SimpleLazyObject(current_stop))
