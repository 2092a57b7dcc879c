"""The lives that orders lead: which statuses, in which order, and who is chosen for which."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

WORDS = {
    0: "待支付",
    1: "充值中",
    2: "充值成功",
    3: "充值失败",
    4: "退款成功",
    5: "已超时",
    6: "待充值",
    7: "已匹配",
    8: "已存单",
    9: "已取消",
    10: "返销",
    11: "部分到账",
    12: "取消中",
}
"""The interface document's table of status codes."""

SUCCEEDED, FAILED, REFUNDED, CANCELLED, REVERSED, PARTLY_ARRIVED = 2, 3, 4, 9, 10, 11
CANCELLABLE = frozenset({0, 1, 5, 6, 7, 8})
CANCELLATION = (12, 9, 4)
"""What follows a call of cancel. Our reading: the document says nothing about it."""

LIVES: dict[str, tuple[int, ...]] = {
    "success": (6, 7, 1, 2),
    "quick": (1, 2),
    "fail": (1, 3, 4),
    "timeout_then_success": (1, 5, 2),
    "partial": (1, 11),
    "reversed": (1, 2, 10, 4),
    "cancelled": (6, 9, 3, 4),
    "channel_switch": (6, 7, 1, 6, 8, 1, 2),
    "waiting": (0, 6, 1, 2),
    "stuck": (1,),
}

MIX = "mix"
WEIGHTS = {
    "success": 78,
    "quick": 6,
    "fail": 7,
    "timeout_then_success": 2,
    "partial": 1,
    "reversed": 1,
    "cancelled": 1,
    "channel_switch": 2,
    "waiting": 1,
    "stuck": 1,
}

REASONS = {3: "运营商返回充值失败", 5: "充值超时", 9: "订单已取消", 10: "运营商返销", 11: "部分到账"}
"""What the platform says about a bad status. The texts are invented."""


@dataclass(frozen=True)
class Special:
    """What the last three digits of a phone or card number bring about."""

    words: str
    life: str | None = None
    fault: str | None = None


PORTED_SUFFIX = "012"

SPECIALS: dict[str, Special] = {
    "001": Special("充值失败并退款", life="fail"),
    "002": Special("超时后成功", life="timeout_then_success"),
    "003": Special("部分到账", life="partial"),
    "004": Special("成功后返销并退款", life="reversed"),
    "005": Special("一直充值中", life="stuck"),
    "006": Special("已受理，但不应答", fault="accept_hang"),
    "007": Special("已受理，但返回 502", fault="accept_502"),
    "008": Special("明确拒单", fault="reject"),
    "009": Special("未受理，返回 HTML", fault="refuse_html"),
    "010": Special("已受理，但连接被重置", fault="accept_reset"),
    "011": Special("回调全部丢失", fault="lose_callbacks"),
    PORTED_SUFFIX: Special("携号转网，不可充值（仅手机）"),
    "013": Special("换渠道后成功", life="channel_switch"),
    "014": Special("取消并退款", life="cancelled"),
    "015": Special("待支付后成功", life="waiting"),
}


def choose_life(order_no: str, target: str, *, default: str, seed: str, suffixes: bool) -> tuple[int, ...]:
    """The statuses of a new order, always the same ones for the same arguments."""
    special = SPECIALS.get(target[-3:]) if suffixes else None
    if special is not None and special.life is not None:
        return LIVES[special.life]
    return LIVES[_draw(f"{seed}:{order_no}") if default == MIX else default]


def lateness(order_no: str, status: int) -> float:
    """From 0 to 1, always the same for the same callback, and another for the next one."""
    return _ticket(f"{order_no}:{status}", 1000) / 1000


def _ticket(key: str, tickets: int) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % tickets


def _draw(key: str) -> str:
    ticket = _ticket(key, sum(WEIGHTS.values()))
    for name, weight in WEIGHTS.items():
        if ticket < weight:
            return name
        ticket -= weight
    raise AssertionError("the weights add up to their own sum")


def arrived_amount(amount: int, status: int) -> int:
    """What has arrived on the phone or card, in fen, for a face value in yuan."""
    return {SUCCEEDED: amount * 100, PARTLY_ARRIVED: amount * 50}.get(status, 0)
