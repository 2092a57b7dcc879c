"""The platform is asked about the numbers of a list in the background; the result stands beside list and batch."""

import datetime as dt
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from portal import platform as platform_settings
from portal.celery import closing
from portal.gateway import MobileInfo, OutcomeUnknown, Rejected
from recharge.batches.services import judging, making, number_checks, preview, uploading
from recharge.choices import BatchState, Product
from recharge.core import queue
from recharge.core.errors import ReasonNeeded
from recharge.limits.services import number_asking
from recharge.models import Batch, BatchDraft, NumberCheck, Order, Outage
from recharge.numbers.services import known
from recharge.operations.services import sweeping
from tests.batches import assembled, mobile, mobiles, upload
from tests.fake_platform import FakePlatform, WorkerKilled
from tests.people import person
from tests.unit.gateway.servers import answering, answering_then_silent, http, serving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
PORTED = MobileInfo("移动", "联通", "北京", "北京", "{}")
NO = Rejected("2010", "该号码不支持充值")


@pytest.fixture(autouse=True)
def _on(settings: LazySettings) -> None:
    settings.NUMBER_INFO = True
    settings.NUMBER_ASKS_PER_SECOND = 0


@pytest.fixture
def clerk_user(db: None) -> User:
    return person("clerk")


@pytest.fixture
def clerk(client: Client, clerk_user: User) -> Client:
    client.force_login(clerk_user)
    return client


def check_of(draft: BatchDraft) -> NumberCheck:
    return NumberCheck.objects.get(draft=draft)


def figures(check: NumberCheck) -> tuple[int, int, int, int, int]:
    return check.total, check.position, check.ported, check.unable, check.unanswered


def ends(check: NumberCheck) -> bool:
    check.refresh_from_db()
    return check.finished_at is not None


def test_nobody_is_asked_where_it_is_off(clerk_user: User, platform: FakePlatform, settings: LazySettings) -> None:
    settings.NUMBER_INFO = False
    upload(clerk_user, mobiles(3))
    assert not NumberCheck.objects.exists()
    sweeping.sweep()
    number_checks.check_waiting()
    assert platform.asked == []


def test_every_line_is_asked_about_and_what_speaks_against_it_is_named(
    clerk_user: User, platform: FakePlatform, settings: LazySettings
) -> None:
    settings.NUMBER_VERIFY = True
    platform.infos = {mobile(1): OutcomeUnknown("timeout"), mobile(2): PORTED}
    platform.offers = {mobile(2): OutcomeUnknown("timeout"), mobile(3): NO}
    draft = upload(clerk_user, [*mobiles(4), "12345,50"])
    assert platform.asked == []
    number_checks.check_waiting()
    check = check_of(draft)
    assert figures(check) == (4, 4, 1, 1, 2)
    assert check.finished_at
    assert check.problem == ""
    assert [line for line, _words in check.named] == [3, 4]
    assert "联通" in check.named[0][1]
    assert "该号码不支持充值" in check.named[1][1]
    assert not Order.objects.exists()


def test_a_number_is_asked_about_once_however_often_it_stands_there(clerk_user: User, platform: FakePlatform) -> None:
    draft = upload(clerk_user, [f"{mobile(1)},50", f"{mobile(1)},100", *mobiles(1, first=2)])
    number_checks.check_waiting()
    assert figures(check_of(draft))[:2] == (3, 3)
    assert platform.asked == [("info", mobile(1)), ("info", mobile(2))]
    number_checks.begin(draft)
    number_checks.check_waiting()
    assert figures(check_of(draft))[:2] == (3, 3)
    assert len(platform.asked) == 2


def test_what_was_said_is_among_the_suspicious_lines(clerk_user: User, platform: FakePlatform) -> None:
    platform.infos[mobile(2)] = PORTED
    draft = upload(clerk_user, mobiles(3))
    assert preview.preview(draft).suspicious.orders == 0
    number_checks.check_waiting()
    seen = preview.preview(draft)
    assert (seen.good.orders, seen.suspicious.orders) == (2, 1)
    assert "中国联通" in seen.suspicious_lines[0].words[0]
    with pytest.raises(ReasonNeeded, match="中国联通"):
        making.make_batch(draft=draft, made_by=clerk_user)
    assert not Batch.objects.exists()
    batch = making.make_batch(draft=draft, made_by=clerk_user, reason="客户确认")
    order = batch.orders.get(mobile=mobile(2))
    assert (order.carrier, order.ported, order.duplicate_reason) == ("UNICOM", True, "")
    note = order.events.get().note
    assert "中国联通" in note
    assert "客户确认" in note


