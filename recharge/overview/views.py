"""The first page: today's figures, what needs a person, and the last two weeks at a glance."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from oilcards.models import OilCard
from portal import platform
from portal.web.request import Request
from recharge.attention.services import kinds
from recharge.choices import MarkKind
from recharge.core.wording import CONTRADICTED, GROUP_LOOKS, Group, of
from recharge.limits.services import spending
from recharge.operations.services.standstill import standstills
from recharge.platform.services import keeping
from recharge.refunds.services.owing import total_owed

from . import services
from .services import Day


@require_safe
@permission_required("recharge.view_order", raise_exception=True)
def overview(request: Request) -> HttpResponse:
    """Show today's figures; before the platform's credentials are set, a checklist of what is missing."""
    days = services.last_days()
    balance = services.balance()
    context = {
        "today": days[-1],
        "tiles": _tiles(days[-1]),
        "open": _open(),
        "attention": kinds(),
        "cards_in_need": _cards_in_need(request),
        "owed": total_owed(),
        "balance": balance,
        "balance_fresh": balance is not None and services.is_fresh(balance),
        "allowances": spending.allowances(request.user) if _places(request) else [],
        "standstills": standstills(),
        "contact": _contact(request),
        "backup": services.last_backup(),
        "chart": _chart(days),
        "anything_placed": any(day.placed.orders for day in days),
        "checklist": None if platform.is_configured() else _checklist(),
    }
    return render(request, "recharge/overview/overview.html", context)


def _places(request: Request) -> bool:
    return request.user.has_perm("recharge.add_order") or request.user.has_perm("recharge.approve_order")


def _contact(request: Request) -> dict[str, int] | None:
    """Count what the check of the platform found, until all is green; for those who may look at it."""
    if not platform.is_configured() or not request.user.has_perm("recharge.view_account"):
        return None
    kept = keeping.latest()
    return None if kept and keeping.is_green(kept) else keeping.counts(kept)


def _cards_in_need(request: Request) -> int:
    return OilCard.objects.needing_attention().count() if request.user.has_perm("oilcards.view_oilcard") else 0


def _tiles(day: Day) -> list[dict[str, Any]]:
    return [
        {"look": look, "totals": day.groups[group], "returned": day.returned if group == Group.FAILED else None}
        for group, look in GROUP_LOOKS.items()
    ]


def _open() -> list[dict[str, Any]]:
    """Return what is open: the phrase for it, the list's filter that finds it, how many.

    What the platform contradicts stands first and apart, also where it had been settled; the rest by number.
    """
    contradicted = services.contradicted_counts()
    apart = {(submission, status): still_open for submission, status, still_open, _all in contradicted}
    rows = [
        {
            "outcome": of(submission, status),
            "query": f"submission={submission}" if status is None else f"status={status}",
            "orders": count - apart.get((submission, status), 0),
        }
        for submission, status, count in sorted(services.open_counts(), key=lambda row: -row[2])
    ]
    if both := sum(everything for *_state, everything in contradicted):
        rows.insert(0, {"outcome": CONTRADICTED, "query": f"attention={MarkKind.CONFLICT}", "orders": both})
    return [row for row in rows if row["orders"]]


def _chart(days: list[Day]) -> dict[str, Any]:
    """The data that chart.js draws: one bar per day, stacked by outcome."""
    return {
        "days": [f"{day.date:%m-%d}" for day in days],
        "series": [
            {
                "label": str(look.label),
                "colour": look.colour,
                "orders": [day.groups[group].orders for day in days],
                "money": [day.groups[group].money for day in days],
            }
            for group, look in GROUP_LOOKS.items()
        ],
    }


def _checklist() -> list[tuple[str, str | Promise, bool]]:
    """Name what has to be set before orders can be placed, and whether it is; never its value."""
    return [
        ("WIKEYUN_STORE_ID", _("Register at the vendor's console and add a shop, with only CMS ticked: its number."),
         bool(settings.WIKEYUN_STORE_ID)),
        ("WIKEYUN_APP_KEY", _("Ask the vendor for the key."), bool(settings.WIKEYUN_APP_KEY)),
        ("WIKEYUN_APP_SECRET", _("The vendor gives it together with the key."), bool(settings.WIKEYUN_APP_SECRET)),
        ("PUBLIC_URL", _("The portal's address on the internet, with https: the platform reports to it."),
         settings.PUBLIC_URL.startswith("https://")),
        ("SECRET_KEY", _("At least 50 random characters that nobody else knows."),
         settings.SECRET_KEY != settings.DEFAULT_SECRET_KEY),
        ("FIELD_ENCRYPTION_KEYS", _("A key for what is stored encrypted; keep a copy in a safe place."),
         bool(settings.FIELD_ENCRYPTION_KEYS)),
        ("DEBUG", _("Set it to False before real money is spent."), not settings.DEBUG),
    ]  # fmt: skip
