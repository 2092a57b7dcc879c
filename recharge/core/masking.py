"""Who may see an order's number whole, and hiding it from everybody else."""

import re

from django.contrib.auth.models import User

from recharge.models import Order

from . import phone_numbers

_LIKE_A_NUMBER = re.compile(r"(?<!\d)(1[3-9]\d)[ -]?\d{4}[ -]?(\d{4})(?!\d)")


def may_see(order: Order, user: User) -> bool:
    """Say whether somebody may see the order's whole number: with the permission, or for having placed it."""
    return user.has_perm("recharge.see_numbers") or order.placed_by_id == user.pk


def shown_target(order: Order, user: User) -> str:
    """Return the order's card by its short name, or its number, whole or masked, as the user may see it."""
    if order.oil_card:
        return order.oil_card.short_name
    return phone_numbers.grouped(order.mobile) if may_see(order, user) else phone_numbers.masked(order.mobile)


def hide_mobile(text: str, order: Order, user: User) -> str:
    """Return a text of unknown origin with all that looks like a phone number masked for those who may not see it.

    It need not be the order's own: people write down others, and the platform may speak of a wrong one.
    """
    if may_see(order, user):
        return text
    if order.mobile:
        text = text.replace(order.mobile, phone_numbers.masked(order.mobile))
    return _LIKE_A_NUMBER.sub(r"\1****\2", text)
