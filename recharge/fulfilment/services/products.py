"""Where the two products differ towards the platform: which call carries which order."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.core import signing
from django.urls import reverse

from oilcards.models import OilCard
from portal import metrics, platform
from portal.gateway import Acknowledgement, GatewayError, OrderReport, PushReceipt, Speed
from portal.kit.database import release_connection
from recharge.choices import Product
from recharge.models import Order

from .privacy import cleaned, cleaned_error, hiding

Answer = TypeVar("Answer", Acknowledgement, OrderReport, PushReceipt)
CALLBACK_SIGNER = signing.Signer(sep=".", salt="recharge.callback")


def callback_url(order: Order) -> str:
    """Return the secret address to which the platform reports of this order."""
    token = CALLBACK_SIGNER.sign(order.order_no)
    return settings.PUBLIC_URL + reverse("callback", args=[token])


def card_id(order: Order) -> str:
    """Return the platform's id of the order's card, "" where it has none; no key to the card's secrets is needed."""
    if order.oil_card_id is None:
        return ""
    cards = OilCard.objects.filter(pk=order.oil_card_id)
    return cards.values_list("platform_card_id", flat=True).first() or ""


def push(order: Order, *, look_again: Callable[[], None]) -> PushReceipt:
    """Send the order to the platform. This spends money; only `submission` may call it.

    Args:
        order: the order, claimed.
        look_again: called at the last moment before anything is sent, after all that is read; it raises NotSent where
            the order must not be sent any more.

    Raises:
        GatewayError: Rejected, NotSent or OutcomeUnknown.
    """
    if order.product == Product.OIL:
        number = card_id(order)
        return _exchange(
            "push",
            order,
            lambda: platform.client().push_oil_order(
                order_no=order.order_no,
                card_id=number,
                face_value=order.face_value,
                speed=Speed(order.speed),
                notify_url=callback_url(order),
            ),
            look_again,
        )
    return _exchange(
        "push",
        order,
        lambda: platform.client().push_mobile_order(
            order_no=order.order_no,
            mobile=order.mobile,
            face_value=order.face_value,
            speed=Speed(order.speed),
            notify_url=callback_url(order),
            switch_channel=order.switch_channel,
            channel=order.channel,
        ),
        look_again,
    )


def query(order: Order, *, by_our_number: bool = False) -> OrderReport:
    """Ask the platform for the order: by its number, as the document has it, or by ours while we have no other.

    Args:
        order: the order.
        by_our_number: whether to ask by ours in any case [pub].

    Raises:
        GatewayError: Rejected, NotSent or OutcomeUnknown.
    """
    client = platform.client()
    ask = client.query_oil_order if order.product == Product.OIL else client.query_mobile_order
    if order.gateway_order_no and not by_our_number:
        number = order.gateway_order_no
        return _exchange("query", order, lambda: ask(gateway_order_no=number))
    return _exchange("query", order, lambda: ask(order_no=order.order_no))


def cancel(order: Order) -> Acknowledgement:
    """Ask the platform to cancel the order.

    Raises:
        GatewayError: Rejected, NotSent or OutcomeUnknown.
    """
    client = platform.client()
    ask = client.cancel_oil_orders if order.product == Product.OIL else client.cancel_mobile_orders
    numbers = [order.gateway_order_no or ""]
    return _exchange("cancel", order, lambda: ask(gateway_order_nos=numbers))


def _exchange(
    call: str, order: Order, exchange: Callable[[], Answer], look_again: Callable[[], None] = lambda: None
) -> Answer:
    """Make a call with no connection held; of what comes back, an oil card's holder is kept out."""
    hide = hiding(order)
    look_again()
    release_connection()
    started = time.monotonic()
    outcome = "error"
    try:
        answer = exchange()
        outcome = "ok"
        return cleaned(answer, hide)
    except GatewayError as error:
        outcome = type(error).__name__
        raise cleaned_error(error, hide) from None
    finally:
        metrics.PLATFORM_SECONDS.labels(call, outcome).observe(time.monotonic() - started)
