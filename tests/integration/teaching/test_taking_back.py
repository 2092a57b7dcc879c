"""Administrators take a code back that was taught wrongly: what rests on it is doubted, and nothing is placed again."""

import pytest
from django.test import Client

from recharge.choices import EventKind, MarkKind, RefusalMeaning, Submission, Verdict
from recharge.core.errors import NotReplaceable, Outdated
from recharge.fulfilment.services import checking, submission
from recharge.models import Order, Reading
from recharge.status import Status
from recharge.teaching.services import applying, effects, lessons
from recharge.teaching.services.lessons import ask_for_removal
from tests.actions import acknowledge, answer, approve
from tests.fake_platform import FakePlatform
from tests.integration.teaching.test_doubting import again, push
from tests.integration.teaching.test_teaching import REFUSED, callback, place, remove, second, teach
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


def says(order: Order, platform: FakePlatform, *codes: int) -> Order:
    for code in codes:
        answer(order, platform.report(order.order_no, code))
    order.refresh_from_db()
    return order


def is_doubted(order: Order) -> bool:
    """Whether it is marked, can't be placed again in either way, and is asked about."""
    order.refresh_from_db()
    believed = order.is_provably_unspent or order.is_confirmed_failed or order.confirmed_at
    return order.marked_as == [MarkKind.UNKNOWN_CODE] and not believed and order.next_check_at is not None


