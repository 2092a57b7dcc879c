"""What a batch's state says, and what to do about a brake: plain words, a colour and an icon."""

from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import Wording
from recharge.choices import BatchState, Brake
from recharge.models import UNDER_WAY, Batch

OF_STATE: dict[str, Wording] = {
    BatchState.MAKING: Wording(
        BatchState.MAKING.label,
        _("Its orders are placed in steps; nothing goes out until all of them have been placed."),
        "azure",
        "loader-2",
    ),
    BatchState.AWAITING_APPROVAL: Wording(
        BatchState.AWAITING_APPROVAL.label,
        _("Nothing has been sent. Another person has to approve it first."),
        "yellow",
        "hourglass",
    ),
    BatchState.CANARY: Wording(
        BatchState.CANARY.label,
        _("Its first orders go to the platform alone; the others follow once these have been accepted."),
        "azure",
        "send",
    ),
    BatchState.RUNNING: Wording(
        BatchState.RUNNING.label,
        _("Its orders go to the platform one after the other."),
        "azure",
        "loader-2",
    ),
    BatchState.PAUSED: Wording(
        BatchState.PAUSED.label, _("No further order goes out until somebody lets it go on."), "orange", "player-pause"
    ),
    BatchState.DISAPPROVED: Wording(
        BatchState.DISAPPROVED.label, _("It was not approved. Nothing was sent, nothing was spent."), "red", "ban"
    ),
    BatchState.WITHDRAWN: Wording(
        BatchState.WITHDRAWN.label,
        _("What had not been sent was taken back. Nothing was spent on that."),
        "secondary",
        "arrow-back-up",
    ),
    BatchState.HANDED_OVER: Wording(
        BatchState.HANDED_OVER.label,
        _("Nothing is left to be sent. What became of each order stands below."),
        "blue",
        "checks",
    ),
}

ADVICE: dict[str, str | Promise] = {
    Brake.BY_HAND: _("Let it go on once the reason in the history below is gone, or withdraw the rest."),
    Brake.CANARY: _(
        "Open the first orders below and see why one was not accepted. Let the others follow only when that is clear; "
        "otherwise withdraw the rest."
    ),
    Brake.REJECTIONS: _(
        "Read what the platform said in the history below. Let it go on once the cause is removed; "
        "otherwise withdraw the rest."
    ),
    Brake.UNKNOWNS: _(
        "The platform may be slow or down. Wait until its answers tell what became of the unknown orders, "
        "then let the batch go on."
    ),
    Brake.BALANCE: _(
        "Pay in at the vendor's console. The balance is asked for every minute; once it is enough, let the batch go on."
    ),
    Brake.BALANCE_UNKNOWN: _(
        "A floor is set for the balance, and the platform doesn't tell it: nobody knows whether the money is enough. "
        "It is asked for every minute; once it is told, let the batch go on."
    ),
}
"""What to do, by what paused a batch."""


def of_batch(batch: Batch) -> Wording:
    """Return how the state of a batch is shown; one that waits on purpose says so."""
    if not (batch.state in UNDER_WAY and batch.waits):
        return OF_STATE[batch.state]
    now = timezone.now()
    if batch.opens_at and batch.opens_at > now:
        local = timezone.localtime(batch.opens_at)
        moment = f"{local:%H:%M}" if local.date() == timezone.localdate(now) else f"{local:%m-%d %H:%M}"
    else:
        moment = f"{batch.hours_from:%H:%M}"
    label = gettext("Waits until %(moment)s") % {"moment": moment}
    return Wording(label, _("Nothing of it goes out before, as a person has said."), "purple", "clock")


def badge(batch: Batch, size: str = "") -> dict[str, Any]:
    """Return what `includes/state.html` shows of a batch: a word, a colour, an icon."""
    return {"outcome": of_batch(batch), "only_reported": False, "size": size}
