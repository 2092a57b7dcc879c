"""Administrators teach that a refusal is unclear: what was placed again meanwhile goes out only if that is proven."""

import pytest
from django.utils import timezone

from recharge.choices import MarkKind, RefusalMeaning, Submission
from recharge.fulfilment.services import checking, submission
from recharge.models import Order
from recharge.orders.services import placing
from recharge.teaching.services import effects
from tests.fake_platform import FakePlatform
from tests.integration.teaching.test_teaching import REFUSED, place, propose, states, teach
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


def push(order: Order, platform: FakePlatform, behaviour: str = "accept") -> Order:
    Order.objects.filter(pk=order.pk).update(next_push_at=timezone.now())
    platform.behaviour = behaviour
    submission.submit_order(order_id=order.pk)
    platform.behaviour = "accept"
    order.refresh_from_db()
    return order


def again(order: Order) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile=order.mobile, face_value=50, replaces=order)


@pytest.mark.parametrize("meaning", [RefusalMeaning.UNCLEAR, RefusalMeaning.DUPLICATE])
def test_a_replacement_that_was_claimed_and_not_sent_is_held(platform: FakePlatform, meaning: RefusalMeaning) -> None:
    original = place(platform, "reject_wrongly")
    replacement = push(again(original), platform, "not_sent")
    assert (replacement.submission, replacement.claims) == (Submission.QUEUED, 1)
    teach(words=REFUSED, meaning=meaning)
    assert states(original) == [Submission.UNKNOWN]
    push(replacement, platform)
    assert replacement.submission == Submission.AWAITING_APPROVAL
    assert replacement.marked_as == [MarkKind.REPLACEMENT_HELD]
    assert list(platform.books) == [original.order_no]


def test_a_replacement_that_was_refused_in_the_same_words_leaves_no_original_out(platform: FakePlatform) -> None:
    original = place(platform, "reject_wrongly")
    replacement = push(again(original), platform, "reject")
    reading = propose(words=REFUSED, meaning=RefusalMeaning.UNCLEAR)
    assert effects.effect_of(reading).changing == 2
    reading.delete()
    teach(words=REFUSED, meaning=RefusalMeaning.UNCLEAR)
    assert states(original, replacement) == [Submission.UNKNOWN] * 2
    checking.check_order(order_id=original.pk)
    assert states(original) == [Submission.ACCEPTED], "it is asked about, and the next attempt is blocked by it"


def test_the_attempt_after_a_dead_one_is_held_by_the_first(platform: FakePlatform) -> None:
    original = place(platform, "reject_wrongly")
    refused = push(again(original), platform, "reject")
    third = push(again(refused), platform, "not_sent")
    teach(words=REFUSED, meaning=RefusalMeaning.UNCLEAR)
    assert states(original, refused) == [Submission.UNKNOWN] * 2
    assert push(third, platform).submission == Submission.AWAITING_APPROVAL


@pytest.mark.parametrize("behaviour", ["accept", "hang"])
def test_what_is_with_the_platform_leaves_all_before_it_as_they_are(platform: FakePlatform, behaviour: str) -> None:
    original = place(platform, "reject")
    refused = push(again(original), platform, "reject")
    gone = push(again(refused), platform, behaviour)
    reading = propose(words=REFUSED, meaning=RefusalMeaning.UNCLEAR)
    assert effects.effect_of(reading).changing == 0
    reading.delete()
    teach(words=REFUSED, meaning=RefusalMeaning.UNCLEAR)
    assert states(original, refused) == [Submission.REJECTED] * 2
    assert gone.submission in (Submission.ACCEPTED, Submission.UNKNOWN)
