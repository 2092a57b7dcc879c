"""Template tags about orders and batches."""

from typing import Any

from django import template
from django.db.models import QuerySet

from portal.web import rendering
from recharge.batches import wording as batch_wording
from recharge.core import wording
from recharge.core.masking import hide_mobile, shown_target
from recharge.models import Batch, Order, OrderEvent
from recharge.status import Status

register = template.Library()

BADGE_CAP = 99


register.inclusion_tag("includes/state.html", name="state")(wording.badge)
register.inclusion_tag("includes/state.html", name="batch_state")(batch_wording.badge)


@register.simple_tag(takes_context=True)
def target(context: template.Context, order: Order) -> str:
    """Show what is recharged: a card by its last digits, a number whole to those who may see it."""
    return shown_target(order, context["user"])


@register.simple_tag
def attention_badge() -> str:
    """Return how many orders need a person, "" for none; counts no further than people care."""
    return _capped(Order.objects.needing_attention())


@register.simple_tag
def approvals_badge() -> str:
    """Return how many orders and batches await approval, "" for none; counts no further than people care."""
    orders, batches = Order.objects.awaiting_approval(), Batch.objects.awaiting_approval()
    return _capped(orders.order_by().values("pk").union(batches.order_by().values("pk"), all=True))


@register.simple_tag(takes_context=True)
def evidence(context: template.Context, event: OrderEvent, order: Order) -> str:
    """Show what came over the wire, the number hidden like elsewhere."""
    return hide_mobile(rendering.laid_out(event.raw), order, context["user"])


@register.simple_tag(takes_context=True)
def note(context: template.Context, text: str, order: Order) -> str:
    """Show a sentence of unknown origin, the number hidden like elsewhere."""
    return hide_mobile(text, order, context["user"])


@register.filter
def status_name(code: int) -> str:
    """Return the name of a platform's code, or the code itself where nobody knows it."""
    return str(Status(code).label) if code in Status.values else str(code)


def _capped(rows: QuerySet[Any, Any]) -> str:
    count = rows.order_by()[: BADGE_CAP + 1].count()
    return f"{BADGE_CAP}+" if count > BADGE_CAP else str(count or "")
