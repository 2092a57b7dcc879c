"""Template tags about orders and batches, and the views of their lists."""

from typing import Any

from django import template
from django.db.models import QuerySet
from django.db.models.functions import Now

from portal.web import rendering
from recharge.batches import wording as batch_wording
from recharge.choices import ListPage
from recharge.core import wording
from recharge.core.masking import hide_mobile, masked_target, masked_text, shown_target
from recharge.models import AccountChange, Alert, Batch, Declaration, Order, OrderEvent, SavedView
from recharge.saved_views.forms import address_of, query_in
from recharge.saved_views.services import may_change
from recharge.saved_views.views import address
from recharge.status import Status

register = template.Library()

BADGE_CAP = 99


register.inclusion_tag("includes/state.html", name="state")(wording.badge)
register.inclusion_tag("includes/state.html", name="batch_state")(batch_wording.badge)


@register.simple_tag(takes_context=True)
def target(context: template.Context, order: Order) -> str:
    """Show what is recharged: a card by its last digits, a number whole to those who may see it.

    A page that says `masked` shows none whole.
    """
    return masked_target(order) if context.get("masked") else shown_target(order, context["user"])


@register.simple_tag
def attention_badge() -> str:
    """Return how many urgent cases there are, "" for none; counts no further than people care."""
    return _capped(Order.objects.urgent().exclude(case__look_again_at__gt=Now()))


@register.simple_tag
def approvals_badge() -> str:
    """Return how much awaits a second person, "" for nothing; counts no further than people care."""
    waiting = (Order.objects.awaiting_approval(), Batch.objects.awaiting_approval(), Declaration.objects.waiting())
    orders, *others = (rows.order_by().values("pk") for rows in waiting)
    return _capped(orders.union(*others, all=True))


@register.simple_tag
def account_changes_badge() -> str:
    """Return how many changes of rights await a second administrator, "" for none."""
    return _capped(AccountChange.objects.waiting())


@register.simple_tag(takes_context=True)
def alerts_badge(context: template.Context) -> str:
    """Return how many alerts the person has not seen yet, "" for none; counts no further than people care."""
    return _capped(Alert.objects.unread_by(context["user"]))


@register.simple_tag(takes_context=True)
def evidence(context: template.Context, event: OrderEvent, order: Order) -> str:
    """Show what came over the wire, the number hidden like elsewhere."""
    return _hidden(context, rendering.laid_out(event.raw), order)


@register.simple_tag(takes_context=True)
def note(context: template.Context, text: str, order: Order) -> str:
    """Show a sentence of unknown origin, the number hidden like elsewhere."""
    return _hidden(context, rendering.in_sight(text), order)


@register.filter
def status_name(code: int) -> str:
    """Return the name of a platform's code, or the code itself where nobody knows it."""
    return str(Status(code).label) if code in Status.values else str(code)


def _hidden(context: template.Context, text: str, order: Order) -> str:
    return masked_text(text, order) if context.get("masked") else hide_mobile(text, order, context["user"])


@register.inclusion_tag("recharge/saved_views/_tabs.html", takes_context=True)
def saved_views(context: template.Context, page: str) -> dict[str, Any]:
    """Show the views of a list, which of them is open, whether it was changed since, and how to save what is shown."""
    request, listed = context["request"], ListPage(page)
    seen = list(SavedView.objects.filter(page=listed).seen_by(request.user))
    query = query_in(listed, request.GET) or {}
    opened = next((view for view in seen if str(view.pk) == request.GET.get("view")), None)
    return {
        "page": page,
        "path": request.path,
        "views": [(view, address(view)) for view in seen],
        "opened": opened,
        "may_change": opened is not None and may_change(opened, request.user),
        "changed": opened is not None and query != opened.query,
        "query": address_of(query),
    }


def _capped(rows: QuerySet[Any, Any]) -> str:
    count = rows.order_by()[: BADGE_CAP + 1].count()
    return f"{BADGE_CAP}+" if count > BADGE_CAP else str(count or "")
