"""Watching batches: all of them, and one with its orders. What a person may do with one is in actions."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from portal.web.fragments import render_live
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.batches.services.assembling import failed_orders
from recharge.batches.services.managing import WITHDRAWABLE
from recharge.batches.services.number_checks import check_of_batch
from recharge.batches.services.progress import Part, Progress
from recharge.batches.services.scheduling import AT_ONCE, SCHEDULABLE, schedule_of
from recharge.choices import BatchState
from recharge.core.wording import GROUP_LOOKS, Group, Look
from recharge.limits.services.approval import can_approve
from recharge.models import UNDER_WAY, Batch, Order
from recharge.orders.filters import found_by_filter

from .filters import BatchFilter
from .services import progress as progress_of
from .tables import BatchOrderTable, BatchTable
from .wording import ADVICE, of_batch

NOTICED_AFTER = dt.timedelta(seconds=15)
"""How long a batch may wait for a worker without a word."""

LOOKS = {
    Part.SUCCEEDED: GROUP_LOOKS[Group.SUCCEEDED],
    Part.FAILED: GROUP_LOOKS[Group.FAILED],
    Part.UNKNOWN: GROUP_LOOKS[Group.UNKNOWN],
    Part.NOT_SPENT: GROUP_LOOKS[Group.NOT_SPENT],
    Part.IN_PROGRESS: GROUP_LOOKS[Group.IN_PROGRESS],
    Part.WAITING: Look(_("Waiting"), "azure", "clock"),
}


@require_safe
@permission_required("recharge.view_batch", raise_exception=True)
def batch_list(request: Request) -> HttpResponse:
    """Find batches, newest first."""
    search = BatchFilter(request.GET, Batch.objects.select_related("made_by", "making"))
    page = page_of(search.qs if search.is_valid() else Batch.objects.none(), request)
    unsettled = progress_of.open_in(page.rows)
    polling = bool(unsettled) or any(batch.state == BatchState.MAKING for batch in page.rows)
    context = {"search": search, "page": page, "table": BatchTable(page.rows, unsettled=unsettled)}
    return render_live(
        request, "recharge/batches/batch_list.html", "recharge/batches/_batches.html", context, polling=polling
    )


@require_safe
@permission_required("recharge.view_batch", raise_exception=True)
def batch_detail(request: Request, batch_id: int) -> HttpResponse:
    """Show a batch, how far it has got, what can be done, and its orders; `?part=` picks some of these."""
    batch = Batch.objects.select_related("made_by", "approved_by", "making").filter(pk=batch_id).first()
    if batch is None:
        return unknown(request)
    part = asked_part(request)
    progress = progress_of.of_batch(batch)
    orders = Order.objects.with_people_and_cards().filter(batch=batch)
    listed = orders.filter(progress_of.in_part(part)) if part else orders
    page, found = page_of(listed, request, oldest_first=True), found_by_filter(request, listed, oldest_first=True)
    waiting = progress.parts[Part.WAITING].orders
    events = list(batch.events.select_related("actor"))
    goes_out = batch.state in UNDER_WAY and not batch.waits
    context = {
        "batch": batch,
        "outcome": of_batch(batch),
        "advice": ADVICE.get(batch.brake, ""),
        "progress": progress,
        **_making(batch),
        "tiles": [] if batch.state == BatchState.MAKING else _tiles(progress),
        "segments": _segments(progress),
        "speed": progress_of.speed_of(batch, waiting, events) if goes_out else None,
        "events": events,
        "part": part,
        "part_label": LOOKS[part].label if part else "",
        "page": page,
        "check": check_of_batch(batch),
        "found": found,
        "table": BatchOrderTable(page.rows, viewer=request.user, chosen=found),
        "can_approve": can_approve(batch, request.user),
        "can_pause": batch.state in UNDER_WAY,
        "can_resume": batch.state == BatchState.PAUSED,
        "can_skip": batch.state == BatchState.CANARY,
        "schedule": str(schedule_of(batch)) if schedule_of(batch) != AT_ONCE else "",
        "can_schedule": batch.state in SCHEDULABLE,
        "can_withdraw": batch.state in WITHDRAWABLE and (waiting > 0 or batch.state == BatchState.MAKING),
        "can_make_again": failed_orders(batch).exists(),
    }
    polling = batch.state == BatchState.MAKING or progress.settled.orders < progress.all.orders
    return render_live(
        request, "recharge/batches/batch_detail.html", "recharge/batches/_batch.html", context, polling=polling
    )


def unknown(request: Request) -> HttpResponse:
    """Say that there is no such batch."""
    return render(request, "recharge/batches/batch_unknown.html", status=404)


def asked_part(request: Request) -> Part | None:
    """Return the part of a batch's orders that `?part=` names; None for all of them.

    Raises:
        BadRequest: it names none.
    """
    wanted = request.GET.get("part", "")
    if not wanted:
        return None
    try:
        return Part(wanted)
    except ValueError:
        raise BadRequest("no such part") from None


def _making(batch: Batch) -> dict[str, Any]:
    """Return how far a batch has got that is being made, and whether a worker is working on it."""
    making, now = getattr(batch, "making", None), timezone.now()
    if making is None:
        return {}
    return {
        "making": making,
        "percent_made": making.orders * 100 // batch.size,
        "nobody_makes_it": (making.lease_until or batch.made_at + NOTICED_AFTER) < now,
    }


def _tiles(progress: Progress) -> list[dict[str, Any]]:
    return [{"part": part.value, "look": look, "totals": progress.parts[part]} for part, look in LOOKS.items()]


def _segments(progress: Progress) -> list[dict[str, Any]]:
    """Return the pieces of the bar, in per cent; what waits is left blank."""
    pieces, start = [], 0.0
    for part, look in LOOKS.items():
        width = progress.parts[part].orders * 100 / max(1, progress.all.orders)
        if part != Part.WAITING and width:
            pieces.append({"look": look, "start": f"{start:.3f}", "width": f"{width:.3f}"})
        start += width
    return pieces
