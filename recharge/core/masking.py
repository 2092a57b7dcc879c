"""Who may see an order's number whole, and hiding it from everybody else."""

import re
import unicodedata

from django.contrib.auth.models import User

from recharge.models import Order

from . import phone_numbers

_LIKE_A_NUMBER = re.compile(
    r"(?<!\d)((?:(?:[+＋]|[0０]{2})?[8８][6６][ -]?)?[1１][3-9３-９]\d)[ .-]?\d{4}[ .-]?(\d{4})(?!\d)"
)
"""With or without the country's code, in full-width digits, too."""


_LIKE_A_CARD = re.compile(r"(?:\d{4}[ -]?){3,}\d{3,}")


_CARD_IN_TEXT = re.compile(r"(?<!\d)(?!\d{20}(?!\d))(?:\d{4}[ -]?){3,}\d{3,}")
"""Twenty digits in one piece are an order's number."""
_DIGITS = re.compile(r"\d(?:[\s\-‐-―().·]*\d){6,}")
_A_WORD = re.compile(r"[\w.\-]{1,64}")


def hide_numbers(text: str) -> str:
    """Return a text with all that looks like a phone or card number masked, whoever looks."""
    text = _LIKE_A_NUMBER.sub(r"\1****\2", text)
    return _CARD_IN_TEXT.sub(lambda found: f"····{re.sub(r'[ -]', '', found[0])[-4:]}", text)


def hide_typed(text: str) -> str:
    """Return what somebody typed into a search box as it may be written down: numbers masked, words left out.

    Numbers of our orders, twenty digits, stay; so does a single word, which may be the platform's number.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    compact = re.sub(r"[\s\-‐-―().·]+", "", typed)
    if re.fullmatch(r"[0-9]{20}", compact):
        return compact
    hidden = _DIGITS.sub(lambda found: f"{found[0][:3]}****{found[0][-4:]}", typed)
    return hidden if _A_WORD.fullmatch(hidden.replace("*", "")) else "…"


def holds_number(text: str) -> bool:
    """Say whether a text holds what looks like a phone or card number, in any way of grouping."""
    return bool(_LIKE_A_NUMBER.search(text) or _LIKE_A_CARD.search(text))


def may_see(order: Order, user: User) -> bool:
    """Say whether somebody may see the order's whole number: with the permission, or for having placed it."""
    return user.has_perm("recharge.see_numbers") or order.placed_by_id == user.pk


def shown_target(order: Order, user: User) -> str:
    """Return the order's card by its short name, or its number, whole or masked, as the user may see it."""
    if order.oil_card or not may_see(order, user):
        return masked_target(order)
    return phone_numbers.grouped(order.mobile)


def masked_target(order: Order) -> str:
    """Return the order's card by its short name, or its number masked, whoever looks."""
    return order.oil_card.short_name if order.oil_card else phone_numbers.masked(order.mobile)


def hide_mobile(text: str, order: Order, user: User) -> str:
    """Return a text of unknown origin with all that looks like a phone number masked for those who may not see it.

    It need not be the order's own: people write down others, and the platform may speak of a wrong one.
    """
    return text if may_see(order, user) else masked_text(text, order)


def masked_text(text: str, order: Order) -> str:
    """Do the same whoever looks."""
    if order.mobile:
        text = text.replace(order.mobile, phone_numbers.masked(order.mobile))
    return _LIKE_A_NUMBER.sub(r"\1****\2", text)
