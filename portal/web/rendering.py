"""How values are written everywhere, in tables and templates alike."""

import datetime as dt
import json
import re
from decimal import Decimal

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

_ORDER_NUMBER = re.compile(r"\b(\d{20})\b", re.ASCII)


def money(amount: Decimal | int | None) -> str:
    """Show an amount as ¥ 1,234.50, whole yuan as ¥ 50, more decimals only where there are any."""
    if amount is None:
        return "–"
    if isinstance(amount, int):
        return f"¥ {amount:,}"
    text = f"{amount:,.4f}"
    return f"¥ {text[:-2] + text[-2:].rstrip('0')}"


def count(number: int) -> str:
    """Show how many, with commas: 12,345."""
    return f"{number:,}"


def digits(number: str | None) -> SafeString | str:
    """Show a long number in groups of four that are copied as one."""
    if not number:
        return "–"
    groups = ((number[start : start + 4],) for start in range(0, len(number), 4))
    return format_html('<span class="digits">{}</span>', format_html_join("", "<span>{}</span>", groups))


def time_left(seconds: int) -> str:
    """Show roughly how long something still takes."""
    minutes = -(-seconds // 60)
    if minutes < 2:
        return _("less than a minute left")
    if minutes < 120:
        return _("about %(minutes)d minutes left") % {"minutes": minutes}
    return _("about %(hours)d hours left") % {"hours": round(minutes / 60)}


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


def laid_out(raw: str) -> str:
    """Show what came over the wire: JSON laid out, anything else as it is."""
    try:
        return json.dumps(json.loads(raw), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return raw


def linked_orders(text: str) -> SafeString:
    """Show a sentence with the numbers of orders in it as links."""
    parts = _ORDER_NUMBER.split(text)
    return format_html_join(
        "",
        "{}",
        ((format_html('<a href="/orders/{}/">{}</a>', part, part) if n % 2 else part,) for n, part in enumerate(parts)),
    )
