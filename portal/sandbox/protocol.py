"""The wire format: signature, parameters, codes and messages, and the two spellings of every value.

Written against what is known of the platform alone. Each rule names its source: [doc], the platform's interface
document; [pub], its public clients and later documents; [guess], our own reading.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

SUCCESS_CODE = "0000"
MISSING_PARAMETER_CODE = "1003"
TIMESTAMP_TOLERANCE = 300
SYSTEM_PARAMETERS = ("app_key", "timestamp", "v", "sign")
"""`client` and `format` belong to the system parameters too, but the published example does without them."""

MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
VIRTUAL_OPERATOR = re.compile(r"(162|165|167|17[01])\d{8}", re.ASCII)
NATIONAL_ID = re.compile(r"\d{17}[\dXx]", re.ASCII)
CARD_NUMBER = re.compile(r"\d{10,20}", re.ASCII)


class Reason(Enum):
    """Why a call is refused. ALL THESE CODES ARE INVENTED: the document gives 0000 and 1003 only.

    A client that depends on one of them is wrong. The messages are invented as well.
    """

    METHOD = "1000", "请求方式错误"
    MALFORMED = "1001", "请求格式错误"
    UNKNOWN_CALL = "1002", "接口不存在"
    APP_KEY = "1004", "app_key无效"
    SIGNATURE = "1005", "签名错误"
    TIMESTAMP = "1006", "请求已过期"
    VERSION = "1007", "版本号错误"
    STORE = "2001", "店铺不存在"
    MOBILE = "2002", "手机号码格式错误"
    FACE_VALUE = "2003", "充值面值不支持"
    PARAMETER = "2004", "参数错误"
    DUPLICATE_ORDER = "2005", "订单号已存在"
    BALANCE = "2006", "余额不足"
    UNKNOWN_ORDER = "2007", "订单不存在"
    NOT_CANCELLABLE = "2008", "订单不可取消"
    VIRTUAL_NUMBER = "2009", "虚拟运营商号码不支持充值"
    PORTED_NUMBER = "2010", "携号转网号码不支持充值"
    UNKNOWN_CARD = "3001", "油卡不存在"
    CARD_NUMBER = "3002", "油卡号格式错误"
    NATIONAL_ID = "3003", "身份证号格式错误"


class Refusal(Exception):
    """The platform's definite no. Nothing was booked."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refusal(reason: Reason) -> Refusal:
    return Refusal(*reason.value)


def missing(name: str) -> Refusal:
    """As in the document's example: code 1003, "app_key不能为空". [doc]"""
    return Refusal(MISSING_PARAMETER_CODE, f"{name}不能为空")


def signature(parameters: Mapping[str, str], secret: str) -> str:
    """Uppercase MD5 of secret + name and raw value of every parameter but `sign`, by name, + secret. [pub]"""
    signed = "".join(f"{name}{parameters[name]}" for name in sorted(parameters) if name != "sign")
    return hashlib.md5(f"{secret}{signed}{secret}".encode(), usedforsecurity=False).hexdigest().upper()


def parse_parameters(encoded: str | bytes) -> dict[str, str]:
    """The parameters of a query string or form body. Raises Refusal, also if one is sent twice."""
    try:
        text = encoded.decode() if isinstance(encoded, bytes) else encoded
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise refusal(Reason.MALFORMED) from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise refusal(Reason.MALFORMED)
    return parameters


def authenticate(
    system: Mapping[str, str],
    business: Mapping[str, str],
    *,
    app_key: str,
    app_secret: str,
    now: float,
    unsigned: Set[str] = frozenset(),
) -> None:
    """Check who is calling. `system` is from the query string, `business` from the body. Raises Refusal. [pub]

    `unsigned` names what the signature leaves out.
    """
    require(system, SYSTEM_PARAMETERS)
    if system["app_key"] != app_key:
        raise refusal(Reason.APP_KEY)
    if system["v"] != "1.0" or system.get("format", "json") != "json":
        raise refusal(Reason.VERSION)
    timestamp = system["timestamp"]
    if not re.fullmatch(r"\d{1,12}", timestamp, re.ASCII) or abs(now - int(timestamp)) > TIMESTAMP_TOLERANCE:
        raise refusal(Reason.TIMESTAMP)
    signed = {name: value for name, value in system.items() if name not in unsigned}
    expected = signature({**signed, **business}, app_secret)
    # A name in both places has two values, and so no signature.
    if system.keys() & business.keys() or not hmac.compare_digest(system["sign"].encode(), expected.encode()):
        raise refusal(Reason.SIGNATURE)


def require(parameters: Mapping[str, str], names: tuple[str, ...]) -> None:
    """Raises Refusal for the first name that is absent or empty."""
    for name in names:
        if not parameters.get(name):
            raise missing(name)


def require_match(pattern: re.Pattern[str], value: str, reason: Reason) -> None:
    if not pattern.fullmatch(value):
        raise refusal(reason)


def one_of(parameters: Mapping[str, str], name: str, allowed: tuple[int, ...], reason: Reason) -> int:
    """The integer value of a parameter, written as plain digits. Raises Refusal unless it is an allowed one."""
    value = parameters[name]
    if value not in {str(choice) for choice in allowed}:
        raise refusal(reason)
    return int(value)


def yuan(fen: int) -> str:
    """Money as exact text: 4900 → "49.00"."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


@dataclass(frozen=True)
class Dialect:
    """How one order's values are spelt: as strings or as numbers, money with or without .00. [pub]

    The platform mixes them without a system; here the order's own number decides, so that a test can be repeated.
    """

    integers_as_text: bool
    money_as_text: bool
    money_trimmed: bool
    time_style: int

    @classmethod
    def of(cls, key: str) -> Dialect:
        digest = hashlib.sha256(key.encode()).digest()
        return cls(bool(digest[0] & 1), bool(digest[1] & 1), bool(digest[2] & 1), digest[3] % 3)

    def integer(self, value: int | str) -> int | str:
        return str(value) if self.integers_as_text else int(value)

    def money(self, fen: int) -> int | float | str:
        if self.money_as_text:
            return str(fen // 100) if self.money_trimmed and fen % 100 == 0 else yuan(fen)
        return fen // 100 if fen % 100 == 0 else fen / 100

    def envelope(self, code: str, message: str, data: object, now: float) -> dict[str, Any]:
        """The answer to any call. `time` is a string, a number, or missing. [doc]"""
        answer: dict[str, Any] = {"code": code, "msg": message}
        if self.time_style < 2:
            answer["time"] = str(int(now)) if self.time_style == 0 else int(now)
        return {**answer, "data": data}