def test_it_stays_with_the_batch_and_the_approver_reads_it(
    client: Client, clerk_user: User, platform: FakePlatform, settings: LazySettings
) -> None:
    settings.APPROVAL_ABOVE = 100
    platform.infos[mobile(2)] = PORTED
    draft = upload(clerk_user, mobiles(3))
    number_checks.check_waiting()
    batch = making.make_batch(draft=draft, made_by=clerk_user, reason="客户确认")
    assert batch.state == BatchState.AWAITING_APPROVAL
    check = NumberCheck.objects.get(batch=batch)
    assert (check.draft_id, check.to_ask, check.ported) == (None, "", 1)
    client.force_login(person("approver"))
    for address in (f"/approvals/batches/{batch.pk}/", f"/batches/{batch.pk}/"):
        page = " ".join(client.get(address).content.decode().split())
        assert "已就 3 行询问平台" in page, address
        assert "第 3 行：平台表示该号码已携号转网" in page


def test_a_large_list_asks_for_a_reason_although_it_was_judged_before(
    clerk_user: User, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "READ_AT_ONCE", 2)
    monkeypatch.setattr(making, "MADE_AT_ONCE", 2)
    platform.infos[mobile(2)] = PORTED
    draft = upload(clerk_user, mobiles(4))
    judging.judge_waiting()
    number_checks.check_waiting()
    with pytest.raises(ReasonNeeded, match="1 行有异议"):
        making.make_batch(draft=draft, made_by=clerk_user)
    assert not Batch.objects.exists()
    batch = assembled(making.make_batch(draft=draft, made_by=clerk_user, reason="客户确认"))
    assert batch.orders.count() == 4
    assert batch.orders.get(mobile=mobile(2)).ported


def test_what_is_heard_while_the_batch_is_made_leaves_nothing_out(
    clerk_user: User, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MADE_AT_ONCE", 2)
    draft = upload(clerk_user, mobiles(4))
    batch = making.make_batch(draft=draft, made_by=clerk_user)
    known.keep_info(mobile(2), PORTED)
    assert assembled(batch).orders.count() == 4


def test_a_batch_made_meanwhile_ends_the_asking(clerk_user: User, platform: FakePlatform) -> None:
    draft = upload(clerk_user, mobiles(3))
    batch = making.make_batch(draft=draft, made_by=clerk_user)
    number_checks.check_waiting()
    assert platform.asked == []
    check = NumberCheck.objects.get(batch=batch)
    assert check.finished_at
    assert check.position == 0
    assert not number_checks.is_waiting()


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_killed_worker_is_taken_over_where_it_was(clerk_user: User, platform: FakePlatform, dies_at: int) -> None:
    platform.infos[mobile(1)] = PORTED
    platform.infos[mobile(dies_at + 1)] = WorkerKilled()
    draft = upload(clerk_user, mobiles(5))
    with pytest.raises(WorkerKilled):
        number_checks.check_waiting()
    assert figures(check_of(draft)) == (5, dies_at, 1, 0, 0)
    number_checks.check_waiting()  # its lease still runs
    assert check_of(draft).position == dies_at
    NumberCheck.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    platform.infos[mobile(dies_at + 1)] = PORTED
    assert number_checks.is_waiting()
    number_checks.check_waiting()
    assert figures(check_of(draft)) == (5, 5, 2, 0, 0)
    assert [number for _call, number in platform.asked].count(mobile(1)) == 1


def test_whoever_was_taken_over_writes_nothing_more(clerk_user: User, platform: FakePlatform) -> None:
    draft = upload(clerk_user, mobiles(3))
    original = number_asking.ask_patiently

    def overtake(order: Order) -> number_asking.Heard:
        NumberCheck.objects.update(attempts=7, position=2)
        return original(order)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number_asking, "ask_patiently", overtake)
        number_checks.check_waiting()
    check = check_of(draft)
    assert (check.position, check.finished_at) == (2, None)


