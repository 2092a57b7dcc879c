"""Invented orders for trying the portal out: every state, with the history that leads to it.

They look alive but are inert: a queued one is due in a far year, so that no platform is ever told of it, whatever
the settings say later.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.timezone import localtime

from oilcards.models import OilCard

from .choices import (
    MARK_BITS,
    SIGNS_OF_LIFE,
    BatchEventKind,
    BatchState,
    EventKind,
    MarkKind,
    Product,
    Speed,
    Submission,
    Verdict,
)
from .models import Batch, BatchEvent, Mark, Order, OrderEvent
from .status import FINAL, Status

NEVER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
PREFIXES = ("138", "139", "150", "159", "186", "131", "189", "177")
WORDS = {3: "运营商返回充值失败", 9: "订单已取消", 10: "运营商返销", 11: "部分到账"}


class Story:
    """One order and its history, told step by step; every step takes its time."""

    def __init__(self, number: int, placed_at: dt.datetime, clerk: User, card: OilCard | None = None) -> None:
        self.now = placed_at
        self.clerk = clerk
        self.events: list[OrderEvent] = []
        self.marks: list[Mark] = []
        self.order = Order(
            order_no=f"{localtime(placed_at):%y%m%d}{73_190_000_000_000 + 91_733 * number * number + number:014d}",
            product=Product.OIL if card else Product.MOBILE,
            oil_card=card,
            mobile="" if card else f"{PREFIXES[number % len(PREFIXES)]}0000{1000 + number * 37 % 9000:04d}",
            face_value=500 if card else (50, 100, 100, 200)[number % 4],
            speed=Speed.SLOW if card or number % 7 == 3 else Speed.FAST,
            placed_by=clerk,
            placed_at=placed_at,
            submission=Submission.QUEUED,
            next_push_at=NEVER,
        )
        self._happened(EventKind.PLACED, submission_to=Submission.QUEUED, actor=clerk)

    def await_approval(self) -> "Story":
        self.order.submission = self.events[0].submission_to = Submission.AWAITING_APPROVAL
        self.order.next_push_at = None
        return self

    def withdraw(self) -> "Story":
        self._wait(40)
        self._become(EventKind.WITHDRAWN, Submission.WITHDRAWN, actor=self.clerk)
        return self._settle()

    def claim(self) -> "Story":
        self._wait(1)
        self.order.lease_until = self.order.submitted_at = self.now
        self.order.claims = 1
        self._become(EventKind.CLAIMED, Submission.SUBMITTING)
        self.order.lease_until = self.now + dt.timedelta(days=1)
        return self

    def accept(self) -> "Story":
        self.claim()._wait(1)
        self.order.gateway_order_no = f"2026{self.order.order_no[6:]}"
        answer = {"code": "0000", "msg": "推送成功", "data": {"order_number": self.order.gateway_order_no}}
        self._become(EventKind.ANSWERED, Submission.ACCEPTED, Verdict.APPLIED, raw=_json(answer))
        self.order.next_check_at = self.now + dt.timedelta(days=1)
        return self

    def reject(self) -> "Story":
        self.claim()._wait(1)
        self.order.refusal = "1010 余额不足"
        answer = {"code": "1010", "msg": "余额不足", "data": None}
        self._become(EventKind.ANSWERED, Submission.REJECTED, Verdict.REJECTED, raw=_json(answer), note="1010 余额不足")
        return self._settle()

    def lose_answer(self) -> "Story":
        self.claim()._wait(30)
        raw = "no answer within 30 s"
        self._become(EventKind.ANSWERED, Submission.UNKNOWN, Verdict.OUTCOME_UNKNOWN, raw=raw)
        self.order.next_check_at = self.now + dt.timedelta(days=1)
        return self

    def miss(self) -> "Story":
        """Three times, over half an hour, the platform says that it has no such order."""
        for answer in range(3):
            self._wait(30 if not answer else 1000)
            self.order.missing_answers += 1
            self.order.last_missing_at = self.now
            self.order.first_missing_at = self.order.first_missing_at or self.now
            after = Submission.NOT_RECEIVED if answer == 2 else Submission.UNKNOWN
            raw = _json({"code": "1004", "msg": "订单不存在", "data": None})
            self._become(EventKind.QUERIED, after, Verdict.MISSING, raw=raw, note="1004 订单不存在")
        return self._settle()

    def report(self, status: int, after: float = 60) -> "Story":
        """The platform reports a status by callback."""
        self._wait(after)
        raw = f"order_no={self.order.order_no}&order_number={self.order.gateway_order_no}&status={status}"
        return self._apply(EventKind.CALLBACK, status, raw)

    def confirm(self) -> "Story":
        """The platform's own answer agrees with what it reported last."""
        self._wait(2)
        raw = {
            "order_number": self.order.gateway_order_no,
            "status": self.order.status,
            "amount": self.order.face_value,
        }
        self._apply(EventKind.QUERIED, self.order.status or 0, _json({"code": "0000", "data": raw}))
        self.order.confirmed_at = self.order.asked_at = self.now
        if self.order.status in (Status.FAILED, Status.CANCELLED):
            self.order.failure_confirmed_at = self.now
        self.order.checks += 1
        return self._settle() if self.order.status in FINAL else self

    def contradict(self, status: int) -> "Story":
        """The platform reports what can't follow on what it has confirmed."""
        self._wait(600)
        raw = f"order_no={self.order.order_no}&order_number={self.order.gateway_order_no}&status={status}"
        self._happened(EventKind.CALLBACK, verdict=Verdict.CONFLICT, reported_status=status, raw=raw)
        return self.mark(MarkKind.CONFLICT)

    def mark(self, kind: MarkKind) -> "Story":
        """Mark it for what happened last."""
        self.order.open_marks |= MARK_BITS[kind]
        self.order.doubts |= MARK_BITS[kind] if kind in SIGNS_OF_LIFE else 0
        self.marks.append(Mark(order=self.order, kind=kind, since=self.now, event=self.events[-1]))
        if kind == MarkKind.OVERDUE:
            self.order.next_check_at = None
        return self

    def _apply(self, kind: EventKind, status: int, raw: str) -> "Story":
        before = self.order.status
        verdict = Verdict.DUPLICATE if before == status else Verdict.APPLIED
        self._happened(kind, verdict=verdict, status_from=before, status_to=status, reported_status=status, raw=raw)
        order = self.order
        if verdict == Verdict.APPLIED:
            order.status, order.status_at, order.confirmed_at, order.settled_at = status, self.now, None, None
            order.next_check_at = self.now + dt.timedelta(days=1)
            order.reason = WORDS.get(status, "")
        order.part_arrived |= status == Status.PARTLY_ARRIVED
        if status == Status.SUCCEEDED:
            order.cost_price = Decimal(order.face_value) * Decimal("0.985")
            order.credited_amount = Decimal(order.face_value)
        return self

    def _become(self, kind: EventKind, after: Submission, verdict: str = "", **fields: object) -> None:
        self._happened(kind, submission_from=self.order.submission, submission_to=after, verdict=verdict, **fields)
        self.order.submission = after
        self.order.next_push_at = self.order.lease_until = None

    def _settle(self) -> "Story":
        self.order.settled_at = self.now
        self.order.next_check_at = None
        return self

    def _wait(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def _happened(self, kind: EventKind, **fields: object) -> None:
        self.events.append(OrderEvent(order=self.order, kind=kind, at=self.now, **fields))


Plot = Callable[[Story], Story]


def _succeed(story: Story) -> Story:
    return story.accept().report(1, 5).report(2, 90).confirm()


def _refund(story: Story) -> Story:
    return story.accept().report(1, 5).report(3, 200).report(4, 1500).confirm()


USUAL: tuple[Plot, ...] = (_succeed,) * 5 + (_refund,) + (_succeed,) * 4 + (Story.reject,)
LATELY: tuple[tuple[float, Plot], ...] = (  # minutes ago
    (240, lambda s: s.accept().report(1, 5).report(2, 90).confirm().report(10, 3600)
     .mark(MarkKind.REVERSED)),
    (200, lambda s: s.lose_answer().miss()),
    (180, lambda s: s.accept().report(1, 5).report(11, 300).confirm().mark(MarkKind.PARTLY_ARRIVED)),
    (150, lambda s: s.accept().report(1, 5).report(2, 90).confirm().contradict(3)),
    (120, lambda s: s.accept().report(1, 5).report(5, 900)),
    (90, lambda s: s.accept().report(6, 3).report(9, 120).confirm()),
    (75, lambda s: s.accept().report(1, 5).report(3, 200).confirm()),
    (60, Story.reject),
    (45, lambda s: s.accept().report(6, 3).report(12, 60)),
    (30, _succeed),
    (25, Story.withdraw),
    (20, lambda s: s.accept().report(6, 2).report(7, 4).report(8, 60)),
    (15, Story.lose_answer),
    (12, _succeed),
    (9, lambda s: s.accept().report(0, 5)),
    (7, lambda s: s.accept().report(6, 3).report(7, 5)),
    (6, lambda s: s.accept().report(6, 5)),
    (5, lambda s: s.accept().report(1, 5)),
    (4, Story.accept),
    (3, Story.claim),
    (2, Story.await_approval),
    (1, lambda s: s),
)  # fmt: skip
BY_CARD = (30, 7)
DAYS = 14
OF_BATCH: tuple[Plot, ...] = (*(_succeed,) * 3, *USUAL, Story.lose_answer, *USUAL)
BATCH_AGE = dt.timedelta(hours=5)


def batch_of_this_morning(clerk: User) -> Batch:
    """Save a batch that was handed over five hours ago; its orders are among the stories."""
    made_at = timezone.now() - BATCH_AGE
    batch = Batch.objects.create(
        nonce=uuid.uuid4(),
        product=Product.MOBILE,
        file_name="月度话费.xlsx",
        size=len(OF_BATCH),
        total=1,
        made_by=clerk,
        made_at=made_at,
        state=BatchState.HANDED_OVER,
    )
    for seconds, kind in ((0, BatchEventKind.MADE), (4, BatchEventKind.CANARY_PASSED), (9, BatchEventKind.HANDED_OVER)):
        by = clerk if kind == BatchEventKind.MADE else None
        BatchEvent.objects.create(batch=batch, kind=kind, actor=by, at=made_at + dt.timedelta(seconds=seconds))
    return batch


def stories(clerk: User, card: OilCard, batch: Batch) -> Iterator[Story]:
    """Tell the orders of the last 14 days, oldest first, so that ids rise with the moments of placing.

    Args:
        clerk: who is said to have placed them.
        card: which of them has recharged.
        batch: which some of them are of.
    """
    now = timezone.now()
    number = 0
    overdue = Story(number, now - dt.timedelta(days=DAYS - 1, hours=8), clerk)
    yield overdue.accept().report(1, 60).mark(MarkKind.OVERDUE)
    for day in range(DAYS - 1, 0, -1):
        orders = 4 + day * 5 % 7
        for order in range(orders):
            number += 1
            placed_at = now - dt.timedelta(days=day, minutes=(orders - order) * 41)
            yield USUAL[number % len(USUAL)](Story(number, placed_at, clerk, card if number % 9 == 4 else None))
    for line, plot in enumerate(OF_BATCH, start=2):
        number += 1
        story = plot(Story(number, batch.made_at, clerk))
        story.order.batch, story.order.line = batch, line
        yield story
    for minutes, plot in LATELY:
        number += 1
        yield plot(Story(number, now - dt.timedelta(minutes=minutes), clerk, card if minutes in BY_CARD else None))


def _json(answer: Mapping[str, object]) -> str:
    return json.dumps(answer, ensure_ascii=False)
