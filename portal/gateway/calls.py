"""Our words into the platform's: one function per call.

Wire names exist here, for what goes out, and in messages.py, for what comes in. The functions take what the
`Client` method of the same name takes, and raise `ValueError` for arguments that must not go out.
"""

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from portal.gateway.results import CardType, OrderType, Speed

ARGUMENT_LIMIT = 2000
OPTIONAL = ("client", "format")
"""System parameters that the published example does without. [pub]"""
MAX_LISTING = dt.timedelta(hours=2)

_CONTROL_OR_SURROGATE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: where it goes and its business parameters. `spends` says that it may cost money."""

    endpoint: str
    parameters: dict[str, str] = field(repr=False)
    order_no: str = ""
    spends: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What the platform wants to know about an oil card."""

    card_number: str
    holder_name: str
    holder_phone: str
    national_id: str
    card_type: CardType | None

    def parameters(self) -> dict[str, str]:
        """Return the card under the names of the wire; the type is left out where it isn't known. [doc]"""
        parameters = {
            "card_num": checked_text("card_number", self.card_number),
            "name": checked_text("holder_name", self.holder_name),
            "phone": checked_text("holder_phone", self.holder_phone),
            "user_num": checked_text("national_id", self.national_id),
        }
        if self.card_type is not None:
            parameters["card_type"] = str(CardType(self.card_type).value)
        return parameters


def system_parameters(
    *, app_key: str, client_ip: str, timestamp: int, leave_out: Collection[str] = ()
) -> dict[str, str]:
    """Return the parameters of every call, but for the signature; `timestamp` in unix seconds. [pub]

    `leave_out` names those of OPTIONAL that are not sent, as in the published example.
    """
    parameters = {
        "app_key": app_key,
        "timestamp": str(timestamp),
        "client": client_ip,
        "v": "1.0",
        "format": "json",
    }
    return {name: value for name, value in parameters.items() if name not in leave_out}


def signed(parameters: Mapping[str, str], signature: str) -> dict[str, str]:
    """Return the system parameters with their signature. [pub]"""
    return {**parameters, "sign": signature}


def push_mobile_order(
    *,
    store_id: str,
    order_no: str,
    mobile: str,
    face_value: int,
    speed: Speed,
    notify_url: str,
    switch_channel: bool | None,
    channel: int | None,
) -> Call:
    """Return the call that orders a top-up. [doc]

    What is None is not sent: the platform's own setting decides about another channel, and prices differ by channel.
    """
    parameters = {
        "store_id": store_id,
        "mobile": checked_text("mobile", mobile),
        "order_no": checked_text("order_no", order_no),
        "money": _whole("face_value", face_value),
        "recharge_type": str(Speed(speed).value),
        "notify_url": checked_text("notify_url", notify_url),
    }
    if switch_channel is not None:
        parameters["change"] = "1" if switch_channel else "0"
    if channel is not None:
        parameters["source"] = _whole("channel", channel, least=0)
    return Call("Recharge/pushOrder", parameters, order_no=order_no, spends=True)


def query_mobile_order(*, order_no: str | None, gateway_order_no: str | None) -> Call:
    """Return the call that asks for an order, by the platform's number [doc] or by ours [pub]."""
    return Call("Recharge/query", _either_number(order_no, gateway_order_no), order_no=order_no or "")


def verify_mobile(*, mobile: str, face_value: int, speed: Speed) -> Call:
    """Return the call that asks whether a top-up may be ordered; yuan are `amount` here, `money` in the push. [pub]"""
    parameters = {
        "mobile": checked_text("mobile", mobile),
        "amount": _whole("face_value", face_value),
        "recharge_type": str(Speed(speed).value),
    }
    return Call("Recharge/verify", parameters)


def mobile_info(*, mobile: str) -> Call:
    """Return the call that asks for the carriers and the region of a number. [pub]"""
    return Call("Recharge/mobileInfo", {"mobile": checked_text("mobile", mobile)})


def cancel_mobile_orders(*, gateway_order_nos: Sequence[str]) -> Call:
    """Return the call that asks for orders to be cancelled, by the platform's numbers, joined by commas. [pub]"""
    return Call("Recharge/cancel", {"order_number": _joined(gateway_order_nos)})


def account() -> Call:
    """Return the call that asks for the prepaid balance. [doc]"""
    return Call("User/query", {})


