"""Watching batches: all of them, and one with its orders. What a person may do with one is in actions."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from portal.web.fragments import render_live
from portal.web.paging import page_of
from portal.web.request import Request
from recharge.batches.services.making import failed_orders
from recharge.batches.services.managing import WITHDRAWABLE
from recharge.batches.services.progress import Part, Progress
from recharge.choices import BatchState
from recharge.core.wording import GROUP_LOOKS, Group, Look
from recharge.limits.services.approval import can_approve
from recharge.models import UNDER_WAY, Batch, Order

from .services import progress as progress_of
from .tables import BatchOrderTable, BatchTable
from .wording import ADVICE, of_batch

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
    """List the batches, newest first."""
    page = page_of(Batch.objects.select_related("made_by"), request)
    unsettled = progress_of.open_in(page.rows)
    context = {"page": page, "table": BatchTable(page.rows, unsettled=unsettled)}
    return render_live(
        request, "recharge/batches/batch_list.html", "recharge/batches/_batches.html", context, polling=bool(unsettled)
    )


@require_safe
@permission_required("recharge.view_batch", raise_exception=True)
def batch_detail(request: Request, batch_id: int) -> HttpResponse:
    """Show a batch, how far it has got, what can be done, and its orders; `?part=` picks some of these."""
    batch = Batch.objects.select_related("made_by", "approved_by").filter(pk=batch_id).first()
    if batch is None:
        return unknown(request)
    part = asked_part(request)
    progress = progress_of.of_batch(batch)
    orders = Order.objects.with_people_and_cards().filter(batch=batch)
    page = page_of(orders.filter(progress_of.in_part(part)) if part else orders, request, oldest_first=True)
    waiting = progress.parts[Part.WAITING].orders
    context = {
        "batch": batch,
        "outcome": of_batch(batch),
        "advice": ADVICE.get(batch.brake, ""),
        "progress": progress,
        "tiles": _tiles(progress),
        "segments": _segments(progress),
        "speed": progress_of.speed_of(batch, waiting) if batch.state in UNDER_WAY else None,
        "events": batch.events.select_related("actor"),
        "part": part,
        "part_label": LOOKS[part].label if part else "",
        "page": page,
        "table": BatchOrderTable(page.rows, viewer=request.user),
        "can_approve": can_approve(batch, request.user),
        "can_pause": batch.state in UNDER_WAY,
        "can_resume": batch.state == BatchState.PAUSED,
        "can_skip": batch.state == BatchState.CANARY,
        "can_withdraw": batch.state in WITHDRAWABLE and waiting > 0,
        "can_make_again": failed_orders(batch).exists(),
    }
    polling = progress.settled.orders < progress.all.orders
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


def _tiles(progress: Progress) -> list[dict[str, Any]]:
    return [{"part": part.value, "look": look, "totals": progress.parts[part]} for part, look in LOOKS.items()]


def _segments(progress: Progress) -> list[dict[str, Any]]:
    """Return the pieces of the bar, in per cent; what waits is left blank."""
    pieces, start = [], 0.0
    for part, look in LOOKS.items():
        width = progress.parts[part].orders * 100 / progress.all.orders
        if part != Part.WAITING and width:
            pieces.append({"look": look, "start": f"{start:.3f}", "width": f"{width:.3f}"})
        start += width
    return pieces
