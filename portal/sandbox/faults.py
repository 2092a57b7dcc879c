"""Faults: what goes wrong on purpose, by number of times or by probability, by call and by target."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any

from .settings import InvalidSetting

FAULTS = {
    "accept_hang": "照常受理，然后一直不应答（直到对方断开，最多 120 秒）",
    "accept_502": "照常受理，返回 502 网页",
    "accept_reset": "照常受理，然后重置连接",
    "accept_html": "照常受理，返回 200 网页",
    "accept_truncated": "照常受理，应答只发一半就断开",
    "accept_no_number": "照常受理，应答 0000 但没有订单号",
    "garbage_json": "照常受理，应答不是合法的 JSON",
    "accept_refuse": "照常受理，却答复拒单（code 与 msg 可设，如“系统异常，请稍后查询”）",
    "slow": "照常受理，晚若干秒才应答（默认 5 秒）",
    "drip": "照常受理，应答一个字节一个字节地发（默认每字节 0.2 秒）",
    "lose_callbacks": "照常受理，这笔订单的回调全部丢失",
    "json_callbacks": "照常受理，这笔订单的回调用 JSON 发送",
    "late_callbacks": "照常受理，这笔订单的回调各自晚到，先后颠倒",
    "double_callbacks": "照常受理，这笔订单的每个回调都发两次",
    "reset": "未受理，重置连接",
    "refuse_html": "未受理，返回网页（默认 502）",
    "reject": "明确拒单（code 与 msg 可设）",
}

BEFORE_BOOKING = frozenset({"reset", "refuse_html", "reject"})
CALLBACK_FAULTS = {"lose_callbacks": "lost", "json_callbacks": "json"}
EVERY_CALL = "*"


@dataclass
class Fault:
    """A rule. It applies to calls of `endpoint` (whole, or its last part; "*": all) whose target ends in `suffix`.

    It goes off `times` times (None: for ever), each time with `probability`.
    """

    fault: str
    endpoint: str = "pushOrder"
    suffix: str = ""
    times: int | None = None
    probability: float = 1.0
    seconds: float | None = None
    """Of slow: before the answer. Of drip: between two bytes."""
    code: str = "9001"
    """Of reject and accept_refuse. Invented, like the message."""
    msg: str = "通道维护中"
    http_status: int = 502
    """Of refuse_html."""
    id: int = 0
    used: int = field(default=0, compare=False)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Fault:
        """From a form or JSON; empty values count as left out. Raises InvalidSetting."""
        if not isinstance(values, Mapping):
            raise InvalidSetting("a fault is an object")
        kinds: dict[str, type] = {
            "fault": str,
            "endpoint": str,
            "suffix": str,
            "times": int,
            "probability": float,
            "seconds": float,
            "code": str,
            "msg": str,
            "http_status": int,
        }
        given = {name: value for name, value in values.items() if value not in ("", None)}
        if unknown := given.keys() - kinds.keys():
            raise InvalidSetting(f"a fault has no {', '.join(sorted(unknown))}")
        try:
            fault = cls(**{name: kinds[name](value) for name, value in given.items()})
        except (TypeError, ValueError) as error:
            raise InvalidSetting(str(error)) from None
        if fault.fault not in FAULTS:
            raise InvalidSetting(f"no fault is called {fault.fault!r}")
        if fault.http_status not in set(HTTPStatus):
            raise InvalidSetting(f"{fault.http_status} is no HTTP status")
        if not 0 <= fault.probability <= 1 or not 0 <= (fault.seconds or 0) <= 3600:
            raise InvalidSetting("probability is from 0 to 1, seconds from 0 to 3600")
        return fault

    def matches(self, endpoint: str, target: str) -> bool:
        where = self.endpoint in (EVERY_CALL, endpoint, endpoint.partition("/")[2])
        return where and target.endswith(self.suffix) and (self.times is None or self.used < self.times)


class Faults:
    """The rules that are switched on. They are not in the books: a restarted sandbox behaves."""

    def __init__(self, seed: str) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []
        self._numbers = itertools.count(1)
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, rule: Fault) -> Fault:
        with self._lock:
            rule.id = next(self._numbers)
            self._rules.append(rule)
        return rule

    def clear(self, number: int | None = None) -> None:
        """Switch one rule off, or all."""
        with self._lock:
            self._rules = [rule for rule in self._rules if number is not None and rule.id != number]

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def pick(self, endpoint: str, target: str) -> Fault | None:
        """The first rule that goes off for this call. So rules with `times` play one after the other, as a script."""
        with self._lock:
            for rule in self._rules:
                if rule.matches(endpoint, target) and self._random.random() < rule.probability:
                    rule.used += 1
                    return rule
        return None
