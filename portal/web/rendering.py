"""How values are written everywhere, in tables and templates alike."""

import datetime as dt
import json
import re
from decimal import Decimal

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from portal.gateway.parsing import load_json
from portal.kit.wording import day

_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
"""Characters that nobody sees and that may change what is seen: of control, and of the direction of writing."""

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
    if local.date() == now.date():
        shown = f"{local:%H:%M:%S}"
    else:
        shown = f"{day(local, with_year=local.year != now.year)} {local:%H:%M}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S}",
        shown,
    )


def ago(at: dt.datetime) -> str:
    """Show how long ago something was, by its largest unit: just now, 5 minutes ago, 2 days ago."""
    if timezone.now() - at < dt.timedelta(minutes=1):
        return _("just now")
    return _("%(age)s ago") % {"age": timesince(at, depth=1)}


def in_sight(text: str) -> str:
    """Show a text of unknown origin with its unseen characters named: one of them can turn 12 into 21."""
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def laid_out(raw: str) -> str:
    """Show what came over the wire: JSON laid out, anything else as it is, with all that it holds in sight."""
    try:
        return in_sight(json.dumps(load_json(raw, object_pairs_hook=_each_once), ensure_ascii=False, indent=2))
    except ValueError:
        return in_sight(raw)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object, unless a name comes twice: laid out, it would lose one of the two."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def linked_orders(text: str) -> SafeString:
    """Show a sentence with the numbers of orders in it as links."""
    parts = _ORDER_NUMBER.split(text)
    return format_html_join(
        "",
        "{}",
        ((format_html('<a href="/orders/{}/">{}</a>', part, part) if n % 2 else part,) for n, part in enumerate(parts)),
    )
