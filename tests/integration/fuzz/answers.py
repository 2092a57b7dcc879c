"""Answers of the platform as the document has them, and as nobody would have them, to each call."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.fake_card_platform import NAME, NATIONAL_ID, NUMBER
from tests.oil_cards import HOLDER

from .hostile import ANY, NAMES, WEB_PAGE, Fields, as_json, spoiled

CALLS = ("push", "push", "push", "query", "query", "query", "query", "cancel", "balance", "forbid", "contact")
CARD_CALLS = ("add", "edit", "delete", "compare")
CLEAR_NOES = ("余额不足", "app_key不能为空", "签名错误", "手机号格式错误", "店铺不存在", "insufficient balance")
MISSING = ("订单不存在", "查无此订单", "order not found")
OTHER_WORDS = (
    *(
        "系统异常，请稍后查询订单结果",
        "订单号已存在",
        "订单重复提交",
        "处理中",
        "余额不足，订单已提交",
        "请求过于频繁",
        "",
    ),
    *("接口不存在", "卡不存在", "订单不存在或无权限", "<b>余额不足</b>", "\u202e足不额余", "余额\0不足", "推送成功"),
    *("duplicate order", "internal server error", "{secret}", "x" * 600),
)
UNSURE = ("异常", "存在", "重复", "提交", "处理", "稍后", "频繁", "成功", "duplicate", "internal")
PERSONAL = (HOLDER, "11010519491231002X", "1000111100001234567", NAME, NATIONAL_ID, NUMBER)
BOOKKEEPING = {"asked_at", "next_check_at", "checks", "heard", "missing_answers", "first_missing_at", "last_missing_at"}


@dataclass(frozen=True)
class Answer:
    """One answer: to which call about which order, and what it plainly says, where nothing about it is odd."""

    call: str
    about: str
    body: bytes
    status: int = 200
    encoding: str = ""
    says: str = ""
    """"taken", "refused", or a code in digits; "" where it can't be told."""


def data_of(draw: st.DrawFn, call: str, code: int) -> Fields:
    """Return what the platform's document has in an answer to the call."""
    whole: Fields = [("mobile", "{mobile}"), ("amount", "{value}"), ("cost_price", "49.5"), ("fanli", "0.50")]
    about: dict[str, Fields] = {
        "push": [("order_number", "{new}"), *(whole if draw(st.booleans()) else [])],
        "query": [
            ("order_number", "{number}"),
            ("order_no", "{order_no}"),
            ("status", draw(st.sampled_from([code, str(code)]))),
        ]
        + (whole if draw(st.booleans()) else [])
        + ([("arrived_amount", draw(st.sampled_from(["{value}", "10", 0])))] if draw(st.booleans()) else []),
        "balance": [("money", draw(st.sampled_from(["1234.50", 98.5, "1,234.50", "0", "-3"]))), ("id", "7")],
        "add": [(draw(st.sampled_from(["card_id", "id"])), draw(st.sampled_from(["C9", 9])))],
        "compare": [
            *(("id", "77"), ("card_num", PERSONAL[2]), ("name", HOLDER), ("phone", "13800138000")),
            *(("user_num", PERSONAL[1]), ("card_type", "0")),
        ],
    }
    return about.get("balance" if call == "contact" else call, [])


@st.composite
def answers(draw: st.DrawFn, names: list[str]) -> Answer:
    call = draw(st.sampled_from(CALLS + CARD_CALLS))
    code = draw(st.integers(0, 14))
    data = data_of(draw, call, code)
    says = {"push": "taken", "query": str(code) if code < 13 else ""}.get(call, "")
    envelope: Fields = [
        ("code", "0000"),
        ("msg", draw(st.sampled_from(["成功"] * 5 + ["{secret}"]))),
        ("time", "1764400000"),
    ]
    if draw(st.sampled_from([False, False, True])):
        words = draw(st.sampled_from((*CLEAR_NOES, *MISSING, *OTHER_WORDS, *["{secret}"] * 5)))
        envelope[:2] = [
            ("code", draw(st.sampled_from(["1003", 1003, "9999", "A1", 1, "0", 0, "000", "", None]))),
            ("msg", words),
        ]
        says = "refused" if words in CLEAR_NOES and envelope[0][1] in ("1003", 1003, "9999", "A1", 1) else ""
        data = data if draw(st.sampled_from([False, False, False, True])) else []
        says = says if not data else ""
    for fields in (data, envelope):
        if draw(st.sampled_from([False, False, False, True])):
            place = draw(st.integers(0, len(fields)))
            gone = draw(st.integers(0, 1))
            value = ANY | st.sampled_from(["{order_no}", "{another}", "{taken}", "{secret}", HOLDER])
            fields[place : place + gone], says = [(draw(NAMES), draw(value))], ""
    inner: Any = draw(st.sampled_from(["object"] * 8 + ["null", "[]", '""', "[{}]", "7"]))
    written = as_json(data) if inner == "object" and data else (b"null" if inner == "object" else inner.encode())
    says = says if inner == "object" else ""
    body = as_json(envelope)[:-1] + b', "data": ' + written + b"}"
    status, encoding = 200, ""
    if draw(st.sampled_from([False, False, False, True])):
        body, says = draw(spoiled(body)), ""
    if draw(st.sampled_from([False] * 9 + [True])):
        status, says = draw(st.sampled_from([0, 201, 204, 302, 400, 404, 500, 502, 503])), ""
        body = draw(st.sampled_from([body, WEB_PAGE.encode(), b""]))
    if draw(st.sampled_from([False] * 19 + [True])):
        encoding, says = draw(st.sampled_from(["gzip", "br", "Identity", "x"])), ""
    return Answer(call, draw(st.sampled_from(names)), body, status, encoding, says)
