"""What every page's template knows."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from recharge.limits.services import accounts, restore_guard
from recharge.limits.services.emergency_stop import current_stop

from . import platform


def portal(request: HttpRequest) -> dict[str, Any]:
    """Add what the frame of every page shows."""
    return {
        "platform_configured": platform.is_configured(),
        "trying_out": settings.DEBUG,
        "stop": _once(request, "_emergency_stop", current_stop),
        "guard": _once(request, "_restore_guard", restore_guard.closed),
        "account_changed": _once(request, "_account_changed", _account_changed),
    }


def _once(request: HttpRequest, name: str, look: Callable[[], Any]) -> Any:
    """What is shown to whoever is signed in: looked up once a request, if at all."""
    if not getattr(request, "user", None) or request.user.is_anonymous:
        return None
    return request.__dict__.setdefault(name, SimpleLazyObject(look))


def _account_changed() -> bool:
    return platform.is_configured() and not accounts.is_confirmed()
