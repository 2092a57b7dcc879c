"""A check is asked for in the browser, kept, repeated every day, and rings where something got worse."""

import datetime as dt
import re
from unittest import mock

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.signing import BadSignature
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal import platform
from portal.gateway import OrderReport, Rejected, reaching
from portal.kit.database import from_now
from portal.sandbox import Sandbox
from recharge import tasks
from recharge.alerts.services import watching
from recharge.choices import AlertKind
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Alert, Balance, Order, PlatformCheck, Reading
from recharge.orders.services import placing
from recharge.platform.choices import SELDOM, Result, Step
from recharge.platform.services import callbacks, contact, keeping
from recharge.platform.services.callbacks import PROBE_SIGNER, answer_to_probe
from recharge.platform.services.findings import Finding
from recharge.status import Status
from recharge.teaching.services import lessons
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.pages import Page
from tests.people import person

from .conftest import set_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
LONG = dt.timedelta(minutes=1)
EXPLAIN = {"postgresql": "EXPLAIN ", "sqlite": "EXPLAIN QUERY PLAN "}


@pytest.fixture(autouse=True)
def unreachable(settings: LazySettings) -> None:
    """Nobody answers at the public address here, and so quickly."""
    settings.PUBLIC_URL = "http://127.0.0.1:1"


def browser(who: str) -> Client:
    client = Client()
    client.force_login(person(who))
    return client


def text(page: Page) -> str:
    return page.content.decode()


def result(step: Step) -> Result:
    row = PlatformCheck.objects.get()
    return next(one.result for one in keeping.findings(row) if one.step == step)


def day_passes() -> None:
    PlatformCheck.objects.update(due_at=Now())
    tasks.check_platform()


def ringing() -> list[str]:
    watching.watch()
    kinds = (AlertKind.CONTACT, AlertKind.CALLBACKS)
    return list(Alert.objects.filter(over_at=None, kind__in=kinds).values_list("kind", flat=True))


# --- in the browser ---------------------------------------------------------------------------------------------------
def test_an_administrator_asks_for_a_check_and_reads_what_it_found(sandbox: Sandbox) -> None:
    client = browser("administrator")
    assert 'data-contact="0 0 0"' in text(client.get("/"))
    page = client.post("/platform/check/", follow=True)
    assert 'data-check="under_way"' in text(page)
    assert 'hx-trigger="every 3s"' in text(page)
    tasks.check_platform()
    page = client.get("/platform/")
    assert 'data-check="under_way"' not in text(page)
    assert 'hx-trigger="every 3s"' not in text(page)
    assert 'data-first-order=""' in text(page)
    assert 'data-step="signature" data-result="ok" data-cause="SIGNATURE_TAKEN"' in text(page)
    assert 'data-step="public_address" data-result="failed" data-cause="ADDRESS_SILENT"' in text(page)
    assert 'data-contact="1 1 1"' in text(client.get("/"))
    assert PlatformCheck.objects.get().asked_by == person("administrator")


def test_the_overview_is_quiet_once_all_is_green(sandbox: Sandbox) -> None:
    client = browser("administrator")
    client.post("/platform/check/")
    tasks.check_platform()
    row = PlatformCheck.objects.get()
    row.findings = [{**one, "result": "ok"} for one in row.findings]
    row.save()
    assert "data-contact" not in text(client.get("/"))


def test_what_another_version_kept_is_left_out(sandbox: Sandbox) -> None:
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    row = PlatformCheck.objects.get()
    row.findings = [{**row.findings[0], "cause": "NOT_KNOWN_HERE"}, {**row.findings[1], "facts": {}}, row.findings[2]]
    row.save()
    assert [one.step for one in keeping.findings(row)] == [Step.TLS]
    assert browser("administrator").get("/platform/").status_code == 200


def test_others_look_at_it_and_clerks_do_not(sandbox: Sandbox) -> None:
    for who in ("auditor", "approver"):
        assert "/platform/check/" not in text(browser(who).get("/platform/"))
        assert browser(who).post("/platform/check/").status_code == 403
        assert "data-contact" in text(browser(who).get("/"))
    assert browser("clerk").get("/platform/").status_code == 403
    assert "data-contact" not in text(browser("clerk").get("/"))
    assert not PlatformCheck.objects.exists()


