"""The platform's words into ours: answers to our calls, and callbacks.

Wire names exist here, for what comes in, and in calls.py, for what goes out. Every function that reads an
answer raises `Malformed` if it makes no sense; the client makes `OutcomeUnknown` of that.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import parse_qsl

from portal.gateway import parsing
from portal.gateway.errors import Rejected
from portal.gateway.parsing import Malformed, read_identifier, read_money, read_status, read_text
from portal.gateway.results import (
    Account,
    Acknowledgement,
    CardType,
    MobileInfo,
    OilCard,
    OilCardReceipt,
    OrderReport,
    PushReceipt,
    Speed,
)

__all__ = [
    "Account",
    "Acknowledgement",
    "CardType",
    "MalformedCallback",
    "MobileInfo",
    "OilCard",
    "OilCardReceipt",
    "OrderReport",
    "PushReceipt",
    "Speed",
    "parse_callback",
]

RAW_LIMIT = 64 * 1024
UNIX_SECONDS_DIGITS = 10
CALLBACK_FIELDS_LIMIT = 100
SUCCESS = "0000"
BYTE_ORDER_MARK = "\ufeff"
"""PHP sends one where a source file begins with it, and several of several files; it changes nothing of the JSON."""


class MalformedCallback(ValueError):
    """The body of a callback cannot be used. The text says why, never what is in it; `raw` is what is in it."""

    def __init__(self, why: str, raw: str) -> None:
        super().__init__(why)
        self.raw = raw


@dataclass(frozen=True, slots=True)
class Answer:
    """The contents of an envelope whose code is 0000."""

    message: str
    data: object = field(repr=False)
    raw: str = field(repr=False)

    @property
    def fields(self) -> dict[str, object]:
        """The data as an object; raises `Malformed` if it is anything else."""
        if not isinstance(self.data, dict):
            raise Malformed("data is not an object")
        return self.data


def read_answer(text: str, *, spends: bool) -> Answer:
    """Open the envelope of the answer to a call which `spends` or not. [doc]

    Raises `Rejected` for a definite no, `Malformed` for what is neither a yes nor a no.
    """
    envelope = parsing.load_object(text.lstrip(BYTE_ORDER_MARK))
    code = _read_code(envelope)
    message = read_text(envelope, "msg")
    data = envelope.get("data")
    if code == SUCCESS:
        return Answer(message, data, text)
    if spends and _names_an_order(data):
        raise Malformed("a refusal which carries an order number")
    raise Rejected(code, message, text)


def platform_time(raw: str) -> int | None:
    """Return the platform's own clock in unix seconds, as an answer of it has it [doc]; None where it doesn't say."""
    with contextlib.suppress(Malformed):
        time = read_identifier(parsing.load_object(raw.lstrip(BYTE_ORDER_MARK)), "time")
        if len(time) == UNIX_SECONDS_DIGITS and time.isascii() and time.isdecimal():
            return int(time)
    return None


def _read_code(envelope: Mapping[str, object]) -> str:
    code = read_identifier(envelope, "code")
    if not code or not code.isascii():
        raise Malformed("code is missing or unusable")
    # Numbers come as text or number, so a 0 may be a 0000 that lost its zeros: it must not be a refusal.
    if code != SUCCESS and not code.strip("-+0. "):
        raise Malformed("code is a zero other than 0000")
    return code


def _names_an_order(data: object) -> bool:
    return isinstance(data, dict) and data.get("order_number") not in (None, "")


def read_acknowledgement(answer: Answer) -> Acknowledgement:
    return Acknowledgement(message=answer.message, raw=answer.raw)


def read_push_receipt(answer: Answer) -> PushReceipt:
    """The number alone proves that the order was taken: what is wrong with the rest must not hide it."""
    fields = answer.fields
    gateway_order_no = read_identifier(fields, "order_number")
    if not gateway_order_no:
        raise Malformed("success without an order number")
    stated = _money_or_none(fields, "amount")
    return PushReceipt(
        gateway_order_no=gateway_order_no,
        face_value=_money_or_none(fields, "money") if stated is None else stated,
        cost_price=_money_or_none(fields, "cost_price"),
        rebate=_money_or_none(fields, "fanli"),
        raw=answer.raw,
        order_no=_identifier_or_nothing(fields, "order_no"),
        mobile=_identifier_or_nothing(fields, "mobile"),
        card_id=_identifier_or_nothing(fields, "card_id") or _identifier_or_nothing(fields, "cardId"),
    )


def _identifier_or_nothing(fields: Mapping[str, object], name: str) -> str:
    with contextlib.suppress(Malformed):
        return read_identifier(fields, name)
    return ""


def _money_or_none(fields: Mapping[str, object], name: str) -> Decimal | None:
    with contextlib.suppress(Malformed):
        return read_money(fields, name)
    return None


def read_order_report(answer: Answer) -> OrderReport:
    report = _report(answer.fields, answer.raw)
    if not report.order_no and not report.gateway_order_no:
        raise Malformed("a report about no order")
    return report


def _report(fields: Mapping[str, object], raw: str) -> OrderReport:
    return OrderReport(
        order_no=read_identifier(fields, "order_no"),
        gateway_order_no=read_identifier(fields, "order_number"),
        status=read_status(fields, "status"),
        mobile=read_identifier(fields, "mobile"),
        card_id=read_identifier(fields, "card_id"),
        face_value=read_money(fields, "amount"),
        # What is odd about the small print must not hide what became of the order.
        cost_price=_money_or_none(fields, "cost_price"),
        rebate=_money_or_none(fields, "fanli"),
        credited_amount=_money_or_none(fields, "arrived_amount"),
        reason=read_text(fields, "reason") or read_text(fields, "failReason"),
        raw=raw,
    )


def read_account(answer: Answer) -> Account:
    balance = parsing.read_grouped_money(answer.fields, "money")
    if balance is None:
        raise Malformed("an account without a balance")
    return Account(account_id=read_identifier(answer.fields, "id"), balance=balance, raw=answer.raw)


def read_mobile_info(answer: Answer) -> MobileInfo:
    fields = answer.fields
    region = fields.get("extend")
    region = region if isinstance(region, dict) else {}
    return MobileInfo(
        original_carrier=read_text(fields, "oisp"),
        current_carrier=read_text(fields, "nisp"),
        province=read_text(region, "prov"),
        city=read_text(region, "city"),
        raw=answer.raw,
    )


def read_oil_card(answer: Answer) -> OilCard:
    fields = answer.fields
    kinds = {str(kind.value): kind for kind in CardType}
    return OilCard(
        card_id=_guessed_card_id(fields),
        card_number=read_text(fields, "card_num"),
        holder_name=read_text(fields, "name"),
        holder_phone=read_text(fields, "phone"),
        national_id=read_text(fields, "user_num"),
        card_type=kinds.get(read_text(fields, "card_type")),
        raw=answer.raw,
    )


def read_oil_card_receipt(answer: Answer) -> OilCardReceipt:
    card_id = _guessed_card_id(answer.fields)
    if not card_id:
        raise Malformed("success without a card id")
    return OilCardReceipt(card_id=card_id, raw=answer.raw)


def _guessed_card_id(fields: Mapping[str, object]) -> str:
    """The document shows no example of the answer to addCard, so either name will do. [guess]"""
    return read_identifier(fields, "card_id") or read_identifier(fields, "id")


def parse_callback(body: bytes, content_type: str) -> OrderReport:
    """Read what the platform posted to an order's notify_url. [doc][pub]

    `body` is a form of either encoding or a flat JSON object, at most 64 KiB of UTF-8; what `content_type`
    claims is believed only where the body leaves it open, since many clients post JSON under a form's name.
    Unknown fields are ignored, and the `sign` that the platform may add is not checked: how it is made is not
    documented, so a callback is no proof of anything.

    Returns a report whose `order_no` is never empty and whose `status` may be a code that nobody knows, or
    None if it was left out or empty. Raises `MalformedCallback`, and nothing else, for everything that cannot be read.
    """
    raw = parsing.printable_raw(body, RAW_LIMIT)
    try:
        if len(body) > RAW_LIMIT:
            raise Malformed("longer than 64 KiB")
        report = _report(_callback_fields(body, content_type), raw)
        if not report.order_no:
            raise Malformed("no order_no")
    except Malformed as malformed:
        raise MalformedCallback(str(malformed), raw) from None
    return report


def _callback_fields(body: bytes, content_type: str) -> Mapping[str, object]:
    text = parsing.decode(body).lstrip(BYTE_ORDER_MARK).strip()
    if text.startswith("{") or "json" in content_type.lower():
        return parsing.load_object(text)
    if "multipart/form-data" in content_type.lower():  # what PHP's curl makes of an array
        return parsing.unique(list(parsing.multipart_fields(body, content_type)))
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=CALLBACK_FIELDS_LIMIT)
    except ValueError:
        raise Malformed("not a form") from None
    return parsing.unique([(name, value) for name, value in pairs])
