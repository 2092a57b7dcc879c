"""Trying the portal out: a login for each role and invented orders, and never where real money is."""

import datetime as dt
import io

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from oilcards.choices import State
from oilcards.models import OilCard
from recharge.choices import BatchState, MarkKind, Submission, Verdict
from recharge.demo import NEVER
from recharge.models import Batch, Mark, Order, OrderEvent
from recharge.status import Status
from tests.fake_card_platform import FakeCardPlatform
from tests.known import known

pytestmark = pytest.mark.django_db


def demo() -> str:
    output = io.StringIO()
    call_command("demo", stdout=output)
    return output.getvalue()


@pytest.fixture
def trying_out(settings: LazySettings) -> None:
    settings.DEBUG = True


@pytest.fixture
def stand_in(trying_out: None, settings: LazySettings, card_platform: FakeCardPlatform) -> FakeCardPlatform:
    settings.WIKEYUN_BASE_URL = "http://127.0.0.1:9000/rest/"
    return card_platform


def test_it_is_refused_in_production(settings: LazySettings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        demo()
    assert not User.objects.exists()
    assert not Order.objects.exists()


def test_it_is_refused_where_the_real_platform_is_set(trying_out: None, settings: LazySettings) -> None:
    settings.WIKEYUN_APP_KEY = settings.WIKEYUN_APP_SECRET = settings.WIKEYUN_STORE_ID = "real"
    settings.WIKEYUN_BASE_URL = "https://platform.example.com/rest/"
    with pytest.raises(CommandError, match="real platform"):
        demo()
    assert not User.objects.exists()


def test_every_printed_login_works(trying_out: None, client: Client) -> None:
    printed = demo()
    for username in ("operator", "approver", "auditor", "admin"):
        assert f"user {username}" in printed
        assert client.login(username=username, password=f"{username}-demo")
    assert [user.username for user in User.objects.filter(is_staff=True)] == ["admin"]
    assert not User.objects.filter(is_superuser=True).exists()


def test_every_state_is_there(trying_out: None) -> None:
    demo()
    assert set(Order.objects.values_list("submission", flat=True)) == set(Submission.values)
    assert set(Order.objects.exclude(status=None).values_list("status", flat=True)) == set(Status.values)
    shown = set(Mark.objects.open().values_list("kind", flat=True))
    assert shown == {MarkKind.CONFLICT, MarkKind.REVERSED, MarkKind.PARTLY_ARRIVED, MarkKind.OVERDUE}


def test_a_confirmed_failure_can_be_placed_again_with_a_second_person(trying_out: None) -> None:
    demo()
    failed = Order.objects.filter(status__in=[Status.FAILED, Status.CANCELLED]).exclude(confirmed_at=None)
    assert failed
    assert all(order.is_confirmed_failed for order in failed)


def test_one_batch_is_over_and_one_waits_for_an_approver(
    stand_in: FakeCardPlatform, settings: LazySettings, client: Client
) -> None:
    settings.APPROVAL_ABOVE = 1000
    demo()
    over, waiting = Batch.objects.order_by("pk")
    assert (over.state, waiting.state) == (BatchState.HANDED_OVER, BatchState.AWAITING_APPROVAL)
    for batch in (over, waiting):
        orders = list(batch.orders.all())
        assert (len(orders), sum(order.face_value for order in orders)) == (batch.size, batch.total)
    assert waiting.left_out == 1
    demo()
    assert Batch.objects.count() == 2
    client.login(username="approver", password="approver-demo")
    assert client.get(f"/approvals/batches/{waiting.pk}/").status_code == 200
    assert client.get(f"/batches/{over.pk}/").status_code == 200


def test_no_batch_is_left_where_nobody_has_to_approve_it(stand_in: FakeCardPlatform, settings: LazySettings) -> None:
    settings.APPROVAL_ABOVE = 0
    demo()
    assert Batch.objects.get().state == BatchState.HANDED_OVER


def test_active_cards_are_added_at_the_platform(stand_in: FakeCardPlatform) -> None:
    demo()
    for card in OilCard.objects.rechargeable():
        assert stand_in.cards[known(card.platform_card_id)]["card_number"] == card.card_number
    assert len(stand_in.cards) == OilCard.objects.rechargeable().count() == 2
    assert set(OilCard.objects.values_list("state", flat=True)) == {State.ACTIVE, State.UNKNOWN, State.ADD_FAILED}
    calls = list(stand_in.calls)
    demo()
    assert stand_in.calls == calls


def test_platform_that_is_away_is_no_obstacle(stand_in: FakeCardPlatform) -> None:
    stand_in.behaviour = "not_sent"
    demo()
    assert OilCard.objects.earliest("pk").state == State.ADD_FAILED
    assert Order.objects.exists()


def test_a_second_run_adds_nothing(trying_out: None) -> None:
    demo()
    before = (User.objects.count(), Order.objects.count(), OrderEvent.objects.count())
    assert "none added" in demo()
    assert (User.objects.count(), Order.objects.count(), OrderEvent.objects.count()) == before


def test_no_invented_order_is_ever_due(trying_out: None) -> None:
    demo()
    assert set(Order.objects.filter(submission=Submission.QUEUED).values_list("next_push_at", flat=True)) == {NEVER}
    assert not Order.objects.due_for_check().exists()
    assert not Order.objects.with_expired_lease().exists()


def test_the_timelines_agree_with_the_orders(trying_out: None) -> None:
    demo()
    for order in Order.objects.prefetch_related("events"):
        events = list(order.events.all())
        assert [event.at for event in events] == sorted(event.at for event in events)
        assert events[0].at == order.placed_at
        assert events[-1].at <= timezone.now()
        assert [event.submission_to for event in events if event.submission_to][-1] == order.submission
        told = [event.status_to for event in events if event.verdict == Verdict.APPLIED and event.status_to is not None]
        assert (told[-1] if told else None) == order.status


def test_ids_rise_with_the_moments_of_placing(trying_out: None) -> None:
    demo()
    moments = list(Order.objects.order_by("id").values_list("placed_at", flat=True))
    assert moments == sorted(moments)
    assert timezone.now() - moments[0] < dt.timedelta(days=14)
