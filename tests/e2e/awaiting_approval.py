"""Three single orders that await approval, of 350 yuan in all: `python -m tests.e2e.awaiting_approval` prints them."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
VALUES = (50, 100, 200)
FIRST = 7000
"""Beyond the numbers of the demo's stories."""


def add() -> None:
    """Write them down as the operator's."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from recharge.demo import Story
    from recharge.models import Order, OrderEvent

    clerk = User.objects.get(username="operator")
    for number, value in enumerate(VALUES, Order.objects.count() + FIRST):
        story = Story(number, timezone.now(), clerk).await_approval()
        story.order.mobile, story.order.face_value = f"1390077{number:04}", value
        story.order.save(force_insert=True)
        OrderEvent.objects.bulk_create(story.events)
        print(story.order.order_no)


if __name__ == "__main__":
    django.setup()
    add()
