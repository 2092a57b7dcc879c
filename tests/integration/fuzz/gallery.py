"""Orders in every state that an order can be in, made by the services themselves."""

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F
from django.test import override_settings

from oilcards.models import OilCard
from portal.gateway import OrderReport
from recharge.choices import Submission
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Order
from recharge.orders.services import interventions, placing
from tests.fake_platform import FakePlatform, WorkerKilled
from tests.oil_cards import active_card
from tests.people import person

MOMENTS = ("next_check_at", "asked_at", "first_missing_at", "last_missing_at", "submitted_at")
PATHS: dict[int, tuple[int, ...]] = {code: (code,) for code in range(13)} | {10: (2, 10)}
"""By which reports each code is reached."""


@dataclass
class Gallery:
    """Keys of orders by what is the matter with them."""

    platform: FakePlatform
    clerk: User
    administrator: User
    card: OilCard
    orders: dict[str, int] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    waiting_for_card: list[int] = field(default_factory=list)
    count: int = 0

    def place(self, **said: Any) -> Order:
        self.count += 1
        usual: dict[str, Any] = {"mobile": f"1390013{self.count:04d}", "face_value": 50}
        return placing.place_mobile_order(placed_by=self.administrator, **(usual | said))

    def oil(self) -> Order:
        return placing.place_oil_order(
            placed_by=self.administrator, oil_card=self.card, face_value=500, duplicate_reason="once more"
        )

    def submitted(self, order: Order, behaviour: str = "accept") -> Order:
        self.platform.behaviour = behaviour
        with suppress(WorkerKilled):
            submission.submit_order(order_id=order.pk)
        order.refresh_from_db()
        return order

    def told(self, order: Order, code: int) -> Order:
        """Let callbacks bring it to a code."""
        for step in PATHS[code]:
            self.platform.books[order.order_no].status = step
            report: OrderReport = self.platform.report(order.order_no, step)
            reports.receive_callback(order_no=order.order_no, report=report)
        return order

    def asked(self, order: Order, *, minutes: int = 16) -> Order:
        Order.objects.update(**{moment: F(moment) - dt.timedelta(minutes=minutes) for moment in MOMENTS})
        checking.check_order(order_id=order.pk)
        return order

    def is_taken_beside(self, order_id: int) -> Callable[[str], bool]:
        """Return what says whether an order other than this one has a number of the platform's."""
        return lambda number: Order.objects.filter(gateway_order_no=number).exclude(pk=order_id).exists()

    def lied_about(self) -> set[str]:
        """Return the numbers of the chain of which somebody may say that both attempts live."""
        chain = [self.orders["replaced"], self.orders["replacement"]]
        return set(Order.objects.filter(pk__in=chain).values_list("order_no", flat=True))

    def named(self, name: str, order: Order) -> None:
        self.orders[name] = order.pk


def hang_up(platform: FakePlatform) -> Gallery:
    """Make one of each."""
    clerk = person("clerk")
    gallery = Gallery(platform, clerk, person("administrator"), active_card(clerk))
    make, send = gallery.place, gallery.submitted
    for code in range(13):
        gallery.named(f"told {code}", gallery.told(send(make()), code))
        gallery.named(f"confirmed {code}", gallery.asked(gallery.told(send(make()), code)))
    gallery.named("accepted", send(make()))
    gallery.named("oil accepted", send(gallery.oil()))
    gallery.named("oil succeeded", gallery.asked(gallery.told(send(gallery.oil()), 2)))
    gallery.named("hanging", send(make(), "hang"))
    gallery.named("lost", send(make(), "lost"))
    gallery.named("oil lost", send(gallery.oil(), "lost"))
    gallery.named("nearly missing", gallery.asked(gallery.asked(gallery.asked(send(make(), "lost")), minutes=6)))
    missing = send(make(), "lost")
    for _ in range(4):
        gallery.asked(missing)
    gallery.named("missing", missing)
    gallery.named("being handed over", send(make(), "killed_after"))
    gallery.named("refused", send(make(), "reject"))
    gallery.named("unclear", send(make(), "unclear_lost"))
    gallery.named("queued", make())
    gallery.named("oil queued", gallery.oil())
    gallery.waiting = [make().pk for _ in range(8)]
    gallery.waiting_for_card = [gallery.oil().pk for _ in range(3)]
    with override_settings(APPROVAL_ABOVE=10):
        gallery.named("awaiting", make())
    withdrawn = make()
    interventions.withdraw(order_id=withdrawn.pk, actor=gallery.administrator)
    gallery.named("withdrawn", withdrawn)
    gallery.named("oil refused", send(gallery.oil(), "reject"))
    replaced = send(make(mobile="13900139999"), "reject")
    gallery.named("replaced", replaced)
    gallery.named("replacement", send(make(mobile="13900139999", replaces=replaced)))
    shown = {Order.objects.get(pk=key).submission for key in gallery.orders.values()}
    assert shown == set(Submission.values), set(Submission.values) - shown
    return gallery