def test_words_that_the_check_learned_are_taught_without_typing_them(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unheard_of(*arguments: object, **named: object) -> OrderReport:
        raise Rejected("2007", "编号 13800138000 尚未登记", "{}")

    monkeypatch.setattr(platform.trial_client().__class__, "query_mobile_order", unheard_of)
    first, second = browser("administrator"), browser("approver")
    assert first.get("/readings/teach/checked/").status_code == 404, "nothing was checked"
    first.post("/platform/check/")
    tasks.check_platform()
    assert result(Step.NO_SUCH_ORDER) == Result.WARNING
    page = text(first.get("/platform/"))
    address = re.search(r'href="(/readings/teach/checked/[^"]*)"', page)
    assert address
    assert "13800138000" not in page
    assert "/readings/teach/" not in text(browser("auditor").get("/platform/"))

    offered = first.get(address[1])
    assert "编号#尚未登记" in text(offered)
    assert "没有该订单" in text(offered)
    said = {"meaning": "NO_SUCH_ORDER", "reason": "供应商客服确认"}
    assert first.post("/readings/teach/checked/", {**said, "reason": ""}).status_code == 200
    assert not Reading.objects.exists(), "not without a reason"
    first.post("/readings/teach/checked/", said)
    reading = Reading.objects.get()
    assert (reading.words, reading.means, reading.agreed) == ("编号#尚未登记", "NO_SUCH_ORDER", None)
    assert first.get(address[1])["Location"] == f"/readings/{reading.pk}/", "once only"
    tasks.check_platform()
    first.post("/platform/check/")
    tasks.check_platform()
    assert result(Step.NO_SUCH_ORDER) == Result.WARNING, "one person is not enough"
    assert second.get(f"/readings/{reading.pk}/").status_code == 403

    another = User.objects.create_user("another")
    lessons.decide(reading_id=reading.pk, actor=another, agrees=True, orders_seen=0)
    first.post("/platform/check/")
    tasks.check_platform()
    assert result(Step.NO_SUCH_ORDER) == Result.OK
    assert "/readings/teach/" not in text(first.get("/platform/"))


@pytest.mark.parametrize("words", ["签名 0123456789abcdef0123456789abcdef 的订单没找", "x" * 201])
def test_words_that_hold_a_signature_or_are_too_long_are_not_offered(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    def unheard_of(*arguments: object, **named: object) -> OrderReport:
        raise Rejected("2007", words, "{}")

    monkeypatch.setattr(platform.trial_client().__class__, "query_mobile_order", unheard_of)
    client = browser("administrator")
    client.post("/platform/check/")
    tasks.check_platform()
    assert result(Step.NO_SUCH_ORDER) == Result.WARNING
    assert "/readings/teach/" not in text(client.get("/platform/"))
    assert client.get("/readings/teach/checked/").status_code == 404


def test_asked_twice_is_checked_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[bool] = []

    def check(*, thorough: bool) -> list[Finding]:
        runs.append(thorough)
        return []

    monkeypatch.setattr(contact, "check", check)
    client = browser("administrator")
    client.post("/platform/check/")
    client.post("/platform/check/")
    for _ in range(3):
        tasks.check_platform()
    assert runs == [True]


def test_a_check_whose_worker_died_is_made_again(sandbox: Sandbox) -> None:
    keeping.ask_for_check(actor=person("administrator"))
    PlatformCheck.objects.update(due_at=from_now(dt.timedelta(minutes=10)), began_at=Now())
    tasks.check_platform()
    assert not PlatformCheck.objects.get().findings
    PlatformCheck.objects.update(due_at=Now())
    tasks.check_platform()
    assert {row["step"] for row in PlatformCheck.objects.get().findings} == set(Step.values)


def test_another_account_has_a_check_of_its_own(sandbox: Sandbox, settings: LazySettings) -> None:
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    assert keeping.latest()
    settings.WIKEYUN_STORE_ID = "2"
    assert keeping.latest() is None


def test_without_credentials_nothing_is_asked(settings: LazySettings) -> None:
    settings.WIKEYUN_APP_KEY = ""
    browser("administrator").post("/platform/check/")
    tasks.check_platform()
    assert not PlatformCheck.objects.exists()


# --- every day --------------------------------------------------------------------------------------------------------
def test_the_daily_repeat_is_harmless_and_keeps_what_it_leaves_out(sandbox: Sandbox) -> None:
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    before = PlatformCheck.objects.get()
    assert before.due_at
    with sandbox.books.transaction() as books:
        books.execute("DELETE FROM calls")
    day_passes()
    after = PlatformCheck.objects.get()
    with sandbox.books.snapshot() as books:
        asked = {row[0] for row in books.execute("SELECT endpoint FROM calls")}
    assert asked == {"User/query", "Recharge/query", "Order/orderList"}
    assert after.thorough_at == before.thorough_at
    assert after.ran_at != before.ran_at
    assert {step.value for step in SELDOM} <= {row["step"] for row in after.findings}


def test_what_got_worse_rings_and_stops_ringing(sandbox: Sandbox) -> None:
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    day_passes()
    assert ringing() == [], "what a person has seen is no news"
    set_to(sandbox, order_no_queries="refuse")
    day_passes()
    assert ringing() == [AlertKind.CONTACT]
    assert "按我方订单号查询" in str(Alert.objects.get().data)
    day_passes()
    assert ringing() == [AlertKind.CONTACT]
    assert Alert.objects.count() == 1
    set_to(sandbox, order_no_queries="find")
    day_passes()
    assert ringing() == []


def test_what_was_not_come_to_is_no_news_when_it_is_tried_again(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    assert result(Step.OUR_NUMBER) == Result.WARNING
    with monkeypatch.context() as broken:
        broken.setattr(reaching, "connect", mock.Mock(side_effect=ConnectionRefusedError))
        day_passes()
        assert ringing() == [AlertKind.CONTACT]
    day_passes()
    assert ringing() == []


def test_a_platform_that_is_silent_is_not_looked_at_until_it_answers(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    Balance.objects.create(pk=1, error="no connection", answered_at=timezone.now() - LONG, tried_at=timezone.now())
    monkeypatch.setattr(reaching, "connect", mock.Mock(side_effect=ConnectionRefusedError))
    day_passes()
    assert ringing() == [], "the platform that can't be reached rings by itself"
    assert PlatformCheck.objects.get(due_at__gt=Now()).due_at
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    assert result(Step.CONNECTION) == Result.FAILED, "who asks is told"


def test_a_person_who_looks_ends_it_too(sandbox: Sandbox) -> None:
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    set_to(sandbox, order_no_queries="refuse")
    day_passes()
    assert ringing() == [AlertKind.CONTACT]
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    assert ringing() == []
    assert result(Step.OUR_NUMBER) == Result.FAILED


def test_what_got_better_is_expected_from_then_on(sandbox: Sandbox) -> None:
    set_to(sandbox, order_no_queries="refuse")
    keeping.ask_for_check(actor=person("administrator"))
    tasks.check_platform()
    set_to(sandbox, order_no_queries="find")
    day_passes()
    set_to(sandbox, order_no_queries="refuse")
    day_passes()
    assert ringing() == [AlertKind.CONTACT]


# --- callbacks that are silent ----------------------------------------------------------------------------------------
def ended(
    fake: FakePlatform, number: int, *, heard: bool, status: Status = Status.SUCCEEDED, minutes_ago: int = 10
) -> Order:
    """An order whose end a query confirmed; `heard` says whether a callback told of it, too."""
    mobile = f"139001390{number:02d}"
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=mobile, face_value=50)
    submission.submit_order(order_id=order.pk)
    fake.books[order.order_no].status = status
    if heard:
        number_there = fake.books[order.order_no].gateway_order_no
        report = OrderReport(order.order_no, number_there, status, "", "", None, None, None, None, "", "{}")
        reports.receive_callback(order_no=order.order_no, report=report)
    checking.check_order(order_id=order.pk)
    Order.objects.filter(pk=order.pk).update(status_at=from_now(-dt.timedelta(minutes=minutes_ago)))
    order.refresh_from_db()
    assert (order.status, order.settled_at is not None) == (status, True)
    return order


def test_silent_callbacks_ring_once_and_end_when_they_come_again(
    platform: FakePlatform, settings: LazySettings
) -> None:
    settings.ALERT_CALLBACKS_SILENT, settings.ALERT_CALLBACKS_OF = 3, 4
    ended(platform, 1, heard=True)
    ended(platform, 2, heard=False)
    ended(platform, 3, heard=False, status=Status.REFUNDED)
    assert ringing() == []
    silent = ended(platform, 4, heard=False)
    assert ringing() == [AlertKind.CALLBACKS]
    alert = Alert.objects.get()
    assert list(alert.data.values()) == ["3 / 4"]
    assert alert.since < known(silent.status_at)
    ringing()
    assert Alert.objects.count() == 1
    ended(platform, 5, heard=True)
    ended(platform, 6, heard=True)
    assert ringing() == []


def test_a_callback_may_be_late_and_the_alert_may_be_off(platform: FakePlatform, settings: LazySettings) -> None:
    settings.ALERT_CALLBACKS_SILENT, settings.ALERT_CALLBACKS_OF = 2, 10
    for number in range(1, 4):
        ended(platform, number, heard=False, minutes_ago=1)
    assert callbacks.listen().orders == 0
    ended(platform, 4, heard=True, minutes_ago=1)
    assert (callbacks.listen().orders, callbacks.listen().silent) == (1, 0)
    Order.objects.update(status_at=from_now(-dt.timedelta(minutes=5)))
    assert ringing() == [AlertKind.CALLBACKS]
    settings.ALERT_CALLBACKS_SILENT = 0
    assert ringing() == []


def test_what_only_a_callback_told_of_is_not_silent(platform: FakePlatform) -> None:
    for number in range(1, 7):
        ended(platform, number, heard=True)
    assert (callbacks.listen().orders, callbacks.listen().silent) == (6, 0)


def test_listening_is_two_looks_at_an_index() -> None:
    with CaptureQueriesContext(connection) as asked:
        callbacks.listen()
    assert len(asked) == 2
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(EXPLAIN[connection.vendor] + asked[0]["sql"])
        plan = str(cursor.fetchall())
    assert "order_status" in plan
    assert "TEMP B-TREE" not in plan


# --- the probe --------------------------------------------------------------------------------------------------------
def test_the_portal_answers_its_own_probe_and_nobody_elses() -> None:
    token = PROBE_SIGNER.sign("nonce")
    page = Client(enforce_csrf_checks=True).post(f"/callback/probe/{token}/")
    assert (page.status_code, text(page)) == (200, answer_to_probe(token))
    assert Client().get(f"/callback/probe/{token}/").status_code == 405
    assert Client().post("/callback/probe/nonce.1.wrong/").status_code == 404
    with pytest.raises(BadSignature):
        answer_to_probe(callbacks.ANSWER_SIGNER.sign("nonce"))
