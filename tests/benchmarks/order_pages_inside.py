"""The half of `order_pages` that knows the portal: fills a database, asks for pages, has statements explained."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from recharge.attention.wording import KINDS
from recharge.choices import MARK_BITS, MarkKind, Submission
from recharge.core.periods import Period, bounds_of
from recharge.models import Order
from recharge.status import Status
from tests.oil_cards import active_card
from tests.people import sign_in_with_factor

from .orders import insert_orders

CLERKS = 20
CARDS = 5
YEARS = 2
RARE = 60
"""Orders of each rare kind: a page and some more, however many orders there are."""

OIL_EVERY = 20
WITH_EVENTS_EVERY = 5

EVENTS = """
    INSERT INTO recharge_orderevent (order_id, at, kind, submission_from, submission_to, status_to, verdict, note, raw)
    SELECT o.id, o.placed_at + k.number * interval '1 minute', k.kind, '', '', k.status, '', '',
        '{"order_no":"' || o.order_no || '","order_number":"W1","status":"2","cost_price":"49.2500"}'
    FROM recharge_order o,
        (VALUES (0, 'PLACED', NULL), (1, 'CLAIMED', NULL), (2, 'QUERIED', 2)) k (number, kind, status)
    WHERE o.id %% %s = 0 ORDER BY o.id, k.number
