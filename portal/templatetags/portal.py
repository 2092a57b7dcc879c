"""Template tags that every page may use."""

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

from django import template
from django.db.models import QuerySet
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

import oilcards.outcomes
import portal
from oilcards.details import LABELS
from oilcards.models import OilCard
from recharge import batch_outcomes, outcomes
from recharge.masking import hide_mobile, shown_target
from recharge.models import Batch, Order, OrderEvent
from recharge.status import Status

register = template.Library()

BADGE_CAP = 99
_ORDER_NUMBER = re.compile(r"\b(\d{20})\b", re.ASCII)


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Show an icon of portal.icons; it is decoration, words beside it say the same."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>',
        classes,
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def portal_version() -> str:
    """Return the portal's version; a tag, because error pages are rendered without any context."""
    return portal.__version__


@register.inclusion_tag("includes/state.html")
def state(order: Order, size: str = "") -> dict[str, Any]:
    """Show what has become of the order: a word, a colour, an icon and a mark where it is only hearsay."""
    return {"outcome": outcomes.of_order(order), "only_reported": outcomes.is_only_reported(order), "size": size}


@register.inclusion_tag("includes/state.html")
def card_state(card: OilCard, size: str = "") -> dict[str, Any]:
    """Show how far the card is in step with the platform: a word, a colour, an icon."""
    return {"outcome": oilcards.outcomes.of_card(card), "only_reported": False, "size": size}


@register.inclusion_tag("includes/state.html")
def batch_state(batch: Batch, size: str = "") -> dict[str, Any]:
    """Show how far the batch has got: a word, a colour, an icon."""
    return {"outcome": batch_outcomes.of_batch(batch), "only_reported": False, "size": size}


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


@register.filter
def money(amount: Decimal | int | None) -> str:
    """Show an amount as ¥ 1,234.50, whole yuan as ¥ 50, more decimals only where there are any."""
    if amount is None:
        return "–"
    if isinstance(amount, int):
        return f"¥ {amount:,}"
    text = f"{amount:,.4f}"
    return f"¥ {text[:-2] + text[-2:].rstrip('0')}"


@register.filter
def count(number: int) -> str:
    """Show how many, with commas: 12,345."""
    return f"{number:,}"


@register.filter
def digits(number: str | None) -> SafeString | str:
    """Show a long number in groups of four that are copied as one."""
    if not number:
        return "–"
    groups = ((number[start : start + 4],) for start in range(0, len(number), 4))
    return format_html('<span class="digits">{}</span>', format_html_join("", "<span>{}</span>", groups))


@register.filter
def time_left(seconds: int) -> str:
    """Show roughly how long something still takes."""
    minutes = -(-seconds // 60)
    if minutes < 2:
        return _("less than a minute left")
    if minutes < 120:
        return _("about %(minutes)d minutes left") % {"minutes": minutes}
    return _("about %(hours)d hours left") % {"hours": round(minutes / 60)}


@register.filter
def linked_orders(text: str) -> SafeString:
    """Show a sentence with the numbers of orders in it as links."""
    parts = _ORDER_NUMBER.split(text)
    return format_html_join(
        "",
        "{}",
        ((format_html('<a href="/orders/{}/">{}</a>', part, part) if n % 2 else part,) for n, part in enumerate(parts)),
    )


@register.filter
def moment(at: dt.datetime | None) -> SafeString | str:
    """Show a time as short as it can be understood today."""
    if at is None:
        return "–"
    local, now = timezone.localtime(at), timezone.localtime()
    pattern = "%m-%d %H:%M" if local.year == now.year else "%Y-%m-%d %H:%M"
    if local.date() == now.date():
        pattern = "%H:%M:%S"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S}",
        f"{local:{pattern}}",
    )


@register.simple_tag(takes_context=True)
def evidence(context: template.Context, event: OrderEvent, order: Order) -> str:
    """Show what came over the wire, the number hidden like elsewhere."""
    return hide_mobile(laid_out(event.raw), order, context["user"])


@register.filter
def laid_out(raw: str) -> str:
    """Show what came over the wire: JSON laid out, anything else as it is."""
    try:
        return json.dumps(json.loads(raw), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return raw


@register.filter
def card_fields(names: str) -> str:
    """Return the labels of a card's fields from their names, as its history has them."""
    return "、".join(str(LABELS.get(name, name)) for name in names.split(",") if name)


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
