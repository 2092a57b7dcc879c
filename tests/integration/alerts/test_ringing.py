"""Something begins and ends: one message each, to real receivers, also to one that was down."""

import base64
import datetime as dt
from collections.abc import Iterator
from unittest import mock

import pytest
import requests
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models.functions import Now
from django.test import override_settings
from django.utils import timezone

from portal.kit.database import from_now
from recharge import tasks
from recharge.alerts.forms import MAX_THRESHOLD
from recharge.alerts.services import carrying, delivering, ringing, rules, runway, sending, watching
from recharge.books.services.invariants import CHECKS
from recharge.choices import AlertKind, AlertPhase, BatchState, Brake, PortalEventKind
from recharge.demo import Story
from recharge.fulfilment.services import submission
from recharge.models import (
    Alert,
    AlertChannel,
    AlertLetter,
    AlertMessage,
    AlertRule,
    Balance,
    Batch,
    CheckRun,
    Declaration,
    Order,
    OrderEvent,
    PortalEvent,
)
from recharge.orders.services import placing
from recharge.status import Status
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform, WorkerKilled
from tests.people import person
from tests.receivers import MailReceiver, WebReceiver

pytestmark = pytest.mark.django_db


def platform_silent(minutes: int) -> None:
    told = {"amount": 500, "told_at": from_now(-dt.timedelta(minutes=minutes)), "error": "refused"}
    Balance.objects.update_or_create(pk=1, defaults={**told, "tried_at": Now()})


def test_platform_off_for_ten_minutes_is_one_message_at_the_start_and_one_at_the_end(receiver: WebReceiver) -> None:
    platform_silent(minutes=1)
    tasks.ring_alerts()
    assert receiver.got == []
    platform_silent(minutes=10)
    for _ in range(3):
        tasks.ring_alerts()
    Balance.objects.update(error="", told_at=Now())
    for _ in range(3):
        tasks.ring_alerts()
    assert [body["title"] for _, body in receiver.got] == ["平台没有应答", "已恢复：平台没有应答"]
    assert "持续了 10 分" in receiver.got[1][1]["message"]
    assert Alert.objects.get().count == 3


