"""What of a personal value may be shown, and hiding the rest wherever a text might carry it."""

import html
import json
import re
from collections.abc import Iterable
from typing import TypeGuard
from urllib.parse import quote, quote_plus

from portal.gateway.parsing import load_json

HIDDEN = "***"
_LONG_NUMBER = re.compile(r"(?:\d[ \-]?){10,}\d[Xx]?")
_PERSONAL = r"(?:card_?(?:num|no|number)|user_?(?:num|name)|(?:real_?)?name|phone|mobile|tel|id_?(?:card|no))"
_IN_JSON = re.compile(
    rf"""(?P<name>"{_PERSONAL}"\s*:\s*)(?P<value>"(?:[^"\\]|\\.)*"?|[^\s,\[\]{{}}"]+)""", re.IGNORECASE | re.DOTALL
)
_IN_FORM = re.compile(rf"(?P<name>(?:\A|[?&]){_PERSONAL}=)(?P<value>[^&]+)", re.IGNORECASE)
_IN_PART = re.compile(
    rf"""(?P<name>\bname="?{_PERSONAL}"?(?:;[^\r\n]*)?\r?\n(?:[^\r\n]+\r?\n)*\r?\n)(?P<value>.+?)(?=\r?\n--|\Z)""",
    re.IGNORECASE | re.DOTALL,
)
_KEPT = ("code", "msg", "time")
_KEPT_DATA = ("card_id", "id")


def masked_number(last_four: str) -> str:
    """Return a card number of which the last four digits are seen."""
    return f"**** {last_four}"


def masked_name(name: str) -> str:
    """Return a name of which the first character is seen: 张**."""
    return name[:1] + "*" * (len(name) - 1 if len(name) < 4 else 2)


def masked_phone(phone: str) -> str:
    """Return a phone number of which the first three and the last four digits are seen: 138****8000."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else HIDDEN


def masked_national_id(number: str) -> str:
    """Return an ID number of which the first and the last character are seen."""
    return f"{number[:1]}{'*' * 16}{number[-1:]}" if len(number) >= 15 else HIDDEN


def hide_holder(text: str, secrets: Iterable[str]) -> str:
    """Return evidence about an order of a card without the card's holder; numbers of orders and amounts stay.

    Args:
        text: what the platform sent: a form, JSON or anything else, whole or cut short.
        secrets: the personal values that it may repeat under any name. Under the names of the platform's
            document, and some like them, every value is hidden.
    """
    text = _hide(text, secrets)
    for written in (_IN_JSON, _IN_FORM, _IN_PART):
        text = written.sub(_hide_value, text)
    return text


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without `secrets`, however they are encoded, and without any long number.

    Args:
        text: what somebody else wrote: the platform, an error page, a person giving a reason.
        secrets: the personal values that it may repeat.
    """
    return _LONG_NUMBER.sub(HIDDEN, _hide(text, secrets))


def evidence(raw: str, secrets: Iterable[str]) -> str:
    """Return what of an answer of the platform may be kept: all but the personal data that it carries.

    Of a JSON answer, everything but the code, the message, the time and the card's id is hidden by name.
    """
    try:
        answer = load_json(raw)
    except ValueError:
        return scrub(raw, secrets)
    if not isinstance(answer, dict):
        return scrub(raw, secrets)
    kept = {name: answer[name] for name in _KEPT if isinstance(answer.get(name), str | int | float)}
    data = answer.get("data")
    kept["data"] = {name: data[name] if name in _KEPT_DATA else HIDDEN for name in data} if _flat(data) else None
    return scrub(json.dumps(kept, ensure_ascii=False), secrets)


def _hide(text: str, secrets: Iterable[str]) -> str:
    ungrouped = _ungrouped(text)
    for secret in sorted(set(filter(None, secrets)), key=len, reverse=True):
        for written in _spellings(secret):
            # Compiling a pattern takes far longer than looking whether there is anything to hide; mostly there isn't.
            if _ungrouped(written) in ungrouped:
                text = re.sub(_however_grouped(written), HIDDEN, text, flags=re.IGNORECASE)
    return text


def _ungrouped(text: str) -> str:
    return text.replace(" ", "").replace("-", "").casefold()


def _however_grouped(written: str) -> str:
    """Return a pattern for a text; numbers may be written in groups."""
    separator = r"[ \-]?" if written[:-1].isdigit() else ""
    return separator.join(map(re.escape, written))


def _hide_value(found: re.Match[str]) -> str:
    quote = '"' if found["value"].startswith('"') else ""
    return f"{found['name']}{quote}{HIDDEN}{quote}"


def _flat(data: object) -> TypeGuard[dict[str, object]]:
    return isinstance(data, dict) and not any(isinstance(data.get(name), dict | list) for name in _KEPT_DATA)


def _spellings(secret: str) -> set[str]:
    points = "".join(f"&#{ord(character)};" for character in secret)
    hexadecimal = "".join(f"&#x{ord(character):x};" for character in secret)
    escaped = {json.dumps(secret)[1:-1], html.escape(secret), quote(secret), quote_plus(secret)}
    return {secret, points, hexadecimal, *escaped}
