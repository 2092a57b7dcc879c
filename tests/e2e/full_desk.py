"""A desk of thirty cases of all kinds that a clerk settles, and one more of each kind of order.

`python -m tests.e2e.full_desk` fills the portal's empty database; the platform's stand-in must be running. Afterwards
a worker hands over what was placed: of the numbers that end in 007 nobody knows then whether they arrived. The platform
knows those alone; of the others only the history is told.
"""

import datetime as dt
import os
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
ONE_BY_ONE = 1
"""Of each kind, to count the clicks of settling one by itself."""
KINDS = {"UNKNOWN": 8, "CONFLICT": 6, "REVERSED": 4, "PARTLY_ARRIVED": 4, "REFUND_OWED": 5}
BATCHES, CARDS = 1, 2
OWED = ("REVERSED", "PARTLY_ARRIVED", "REFUND_OWED")
YESTERDAY = "13900001234"
"""Whose ¥ 100 of yesterday has not arrived."""


def fill() -> None:
    """Write all of it."""
    from django.contrib.auth.models import Group, User
    from django.db import transaction
    from django.utils import timezone

    from oilcards.demo import cards
    from recharge.batches.services import managing
    from recharge.choices import MarkKind
    from recharge.demo import NEVER, Story
    from recharge.models import Mark, Order, OrderEvent
    from recharge.orders.services import placing
    from tests.batches import batch_of, mobiles

    plots: dict[str, Callable[[Story], Story]] = {
        "CONFLICT": lambda story: story.accept().report(1, 5).report(2, 90).confirm().contradict(3),
        "REVERSED": lambda story: story.accept().report(2, 90).confirm().report(10, 3600).mark(MarkKind.REVERSED),
        "PARTLY_ARRIVED": lambda story: story.accept().report(11, 300).confirm().mark(MarkKind.PARTLY_ARRIVED),
        "REFUND_OWED": lambda story: story.accept().report(1, 5).report(3, 200).confirm(),
    }
    clerk = User.objects.create_user("operator", password="operator-demo", first_name="操作员")
    clerk.groups.add(Group.objects.get(name="Operators"))
    cards(clerk)
    began = timezone.now() - dt.timedelta(days=1, hours=3)
    late = Story(1, began, clerk)
    late.order.mobile, late.order.face_value = YESTERDAY, 100
    told = [late.accept().report(1, 60)]
    for kind, plot in plots.items():
        for _ in range(KINDS[kind] + ONE_BY_ONE):
            told.append(plot(Story(len(told) + 1, began + dt.timedelta(minutes=len(told)), clerk)))
    for story in told:
        story.order.next_check_at = story.order.next_check_at and NEVER  # the platform knows none of them
    with transaction.atomic():
        Order.objects.bulk_create([story.order for story in told])
        OrderEvent.objects.bulk_create([event for story in told for event in story.events])
        Mark.objects.bulk_create([mark for story in told for mark in story.marks])
    for number in range(KINDS["UNKNOWN"] + ONE_BY_ONE):
        placing.place_mobile_order(placed_by=clerk, mobile=f"1370{number:04}007", face_value=50)
    batch = batch_of(*mobiles(3), made_by=clerk)
    managing.pause(batch_id=batch.pk, actor=clerk, reason="请先核对名单")


if __name__ == "__main__":
    django.setup()
    fill()