def test_a_list_read_otherwise_meanwhile_is_asked_about_anew(clerk_user: User, platform: FakePlatform) -> None:
    draft = upload(clerk_user, [f"{mobile(1)},50,2", f"{mobile(2)},50,1"], "手机号,面值,数量")
    number_checks.check_waiting()
    assert figures(check_of(draft))[:2] == (1, 1)
    uploading.use_quantities(draft=draft, wanted=True)
    number_checks.check_waiting()
    assert figures(check_of(draft))[:2] == (2, 2)


def test_a_worker_that_is_ended_leaves_the_rest_to_the_next_one(clerk_user: User, platform: FakePlatform) -> None:
    draft = upload(clerk_user, mobiles(3))
    original = number_asking.ask_patiently

    def end(order: Order) -> number_asking.Heard:
        closing.set()
        return original(order)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number_asking, "ask_patiently", end)
        patch.setattr(number_checks, "AT_A_TIME", 1)
        try:
            number_checks.check_waiting()
        finally:
            closing.clear()
    check = check_of(draft)
    assert (check.position, check.lease_until) == (1, None)
    number_checks.check_waiting()
    assert ends(check)


def test_after_some_seconds_other_work_gets_its_turn(
    clerk_user: User, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(queue, "start_drains", lambda task, drains: opened.append(task))
    draft = upload(clerk_user, mobiles(3))
    monkeypatch.setattr(number_checks, "WORKS_FOR", 0.0)
    sweeping.sweep()
    assert queue.CHECK_NUMBERS in opened
    number_checks.check_waiting()
    assert check_of(draft).finished_at is None
    monkeypatch.setattr(number_checks, "WORKS_FOR", 10.0)
    number_checks.check_waiting()
    assert ends(check_of(draft))


def test_a_platform_that_gives_no_answer_is_not_asked_for_ever_and_the_list_can_be_placed(
    clerk: Client, clerk_user: User, platform: FakePlatform
) -> None:
    platform.infos = {mobile(number): OutcomeUnknown("timeout") for number in range(1, 21)}
    draft = upload(clerk_user, mobiles(20))
    number_checks.check_waiting()
    check = check_of(draft)
    assert (check.position, check.unanswered) == (number_checks.SILENT_AT_MOST,) * 2
    page = " ".join(clerk.get(f"/batches/new/{draft.pk}/").content.decode().split())
    assert "平台连续多次没有答复" in page
    assert '尚未询问： <span class="number">15</span>' in page
    platform.infos = {}
    clerk.post(f"/batches/new/{draft.pk}/numbers/")
    number_checks.check_waiting()
    assert figures(check_of(draft)) == (20, 20, 0, 0, 0)
    assert making.make_batch(draft=draft, made_by=clerk_user).size == 20


def test_a_call_that_does_not_exist_is_said(clerk_user: User, platform: FakePlatform) -> None:
    platform.infos[mobile(1)] = Rejected("1002", "接口不存在")
    draft = upload(clerk_user, mobiles(20))
    number_checks.check_waiting()
    assert "没有这个接口" in check_of(draft).problem
    assert len(platform.asked) == 1


def test_in_an_outage_it_waits_and_goes_on_by_itself(clerk: Client, clerk_user: User, platform: FakePlatform) -> None:
    draft = upload(clerk_user, mobiles(2))
    now = timezone.now()
    outage = Outage.objects.create(because="refused", after_event=0, confirmed_at=now, next_order_at=now)
    assert not number_checks.is_waiting()
    number_checks.check_waiting()
    assert platform.asked == []
    assert "无法连接平台，恢复后会自动继续询问" in clerk.get(f"/batches/new/{draft.pk}/").content.decode()
    Outage.objects.filter(pk=outage.pk).update(on=False, over_at=now)
    number_checks.check_waiting()
    assert ends(check_of(draft))


def test_it_keeps_to_its_pace(clerk_user: User, platform: FakePlatform, settings: LazySettings) -> None:
    settings.NUMBER_ASKS_PER_SECOND = 20
    upload(clerk_user, mobiles(5))
    began = time.monotonic()
    number_checks.check_waiting()
    assert time.monotonic() - began >= 5 / 20
    assert len(platform.asked) == 5


def test_no_turn_is_taken_that_an_order_would_have_to_wait_for(
    clerk_user: User, platform: FakePlatform, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WIKEYUN_MAX_RPS = 0.01
    monkeypatch.setattr(number_checks, "WORKS_FOR", 1.0)
    draft = upload(clerk_user, mobiles(3))
    number_checks.check_waiting()
    assert len(platform.asked) == 1
    assert check_of(draft).position == 1


def test_the_page_shows_how_far_it_is_and_the_result(clerk: Client, clerk_user: User, platform: FakePlatform) -> None:
    platform.infos[mobile(2)] = PORTED
    draft = upload(clerk_user, mobiles(3))
    address = f"/batches/new/{draft.pk}/"
    assert "正在向平台询问这些号码" in clerk.get(address).content.decode()
    fragment = clerk.get(f"{address}numbers/", headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" in fragment
    number_checks.check_waiting()
    fragment = clerk.get(f"{address}numbers/", headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" not in fragment
    assert "已就 3 行询问平台" in fragment
    assert "第 3 行：平台表示该号码已携号转网" in clerk.get(address).content.decode()


def test_nobody_else_sees_it(client: Client, clerk_user: User, platform: FakePlatform) -> None:
    draft = upload(clerk_user, mobiles(1))
    client.force_login(person("administrator"))
    assert client.get(f"/batches/new/{draft.pk}/numbers/").status_code == 404
    assert client.post(f"/batches/new/{draft.pk}/numbers/").status_code == 404


def test_a_forgotten_upload_takes_it_along(clerk_user: User, platform: FakePlatform) -> None:
    draft = upload(clerk_user, mobiles(2))
    BatchDraft.objects.filter(pk=draft.pk).update(uploaded_at=timezone.now() - dt.timedelta(days=2))
    sweeping.sweep()
    assert not NumberCheck.objects.exists()


def test_lists_of_cards_are_not_asked_about(clerk_user: User, platform: FakePlatform) -> None:
    content = "卡号,面值\r\n1000110000000000000,500\r\n".encode()
    uploading.keep_upload(content=content, file_name="a.csv", product=Product.OIL, uploaded_by=clerk_user)
    assert not NumberCheck.objects.exists()


def test_the_numbers_are_not_readable_in_the_database(clerk_user: User, platform: FakePlatform) -> None:
    upload(clerk_user, mobiles(3))
    check = number_checks._take_up()
    assert check
    number_checks._read(check)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_ask FROM recharge_numbercheck")
        stored = cursor.fetchone()[0]
    assert stored
    assert mobile(1) not in stored


@pytest.fixture
def real_client(settings: LazySettings) -> Iterator[Callable[[str], None]]:
    def at(url: str) -> None:
        settings.WIKEYUN_BASE_URL = url
        settings.WIKEYUN_APP_KEY = settings.WIKEYUN_APP_SECRET = "key"
        settings.WIKEYUN_STORE_ID = "1"
        platform_settings.asking_client.cache_clear()

    yield at
    platform_settings.asking_client.cache_clear()


@pytest.mark.parametrize("body", [b"<html>", b'{"code": "0000", "data": [1]}', b"\xff\xfe"])
def test_garbage_ends_it_without_a_word_against_any_line(
    clerk_user: User, real_client: Callable[[str], None], body: bytes
) -> None:
    with serving(answering(http(body))) as server:
        real_client(server.url)
        draft = upload(clerk_user, mobiles(20))
        number_checks.check_waiting()
    assert figures(check_of(draft)) == (20, 5, 0, 0, 5)
    assert check_of(draft).named == []


def test_a_platform_that_hangs_holds_a_worker_for_some_seconds_at_most(
    clerk_user: User, real_client: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(number_asking, "PATIENT", 0.3)
    with serving(answering_then_silent()) as server:
        real_client(server.url)
        draft = upload(clerk_user, mobiles(20))
        began = time.monotonic()
        number_checks.check_waiting()
        assert time.monotonic() - began < 4
    check = check_of(draft)
    assert check.finished_at
    assert check.unanswered == number_checks.SILENT_AT_MOST
    assert dt.timedelta(seconds=4 * 5) < number_checks.LEASE  # two answers of a line, and a margin
