"""What every page's template knows."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from portal.accounts import factors
from portal.accounts.kept_forms import kept
from recharge.limits.services import accounts, balance, outages, restore_guard, slow_hold
from recharge.limits.services.emergency_stop import current_stop

from . import platform


def portal(request: HttpRequest) -> dict[str, Any]:
    """Add what the header and the banners of every page show."""
    return {
        "platform_configured": platform.is_configured(),
        "trying_out": settings.DEBUG,
        "stop": _once(request, "_emergency_stop", current_stop),
        "slow_hold": _once(request, "_slow_hold", slow_hold.current),
        "outage": _once(request, "_outage", outages.current),
        "silent_since": _once(request, "_silent_since", balance.silent_since),
        "guard": _once(request, "_restore_guard", restore_guard.closed),
        "account_changed": _once(request, "_account_changed", _account_changed),
        "kept_form": kept(request),
        "step_due": _step_due(request),
        "without_factors": settings.MFA_REQUIRED == factors.NONE,
    }


def _once(request: HttpRequest, name: str, look: Callable[[], Any]) -> Any:
    """Data for signed-in users, looked up lazily and once per request."""
    if not getattr(request, "user", None) or request.user.is_anonymous or _step_due(request):
        return None
    return request.__dict__.setdefault(name, SimpleLazyObject(look))


def _step_due(request: HttpRequest) -> str:
    """What somebody owes who has given his password: he is shown nothing yet; see portal/accounts/gate.py."""
    return getattr(request, "step_due", "")


def _account_changed() -> bool:
    return platform.is_configured() and not accounts.is_confirmed()
