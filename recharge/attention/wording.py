"""What the desk calls its kinds of cases, and what it says about each."""

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.web.rendering import moment
from recharge.choices import MarkKind, Submission
from recharge.core import wording
from recharge.models import Order

UNKNOWN = Submission.UNKNOWN.value
REFUND_OWED = "REFUND_OWED"

KINDS: dict[str, str | Promise] = {
    UNKNOWN: Submission.UNKNOWN.label,
    REFUND_OWED: _("A refund is owed"),
    **{kind.value: kind.label for kind in MarkKind},
}
"""Every kind that an order on the desk may be; the marks, and what its states alone say."""


def reasons(order: Order) -> list[tuple[str, str | Promise, str | Promise]]:
    """Return why an order is on the desk: each kind, what it is called, and what to do about it."""
    found: list[tuple[str, str | Promise, str | Promise]] = [
        (kind.value, kind.label, wording.ADVICE[kind]) for kind in order.marked_as
    ]
    if order.submission == Submission.UNKNOWN:
        advice = _("We keep asking. Don't place it again; look for it in the vendor's console if it stays like this.")
        found.append((UNKNOWN, KINDS[UNKNOWN], advice))
    if order.owes_refund:
        owed = _("The platform has yet to give the money back. If it takes long, claim it from the vendor.")
        found.append((REFUND_OWED, KINDS[REFUND_OWED], owed))
    return found


def next_step(order: Order) -> SafeString | str:
    """Say what was tried, and what happens by itself and when."""
    if order.next_check_at:
        return format_html(gettext("Asked {} times; the platform is asked next at {}."), order.checks,
                           moment(order.next_check_at))  # fmt: skip
    if order.checks:
        return gettext("Asked %(count)s times; nothing more happens by itself.") % {"count": order.checks}
    return gettext("Nothing more happens by itself.")
