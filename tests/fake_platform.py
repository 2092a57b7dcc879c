"""A platform in memory that keeps books: what was pushed, how often, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from portal.gateway import (
    Account,
    Acknowledgement,
    MobileInfo,
    NotSent,
    OrderReport,
    OutcomeUnknown,
    PushReceipt,
    Rejected,
    Speed,
)


class WorkerKilled(BaseException):
    """Stands for `kill -9`: no handler of the code under test may run."""


@dataclass
class Booked:
    """One order in the platform's books."""

    gateway_order_no: str
    target: str
    face_value: int
    status: int = 1
    pushes: int = 1
    is_oil: bool = False
    key: str = ""
    history: list[int] = field(default_factory=lambda: [1])


class FakePlatform:
    """Has the methods of `portal.gateway.Client` that orders use. `behaviour` says how the next push goes."""

    def __init__(self) -> None:
        self.books: dict[str, Booked] = {}
        self.behaviour = "accept"
        self.next_behaviours: list[str] = []
        self.query_behaviour = "answer"
        self.has_oil_query = True
        self.balance: Decimal | None = Decimal("100000")
        self.finds_by_our_number = True
        self.on_push: Callable[[str], object] = lambda order_no: None
        self.during_push: Callable[[str], None] = lambda order_no: None
        self.during_query: Callable[[str], None] = lambda order_no: None
        self.refused_wrongly: set[str] = set()
        self.infos: dict[str, MobileInfo | BaseException] = {}
        self.offers: dict[str, BaseException] = {}
        self.asked: list[tuple[str, str]] = []
        self.key = ""  # of the account under which it is called

    def account(self) -> Account:
        if self.balance is None:
            raise OutcomeUnknown("HTTP 502", "")
        return Account("1", self.balance, "{}")

    def push_mobile_order(
        self, *, order_no: str, mobile: str, face_value: int, speed: Speed, notify_url: str, **options: object
    ) -> PushReceipt:
        behaviour, self.behaviour = self.behaviour, self.next_behaviours.pop(0) if self.next_behaviours else "accept"
        self.on_push(order_no)
        if behaviour == "killed_before":
            raise WorkerKilled
        if behaviour == "not_sent":
            raise NotSent("refused")
        if behaviour == "reject":
            raise Rejected("1001", "余额不足", "{}")
        if behaviour == "unclear_lost":
            raise Rejected("9999", "系统异常，请稍后查询订单结果", "{}")
        if behaviour == "lost":
            raise OutcomeUnknown("reset", "")
        self._book(order_no, mobile, face_value)
        if behaviour == "callback_first":
            self.during_push(order_no)
        if behaviour == "killed_after":
            raise WorkerKilled
        if behaviour == "hang":
            raise OutcomeUnknown("timeout", "")
        if behaviour == "unclear":
            raise Rejected("9999", "系统异常，请稍后查询订单结果", "{}")
        if behaviour == "reject_wrongly":
            self.refused_wrongly.add(order_no)
            raise Rejected("1001", "余额不足", "{}")
        if behaviour == "says_duplicate":
            raise Rejected("1002", "订单号已存在", "{}")
        number = self.books[order_no].gateway_order_no
        return PushReceipt(number, Decimal(face_value), Decimal("49"), None, '{"code": "0000"}')

    def _book(self, order_no: str, mobile: str, face_value: int) -> None:
        if order_no in self.books:
            self.books[order_no].pushes += 1
        else:
            self.books[order_no] = Booked(f"W{len(self.books) + 1}", mobile, face_value, key=self.key)

    def query_mobile_order(self, *, order_no: str | None = None, gateway_order_no: str | None = None) -> OrderReport:
        behaviour, self.query_behaviour = self.query_behaviour, "answer"
        if behaviour == "unclear":
            raise OutcomeUnknown("timeout", "")
        if behaviour == "not_sent":
            raise NotSent("refused")
        if behaviour == "killed":
            raise WorkerKilled
        for number, booked in self.books.items():
            found_by_ours = order_no == number and self.finds_by_our_number
            found = found_by_ours or gateway_order_no == booked.gateway_order_no
            if found and booked.key == self.key:
                report, during = self.report(number), self.during_query
                self.during_query = lambda order_no: None
                during(number)
                return report
        raise Rejected("1004", "订单不存在", "{}")

    def mobile_info(self, *, mobile: str) -> MobileInfo:
        self.asked.append(("info", mobile))
        answer = self.infos.get(mobile, MobileInfo("移动", "移动", "北京", "北京", "{}"))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def verify_mobile(self, *, mobile: str, face_value: int, speed: Speed) -> Acknowledgement:
        self.asked.append(("verify", mobile))
        answer = self.offers.get(mobile)
        if answer is not None:
            raise answer
        return Acknowledgement("可以下单", "{}")

    def push_oil_order(
        self, *, order_no: str, card_id: str, face_value: int, speed: Speed, notify_url: str
    ) -> PushReceipt:
        try:
            return self.push_mobile_order(
                order_no=order_no, mobile=card_id, face_value=face_value, speed=speed, notify_url=notify_url
            )
        finally:
            if order_no in self.books:
                self.books[order_no].is_oil = True

    def query_oil_order(self, *, order_no: str | None = None, gateway_order_no: str | None = None) -> OrderReport:
        if not self.has_oil_query:
            raise Rejected("1404", "接口不存在", "{}")
        return self.query_mobile_order(order_no=order_no, gateway_order_no=gateway_order_no)

    def cancel_oil_orders(self, *, gateway_order_nos: list[str]) -> Acknowledgement:
        return self.cancel_mobile_orders(gateway_order_nos=gateway_order_nos)

    def cancel_mobile_orders(self, *, gateway_order_nos: list[str]) -> Acknowledgement:
        return Acknowledgement("ok", "{}")

    def report(self, order_no: str, status: int | None = None) -> OrderReport:
        """Say what a query would answer now, or what a callback with that status says."""
        booked = self.books[order_no]
        return OrderReport(
            order_no=order_no,
            gateway_order_no=booked.gateway_order_no,
            status=booked.status if status is None else status,
            mobile="" if booked.is_oil else booked.target,
            card_id=booked.target if booked.is_oil else "",
            face_value=Decimal(booked.face_value),
            cost_price=None,
            rebate=None,
            credited_amount=None,
            reason="",
            raw="{}",
        )

    def spent(self, order_no: str) -> bool:
        """Say whether the order's money is gone."""
        return order_no in self.books and self.books[order_no].status != 4
