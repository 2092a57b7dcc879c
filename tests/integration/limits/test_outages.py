"""The platform goes away and comes back: orders wait, few try, nobody pays twice, and people are told twice."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Model
from django.db.models.functions import Now
from django.test import Client, override_settings

from portal.gateway import Account, NotSent, OutcomeUnknown, Rejected
from portal.kit.append_only import open_to_change
from portal.kit.database import from_now
from recharge import tasks
from recharge.alerts.services import delivering
from recharge.batches.services import draining, managing
from recharge.choices import BatchState, Submission
from recharge.core import queue
from recharge.fulfilment.services import checking, submission, transitions
from recharge.limits.services import balance, emergency_stop, outages, restore_guard
from recharge.models import Alert, Balance, Batch, Heartbeat, Order, OrderEvent, Outage
from recharge.operations.services.standstill import standstills
from recharge.orders.services import placing
from recharge.trail.services import sealing
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform, WorkerKilled
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.books_broken("trail")]
"""Time passes by changing when things were, sealed ones too."""
DOWN_FOR = 120
MOMENTS: dict[type[Model], tuple[str, ...]] = {
    Outage: ("since", "next_probe_at", "confirmed_at", "next_order_at", "over_at"),
    Order: ("next_push_at", "next_check_at", "submitted_at", "lease_until", "asked_at"),
    OrderEvent: ("at",),
    Balance: ("told_at", "answered_at", "tried_at"),
    Heartbeat: ("at", "steady_since"),
    Alert: ("since", "last_seen"),
    Batch: ("made_at", "released_at"),
}


class World:
    """The portal and a platform that can be switched off; a second lasts as long as the test wants."""

    def __init__(self, platform: FakePlatform) -> None:
        self.platform = platform
        self.clock = 0
        self.failure: Callable[[], Exception] = lambda: OutcomeUnknown("HTTP 502", "")
        self.off = False
        self.pushes: list[tuple[int, str]] = []
        self.messages: list[tuple[str, int]] = []
        self.drains = 0
        platform.on_push = self._push

    def _push(self, order_no: str) -> None:
        self.pushes.append((self.clock, order_no))
        if self.off:
            raise self.failure()

    def switch_off(self, failure: Callable[[], Exception] | None = None) -> None:
        self.off, self.platform.balance = True, None
        self.failure = failure or self.failure

    def switch_on(self) -> None:
        self.off, self.platform.balance = False, Decimal(1000)

    def seconds_pass(self, seconds: int) -> None:
        with open_to_change(connection, OrderEvent):
            for model, names in MOMENTS.items():
                rows: Any = model
                rows._base_manager.update(**{name: F(name) - dt.timedelta(seconds=seconds) for name in names})
        self.clock += seconds

    def live(self, seconds: int, step: int = 10) -> None:
        """Let time pass as scheduler and workers see it, in steps of some seconds."""
        for _ in range(0, seconds, step):
            self.seconds_pass(step)
            tasks.sweep()
            self._work()
            if self.clock % 30 == 0:
                tasks.ring_alerts()
            if self.clock % 60 == 0:
                tasks.refresh_balance()

    def _work(self) -> None:
        messages, self.messages = self.messages, []
        drains, self.drains = self.drains, 0
        for task, order_id in messages:
            (tasks.submit_order if task == queue.SUBMIT else tasks.check_order)(order_id)
        for _ in range(min(drains, 2)):
            draining.submit_batches()


@pytest.fixture
def world(platform: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(platform)
    monkeypatch.setattr(queue, "send", lambda task, order_id: made.messages.append((task, order_id)))
    monkeypatch.setattr(queue.Messenger, "leave", lambda self, task, order_id: queue.send(task, order_id))
    monkeypatch.setattr(queue, "waiting", lambda task: 0)
    monkeypatch.setattr(queue, "refresh_balance", lambda: None)
    monkeypatch.setattr(queue, "probe_platform", outages.probe)

    def start_drains(task: str, drains: int) -> None:
        made.drains += drains if task == queue.SUBMIT_BATCHES else 0

    monkeypatch.setattr(queue, "start_drains", start_drains)
    monkeypatch.setattr(sealing, "seal_what_is_due", lambda: None)  # half of what a sweep costs, and not about outages
    with override_settings(
        ALERT_PLATFORM_DOWN_SECONDS=DOWN_FOR, BATCH_LANES=2, BRAKE_UNKNOWNS=0, BATCH_CANARY=0, ALERT_RUNWAY_HOURS=0
    ):
        yield made


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    messages: list[tuple[str, str]] = []
    monkeypatch.setattr(delivering, "send", lambda address, letter: messages.append((letter.heading, letter.text)))
    with override_settings(ALERT_URLS=["jsons://alerts.example/"]):
        yield messages


def place(number: int) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile=f"1380013{number:04}", face_value=50)


def confirmed(**more: Any) -> Outage:
    """An outage that holds orders back."""
    values = {"because": "HTTP 502", "after_event": outages._newest_event(), "failed_probes": 2, **more}
    later = from_now(dt.timedelta(minutes=5))
    made = Outage.objects.create(**{"confirmed_at": Now(), "next_order_at": later, "next_probe_at": later, **values})
    return Outage.objects.get(pk=made.pk)


def pushes_of_each(platform: FakePlatform) -> set[int]:
    return {booked.pushes for booked in platform.books.values()}


@pytest.mark.parametrize("failure", [lambda: OutcomeUnknown("ReadTimeout", ""), lambda: NotSent("refused")])
def test_ten_minutes_without_the_platform(
    world: World, told: list[tuple[str, str]], failure: Callable[[], Exception]
) -> None:
    world.live(60)
    world.switch_off(failure)
    orders = [place(number) for number in range(3)]
    submission.submit_order(order_id=orders[0].pk)
    world.live(140)
    assert outages.is_on()
    orders += [place(number) for number in range(3, 10)]
    orders += batch_of(*mobiles(30), made_by=person("clerk")).orders.all()
    held = world.clock
    world.live(460)
    tried = [at for at, _ in world.pushes if at > held]
    assert 3 <= len(tried) <= 5
    assert all(later - earlier >= 10 for earlier, later in pairwise(tried))
    assert [heading for heading, _ in told] == ["平台没有应答"]
    assert standstills() == []

    world.switch_on()
    world.live(600)
    assert outages.current() is None
    assert [heading for heading, _ in told] == ["平台没有应答", "已恢复：平台没有应答"]
    assert re.search("持续了 1[012] 分", told[1][1]), "the time that the test itself took counts, too"
    left = Order.objects.filter(pk__in=[order.pk for order in orders], submission=Submission.QUEUED)
    assert not left.exists()
    sent = [order_no for _, order_no in world.pushes]
    if isinstance(failure(), OutcomeUnknown):
        assert len(sent) == len(set(sent)) == len(orders), "an order that may have arrived is never sent again"
    assert pushes_of_each(world.platform) == {1}
    assert standstills() == []


def test_orders_go_out_as_soon_as_it_answers(world: World) -> None:
    world.switch_off(lambda: NotSent("refused"))
    order = place(1)
    world.live(420)
    assert outages.is_on()
    world.switch_on()
    world.live(20)
    order.refresh_from_db()
    assert order.submission == Submission.ACCEPTED, "what never left waits no longer for its own next attempt"


def test_a_blip_leaves_no_trace(world: World, told: list[tuple[str, str]]) -> None:
    world.platform.behaviour = "hang"
    place(1)
    world.live(2, step=2)
    assert not Outage.objects.exists(), "the balance was told"
    world.live(300)
    assert (Outage.objects.count(), told) == (0, [])


def test_a_short_time_without_it_holds_nothing_back(world: World) -> None:
    world.switch_off()
    place(1)
    world.live(DOWN_FOR - 10)
    assert Outage.objects.get().failed_probes > 2
    assert not outages.is_on()
    submission.submit_order(order_id=place(2).pk)
    assert len(world.pushes) == 2


def test_one_failed_call_besides_the_orders_is_not_enough(world: World) -> None:
    outages.suspect(OutcomeUnknown("HTTP 502", ""))
    world.switch_off()
    world.seconds_pass(DOWN_FOR + 1)
    outages.probe()
    assert not outages.is_on()
    outages.probe()
    assert outages.is_on()


def test_a_balance_that_nobody_tells_holds_nothing_back_while_orders_are_answered(world: World) -> None:
    world.live(10)
    world.platform.balance = None
    world.platform.behaviour = "hang"
    for number in range(20):
        place(number)
        world.live(20)
    assert not Outage.objects.filter(confirmed_at__isnull=False).exists()
    assert Order.objects.filter(submission=Submission.ACCEPTED).count() >= 18


def test_without_orders_nothing_is_held_back_but_it_rings(
    world: World, told: list[tuple[str, str]], client: Client
) -> None:
    client.force_login(person("clerk"))
    world.live(60)
    world.switch_off()
    world.live(60)
    assert "起没有应答" not in client.get("/orders/new/").content.decode()
    world.live(540)
    assert not Outage.objects.exists()
    assert "起没有应答。现在提交的订单" in client.get("/orders/new/").content.decode()
    assert [heading for heading, _ in told] == ["平台没有应答"]
    submission.submit_order(order_id=place(1).pk)
    world.live(20)
    assert outages.is_on(), "the first order that fails confirms what the balance has told for long"
    assert "恢复后自动发出" in client.get("/orders/new/").content.decode()
    world.switch_on()
    world.live(60)
    assert "banner-warning" not in client.get("/orders/new/").content.decode()
    assert [heading for heading, _ in told] == ["平台没有应答", "已恢复：平台没有应答"]


def test_a_query_that_reaches_nobody_is_a_witness_too(world: World) -> None:
    order = place(1)
    submission.submit_order(order_id=order.pk)
    world.platform.query_behaviour = "unclear"
    checking.check_order(order_id=order.pk)
    assert Outage.objects.get().because == "没有及时回答，或回答无法识别"


@pytest.mark.parametrize("refused", ["reject", "unclear_lost"])
def test_a_refusal_is_an_answer(world: World, refused: str) -> None:
    world.platform.behaviour = refused
    place(1)
    world.live(4, step=2)
    assert not Outage.objects.exists()


def test_a_refused_balance_is_an_answer(
    world: World, told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Account:
        raise Rejected("1003", "app_key", "{}")

    balance.refresh_balance()
    confirmed()
    Outage.objects.update(since=F("since") - dt.timedelta(seconds=DOWN_FOR))
    world.live(30)
    monkeypatch.setattr(world.platform, "account", refuse)
    Outage.objects.update(next_probe_at=Now())
    world.live(10)
    assert not outages.is_on()
    world.live(180)
    assert {str(heading) for heading, _ in told} == {"平台没有应答", "已恢复：平台没有应答", "平台没有告知余额"}


def test_one_order_is_let_through_and_its_answer_ends_it_without_a_sweep(world: World) -> None:
    orders = [place(number) for number in range(4)]
    world.platform.balance = None
    confirmed(next_order_at=Now())
    for order in orders[:2]:
        submission.submit_order(order_id=order.pk)
    assert [order_no for _, order_no in world.pushes] == [orders[0].order_no, orders[1].order_no]
    assert not outages.is_on()
    submission.submit_order(order_id=orders[2].pk)
    assert len(world.platform.books) == 3


def test_an_outage_that_begins_between_finding_an_order_and_its_claim(world: World) -> None:
    submission.submit_order(order_id=place(2).pk)  # so that account and generation are known
    order, token = place(1), restore_guard.token()
    assert token is not None
    confirmed()
    with transaction.atomic():
        assert not transitions.claim(order, submission.lease(), token)
        assert transitions.claim(order, submission.lease(), token, in_an_outage=True)


def test_an_order_that_tries_in_vain_lets_no_other_through(world: World) -> None:
    world.switch_off()
    batch = batch_of(*mobiles(5), made_by=person("clerk"))
    alone = place(1)
    confirmed(next_order_at=Now())
    draining.submit_batches()
    draining.submit_batches()
    submission.submit_order(order_id=alone.pk)
    assert len(world.pushes) == 1
    assert batch.orders.filter(submission=Submission.UNKNOWN).count() == 1
    assert Outage.objects.get().orders_let_through == 1


def test_worker_that_dies_while_its_order_tries(world: World) -> None:
    orders = [place(number) for number in range(3)]
    world.switch_off(WorkerKilled)  # type: ignore[arg-type]
    confirmed(next_order_at=Now(), next_probe_at=Now())
    with pytest.raises(WorkerKilled):
        submission.submit_order(order_id=orders[0].pk)
    world.off = False
    world.live(30)
    assert outages.is_on(), "the balance still fails"
    world.switch_on()
    world.live(60)
    assert not outages.is_on()
    world.live(200)
    states = list(Order.objects.order_by("pk").values_list("submission", flat=True))
    assert states == [Submission.UNKNOWN, Submission.ACCEPTED, Submission.ACCEPTED]
    sent = [order_no for _, order_no in world.pushes]
    assert len(sent) == len(set(sent))


def test_worker_that_dies_while_it_asks_for_the_balance(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    confirmed(next_probe_at=Now())
    monkeypatch.setattr(queue, "probe_platform", lambda: None)
    tasks.sweep()
    monkeypatch.setattr(queue, "probe_platform", outages.probe)
    world.live(20)
    assert not outages.is_on()


@pytest.mark.parametrize("stopped", ["stop", "pause"])
def test_stop_and_pause_hold_the_one_order_back_too(world: World, stopped: str) -> None:
    batch = batch_of(*mobiles(5), made_by=person("clerk"))
    confirmed(next_order_at=Now())
    if stopped == "stop":
        place(1)
        emergency_stop.stop_everything(actor=person("clerk"), reason="why")
    else:
        managing.pause(batch_id=batch.pk, actor=person("clerk"), reason="why")
    world.seconds_pass(400)
    before = Outage.objects.get().orders_let_through
    tasks.sweep()
    world._work()
    draining.submit_batches()
    for order in Order.objects.single():
        submission.submit_order(order_id=order.pk)
    assert (world.pushes, Outage.objects.filter(orders_let_through__gt=before).count()) == ([], 0)


def test_what_waits_can_be_withdrawn(world: World) -> None:
    batch = batch_of(*mobiles(5), made_by=person("clerk"))
    confirmed()
    assert managing.withdraw_rest(batch_id=batch.pk, actor=person("clerk")) == 5
    batch.refresh_from_db()
    assert batch.state == BatchState.WITHDRAWN


def test_the_database_knows_one_outage_at_a_time() -> None:
    confirmed()
    with pytest.raises(IntegrityError), transaction.atomic():
        confirmed()
    with pytest.raises(IntegrityError), transaction.atomic():
        Outage.objects.update(over_at=Now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Outage.objects.update(next_order_at=None)


def test_every_page_says_so_while_it_lasts(client: Client, world: World) -> None:
    order, batch = place(1), batch_of(*mobiles(5), made_by=person("clerk"))
    client.force_login(person("clerk"))
    addresses = ("/", "/orders/", f"/orders/{order.order_no}/", f"/batches/{batch.pk}/")

    def pages() -> list[str]:
        return [client.get(address).content.decode() for address in addresses]

    assert not any("无法连接平台" in page for page in pages())
    confirmed()
    shown = pages()
    assert all('role="status"' in page and "无法连接平台" in page for page in shown)
    assert ["data-outage" in page for page in shown] == [False, False, True, True]
    Outage.objects.update(on=False, over_at=Now())
    assert not any("无法连接平台" in page for page in pages())
    client.logout()
    confirmed()
    assert "无法连接平台" not in client.get("/accounts/login/").content.decode()


def test_a_page_that_refreshes_itself_takes_the_banner_along(client: Client, world: World) -> None:
    order = place(1)
    client.force_login(person("clerk"))
    address = f"/orders/{order.order_no}/"
    seen = client.get(address).context["digest"]

    def refreshed() -> Any:
        return client.get(address, headers={"HX-Request": "true", "X-Seen": seen})

    assert refreshed().status_code == 204
    confirmed()
    page = refreshed().content.decode()
    assert 'id="outage" hx-swap-oob="true"' in page
    assert "无法连接平台" in page


def test_a_balance_tells_when_it_was_answered(world: World) -> None:
    balance.refresh_balance()
    world.seconds_pass(90)
    world.switch_off()
    assert not balance.refresh_balance(patient=False)
    kept = Balance.objects.get()
    assert kept.tried_at
    assert kept.answered_at
    assert kept.tried_at - kept.answered_at > dt.timedelta(seconds=80)
    outages.suspect(OutcomeUnknown("HTTP 502", ""))
    assert Outage.objects.get().since == kept.answered_at


# --- batches ----------------------------------------------------------------------------------------------------
def states(batch: Batch) -> tuple[str, str]:
    batch.refresh_from_db()
    return batch.state, batch.brake


@override_settings(BALANCE_FLOOR=500)
def test_an_outage_alone_holds_a_batch_with_a_floor_and_the_balance_is_asked_first_after_it(world: World) -> None:
    batch = batch_of(*mobiles(20), made_by=person("clerk"))
    world.live(10)
    assert batch.orders.filter(submission=Submission.ACCEPTED).count() == 20
    world.switch_off()
    place(2)
    world.live(DOWN_FOR + 60)
    assert outages.is_on()
    late = batch_of(*mobiles(20, first=100), made_by=person("clerk"))
    world.live(1200)
    assert outages.is_on()
    assert states(late) == (BatchState.RUNNING, "")
    assert {number for _at, number in world.pushes}.isdisjoint(late.orders.values_list("order_no", flat=True))
    asked: list[int] = []
    world.platform.on_push = lambda number: asked.append(Balance.objects.filter(told_at=F("tried_at")).count())
    world.switch_on()
    world.live(60)
    assert late.orders.filter(submission=Submission.ACCEPTED).count() == 20
    assert set(asked) == {1}, "no order before the balance"
    assert pushes_of_each(world.platform) == {1}


@override_settings(BALANCE_FLOOR=500)
def test_an_outage_that_an_order_ends_leaves_time_to_ask_for_the_balance(world: World) -> None:
    batch = batch_of(*mobiles(5), made_by=person("clerk"))
    world.switch_off()
    confirmed(next_order_at=Now())
    world.live(30)
    Balance.objects.update(told_at=None, amount=None)
    world.off = False  # it takes orders, and doesn't tell the balance
    Outage.objects.update(next_order_at=Now())
    submission.submit_order(order_id=place(1).pk)
    world.live(10)
    assert not outages.is_on()
    assert states(batch) == (BatchState.RUNNING, ""), "somebody asks first"
    draining.submit_batches()
    assert batch.orders.filter(submission=Submission.QUEUED).count() == 5
    world.live(180)
    assert states(batch) == (BatchState.PAUSED, "BALANCE_UNKNOWN")
    assert batch.orders.filter(submission=Submission.QUEUED).count() == 5


@override_settings(BATCH_CANARY=2)
def test_a_first_order_that_tries_in_vain_leaves_its_place_to_another(world: World) -> None:
    batch = batch_of(*mobiles(8), made_by=person("clerk"))
    world.switch_off()
    confirmed(next_order_at=Now())
    world.live(60)
    assert batch.orders.filter(submission=Submission.UNKNOWN).count() == 2
    assert states(batch) == (BatchState.CANARY, "")
    world.live(600)
    assert batch.orders.filter(submission=Submission.UNKNOWN).count() == 2, "no others before it is over"
    world.switch_on()
    world.live(90)
    assert states(batch)[0] == BatchState.HANDED_OVER
    assert batch.canary_until == 5, "lines 4 and 5 went ahead in the place of 2 and 3"
    assert batch.events.filter(kind="CANARY_PASSED").exists()
    assert batch.orders.filter(submission=Submission.ACCEPTED).count() == 6
    sent = [number for _at, number in world.pushes]
    assert len(sent) == len(set(sent)) == 8


@override_settings(BATCH_CANARY=2)
def test_a_first_order_that_raised_the_suspicion_pauses_its_batch_only_until_the_outage_is_over(world: World) -> None:
    batch = batch_of(*mobiles(8), made_by=person("clerk"))
    world.switch_off()
    world.live(20)
    assert states(batch) == (BatchState.PAUSED, "CANARY")
    assert batch.orders.filter(submission=Submission.QUEUED).count() == 7, "what may be wrong goes no further"
    world.live(300)
    assert outages.is_on()
    assert states(batch) == (BatchState.PAUSED, "CANARY")
    world.switch_on()
    world.live(90)
    assert states(batch)[0] == BatchState.HANDED_OVER
    event = batch.events.get(kind="RESUMED")
    assert event.actor is None
    assert "无法连接平台" in event.note
    assert batch.orders.filter(submission=Submission.ACCEPTED).count() == 7


@override_settings(BATCH_CANARY=2)
@pytest.mark.parametrize("told", ["blip", "refused"])
def test_what_no_outage_explains_still_pauses_for_good(world: World, told: str) -> None:
    batch = batch_of(*mobiles(8), made_by=person("clerk"))
    if told == "blip":
        world.platform.behaviour = "hang"
        world.live(10)
    else:
        world.platform.behaviour = "reject"
        world.live(10)
        world.switch_off()
        place(1)
        world.live(300)
        assert outages.is_on()
        world.switch_on()
    world.live(300)
    assert states(batch) == (BatchState.PAUSED, "CANARY")
    assert batch.orders.filter(submission=Submission.QUEUED).count() >= 6


@override_settings(BRAKE_UNKNOWNS=3)
def test_orders_that_try_in_vain_in_an_outage_brake_no_batch(world: World) -> None:
    batch = batch_of(*mobiles(30), made_by=person("clerk"))
    world.switch_off()
    confirmed(next_order_at=Now())
    world.live(1200)
    assert batch.orders.filter(submission=Submission.UNKNOWN).count() >= 5
    assert states(batch) == (BatchState.RUNNING, "")
    world.switch_on()
    world.live(60)
    assert states(batch)[0] == BatchState.HANDED_OVER
