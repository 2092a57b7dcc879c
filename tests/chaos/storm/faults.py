"""What can be wrong with the platform, in kinds of which each run switches a random half off."""

from typing import Any

Rule = dict[str, Any]

UNCLEAR = (
    "系统异常，请稍后查询订单结果",
    "请求超时",
    "处理中",
    "系统繁忙",
    "网络异常，结果未知",
    "order submitted, waiting",
)
ALREADY_THERE = ("订单号已存在", "订单重复提交", "duplicate order_no")

KINDS: dict[str, tuple[Rule, ...]] = {
    "timeouts": ({"fault": "accept_hang", "probability": 0.015},),
    "resets after booking": ({"fault": "accept_reset", "probability": 0.03},),
    "resets before booking": ({"fault": "reset", "probability": 0.02},),
    "5xx after booking": ({"fault": "accept_502", "probability": 0.03},),
    "5xx before booking": ({"fault": "refuse_html", "probability": 0.02},),
    "web pages": ({"fault": "accept_html", "probability": 0.02},),
    "broken JSON": ({"fault": "garbage_json", "probability": 0.02},),
    "answers cut off": ({"fault": "accept_truncated", "probability": 0.02},),
    "no number": ({"fault": "accept_no_number", "probability": 0.02},),
    "answers that come late": ({"fault": "slow", "probability": 0.015, "seconds": 4.0},),
    "answers that drip": ({"fault": "drip", "probability": 0.01, "seconds": 0.02},),
    "refusals": ({"fault": "reject", "probability": 0.02},),
    "unclear refusals": tuple({"fault": "accept_refuse", "probability": 0.005, "msg": msg} for msg in UNCLEAR),
    "duplicates refused": tuple({"fault": "accept_refuse", "probability": 0.005, "msg": msg} for msg in ALREADY_THERE),
    "lost callbacks": ({"fault": "lose_callbacks", "probability": 0.06},),
    "late callbacks": ({"fault": "late_callbacks", "probability": 0.06},),
    "double callbacks": ({"fault": "double_callbacks", "probability": 0.06},),
    "JSON callbacks": ({"fault": "json_callbacks", "probability": 0.06},),
    "no callbacks at all": (),
    "slow lives": (),
    "lying callbacks": (),  # a person's work, see people.Liar
    "failing queries": (
        {"fault": "refuse_html", "endpoint": "query", "probability": 0.05},
        {"fault": "garbage_json", "endpoint": "query", "probability": 0.05},
        {"fault": "reset", "endpoint": "query", "probability": 0.05},
        {"fault": "reject", "endpoint": "query", "probability": 0.05, "msg": "系统繁忙"},
    ),
    "late answers to queries": ({"fault": "slow", "endpoint": "query", "probability": 0.04, "seconds": 1.5},),
    "failing cancellations": ({"fault": "accept_reset", "endpoint": "cancel", "probability": 0.3},),
}
"""Name → rules of the sandbox. Partial arrivals, reversals and refunds are lives of orders, not faults: always on."""

LIES = "lying callbacks"
USUAL = {"callbacks": True, "pace": 0.3}
SETTINGS: dict[str, dict[str, Any]] = {"no callbacks at all": {"callbacks": False}, "slow lives": {"pace": 8.0}}
"""What kinds are by the sandbox's settings, for a whole phase. With slow lives, queries see what callbacks usually
overtake."""
