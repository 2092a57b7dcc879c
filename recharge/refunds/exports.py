"""A claim as a text for the vendor, and as rows of a sheet."""

from collections.abc import Iterable, Iterator

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from portal.kit.wording import person
from portal.web.rendering import money
from recharge.core.masking import hide_mobile
from recharge.models import ClaimedOrder, RefundClaim
from recharge.orders import exports

from .wording import OUTCOMES

VENDORS_LANGUAGE = "zh-hans"


def header() -> list[str]:
    """Return the titles of the columns."""
    return [
        _("Order number"),
        _("Platform number"),
        _("Product"),
        _("Recharged"),
        _("Face value"),
        _("Owed"),
        _("Placed at"),
        _("Status when claimed"),
        _("Since"),
        _("What came of it"),
        _("Words"),
        _("By"),
    ]


def rows(claimed: Iterable[ClaimedOrder], viewer: User) -> Iterator[list[object]]:
    """Yield the orders of a claim as rows, with what the viewer may see."""
    for row in claimed:
        order = row.order
        yield [
            order.order_no,
            order.gateway_order_no,
            order.get_product_display(),
            exports.target(order, viewer),
            order.face_value,
            row.owed.normalize() + 0,
            order.placed_at,
            row.get_status_display(),
            row.status_at,
            str(OUTCOMES[row.outcome].label),
            hide_mobile(row.words, order, viewer),
            person(row.said_by) if row.said_by else "",
        ]


def text(claim: RefundClaim, claimed: list[ClaimedOrder], viewer: User) -> str:
    """Return some orders of a claim as a text to be sent to the vendor, in his language; "" for none."""
    if not claimed:
        return ""
    with override(VENDORS_LANGUAGE):
        head = _(
            "Refund claim %(number)s of %(day)s: please return the money of %(orders)d orders, %(money)s in all."
        ) % {
            "number": claim.pk,
            "day": f"{timezone.localtime(claim.made_at):%Y-%m-%d}",
            "orders": len(claimed),
            "money": money(sum(row.owed for row in claimed)),
        }
        lines = [_line(number, row, viewer) for number, row in enumerate(claimed, start=1)]
    return "\n".join([head, *lines])


def _line(number: int, row: ClaimedOrder, viewer: User) -> str:
    order = row.order
    return _(
        "%(line)d. Order %(order_no)s, platform number %(platform_number)s, %(target)s, face value ¥ %(value)d, "
        "owed %(owed)s, placed %(placed)s, %(status)s since %(since)s"
    ) % {
        "line": number,
        "order_no": order.order_no,
        "platform_number": order.gateway_order_no or "–",
        "target": exports.target(order, viewer),
        "value": order.face_value,
        "owed": money(row.owed),
        "placed": f"{timezone.localtime(order.placed_at):%Y-%m-%d %H:%M}",
        "status": row.get_status_display(),
        "since": f"{timezone.localtime(row.status_at):%Y-%m-%d %H:%M}",
    }