"""


class Inside:
    def __init__(self, orders: int) -> None:
        self._orders = orders
        self._client = Client(headers={"Host": "127.0.0.1"})
        self._statements: list[tuple[str, Any]] = []
        self._database_seconds = 0.0
        self._pages: dict[str, str] = {}

    def fill(self) -> str:
        """Make orders: mostly settled successes, some of every other kind, placed over two years by 20 clerks."""
        clerks = [User.objects.create_user(f"clerk{number}") for number in range(CLERKS)]
        cards = [active_card(clerks[0], number=f"1000{n:015d}", platform_card_id=f"{n}") for n in range(CARDS)]
        reader = User.objects.create(username="reader", is_superuser=True, is_staff=True)
        with connection.cursor() as cursor:
            cursor.execute(insert_orders(_columns(clerks[0].pk, cards[0].pk, self._orders), self._rows()))
            cursor.execute(EVENTS, [WITH_EVENTS_EVERY])
            cursor.execute("VACUUM (ANALYZE)")
        sign_in_with_factor(self._client, reader)
        return "filled"

    def pages(self) -> dict[str, str]:
        """Return the addresses to ask for, by names that say what they are."""
        if not self._pages:
            self._pages = _addresses(self._orders)
        return self._pages

    def ask_for(self, name: str) -> tuple[float, float]:
        """Ask for a page and return the milliseconds that it took, and those that the database took of them."""
        if "cold" in name:
            cache.clear()
        self._database_seconds = 0.0
        with self._watched():
            started = time.perf_counter()
            answer = self._client.get(self.pages()[name], secure=True)
            took = time.perf_counter() - started
        assert answer.status_code == 200, (name, answer.status_code)
        return took * 1000, self._database_seconds * 1000

    def whole_scans(self) -> list[tuple[str, str]]:
        """Return the pages of which a statement reads a whole table of orders or events, and how."""
        found = []
        for name in self.pages():
            self._statements = []
            self.ask_for(name)
            for sql, params in self._statements:
                found += [(name, line) for line in _plan(sql, params) if "Seq Scan on recharge_order" in line]
        return found

    def _rows(self) -> str:
        kinds = _kinds()
        step = max(1, self._orders // (RARE * len(kinds)))
        values = ", ".join(f"({number}, {', '.join(kind)})" for number, kind in enumerate(kinds))
        return (
            f"generate_series(1, {self._orders}) n LEFT JOIN (VALUES {values}) AS k (number, submission, status, "
            "confirmed, settled, next_push_at, lease_until, next_check_at, open_marks) "
            f"ON n % {step} = 0 AND k.number = (n / {step}) % {len(kinds)} ORDER BY n"
        )

    @contextmanager
    def _watched(self) -> Iterator[None]:
        def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            started = time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                self._database_seconds += time.perf_counter() - started
                self._statements.append((sql, params))

        with connection.execute_wrapper(watch):
            yield


def _kinds() -> list[list[str]]:
    """Return the rare kinds of orders, each as the SQL of the columns that make it; see `_rows`."""
    soon, past = "now() + interval '1 day'", "now() - interval '1 day'"
    never = "NULL::timestamptz"
    states = {
        Submission.AWAITING_APPROVAL: [never, never, never, never],
        Submission.QUEUED: [never, "timestamptz '2100-01-01'", never, never],
        Submission.SUBMITTING: [never, never, soon, never],
        Submission.REJECTED: [past, never, never, never],
        Submission.UNKNOWN: [never, never, never, soon],
        Submission.NOT_RECEIVED: [past, never, never, never],
        Submission.WITHDRAWN: [past, never, never, never],
    }
    kinds = [[f"'{state}'", "NULL::int", never, *moments, "0"] for state, moments in states.items()]
    kinds += [
        ["'ACCEPTED'", str(status.value), never, never, never, never, soon, "0"]
        for status in Status
        if status != Status.SUCCEEDED
    ]
    kinds += [["'ACCEPTED'", "2", past, past, never, never, never, str(bit)] for bit in MARK_BITS.values()]
    return kinds


def _columns(first_clerk: int, first_card: int, orders: int) -> dict[str, str]:
    oil = f"n % {OIL_EVERY} = 7"
    day = f"now() - interval '{YEARS} years' * ({orders} - n) / {orders}"
    accepted = "coalesce(submission, 'ACCEPTED') = 'ACCEPTED'"
    return {
        "order_no": "'26' || lpad(n::text, 18, '0')",
        "product": f"CASE WHEN {oil} THEN 'OIL' ELSE 'MOBILE' END",
        # Every number is recharged some ten times, however many orders there are.
        "mobile": f"CASE WHEN {oil} THEN '' ELSE '138' || lpad((n % {orders // 10})::text, 8, '0') END",
        "oil_card_id": f"CASE WHEN {oil} THEN {first_card} + n / {OIL_EVERY} % {CARDS} END",
        "face_value": f"CASE WHEN {oil} THEN 500 ELSE (ARRAY[50, 100, 200])[n % 3 + 1] END",
        "placed_by_id": f"{first_clerk} + (hashint4(n) & 1048575) % {CLERKS}",
        "placed_at": day,
        "submission": "coalesce(submission, 'ACCEPTED')",
        "next_push_at": "k.next_push_at",
        "claims": "1",
        "lease_until": "k.lease_until",
        "submitted_at": day,
        "gateway_order_no": f"CASE WHEN {accepted} THEN 'W' || n END",
        "status": "CASE WHEN k.number IS NULL THEN 2 ELSE k.status END",
        "status_at": f"CASE WHEN {accepted} THEN {day} END",
        "confirmed_at": f"CASE WHEN k.number IS NULL THEN {day} ELSE k.confirmed END",
        "cost_price": "49.2500",
        "next_check_at": "k.next_check_at",
        "checks": "1",
        "open_marks": "coalesce(k.open_marks, 0)",
        "settled_at": f"CASE WHEN k.number IS NULL THEN {day} ELSE k.settled END",
    }


def _addresses(orders: int) -> dict[str, str]:
    middle = Order.objects.order_by("id").filter(pk__gte=orders // 2, pk__lte=orders // 2 + 50)
    known = middle.filter(pk=orders // 2 // WITH_EVENTS_EVERY * WITH_EVENTS_EVERY).first() or middle.first()
    plain = middle.filter(product="MOBILE", submission="ACCEPTED").first()
    assert known
    assert plain
    clerk = User.objects.get(username="clerk7").pk
    today = timezone.localdate()
    old = today - dt.timedelta(days=500)
    deep = f"before={orders // 2}"
    month = Order.objects.settled_between(*bounds_of(Period.LAST_MONTH)).order_by("settled_at", "id")
    settled_last_month = month.values_list("pk", flat=True)[60]
    pages = {
        "list": "/orders/",
        "list, deep": f"/orders/?{deep}",
        "list, last page": "/orders/?before=51",
        "list, one page newer": f"/orders/?after={orders // 2}",
        **{f"status {status.value}": f"/orders/?status={status.value}" for status in Status},
        "status 2, deep": f"/orders/?status=2&{deep}",
        "status 3, deep": f"/orders/?status=3&{deep}",
        **{f"submission {state.value}": f"/orders/?submission={state.value}" for state in Submission},
        "product MOBILE": "/orders/?product=MOBILE",
        "product OIL": "/orders/?product=OIL",
        "product OIL, deep": f"/orders/?product=OIL&{deep}",
        "clerk": f"/orders/?placed_by={clerk}",
        "clerk, deep": f"/orders/?placed_by={clerk}&{deep}",
        "attention any": "/orders/?attention=any",
        "attention any, deep": f"/orders/?attention=any&{deep}",
        **{f"attention {kind.value}": f"/orders/?attention={kind.value}" for kind in MarkKind},
        "last 14 days": f"/orders/?placed_from={today - dt.timedelta(days=13)}",
        "14 old days": f"/orders/?placed_from={old}&placed_to={old + dt.timedelta(days=13)}",
        "until an old day": f"/orders/?placed_to={old}",
        "settled in 7 days": "/orders/?period=last_7_days&period_of=settled",
        "settled last month": "/orders/?period=last_month&period_of=settled",
        "settled last month, deep": f"/orders/?period=last_month&period_of=settled&before={settled_last_month}",
        "placed last month": "/orders/?period=last_month",
        "q order number": f"/orders/?q={plain.order_no}",
        "q platform number": f"/orders/?q={plain.gateway_order_no}",
        "q mobile number": f"/orders/?q={plain.mobile}",
        "q that finds nothing": "/orders/?q=13912345678",
        "14 old days, clerk": f"/orders/?placed_from={old}&placed_to={old + dt.timedelta(days=89)}&placed_by={clerk}",
        "clerk, success, mobile": f"/orders/?placed_by={clerk}&status=2&product=MOBILE",
        "order": f"/orders/{known.order_no}/",
        "desk": "/attention/",
        **{f"desk {kind}": f"/attention/?kind={kind}" for kind in KINDS},
        "desk older than 3 days": "/attention/?older_than=3",
        "desk urgent": "/attention/?urgency=urgent",
        "desk mobile": "/attention/?product=MOBILE",
        "own work": "/mine/",
        "refunds": "/refunds/",
        "overview": "/",
        "overview, cold": "/",
        "admin list": "/admin/recharge/order/",
        "admin search": f"/admin/recharge/order/?q={plain.order_no}",
        "admin order": f"/admin/recharge/order/{known.pk}/change/",
        "admin events": "/admin/recharge/orderevent/",
    }
    return pages


def _plan(sql: str, params: Any) -> list[str]:
    if not sql.lstrip().upper().startswith("SELECT"):
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", params)
        return [row[0] for row in cursor.fetchall()]
