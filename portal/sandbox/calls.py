"""What each call of the platform does (the interface document's parts "Mobile top-up", "Oil cards", "Account")."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from . import cards
from .books import Books, NewOrder, Order
from .faults import CALLBACK_FAULTS
from .lives import CANCELLABLE, CANCELLATION, PORTED_SUFFIX, arrived_amount, choose_life
from .protocol import (
    MOBILE,
    SUCCESS_CODE,
    VIRTUAL_OPERATOR,
    Dialect,
    Reason,
    Refusal,
    authenticate,
    missing,
    one_of,
    parse_parameters,
    refusal,
    require,
    require_match,
    yuan,
)
from .settings import Settings, names_in

SOURCE_PERCENT = {"6": 94}
"""Channels with a price of their own. [pub]"""
FAST_PERCENT, SLOW_PERCENT = 98, 95
REBATE_PERCENT = 1
"""Prices are invented, but for source 6."""

Parameters: TypeAlias = Mapping[str, str]
Act: TypeAlias = Callable[[Parameters, str], tuple[str, object]]
"""Takes the business parameters and the name of the fault, returns the message and the data, raises Refusal."""


@dataclass(frozen=True)
class Call:
    """One call as it came in: what is in the URL and in the body, still encoded, and the fault that befalls it."""

    endpoint: str
    query: str
    body: bytes
    fault: str = ""


class Calls:
    """The platform's side of every endpoint. Safe to use from any thread."""

    def __init__(self, settings: Settings, books: Books, on_push: Callable[[], None]) -> None:
        """`on_push` is called after an order was booked or its life changed."""
        self._settings = settings
        self._books = books
        self._on_push = on_push
        self._endpoints: dict[str, tuple[tuple[str, ...], Act]] = {
            "Recharge/pushOrder": (
                ("store_id", "mobile", "order_no", "money", "recharge_type", "notify_url"),
                self._push_mobile,
            ),
            "Recharge/query": ((), self._query_mobile),
            "Recharge/verify": (("mobile", "amount", "recharge_type"), self._verify),
            "Recharge/mobileInfo": (("mobile",), self._mobile_info),
            "Recharge/cancel": (("order_number",), partial(self._cancel, product="mobile")),
            "Oil/addCard": (("store_id", *cards.REQUIRED), self._add_card),
            "Oil/editCard": (("card_id", *cards.REQUIRED), self._edit_card),
            "Oil/delCard": (("card_id",), self._delete_card),
            "Oil/cardInfo": (("card_id",), self._card_info),
            "Oil/pushOrder": (
                ("store_id", "cardId", "order_no", "amount", "recharge_type", "notify_url"),
                self._push_oil,
            ),
            "Oil/query": ((), self._query_oil),
            "Oil/cancel": (("order_number",), partial(self._cancel, product="oil")),
            "User/query": ((), self._account),
            "Recharge/forbid": (("store_id", "status"), self._forbid),
            "Order/orderList": (("store_id", "order_type", "query_type", "start", "end"), self._list_orders),
        }

    def answer(self, call: Call) -> dict[str, Any]:
        """The whole JSON answer to a call; refusals are answers too."""
        now = time.time() + self._settings.clock_offset
        key = call.endpoint
        try:
            if call.endpoint not in self._endpoints or call.endpoint in names_in(self._settings.missing_calls):
                raise refusal(Reason.UNKNOWN_CALL)
            self._books.count_call(call.endpoint)
            required, act = self._endpoints[call.endpoint]
            system, business = parse_parameters(call.query), parse_parameters(call.body)
            settings = self._settings
            authenticate(
                system,
                business,
                app_key=settings.app_key,
                app_secret=settings.app_secret,
                now=now,
                unsigned=names_in(settings.unsigned),
            )
            require(business, required)
            key = business.get("order_no") or business.get("order_number") or next(iter(business.values()), key)
            message, data = act(business, call.fault)
        except Refusal as refused:
            return Dialect.of(key).envelope(refused.code, refused.message, None, now)
        return Dialect.of(key).envelope(SUCCESS_CODE, message, data, now)

    def note_push(self, body: bytes) -> None:
        """Write down that a push came in, whatever becomes of it: none may come in twice, not even a refused one."""
        try:
            order_no = parse_parameters(body).get("order_no")
        except Refusal:
            return
        if order_no:
            self._books.count_push(order_no)

    def target(self, call: Call) -> str:
        """The phone or card number that a call is about, for choosing faults; '' if it says none that we know."""
        try:
            parameters = parse_parameters(call.body)
        except Refusal:
            return ""
        if card_id := parameters.get("cardId") or parameters.get("card_id"):
            card = cards.find(self._books, card_id)
            return card.card_num if card else ""
        if "mobile" not in parameters and ("order_no" in parameters or "order_number" in parameters):
            numbers = {name: parameters.get(name, "") for name in ("order_no", "order_number")}
            order = self._books.order(**numbers)
            return order.target if order else ""
        return parameters.get("mobile") or parameters.get("card_num") or ""

    # Orders of both products

    def _push(self, parameters: Parameters, fault: str, *, product: str, target: str, amount: int) -> Order:
        settings = self._settings
        fast = one_of(parameters, "recharge_type", (0, 1), Reason.PARAMETER)
        percent = SOURCE_PERCENT.get(parameters.get("source", ""), FAST_PERCENT if fast else SLOW_PERCENT)
        order = self._books.push(
            NewOrder(
                order_no=parameters["order_no"],
                product=product,
                target=target,
                card_id=int(parameters["cardId"]) if product == "oil" else None,
                amount=amount,
                recharge_type=fast,
                store_id=parameters["store_id"],
                notify_url=parameters["notify_url"],
                cost_price=amount * percent,
                fanli=amount * REBATE_PERCENT,
                callbacks=CALLBACK_FAULTS.get(fault, ""),
                fault=fault,
            ),
            choose_life(
                parameters["order_no"],
                target,
                default=settings.life,
                seed=settings.seed,
                suffixes=settings.suffixes,
            ),
            duplicates=settings.duplicates,
            pace=settings.pace,
            now=time.time(),
        )
        self._on_push()
        return order

    def _find(self, parameters: Parameters, product: str) -> Order:
        """By order_number [doc] or order_no [pub]."""
        numbers = {name: parameters.get(name, "") for name in ("order_number", "order_no")}
        if not numbers["order_number"] and self._settings.order_no_queries != "find":
            raise (
                missing("order_number")
                if self._settings.order_no_queries == "refuse"
                else refusal(Reason.UNKNOWN_ORDER)
            )
        if not any(numbers.values()):
            raise missing("order_number")
        order = self._books.order(product=product, **numbers)
        if order is None:
            raise refusal(Reason.UNKNOWN_ORDER)
        return order

    def _cancel(self, parameters: Parameters, fault: str, *, product: str) -> tuple[str, object]:
        """Several orders at once, joined by commas: all of them or none. [guess]"""
        now = time.time()
        numbers = dict.fromkeys(parameters["order_number"].split(","))
        orders = [self._find({"order_number": number.strip()}, product) for number in numbers]
        with self._books.transaction() as books:
            for order in orders:
                # Its status may have moved since it was found.
                if (
                    books.execute("SELECT status FROM orders WHERE id = ?", (order.id,)).fetchone()[0]
                    not in CANCELLABLE
                ):
                    raise refusal(Reason.NOT_CANCELLABLE)
                self._books.set_life(books, order, CANCELLATION, due=now)
        self._on_push()
        return "操作成功", None

    def _check_store(self, parameters: Parameters) -> None:
        if parameters["store_id"] != self._settings.store_id:
            raise refusal(Reason.STORE)

    # Recharge

    def _check_mobile(self, mobile: str) -> None:
        require_match(MOBILE, mobile, Reason.MOBILE)
        if VIRTUAL_OPERATOR.fullmatch(mobile):
            raise refusal(Reason.VIRTUAL_NUMBER)
        if self._is_ported(mobile):
            raise refusal(Reason.PORTED_NUMBER)

    def _is_ported(self, mobile: str) -> bool:
        return self._settings.suffixes and mobile.endswith(PORTED_SUFFIX)

    def _push_mobile(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        self._check_store(parameters)
        self._check_mobile(parameters["mobile"])
        amount = one_of(parameters, "money", self._settings.mobile_face_values, Reason.FACE_VALUE)
        if parameters.get("change"):
            one_of(parameters, "change", (0, 1), Reason.PARAMETER)
        if parameters.get("source"):
            require_match(re.compile(r"\d{1,9}", re.ASCII), parameters["source"], Reason.PARAMETER)
        order = self._push(parameters, fault, product="mobile", target=parameters["mobile"], amount=amount)
        return "推送成功", {"order_number": Dialect.of(order.order_no).integer(order.order_number)}

    def _query_mobile(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        order = self._find(parameters, "mobile")
        dialect = Dialect.of(order.order_no)
        data: dict[str, Any] = {
            "order_number": dialect.integer(order.order_number),
            "status": dialect.integer(order.status),
            "mobile": dialect.integer(order.target),
            "amount": dialect.integer(order.amount),
            "order_no": order.order_no,
        }
        if self._settings.extras:
            data |= {
                "cost_price": dialect.money(order.cost_price),
                "fanli": dialect.money(order.fanli),
                "arrived_amount": dialect.money(arrived_amount(order.amount, order.status)),
                "reason": order.reason,
                "store_id": dialect.integer(order.store_id) if order.store_id.isdigit() else order.store_id,
                "org_order_number": "",
            }
        return "查询成功", data

    def _verify(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        self._check_mobile(parameters["mobile"])
        one_of(parameters, "amount", self._settings.mobile_face_values, Reason.FACE_VALUE)
        one_of(parameters, "recharge_type", (0, 1), Reason.PARAMETER)
        return "可以下单", None

    def _mobile_info(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        """Carriers and places are made up from the number's digits."""
        mobile = parameters["mobile"]
        require_match(MOBILE, mobile, Reason.MOBILE)
        carriers = ("移动", "联通", "电信")
        original = int(mobile[2]) % 3
        now = (original + 1) % 3 if self._is_ported(mobile) else original
        places = (("广东", "深圳"), ("北京", "北京"), ("浙江", "杭州"), ("四川", "成都"))
        province, city = places[int(mobile[3:7]) % 4]
        data = {"oisp": carriers[original], "nisp": carriers[now], "extend": {"prov": province, "city": city}}
        return "查询成功", {"mobile": mobile, **data}

    # Oil

    def _push_oil(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        self._check_store(parameters)
        card = cards.get(self._books, parameters["cardId"])
        amount = one_of(parameters, "amount", self._settings.oil_face_values, Reason.FACE_VALUE)
        order = self._push(parameters, fault, product="oil", target=card.card_num, amount=amount)
        dialect = Dialect.of(order.order_no)
        data: dict[str, Any] = {"order_number": dialect.integer(order.order_number)}
        if self._settings.extras:
            data |= {
                "amount": dialect.integer(order.amount),
                "fanli": dialect.money(order.fanli),
                "cost_price": dialect.money(order.cost_price),
            }
        return "推送成功", data

    def _query_oil(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        order = self._find(parameters, "oil")
        dialect = Dialect.of(order.order_no)
        return "查询成功", {
            "order_number": dialect.integer(order.order_number),
            "order_no": order.order_no,
            "card_id": dialect.integer(str(order.card_id)),
            "amount": dialect.integer(order.amount),
            "cost_price": dialect.money(order.cost_price),
            "fanli": dialect.money(order.fanli),
            "status": dialect.integer(order.status),
        }

    def _add_card(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        self._check_store(parameters)
        card_id = cards.add(self._books, parameters)
        # The document shows no example: the sandbox uses both names that are likely. [guess]
        dialect = Dialect.of(parameters["card_num"])
        return "添加成功", {"card_id" if dialect.money_trimmed else "id": dialect.integer(card_id)}

    def _edit_card(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        cards.edit(self._books, parameters["card_id"], parameters)
        return "修改成功", None

    def _delete_card(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        cards.delete(self._books, parameters["card_id"])
        return "删除成功", None

    def _card_info(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        card = cards.get(self._books, parameters["card_id"])
        dialect = Dialect.of(card.card_num)
        numbers = {"id": dialect.integer(card.id), "card_type": dialect.integer(card.card_type)}
        return "查询成功", {
            **numbers,
            "card_num": card.card_num,
            "name": card.name,
            "phone": card.phone,
            "user_num": card.user_num,
        }

    # User

    def _account(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        balance = self._books.balance()
        data = {"id": 10001, "money": f"{balance / 100:,.2f}" if self._settings.quirks else yuan(balance)}
        return "查询成功", {**data, "avatar": "", "mobile": "13800000000"} if self._settings.extras else data

    # The shop as a whole

    def _forbid(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        """Nothing but the interface places orders here, so there is nothing to forbid: it says yes and forgets."""
        self._check_store(parameters)
        one_of(parameters, "status", (0, 1), Reason.PARAMETER)
        return "操作成功", None

    def _list_orders(self, parameters: Parameters, fault: str) -> tuple[str, object]:
        """The shape of the answer is invented: nobody has seen a real one. It lists nothing."""
        self._check_store(parameters)
        one_of(parameters, "order_type", (7, 8), Reason.PARAMETER)
        return "查询成功", {"total": 0, "list": []}
