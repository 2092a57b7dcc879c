"""Keeping the holder of an oil card out of what is kept of its orders: the platform may repeat him at any time.

What it says of a top-up is left as it came.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import structlog

from oilcards import masking
from oilcards.models import OilCard
from portal.gateway import Acknowledgement, GatewayError, OrderReport, OutcomeUnknown, PushReceipt, Rejected
from portal.kit.crypto import WrongKey
from recharge.models import Order

Answer = TypeVar("Answer", Acknowledgement, OrderReport, PushReceipt)
Hide = Callable[[str], str]
WORDS = ("raw", "message", "reason")
"""What of an answer is the platform's own text."""

log = structlog.get_logger(__name__)


def hiding(order: Order) -> Hide | None:
    """Return what hides the holder of the order's card in a text; None for a top-up, of which nothing is hidden.

    Reads the card. Where its key is wrong, personal values are known by their names alone: an answer of the platform
    is too precious to be lost for that.
    """
    if order.oil_card_id is None:
        return None
    try:
        secrets = OilCard.objects.get(pk=order.oil_card_id).details.secrets
    except WrongKey:
        log.exception("card_key_wrong")
        secrets = []
    return partial(masking.hide_holder, secrets=secrets)


def cleaned(answer: Answer, hide: Hide | None) -> Answer:
    """Return an answer of the platform without the holder."""
    if hide is None:
        return answer
    words: dict[str, Any] = {name: hide(getattr(answer, name)) for name in WORDS if hasattr(answer, name)}
    return replace(answer, **words)


def cleaned_error(error: GatewayError, hide: Hide | None) -> GatewayError:
    """Return an error of the platform's without the holder."""
    if hide is None:
        return error
    if isinstance(error, Rejected):
        return Rejected(error.code, hide(error.message), hide(error.raw))
    if isinstance(error, OutcomeUnknown):
        return OutcomeUnknown(hide(str(error)), hide(error.raw))
    return error


def without_personal_data(order: Order, report: OrderReport) -> OrderReport:
    """Return what the platform reported of its own accord without the holder."""
    return cleaned(report, hiding(order))