def test_what_cannot_be_looked_at_hides_nothing_else_and_is_told(
    receiver: WebReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    CheckRun.objects.create(check_name=CHECKS[0].name, ran_at=Now(), seconds=0, broken=3, broken_since=Now())
    ringing.ring(AlertKind.STOP, "1")
    with monkeypatch.context() as patched:
        patched.setattr(watching, "_halts", lambda: iter([1 / 0]))
        for _ in range(2):
            tasks.ring_alerts()
    rung = set(Alert.objects.open().values_list("kind", flat=True))
    assert rung == {AlertKind.BOOKS, AlertKind.STOP, AlertKind.STANDSTILL}, "nobody knows whether the stop is over"
    assert Alert.objects.get(kind=AlertKind.STANDSTILL).data == {"任务": "告警的检查", "原因": "ZeroDivisionError"}
    assert len(receiver.got) == 1
    tasks.ring_alerts()
    assert list(Alert.objects.open().values_list("kind", flat=True)) == [AlertKind.BOOKS]


def test_what_is_owed_goes_out_although_nothing_can_be_looked_at(
    receiver: WebReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivering.read_channels()
    ringing.ring(AlertKind.STOP, "1")
    monkeypatch.setattr(watching, "_halts", mock.Mock(side_effect=OperationalError))
    with pytest.raises(OperationalError):
        tasks.ring_alerts()
    assert len(receiver.got) == 1


def test_a_backup_that_was_never_made_is_missed_once_the_first_order_is_old(
    receiver: WebReceiver, platform: FakePlatform
) -> None:
    tasks.ring_alerts()
    assert not Alert.objects.exists(), "there is nothing to back up"
    orders = batch_of(*mobiles(2), made_by=person("clerk")).orders.order_by("pk")
    tasks.ring_alerts()
    assert not Alert.objects.exists()
    Order.objects.filter(pk=orders[0].pk).update(placed_at=from_now(-dt.timedelta(hours=49)))
    tasks.ring_alerts()
    alert = Alert.objects.get(kind=AlertKind.BACKUP)
    assert alert.since < timezone.now() - dt.timedelta(hours=48)
    body = next(body for _, body in receiver.got if body["title"] == "最近一次备份太旧")
    assert "从未做过" in body["message"]
    PortalEvent.objects.create(kind=PortalEventKind.BACKED_UP)
    tasks.ring_alerts()
    assert not Alert.objects.open().filter(kind=AlertKind.BACKUP).exists()


def test_a_channel_that_is_down_says_why_and_catches_up(receiver: WebReceiver) -> None:
    receiver.status = 503
    platform_silent(minutes=10)
    tasks.ring_alerts()
    channel = AlertChannel.objects.get()
    assert channel.failed_at
    assert "503" in channel.failure
    assert "127.0.0.1" not in channel.failure
    tasks.ring_alerts()
    assert AlertMessage.objects.get().attempts == 1, "it is not tried again at once"
    receiver.status = 200
    AlertMessage.objects.update(due_at=Now())
    tasks.ring_alerts()
    assert [body["title"] for _, body in receiver.got] == ["平台没有应答"]
    assert AlertChannel.objects.get().succeeded_at


def test_ten_thousand_rings_are_one_alert_and_one_message(receiver: WebReceiver) -> None:
    delivering.read_channels()
    for number in range(1, 10_001, 500):
        ringing.ring(AlertKind.CASES, orders=number)
    delivering.deliver()
    assert (Alert.objects.count(), len(receiver.got)) == (1, 1)


def test_the_address_is_encrypted_and_an_address_taken_off_is_used_no_more(receiver: WebReceiver) -> None:
    delivering.read_channels()
    with override_settings(ALERT_URLS=[]):
        delivering.read_channels()
        ringing.ring(AlertKind.NEW_DEVICE, "clerk")
    assert not AlertMessage.objects.exists()
    assert AlertChannel.objects.extra(select={"stored": "address"}).values_list("on", flat=True).get() is False


def test_what_a_person_did_does_not_end_by_itself(receiver: WebReceiver) -> None:
    ringing.ring(AlertKind.WRONG_PASSWORDS, "clerk", times=5)
    tasks.ring_alerts()
    assert Alert.objects.get().over_at is None


def titles(receiver: WebReceiver) -> list[str]:
    return [body["title"] for _, body in receiver.got]


def ago(**length: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(**length)


def change(kind: AlertKind, **changed: object) -> None:
    """Change a rule as an administrator does who leaves the rest as it is."""
    rule = rules.rule_of(kind)
    now = {"on": rule.on, "threshold": rule.threshold, "again_after": rule.again_after, "can_wait": rule.can_wait}
    rules.change_rule(kind=kind, actor=person("administrator"), **{**now, "groups": [], "channels": [], **changed})  # type: ignore[arg-type]


@pytest.fixture
def batch(platform: FakePlatform, sent: list[tuple[str, int]]) -> Batch:
    return batch_of("13900139000,50", made_by=person("clerk"))


def test_a_paused_batch_rings_once_and_is_over_when_it_goes_on(receiver: WebReceiver, batch: Batch) -> None:
    Batch.objects.update(state=BatchState.PAUSED, brake=Brake.REJECTIONS, braked_at=Now())
    for _ in range(4):
        tasks.ring_alerts()
    assert titles(receiver) == ["有批次已暂停"]
    assert "13900139000" not in str(receiver.got)
    assert f"/alerts/{Alert.objects.get(kind=AlertKind.BATCH).pk}/" in receiver.got[0][1]["message"]
    Batch.objects.update(state=BatchState.RUNNING, brake="", braked_at=None)
    for _ in range(4):
        tasks.ring_alerts()
    assert titles(receiver) == ["有批次已暂停", "已恢复：有批次已暂停"]


def test_the_batch_that_was_paused_last_rings_however_many_are_left_paused(
    receiver: WebReceiver, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BATCHES", 2)
    others = [batch_of(f"1390013900{number},50", made_by=person("clerk")) for number in range(1, 4)]
    for number, one in enumerate([batch, *others]):
        paused = {"state": BatchState.PAUSED, "brake": Brake.REJECTIONS, "braked_at": ago(days=9 - number)}
        Batch.objects.filter(pk=one.pk).update(**paused)
        tasks.ring_alerts()
    assert titles(receiver) == ["有批次已暂停"] * 4


@pytest.fixture
def hook(receiver: WebReceiver) -> Iterator[WebReceiver]:
    """The same server, whose messages are signed and numbered."""
    key = base64.b64encode(b"k" * 32).decode()
    with override_settings(ALERT_URLS=[f"webhook://{key}@{receiver.host}/hook"]):
        delivering.read_channels()
        yield receiver


def numbers(hook: WebReceiver) -> list[str]:
    return [headers["webhook-id"] for headers, _ in hook.raw]


def killed(address: str, letter: sending.Letter) -> str:
    sending.send(address, letter)
    raise WorkerKilled


def test_a_letter_that_a_killed_worker_has_sent_is_the_same_the_second_time(hook: WebReceiver) -> None:
    ringing.ring(AlertKind.BATCH, "1", batch=1)
    ringing.ring(AlertKind.BATCH, "2", batch=2)
    with mock.patch.object(delivering, "send", side_effect=killed), pytest.raises(WorkerKilled):
        delivering.deliver()
    ringing.ring(AlertKind.BATCH, "1", batch=1, orders=7)
    ringing.end(Alert.objects.get(key="2"))
    ringing.ring(AlertKind.BATCH, "3", batch=3)
    AlertMessage.objects.filter(due_at__isnull=False).update(due_at=Now())
    for _ in range(3):
        delivering.deliver()
    first, again, later = hook.got
    assert first[1]["data"] == again[1]["data"]
    assert [one["id"] for one in later[1]["data"]["alerts"]] == list(
        Alert.objects.filter(key__in="23").order_by("pk").values_list("pk", flat=True)
    )
    assert len(set(numbers(hook))) == 2
    assert numbers(hook)[0] == numbers(hook)[1]
    assert not AlertMessage.objects.filter(sent_at=None).exists()
    assert not AlertLetter.objects.exists()


def test_a_letter_without_an_answer_is_the_same_the_second_time(hook: WebReceiver) -> None:
    ringing.ring(AlertKind.BATCH, "1")
    with mock.patch.object(carrying, "_read", side_effect=requests.ReadTimeout):
        delivering.deliver()
    ringing.ring(AlertKind.BATCH, "2")
    AlertMessage.objects.update(due_at=Now())
    for _ in range(3):
        delivering.deliver()
    first, again, later = numbers(hook)
    assert first == again != later
    assert not AlertLetter.objects.exists()


def test_what_was_refused_goes_out_with_what_came_later(hook: WebReceiver) -> None:
    hook.status = 503
    ringing.ring(AlertKind.BATCH, "1")
    delivering.deliver()
    assert not AlertLetter.objects.exists()
    hook.status = 200
    ringing.ring(AlertKind.BATCH, "2")
    AlertMessage.objects.update(due_at=Now())
    delivering.deliver()
    assert hook.got[0][1]["data"]["title"] == "2 条告警"


def test_what_is_given_up_leaves_no_letter(hook: WebReceiver) -> None:
    ringing.ring(AlertKind.BATCH, "1")
    AlertMessage.objects.update(attempts=delivering.GIVEN_UP_AFTER)
    with mock.patch.object(carrying, "_read", side_effect=requests.ReadTimeout):
        delivering.deliver()
    assert not AlertLetter.objects.exists()
    assert not AlertMessage.objects.filter(due_at__isnull=False).exists()


def test_what_is_due_at_the_same_time_is_one_message(receiver: WebReceiver) -> None:
    delivering.read_channels()
    for number in range(1, 21):
        ringing.ring(AlertKind.BATCH, str(number), batch=number)
    delivering.deliver()
    assert titles(receiver) == ["20 条告警"]
    assert receiver.got[0][1]["message"].count("有批次已暂停") == 15
    assert "另有 5 条" in receiver.got[0][1]["message"]
    assert not AlertMessage.objects.due().exists()
    assert not AlertMessage.objects.filter(sent_at=None).exists()


def test_what_began_and_ended_while_a_channel_was_down_is_told_once(receiver: WebReceiver) -> None:
    receiver.status = 503
    platform_silent(minutes=10)
    tasks.ring_alerts()
    Balance.objects.update(error="", told_at=Now())
    tasks.ring_alerts()
    receiver.status = 200
    AlertMessage.objects.update(due_at=Now())
    tasks.ring_alerts()
    assert titles(receiver) == ["已恢复：平台没有应答"]


def test_its_beginning_is_not_told_after_its_end(receiver: WebReceiver) -> None:
    delivering.read_channels()
    receiver.status = 503
    ringing.ring(AlertKind.PLATFORM)
    ringing.ring(AlertKind.BATCH, "1")
    delivering.deliver()
    AlertMessage.objects.update(attempts=9, due_at=from_now(dt.timedelta(hours=1)))
    receiver.status = 200
    ringing.end(Alert.objects.get(kind=AlertKind.PLATFORM))
    for _ in range(3):
        delivering.deliver()
    assert titles(receiver) == ["已恢复：平台没有应答", "有批次已暂停"], "of others, what waited is told"


def test_nor_where_it_may_have_arrived(hook: WebReceiver) -> None:
    ringing.ring(AlertKind.STOP, "1")
    with mock.patch.object(carrying, "post", side_effect=requests.ReadTimeout):
        delivering.deliver()
    assert AlertLetter.objects.exists()
    AlertMessage.objects.update(due_at=from_now(dt.timedelta(hours=1)))
    ringing.end(Alert.objects.get())
    for _ in range(3):
        delivering.deliver()
    assert [body["data"]["title"] for _, body in hook.got] == ["已恢复：紧急停止"]
    assert not AlertLetter.objects.exists()


def test_a_channel_that_is_up_again_catches_up_at_once(receiver: WebReceiver) -> None:
    delivering.read_channels()
    receiver.status = 503
    ringing.ring(AlertKind.BATCH, "1")
    delivering.deliver()
    AlertMessage.objects.update(attempts=9, due_at=from_now(dt.timedelta(hours=1)))
    receiver.status = 200
    ringing.ring(AlertKind.BATCH, "2")
    delivering.deliver()
    delivering.deliver()
    assert len(receiver.got) == 2
    assert not AlertMessage.objects.filter(sent_at=None).exists()


def test_one_broken_channel_does_not_silence_the_others(receiver: WebReceiver) -> None:
    with override_settings(ALERT_URLS=["json://127.0.0.1:1/", f"json://{receiver.host}/"]):
        delivering.read_channels()
        ringing.ring(AlertKind.BATCH, "1")
        with mock.patch.object(sending, "_send", side_effect=send_or_break):
            delivering.deliver()
    assert titles(receiver) == ["有批次已暂停"]
    assert AlertChannel.objects.order_by("id")[0].failure == "发送时出了意外的错误，详情见日志。"


SEND = sending._send


def send_or_break(address: str, letter: sending.Letter) -> str:
    if address == "json://127.0.0.1:1/":
        raise RuntimeError("unforeseen")
    return SEND(address, letter)


def test_whoever_has_got_a_mail_gets_it_no_second_time_for_others(mails: MailReceiver) -> None:
    mails.unknown = {"gone@example.com"}
    to = ["here@example.com", "gone@example.com"]
    address = f"mailto://127.0.0.1:{mails.port}/?from=a@example.com&to={'%2C'.join(to)}&mode=insecure&format=text"
    with override_settings(ALERT_URLS=[address]):
        delivering.read_channels()
        ringing.ring(AlertKind.GUARD)
        for _ in range(3):
            AlertMessage.objects.filter(due_at__isnull=False).update(due_at=Now())
            delivering.deliver()
    assert mails.recipients == ["here@example.com"]
    channel = AlertChannel.objects.get()
    assert channel.failure == "部分收件人没有收到。对方拒收：550 nobody there"
    assert channel.succeeded_at
    assert channel.failed_at


def test_a_mail_that_nobody_got_is_sent_again(mails: MailReceiver) -> None:
    mails.unknown = {"gone@example.com"}
    address = f"mailto://127.0.0.1:{mails.port}/?from=a@example.com&to=gone@example.com&mode=insecure&format=text"
    with override_settings(ALERT_URLS=[address]):
        delivering.read_channels()
        ringing.ring(AlertKind.GUARD)
        delivering.deliver()
        mails.unknown = set()
        AlertMessage.objects.update(due_at=Now())
        delivering.deliver()
    assert mails.recipients == ["gone@example.com"]


def test_a_message_fits_what_robots_take(receiver: WebReceiver) -> None:
    """WeCom: 2,048 bytes of UTF-8 with the heading, by its document."""
    delivering.read_channels()
    for number in range(1, 41):
        ringing.ring(AlertKind.BOOKS, str(number), 检查="已受理的订单都有平台订单号，且都不重复" * 3)
    ringing.ring(AlertKind.CONTACT, "1", 发现="平台的查询不接受我方订单号。" * 100)
    delivering.deliver()
    ringing.ring(AlertKind.CONTACT, "2", 发现="平台的查询不接受我方订单号。" * 100)
    delivering.deliver()
    (_, digest), (_, alone) = receiver.got
    for body in (digest, alone):
        assert len((body["title"] + "\r\n" + body["message"]).encode()) <= 2048
    named = len(digest["message"].splitlines()) - 2
    assert f"另有 {41 - named} 条" in digest["message"]
    assert alone["message"].endswith(f"/alerts/{Alert.objects.get(kind=AlertKind.CONTACT, key='2').pk}/"), (
        "the link is never cut"
    )


@pytest.mark.parametrize("number", ["13912345678", "139 1234 5678", "+86-139-1234-5678", "6222021234567890123"])
def test_no_long_number_leaves_the_portal(receiver: WebReceiver, number: str) -> None:
    platform_silent(minutes=10)
    Balance.objects.update(answered_at=Now(), error=f"1007: 账户{number}已冻结")
    delivering.read_channels()
    tasks.ring_alerts()
    (_, body) = receiver.got[0]
    assert "已冻结" in body["message"]
    assert "1234" not in body["message"]
    assert "1234" not in str(Alert.objects.get().data)


def told(stories: list[Story]) -> None:
    """Write down orders with all that happened to them."""
    Order.objects.bulk_create([story.order for story in stories], batch_size=500)
    OrderEvent.objects.bulk_create([event for story in stories for event in story.events], batch_size=500)


def test_two_thousand_cases_make_one_message(receiver: WebReceiver, clerk_user: User) -> None:
    told([Story(number, ago(hours=2), clerk_user).lose_answer() for number in range(2_000)])
    for _ in range(3):
        tasks.ring_alerts()
    assert Alert.objects.get(kind=AlertKind.CASES).amount == 2_000
    assert [title for title in titles(receiver) if "紧急" in title] == ["有紧急订单需要人工处理"]
    assert "订单: 2000" in str(receiver.got)


def test_more_cases_ring_again_after_the_distance_and_not_before(receiver: WebReceiver) -> None:
    delivering.read_channels()
    ringing.ring(AlertKind.CASES, amount=3)
    ringing.ring(AlertKind.CASES, amount=500)
    ringing.remind(rules.all_rules())
    assert AlertMessage.objects.count() == 1
    Alert.objects.update(told_at=ago(minutes=61))
    ringing.remind(rules.all_rules())
    ringing.remind(rules.all_rules())
    assert list(AlertMessage.objects.order_by("id").values_list("phase", "number")) == [("STARTED", 0), ("AGAIN", 1)]
    Alert.objects.update(told_at=ago(minutes=61))
    ringing.ring(AlertKind.CASES, amount=400)
    ringing.remind(rules.all_rules())
    assert AlertMessage.objects.count() == 2, "fewer are no news"
    ringing.ring(AlertKind.CASES, amount=401)
    ringing.remind(rules.all_rules())
    assert AlertMessage.objects.count() == 3


def test_what_lasts_rings_at_growing_distance_until_somebody_has_seen_it(receiver: WebReceiver) -> None:
    delivering.read_channels()
    change(AlertKind.PLATFORM, again_after=60)
    ringing.ring(AlertKind.PLATFORM)
    for minutes, messages in ((59, 1), (61, 2), (61, 2), (121, 3), (239, 3), (241, 4)):
        Alert.objects.update(told_at=ago(minutes=minutes))
        ringing.remind(rules.all_rules())
        assert AlertMessage.objects.count() == messages, minutes
    ringing.acknowledge(alert_id=Alert.objects.get().pk, actor=person("clerk"), words="在处理")
    Alert.objects.update(told_at=ago(days=3))
    ringing.remind(rules.all_rules())
    assert AlertMessage.objects.count() == 4


def test_a_kind_that_is_switched_off_is_silent_at_its_end_too(receiver: WebReceiver) -> None:
    platform_silent(minutes=10)
    tasks.ring_alerts()
    change(AlertKind.PLATFORM, on=False)
    for _ in range(2):
        tasks.ring_alerts()
    assert titles(receiver) == ["平台没有应答"]
    assert Alert.objects.get().over_at


def test_the_threshold_of_a_rule_counts_unless_the_environment_names_it(receiver: WebReceiver) -> None:
    change(AlertKind.PLATFORM, threshold=3600)
    platform_silent(minutes=10)
    tasks.ring_alerts()
    assert not Alert.objects.exists()
    with override_settings(ALERT_FIXED={"ALERT_PLATFORM_DOWN_SECONDS"}):
        tasks.ring_alerts()
    assert Alert.objects.get().kind == AlertKind.PLATFORM
    assert "达到 3600" in PortalEvent.objects.get(kind=PortalEventKind.ALERT_RULE).note


@pytest.mark.parametrize("kind", [AlertKind.REFUNDS, AlertKind.APPROVALS, AlertKind.BACKUP, AlertKind.PLATFORM])
def test_a_threshold_with_too_many_digits_silences_nothing_else(kind: AlertKind) -> None:
    AlertRule.objects.update_or_create(kind=kind, defaults={"threshold": MAX_THRESHOLD})
    CheckRun.objects.create(check_name=CHECKS[0].name, ran_at=Now(), seconds=0, broken=3, broken_since=Now())
    watching.watch()
    assert list(Alert.objects.values_list("kind", flat=True)) == [AlertKind.BOOKS]


def test_a_time_in_the_settings_that_never_comes_is_none_that_fails() -> None:
    with override_settings(ALERT_REFUND_DAYS=1e300, ALERT_FIXED=frozenset({"ALERT_REFUND_DAYS"})):
        watching.watch()
    assert not Alert.objects.exists()


def test_what_can_wait_waits_for_the_end_of_the_quiet_hours(receiver: WebReceiver) -> None:
    delivering.read_channels()
    rules.change_quiet_hours(actor=person("administrator"), begin=dt.time(22), end=dt.time(8))
    night = timezone.localtime().replace(hour=23, minute=0)
    with mock.patch.object(timezone, "localtime", return_value=night):
        ringing.ring(AlertKind.REFUNDS)
        ringing.ring(AlertKind.PLATFORM)
    waits = AlertMessage.objects.get(alert__kind=AlertKind.REFUNDS).due_at
    assert waits
    assert timezone.localtime(waits) == (night + dt.timedelta(days=1)).replace(hour=8, second=0, microsecond=0)
    assert AlertMessage.objects.due().get().alert_id == Alert.objects.get(kind=AlertKind.PLATFORM).pk


def test_what_came_and_went_in_the_night_is_never_told(receiver: WebReceiver) -> None:
    delivering.read_channels()
    ringing.ring(AlertKind.REFUNDS)
    AlertMessage.objects.update(due_at=from_now(dt.timedelta(hours=5)))
    ringing.end(Alert.objects.get())
    assert not AlertMessage.objects.exists()


def test_what_grew_and_went_in_the_night_is_never_told_either(receiver: WebReceiver) -> None:
    delivering.read_channels()
    ringing.ring(AlertKind.CASES, amount=1)
    Alert.objects.update(told_at=ago(hours=2))
    ringing.ring(AlertKind.CASES, amount=5)
    ringing.remind(rules.all_rules())
    assert set(AlertMessage.objects.values_list("phase", flat=True)) == {AlertPhase.STARTED, AlertPhase.AGAIN}
    AlertMessage.objects.update(due_at=from_now(dt.timedelta(hours=5)))
    ringing.end(Alert.objects.get())
    assert not AlertMessage.objects.exists()


def test_a_portal_that_was_off_does_not_ring_before_it_has_asked(receiver: WebReceiver) -> None:
    platform_silent(minutes=600)
    Balance.objects.update(tried_at=ago(hours=10))
    tasks.ring_alerts()
    assert receiver.got == []
    Balance.objects.update(tried_at=Now())
    tasks.ring_alerts()
    Balance.objects.update(tried_at=ago(hours=1))
    tasks.ring_alerts()
    assert titles(receiver) == ["平台没有应答"], "that nobody asks any more does not end it"


def test_a_channel_that_was_added_later_is_not_told_of_an_end(receiver: WebReceiver) -> None:
    ringing.ring(AlertKind.STOP, "1")
    delivering.read_channels()
    ringing.end(Alert.objects.get())
    assert not AlertMessage.objects.exists()


def test_a_channel_that_was_told_that_it_goes_on_is_told_of_its_end(receiver: WebReceiver) -> None:
    ringing.ring(AlertKind.GUARD)
    delivering.read_channels()
    Alert.objects.update(told_at=ago(hours=5))
    for _ in range(2):
        ringing.remind(rules.all_rules())
        Alert.objects.update(told_at=ago(hours=20))
    ringing.end(Alert.objects.get())
    assert list(AlertMessage.objects.order_by("pk").values_list("phase", flat=True)) == ["AGAIN", "AGAIN", "OVER"]


def test_messages_go_to_the_channels_of_the_rule_only(receiver: WebReceiver) -> None:
    with override_settings(ALERT_URLS=[f"json://{receiver.host}/a", f"json://{receiver.host}/b"]):
        delivering.read_channels()
        chosen = AlertChannel.objects.order_by("id")[1]
        change(AlertKind.STOP, channels=[chosen])
        ringing.ring(AlertKind.STOP, "1")
        ringing.ring(AlertKind.GUARD)
    sent = AlertMessage.objects.filter(alert__kind=AlertKind.STOP).get()
    assert (sent.channel_id, AlertMessage.objects.filter(alert__kind=AlertKind.GUARD).count()) == (chosen.pk, 2)


def test_a_kind_whose_channel_the_settings_name_no_more_rings_everywhere(receiver: WebReceiver) -> None:
    delivering.read_channels()
    change(AlertKind.STOP, channels=[AlertChannel.objects.get()])
    with override_settings(ALERT_URLS=[f"json://{receiver.host}/with-a-new-token"]):
        delivering.read_channels()
        ringing.ring(AlertKind.STOP, "1")
        delivering.deliver()
    assert [path for path, _ in receiver.got] == ["/with-a-new-token"]


def test_approvals_ring_when_they_have_waited_for_long(receiver: WebReceiver, batch: Batch) -> None:
    Batch.objects.update(state=BatchState.AWAITING_APPROVAL, canary_until=0, made_at=ago(minutes=29))
    tasks.ring_alerts()
    assert titles(receiver) == []
    Batch.objects.update(made_at=ago(minutes=31))
    tasks.ring_alerts()
    assert titles(receiver) == ["有内容等待审批已久"]


def test_a_declaration_that_waits_for_a_second_person_rings_too(receiver: WebReceiver, platform: FakePlatform) -> None:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)
    platform.behaviour = "lost"
    submission.submit_order(order_id=order.pk)
    Declaration.objects.create(
        order=order, declared_by=person("clerk"), words="他们说没有", declared_at=ago(minutes=31)
    )
    tasks.ring_alerts()
    assert Alert.objects.get(kind=AlertKind.APPROVALS).data == {"声明": 1}


def test_refunds_ring_when_they_have_been_owed_for_days(clerk_user: User) -> None:
    told([Story(1, ago(days=8), clerk_user).accept().report(Status.FAILED).confirm()])
    assert list(watching._owed(dt.timedelta(days=9))) == []
    finding = next(watching._owed(dt.timedelta(days=7)))
    assert (finding.amount, finding.data["订单"]) == (1, 1)


def test_a_broken_check_of_the_books_is_named(receiver: WebReceiver) -> None:
    check = CHECKS[0]
    CheckRun.objects.create(check_name=check.name, ran_at=Now(), seconds=0, broken=3, broken_since=Now())
    tasks.ring_alerts()
    assert titles(receiver) == ["账目检查不通过"]
    assert str(check.label) in receiver.got[0][1]["message"]


def test_a_low_balance_tells_how_long_it_lasts_and_what_to_pay_in(receiver: WebReceiver, batch: Batch) -> None:
    told = {"amount": 200, "told_at": Now(), "tried_at": Now()}
    Balance.objects.update_or_create(pk=1, defaults=told)
    change(AlertKind.BALANCE, threshold=500)
    with mock.patch.object(runway, "_spent", return_value=(4800.0, 50.0)), mock.patch.object(runway, "cache") as cache:
        cache.get_or_set.side_effect = lambda key, make, seconds: make()
        tasks.ring_alerts()
    low = Alert.objects.get(kind=AlertKind.BALANCE)
    assert low.data["余额（元）"] == "200.00"
    assert low.data["按今天的速度还能用"] == "约 4.0 小时"
    assert low.data["建议充值"].startswith("¥ ")
    assert not Alert.objects.filter(kind=AlertKind.RUNWAY).exists(), "4 hours are enough"


def test_a_runway_about_the_threshold_does_not_ring_each_time(receiver: WebReceiver) -> None:
    Balance.objects.update_or_create(pk=1, defaults={"amount": 200, "told_at": Now(), "tried_at": Now()})
    by_kind = rules.all_rules()
    for hours, rings in ((4.1, False), (3.9, True), (4.1, True), (5.9, True), (6.1, False), (4.1, False)):
        lasting = runway.Runway(hours, timezone.now(), 0)
        with mock.patch.object(watching, "runway", return_value=lasting):
            found = list(watching._money(Balance.objects.get(), by_kind))
        assert bool(found) is rings, hours
        for finding in found:
            ringing.ring(finding.kind)
        if not found:
            list(map(ringing.end, Alert.objects.open()))


def test_a_balance_about_the_threshold_rings_once_until_it_is_clearly_above(receiver: WebReceiver) -> None:
    change(AlertKind.BALANCE, threshold=1000)
    for amount, alerts, rings in (
        (1000, 0, 0), (999, 1, 1), (1001, 1, 1), (998, 1, 1), (1199, 1, 1), (1200, 1, 0), (1001, 1, 0), (999, 2, 1)
    ):  # fmt: skip
        told = {"amount": amount, "told_at": Now(), "tried_at": Now()}
        Balance.objects.update_or_create(pk=1, defaults=told)
        tasks.ring_alerts()
        low = Alert.objects.filter(kind=AlertKind.BALANCE)
        assert (low.count(), low.open().count()) == (alerts, rings), amount
    assert titles(receiver).count("平台余额过低") == 2
    assert Alert.objects.open().get(kind=AlertKind.BALANCE).data["恢复条件"] == "达到 ¥ 1,200.00"


@pytest.mark.parametrize(
    ("now", "opening"),
    [("2026-11-27 08:59", "2026-11-27"), ("2026-11-27 09:00", "2026-11-30"), ("2026-11-29 12:00", "2026-11-30")],
)
def test_the_next_working_morning(now: str, opening: str) -> None:
    moment = timezone.make_aware(dt.datetime.fromisoformat(now))
    assert f"{runway.next_opening(moment):%Y-%m-%d %H:%M}" == f"{opening} 09:00"


def test_the_rate_is_that_of_today(clerk_user: User) -> None:
    told([Story(number, ago(seconds=1), clerk_user).accept() for number in range(2)])
    told([Story(3, ago(seconds=1), clerk_user).withdraw(), Story(4, ago(days=2), clerk_user).accept()])
    money = sum(
        Order.objects.filter(submission="ACCEPTED", placed_at__gt=ago(days=1)).values_list("face_value", flat=True)
    )
    assert runway._spent() == (money, money)