def list_orders(*, store_id: str, order_type: OrderType, start: dt.datetime, end: dt.datetime) -> Call:
    """Return the call that lists the shop's orders created between two moments, at most two hours apart. [pub]

    How moments are written is nowhere documented: as the platform's other texts have them. [guess]
    """
    if not dt.timedelta(0) < end - start <= MAX_LISTING:
        raise ValueError("start and end must be in order, and at most two hours apart")
    parameters = {
        "store_id": store_id,
        "order_type": str(OrderType(order_type).value),
        "query_type": "1",
        "start": f"{start:%Y-%m-%d %H:%M:%S}",
        "end": f"{end:%Y-%m-%d %H:%M:%S}",
        "page": "1",
        "page_size": "500",
    }
    return Call("Order/orderList", parameters)


def forbid_other_ways(*, store_id: str, forbid: bool) -> Call:
    """Return the call that forbids or allows orders that don't come through the interface. [pub]"""
    return Call("Recharge/forbid", {"store_id": store_id, "status": "1" if forbid else "0"})


def add_oil_card(*, store_id: str, card: Card) -> Call:
    """Return the call that registers a card; of the calls about cards, only this one names the shop. [doc]"""
    return Call("Oil/addCard", {"store_id": store_id, **card.parameters()})


def edit_oil_card(*, card_id: str, card: Card) -> Call:
    """Return the call that replaces all that the platform knows about a card, changed or not. [doc]"""
    return Call("Oil/editCard", {"card_id": checked_text("card_id", card_id), **card.parameters()})


def delete_oil_card(*, card_id: str) -> Call:
    """Return the call that removes a card. [doc]"""
    return Call("Oil/delCard", {"card_id": checked_text("card_id", card_id)})


def oil_card_info(*, card_id: str) -> Call:
    """Return the call that asks for what the platform knows about a card. [doc]"""
    return Call("Oil/cardInfo", {"card_id": checked_text("card_id", card_id)})


def push_oil_order(
    *, store_id: str, order_no: str, card_id: str, face_value: int, speed: Speed, notify_url: str
) -> Call:
    """Return the call that orders a recharge of a card, whose id is `cardId` here and `card_id` elsewhere. [doc]"""
    parameters = {
        "store_id": store_id,
        "cardId": checked_text("card_id", card_id),
        "order_no": checked_text("order_no", order_no),
        "amount": _whole("face_value", face_value),
        "recharge_type": str(Speed(speed).value),
        "notify_url": checked_text("notify_url", notify_url),
    }
    return Call("Oil/pushOrder", parameters, order_no=order_no, spends=True)


def query_oil_order(*, order_no: str | None, gateway_order_no: str | None) -> Call:
    """Return the call that asks for an order of a card. [pub] It is not in the document, and may not exist."""
    return Call("Oil/query", _either_number(order_no, gateway_order_no), order_no=order_no or "")


def cancel_oil_orders(*, gateway_order_nos: Sequence[str]) -> Call:
    """Return the call that asks for orders to be cancelled, as `cancel_mobile_orders` does for phones. [pub]"""
    return Call("Oil/cancel", {"order_number": _joined(gateway_order_nos)})


def checked_text(name: str, value: str) -> str:
    """Return `value` if it may go out as the argument `name`; the error never shows the value."""
    if not isinstance(value, str) or not value.strip() or len(value) > ARGUMENT_LIMIT:
        raise ValueError(f"{name} must be text, not blank, of at most {ARGUMENT_LIMIT} characters")
    if _CONTROL_OR_SURROGATE.search(value):
        raise ValueError(f"{name} must not contain control characters or unpaired surrogates")
    return value


def _whole(name: str, value: int, *, least: int = 1) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number from {least} up")
    return str(int(value))


def _either_number(order_no: str | None, gateway_order_no: str | None) -> dict[str, str]:
    if (order_no is None) == (gateway_order_no is None):
        raise ValueError("give either order_no or gateway_order_no")
    if order_no is not None:
        return {"order_no": checked_text("order_no", order_no)}
    return {"order_number": checked_text("gateway_order_no", gateway_order_no or "")}


def _joined(gateway_order_nos: Sequence[str]) -> str:
    # A str is a sequence of str: its single digits would cancel other people's orders, as would a comma.
    if isinstance(gateway_order_nos, str) or not gateway_order_nos:
        raise ValueError("gateway_order_nos must be a sequence of at least one number")
    numbers = [checked_text("gateway_order_nos", number) for number in gateway_order_nos]
    if any("," in number for number in numbers):
        raise ValueError("gateway_order_nos must not contain commas")
    return ",".join(numbers)
