"""A client of the Wikeyun (微客云) top-up platform. Needs nothing but requests.

    from portal.gateway import Client, NotSent, OutcomeUnknown, Rejected, Speed

    client = Client(base_url="https://router.wikeyun.cn/rest/", app_key="…", app_secret="…", store_id="1")
    try:
        receipt = client.push_mobile_order(order_no="20211109001", mobile="13800138000", face_value=50,
                                           speed=Speed.SLOW, notify_url="https://example.com/callback/…")
    except Rejected as refusal:      # a definite no, nothing was spent
        print(refusal.code, refusal.message)
    except NotSent:                  # no byte left us: the same order may be pushed again
        ...
    except OutcomeUnknown:           # it may have been taken: ask with query_mobile_order(), never push again
        ...

One client serves all threads. Nothing is ever retried, no matter which call. Where a rule is the platform's, its source
stands beside it: [doc], the interface document; [pub], public clients and later documents; [guess], our own reading.
"""

from portal.gateway.client import Client
from portal.gateway.errors import GatewayError, NotSent, OutcomeUnknown, Rejected
from portal.gateway.messages import MalformedCallback, parse_callback, platform_time
from portal.gateway.results import (
    Account,
    Acknowledgement,
    CardType,
    MobileInfo,
    OilCard,
    OilCardReceipt,
    OrderReport,
    OrderType,
    PushReceipt,
    Speed,
)
from portal.gateway.signing import sign

from .heuristics import may_mean_duplicate, means_no_such_call, means_no_such_order, means_not_rechargeable

__all__ = [
    "Account",
    "Acknowledgement",
    "CardType",
    "Client",
    "GatewayError",
    "MalformedCallback",
    "MobileInfo",
    "NotSent",
    "OilCard",
    "OilCardReceipt",
    "OrderReport",
    "OrderType",
    "OutcomeUnknown",
    "PushReceipt",
    "Rejected",
    "Speed",
    "may_mean_duplicate",
    "means_no_such_call",
    "means_no_such_order",
    "means_not_rechargeable",
    "parse_callback",
    "platform_time",
    "sign",
]
