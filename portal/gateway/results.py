"""What the platform tells us, in our words.

Every result carries `raw`, the text it was read from, for keeping as evidence: never in a repr, because it
may hold personal data. NUL characters in it are replaced by U+FFFD, since databases refuse them.
"""

import enum
from dataclasses import dataclass, field
from decimal import Decimal


class Speed(enum.IntEnum):
    """How fast an order is to be carried out: 慢充 or 快充. [doc]"""

    SLOW = 0
    FAST = 1


class CardType(enum.IntEnum):
    """Who issued an oil card: 中石化 or 中石油. [doc]"""

    SINOPEC = 0
    PETROCHINA = 1


class OrderType(enum.IntEnum):
    """What a list of orders is about: 话费 or 油卡. [pub]"""

    MOBILE = 7
    OIL = 8


@dataclass(frozen=True, slots=True)
class PushReceipt:
    """The platform took an order. `gateway_order_no` is its number [doc]; the rest is in yuan [pub].

    `order_no`, `mobile`, `card_id` and `face_value` are what it says that it took, "" or None where it doesn't say.
    """

    gateway_order_no: str
    face_value: Decimal | None
    cost_price: Decimal | None
    rebate: Decimal | None
    raw: str = field(repr=False)
    order_no: str = ""
    mobile: str = field(default="", repr=False)
    card_id: str = ""


@dataclass(frozen=True, slots=True)
class OrderReport:
    """One statement of the platform about an order, from an answer to a query or from a callback.

    `status` is the platform's code, known to us or not. `card_id` is the platform's id of an oil card; where there
    is one, `mobile` may be its holder's. Money is in yuan. What the platform left out is "" or None.
    """

    order_no: str
    gateway_order_no: str
    status: int | None
    mobile: str = field(repr=False)
    card_id: str
    face_value: Decimal | None
    cost_price: Decimal | None
    rebate: Decimal | None
    credited_amount: Decimal | None
    reason: str
    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """The merchant's account; `balance` is the prepaid money in yuan. [doc]"""

    account_id: str
    balance: Decimal
    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MobileInfo:
    """A mobile number's carriers, which differ when it was ported (携号转网), and its region. [pub]"""

    original_carrier: str
    current_carrier: str
    province: str
    city: str
    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OilCard:
    """An oil card as the platform knows it. [pub]"""

    card_id: str
    card_number: str = field(repr=False)
    holder_name: str = field(repr=False)
    holder_phone: str = field(repr=False)
    national_id: str = field(repr=False)
    card_type: CardType | None
    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OilCardReceipt:
    """The platform took an oil card; `card_id` is its id. [doc]"""

    card_id: str
    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The platform said yes and nothing more."""

    message: str
    raw: str = field(repr=False)