def test_a_refund_that_only_the_code_told_is_doubted(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    assert order.is_provably_unspent
    remove(reading)
    assert is_doubted(order)
    assert (order.status, order.settled_at) == (Status.REFUNDED, None)
    event = order.events.get(kind=EventKind.READ_ANEW)
    assert (event.verdict, event.reported_status) == (Verdict.UNKNOWN_CODE, 77)
    with pytest.raises(NotReplaceable):
        again(order)
    reading.refresh_from_db()
    assert reading.changed == 1


def test_another_meaning_makes_a_contradiction_of_it(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    remove(reading)
    teach(code=77, meaning=Status.SUCCEEDED)
    order.refresh_from_db()
    assert order.marked_as == [MarkKind.CONFLICT]
    assert not order.is_provably_unspent
    with pytest.raises(NotReplaceable):
        again(order)


@pytest.mark.parametrize("then", [Status.FAILED, Status.CANCELLED, Status.TIMED_OUT, Status.WAITING_FOR_PAYMENT])
@pytest.mark.parametrize("before", [Status.REFUNDED, Status.FAILED])
def test_another_meaning_confirms_nothing_that_was_told_before(
    platform: FakePlatform, before: Status, then: Status
) -> None:
    reading = teach(code=77, meaning=before)
    order = says(place(platform, "accept"), platform, 77)
    remove(reading)
    teach(code=77, meaning=then)
    order.refresh_from_db()
    assert not order.is_provably_unspent
    assert not order.is_confirmed_failed
    assert order.next_check_at


@pytest.mark.parametrize("meaning", [Status.FAILED, Status.CANCELLED])
def test_a_failure_is_no_proof_any_more(platform: FakePlatform, meaning: Status) -> None:
    reading = teach(code=77, meaning=meaning)
    order = says(place(platform, "accept"), platform, 77)
    assert order.is_confirmed_failed
    waiting = again(order)
    approve(waiting, person("approver"))
    remove(reading)
    assert is_doubted(order)
    assert push(waiting, platform).submission == Submission.AWAITING_APPROVAL
    assert waiting.order_no not in platform.books


def test_a_success_that_only_the_code_told_is_open_again(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.SUCCEEDED)
    order = says(place(platform, "accept"), platform, 77)
    assert order.settled_at
    remove(reading)
    assert is_doubted(order)
    assert order.settled_at is None


def test_stored_reports_that_were_read_by_it_are_doubted_too(platform: FakePlatform) -> None:
    order = place(platform, "accept")
    callback(order, platform, 77)
    reading = teach(code=77, meaning=Status.FAILED)
    order.refresh_from_db()
    assert order.marked_as == []
    remove(reading)
    assert is_doubted(order)


def test_a_doubt_that_it_ended_is_there_again(platform: FakePlatform) -> None:
    order = says(place(platform, "accept"), platform, Status.REFUNDED)
    callback(order, platform, 77)
    reading = teach(code=77, meaning=Status.REFUNDED)
    order.refresh_from_db()
    assert order.is_provably_unspent
    remove(reading)
    order.refresh_from_db()
    assert order.marked_as == [MarkKind.UNKNOWN_CODE]
    assert not order.is_provably_unspent
    assert order.confirmed_at, "that was confirmed by another code"


def test_what_another_answer_confirms_is_left(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.FAILED)
    order = says(place(platform, "accept"), platform, 77, Status.REFUNDED)
    remove(reading)
    order.refresh_from_db()
    assert order.is_provably_unspent
    assert order.marked_as == []


def test_a_callback_confirms_nothing_of_it(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.FAILED)
    order = says(place(platform, "accept"), platform, 77)
    callback(order, platform, Status.REFUNDED)
    assert order.is_confirmed_failed
    remove(reading)
    assert is_doubted(order)


def test_the_failure_that_another_answer_confirmed_stays_known(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, Status.FAILED, 77)
    remove(reading)
    assert is_doubted(order)
    assert order.failure_confirmed_at


def test_once_a_person_has_looked_a_fresh_answer_ends_the_doubt(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    remove(reading)
    says(order, platform, Status.REFUNDED)
    assert not order.is_provably_unspent, "the mark is open"
    acknowledge(order, person("clerk"))
    order.refresh_from_db()
    assert not order.is_provably_unspent, "a person's word is no proof"
    says(order, platform, Status.REFUNDED)
    assert order.is_provably_unspent


def test_the_same_meaning_once_more_has_to_be_confirmed_afresh(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    remove(reading)
    teach(code=77, meaning=Status.REFUNDED)
    order.refresh_from_db()
    assert not order.is_provably_unspent
    says(order, platform, 77)
    assert order.is_provably_unspent


def test_an_answer_by_the_code_leaves_it_open(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    remove(reading)
    platform.books[order.order_no].status = 77
    Order.objects.update(asked_at=None)
    checking.check_order(order_id=order.pk)
    assert is_doubted(order)


@pytest.mark.books_broken("one_living_attempt")
def test_what_was_placed_again_stays(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    waits = says(place(platform, "accept", 1), platform, 77)
    gone, waiting = again(order), again(waits)
    push(gone, platform)
    remove(reading)
    order.refresh_from_db()
    assert (order.marked_as, order.doubts) == ([], 0)
    assert is_doubted(waits)
    submission.submit_order(order_id=waiting.pk)
    waiting.refresh_from_db()
    assert waiting.submission == Submission.AWAITING_APPROVAL


def test_what_was_placed_again_is_doubted_once_that_attempt_is_dead(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    gone = again(order)
    push(gone, platform)
    remove(reading)
    Reading.objects.update(rounds=2)
    says(gone, platform, Status.REFUNDED)
    applying.apply_waiting()
    assert gone.is_provably_unspent
    assert is_doubted(order)


@pytest.mark.parametrize("removed_before", [True, False])
def test_it_is_doubted_once_that_attempt_has_failed(platform: FakePlatform, removed_before: bool) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    gone = again(order)
    push(gone, platform)
    if removed_before:
        remove(reading)
        Reading.objects.update(rounds=2)
    says(gone, platform, Status.FAILED)
    assert gone.is_confirmed_failed
    if not removed_before:
        remove(reading)
    applying.apply_waiting()
    assert is_doubted(order)
    with pytest.raises(NotReplaceable):
        again(gone)


def test_a_worker_that_is_at_it_does_not_pass_over_what_died_meanwhile(platform: FakePlatform) -> None:
    reading = teach(words=REFUSED, meaning=RefusalMeaning.UNCLEAR)
    Reading.objects.update(rounds=1, applied_to=7)
    reading.refresh_from_db()
    Reading.objects.read_again_from(5)
    assert not applying._apply_piece(reading)
    reading.refresh_from_db()
    assert (reading.rounds, reading.applied_to) == (0, 4)


def test_it_is_done_once_however_often_the_worker_comes(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    remove(reading)
    for _ in range(2):
        Reading.objects.update(rounds=0, applied_to=0)
        applying.apply_waiting()
    assert order.events.filter(kind=EventKind.READ_ANEW).count() == 1


def test_what_was_read_by_the_next_meaning_is_left(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    remove(reading)
    teach(code=77, meaning=Status.FAILED)
    order = says(place(platform, "accept"), platform, 77)
    Reading.objects.filter(pk=reading.pk).update(rounds=0, applied_to=0)
    applying.apply_waiting()
    order.refresh_from_db()
    assert order.is_confirmed_failed
    assert order.marked_as == []


def test_a_worker_that_is_at_it_loses_nothing(platform: FakePlatform) -> None:
    order = place(platform, "accept")
    callback(order, platform, 77)
    stale = teach(code=77, meaning=Status.FAILED)
    stale.refresh_from_db()
    lessons.ask_for_removal(reading_id=stale.pk, actor=second(), reason="wrong")
    lessons.decide_removal(reading_id=stale.pk, actor=person("administrator"), agrees=True, orders_seen=1)
    applying._apply_piece(stale)
    assert Reading.objects.filter(pk=stale.pk, rounds=0, applied_to=0).exists()
    applying.apply_waiting()
    assert is_doubted(order)


def test_more_orders_than_were_shown_are_shown_again(platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    ask_for_removal(reading_id=reading.pk, actor=second(), reason="wrong")
    says(place(platform, "accept"), platform, 77)
    with pytest.raises(Outdated):
        lessons.decide_removal(reading_id=reading.pk, actor=person("administrator"), agrees=True, orders_seen=0)
    reading.refresh_from_db()
    assert reading.removed_at is None


def test_the_page_shows_what_comes_of_it(client: Client, platform: FakePlatform) -> None:
    reading = teach(code=77, meaning=Status.REFUNDED)
    order = says(place(platform, "accept"), platform, 77)
    client.force_login(person("administrator"))
    page = client.get(f"/readings/{reading.pk}/").content.decode()
    assert 'data-effect="1"' in page
    assert order.order_no in page
    assert "不再算已核实" in page
    ask_for_removal(reading_id=reading.pk, actor=second(), reason="wrong")
    user = person("administrator")
    user.set_password("x")
    user.save()
    client.force_login(user)
    assert 'name="proof_seen" value="1"' in client.get(f"/readings/{reading.pk}/").content.decode()
    said = {"decision": "approve", "reason": "", "proof_seen": "1", "password": "x"}
    assert client.post(f"/readings/{reading.pk}/", said).status_code == 302
    applying.apply_waiting()
    assert is_doubted(order)
    assert [one.code for one in effects.unknown_codes()] == [77], "it can be taught anew"
