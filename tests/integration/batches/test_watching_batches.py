"""People watch a batch, and step in: pause it, let it go on, take the rest back, place the failed ones anew."""

import re
import uuid
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from portal.kit.append_only import open_to_change
from recharge.batches.services import braking, draining, managing
from recharge.batches.services import progress as batch_progress
from recharge.batches.services.progress import Part
from recharge.batches.wording import ADVICE
from recharge.choices import BatchEventKind, BatchState, Brake, MarkKind, Submission
from recharge.core.wording import QUEUED_IN
from recharge.models import Batch, BatchEvent, Order
from recharge.status import FINAL, Status
from tests.actions import last_event, mark, resume
from tests.batches import batch_of, mobile, mobiles
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.pages import Page, confirm, hidden_fields
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


@pytest.fixture
def batch(platform: FakePlatform) -> Batch:
    return batch_of(*mobiles(8), made_by=person("clerk"))


def text_of(response: Page) -> str:
    return response.content.decode()


def become(
    order: Order,
    state: Submission,
    status: int | None = None,
    *,
    settled: bool = False,
    confirmed: bool | None = None,
) -> None:
    """Put an order into a state that it may have, whatever led to it; what is settled is confirmed, too."""
    now = timezone.now()
    if confirmed is None:
        confirmed = settled and status is not None
    Order.objects.filter(pk=order.pk).update(
        submission=state,
        status=status,
        next_push_at=now if state == Submission.QUEUED else None,
        lease_until=now if state == Submission.SUBMITTING else None,
        gateway_order_no=f"W{order.pk}" if state == Submission.ACCEPTED else None,
        confirmed_at=now if confirmed else None,
        settled_at=now if settled else None,
        submitted_at=now,
        next_check_at=None if settled else now,
    )


def a_minute_passes() -> None:
    """Let the history of batches be a minute older."""
    with open_to_change(connection, BatchEvent):
        BatchEvent.objects.update(at=F("at") - timedelta(minutes=1))


def spread(batch: Batch) -> list[Order]:
    """Let something different become of each of eight orders; two still wait."""
    orders = list(batch.orders.order_by("id"))
    become(orders[0], Submission.ACCEPTED, Status.SUCCEEDED, settled=True)
    become(orders[1], Submission.ACCEPTED, Status.RECHARGING)
    become(orders[2], Submission.ACCEPTED, Status.FAILED)
    become(orders[3], Submission.ACCEPTED, Status.REFUNDED, settled=True)
    become(orders[4], Submission.UNKNOWN)
    become(orders[5], Submission.REJECTED, settled=True)
    return orders


def numbers(progress: batch_progress.Progress) -> dict[str, int]:
    return {part.value: totals.orders for part, totals in progress.parts.items() if totals.orders}


def test_numbers_are_those_of_the_orders(batch: Batch) -> None:
    spread(batch)
    progress = batch_progress.of_batch(batch)
    assert numbers(progress) == {
        "succeeded": 1, "in_progress": 1, "failed": 2, "unknown": 1, "not_spent": 1, "waiting": 2,
    }  # fmt: skip
    assert (progress.all.orders, progress.all.money) == (8, 400)
    assert (progress.settled.orders, progress.settled.money, progress.percent) == (3, 150, 37)


@pytest.mark.parametrize("part", Part)
def test_each_number_leads_to_the_orders_that_it_counts(clerk: Client, batch: Batch, part: Part) -> None:
    spread(batch)
    counted = batch_progress.of_batch(batch).parts[part].orders
    shown = re.findall(r'<a href="/orders/(\d{20})/">', text_of(clerk.get(f"/batches/{batch.pk}/?part={part}")))
    assert len(shown) == counted > 0


def test_what_the_platform_contradicts_counts_as_unknown_whatever_its_state(clerk: Client, batch: Batch) -> None:
    orders = spread(batch)
    for order in orders[:2]:  # succeeded, and under way
        mark(order, MarkKind.CONFLICT)
    mark(orders[5], MarkKind.UNKNOWN_CODE)  # another mark changes nothing
    progress = batch_progress.of_batch(batch)
    assert numbers(progress) == {"failed": 2, "unknown": 3, "not_spent": 1, "waiting": 2}
    assert (progress.parts[Part.UNKNOWN].money, progress.all.orders, progress.all.money) == (150, 8, 400)
    for part in Part:
        listed = re.findall(r'<a href="/orders/(\d{20})/">', text_of(clerk.get(f"/batches/{batch.pk}/?part={part}")))
        assert len(listed) == progress.parts[part].orders
        sheet = b"".join(clerk.get(f"/batches/{batch.pk}/results.csv?part={part}"))
        assert sheet.count(b"\n") - 1 == progress.parts[part].orders
    page = text_of(clerk.get(f"/batches/{batch.pk}/"))
    assert '<rect class="text-orange"' in page
    assert '<rect class="text-green"' not in page


def test_every_state_of_an_order_is_in_exactly_one_part(batch: Batch) -> None:
    order, seen = batch.orders.earliest("id"), set()
    for state, status, *over in product(Submission, [None, *Status], [False, True], [False, True]):
        with suppress(IntegrityError), transaction.atomic():  # refused by the database: no order is in such a state
            become(order, state, status, settled=over[0], confirmed=over[1])
            seen.add((state, status, *over))
            found = [part for part in Part if Order.objects.filter(batch_progress.in_part(part), pk=order.pk).exists()]
            assert found == [batch_progress.part_of(state, status)]
            assert numbers(batch_progress.of_batch(batch)) == Counter({Part.WAITING: 7}) + Counter(found)
    may_be = {(state, None) for state in Submission} | {(Submission.ACCEPTED, code) for code in Status}
    assert {(state, status) for state, status, *_ in seen} == may_be
    assert {status for _, status, settled, confirmed in seen if settled and confirmed} == FINAL
    waiting = {state for state in Submission if batch_progress.part_of(state, None) == Part.WAITING}
    assert waiting == {Submission.AWAITING_APPROVAL, Submission.QUEUED}


def test_page_asks_for_news_until_nothing_is_open(clerk: Client, batch: Batch) -> None:
    address = f"/batches/{batch.pk}/"
    page = text_of(clerk.get(address))
    digest = re.search(r'"X-Seen": "(\w+)"', page.replace("&quot;", '"'))
    assert digest
    assert 'hx-trigger="every 3s"' in page
    seen = {**HTMX, "X-Seen": digest[1]}
    assert clerk.get(address, headers=seen).status_code == 204
    for order in batch.orders.all():
        become(order, Submission.ACCEPTED, Status.SUCCEEDED, settled=True)
    Batch.objects.update(state=BatchState.HANDED_OVER)
    news = clerk.get(address, headers=seen)
    assert news.status_code == 200
    assert "8&nbsp;/&nbsp;8" in text_of(news)
    assert "hx-trigger" not in text_of(news)
    assert "<html" not in text_of(news)


def test_list_shows_how_far_each_has_got(clerk: Client, batch: Batch) -> None:
    spread(batch)
    text = text_of(clerk.get("/batches/"))
    assert "3 / 8" in text
    assert f'href="/batches/{batch.pk}/"' in text
    assert 'hx-trigger="every 3s"' in text


def test_speed_is_that_of_the_last_minute(clerk: Client, batch: Batch) -> None:
    Batch.objects.update(state=BatchState.RUNNING)
    a_minute_passes()
    assert "最近一分钟没有提交订单" in text_of(clerk.get(f"/batches/{batch.pk}/"))
    for order in batch.orders.all()[:4]:
        become(order, Submission.ACCEPTED, Status.RECHARGING)
    assert "最近一分钟提交 4 笔" in text_of(clerk.get(f"/batches/{batch.pk}/"))
    assert known(batch_progress.speed_of(batch, 4, [])).seconds_left == 1
    Order.objects.update(submitted_at="2026-01-01T00:00Z")
    assert batch_progress.speed_of(batch, 4, []) == batch_progress.Pace(0, None)


def test_speed_is_not_missed_before_there_can_be_one(clerk: Client, batch: Batch) -> None:
    Batch.objects.update(state=BatchState.RUNNING)
    assert "最近一分钟没有提交订单" not in text_of(clerk.get(f"/batches/{batch.pk}/"))


@pytest.mark.parametrize("brake", Brake)
def test_paused_batch_says_why_and_what_to_do(clerk: Client, batch: Batch, brake: Brake) -> None:
    Batch.objects.update(state=BatchState.PAUSED, brake=brake, braked_at=timezone.now())
    for address in (f"/batches/{batch.pk}/", f"/batches/{batch.pk}/resume/"):
        text = text_of(clerk.get(address))
        assert str(brake.label) in text
        assert str(ADVICE[brake]) in text


def test_numbers_of_phones_are_whole_only_for_who_may_see_them(client: Client, batch: Batch) -> None:
    whole = f"{mobile(1)[:3]} {mobile(1)[3:7]} {mobile(1)[7:]}"
    client.force_login(person("clerk"))
    assert whole in text_of(client.get(f"/batches/{batch.pk}/"))
    Order.objects.update(placed_by=person("administrator"))
    assert whole not in text_of(client.get(f"/batches/{batch.pk}/"))
    client.force_login(person("approver"))
    assert whole in text_of(client.get(f"/batches/{batch.pk}/"))


def test_orders_say_why_the_platform_refused_them(client: Client, batch: Batch) -> None:
    order = batch.orders.order_by("id")[0]
    Order.objects.filter(pk=order.pk).update(refusal=f"1010 {mobile(1)} 余额不足", placed_by=person("administrator"))
    client.force_login(person("clerk"))
    text = text_of(client.get(f"/batches/{batch.pk}/"))
    assert "1010 138****0001 余额不足" in text
    assert mobile(1) not in text


def test_orders_carry_the_notes_of_their_sheet(client: Client, platform: FakePlatform) -> None:
    lines = (f"{mobile(1)},50,快,<b>{mobile(1)}</b>", f"{mobile(2)},50,快,第二位")
    batch = batch_of(*lines, made_by=person("administrator"))
    client.force_login(person("clerk"))
    text = text_of(client.get(f"/batches/{batch.pk}/"))
    assert "&lt;b&gt;138****0001&lt;/b&gt;" in text
    assert "第二位" in text
    assert mobile(1) not in text


@pytest.mark.parametrize("state", QUEUED_IN)
def test_queued_order_says_what_its_batch_waits_for(clerk: Client, batch: Batch, state: BatchState) -> None:
    paused = {"brake": Brake.BY_HAND, "braked_at": timezone.now()} if state == BatchState.PAUSED else {}
    Batch.objects.update(state=state, **paused)
    address = f"/orders/{batch.orders.order_by('-id')[0].order_no}/"
    assert str(QUEUED_IN[state]) in text_of(clerk.get(address))
    become(batch.orders.order_by("-id")[0], Submission.UNKNOWN)
    assert not any(str(words) in text_of(clerk.get(address)) for words in QUEUED_IN.values())


def test_clerk_pauses_and_lets_it_go_on(clerk: Client, batch: Batch) -> None:
    address = f"/batches/{batch.pk}/"
    assert clerk.get(f"{address}pause/").status_code == 200
    batch.refresh_from_db()
    assert batch.state == BatchState.CANARY
    text = text_of(clerk.post(f"{address}pause/", {"reason": "客户来电"}, follow=True))
    assert "客户来电" in text
    batch.refresh_from_db()
    assert (batch.state, batch.brake) == (BatchState.PAUSED, Brake.BY_HAND)
    assert clerk.post(f"{address}resume/", {"reason": "  "}).status_code == 200
    batch.refresh_from_db()
    assert batch.state == BatchState.PAUSED
    text = text_of(confirm(clerk, f"{address}resume/", reason="已核实"))
    assert "已核实" in text
    batch.refresh_from_db()
    assert batch.state == BatchState.CANARY
    kinds = list(batch.events.values_list("kind", flat=True))
    assert kinds == [BatchEventKind.MADE, BatchEventKind.PAUSED, BatchEventKind.RESUMED]


def test_brake_that_nobody_was_shown_stays_pulled(clerk: Client, batch: Batch) -> None:
    address = f"/batches/{batch.pk}/resume/"
    managing.pause(batch_id=batch.pk, actor=person("approver"))
    shown = hidden_fields(clerk.get(address))
    resume(batch, person("approver"))
    braking._pull(batch, Brake.REJECTIONS)
    before = list(Batch.objects.values()), batch.events.count()
    for seen in (shown, {}, {"seen": "abc"}):
        refused = clerk.post(address, {**seen, "reason": "已核实"})
        assert refused.status_code == 200
        for words in ("alert-danger", str(Brake.REJECTIONS.label), str(ADVICE[Brake.REJECTIONS]), "已核实"):
            assert words in text_of(refused)
        assert (list(Batch.objects.values()), batch.events.count()) == before
    clerk.post(address, {**hidden_fields(refused), "reason": "已核实"})
    batch.refresh_from_db()
    assert (batch.state, batch.brake) == (BatchState.CANARY, "")


def test_page_is_shown_anew_with_the_brake_that_was_pulled_at_the_last_moment(
    clerk: Client, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    managing.pause(batch_id=batch.pk, actor=person("approver"))
    real = managing.resume

    def overtaken(**arguments: Any) -> Batch:
        monkeypatch.setattr(managing, "resume", real)
        resume(batch, person("approver"))
        braking._pull(batch, Brake.REJECTIONS)
        return real(**arguments)

    monkeypatch.setattr(managing, "resume", overtaken)
    refused = confirm(clerk, f"/batches/{batch.pk}/resume/", reason="已核实")
    assert str(Brake.REJECTIONS.label) in text_of(refused)
    assert hidden_fields(refused)["seen"] == str(last_event(batch))


def test_pause_needs_no_words(clerk: Client, batch: Batch) -> None:
    assert clerk.post(f"/batches/{batch.pk}/pause/").status_code == 302
    batch.refresh_from_db()
    assert batch.state == BatchState.PAUSED


def test_clerk_withdraws_the_rest(clerk: Client, batch: Batch) -> None:
    spread(batch)
    assert "2 笔（¥ 100）" in text_of(clerk.get(f"/batches/{batch.pk}/withdraw/"))
    text = text_of(clerk.post(f"/batches/{batch.pk}/withdraw/", {"reason": "名单有误"}, follow=True))
    assert "已撤回 2 笔" in text
    assert batch.orders.filter(submission=Submission.WITHDRAWN).count() == 2
    assert "withdraw/" not in text


@pytest.mark.parametrize("action", ["pause", "resume", "withdraw", "skip"])
def test_what_comes_too_late_is_refused_in_words(client: Client, batch: Batch, action: str) -> None:
    Batch.objects.update(state=BatchState.HANDED_OVER)
    before = list(Order.objects.values()), list(Batch.objects.values())
    client.force_login(person("approver"))
    text = text_of(client.post(f"/batches/{batch.pk}/{action}/", {"reason": "x"}, follow=True))
    assert "alert-danger" in text
    assert (list(Order.objects.values()), list(Batch.objects.values())) == before
    assert f"/{action}/" not in text


@pytest.mark.parametrize("reason", ["\x00", "x" * 201])
@pytest.mark.parametrize("action", ["pause", "resume", "withdraw"])
def test_unusable_words_change_nothing(clerk: Client, batch: Batch, action: str, reason: str) -> None:
    if action == "resume":
        managing.pause(batch_id=batch.pk, actor=person("clerk"))
    before = list(Batch.objects.values())
    response = clerk.post(f"/batches/{batch.pk}/{action}/", {"reason": reason})
    assert response.status_code == 200
    assert "invalid-feedback" in text_of(response)
    assert list(Batch.objects.values()) == before


def test_only_who_approves_skips_the_wait_for_the_first_ones(client: Client, batch: Batch) -> None:
    client.force_login(person("clerk"))
    assert f"/batches/{batch.pk}/skip/" not in text_of(client.get(f"/batches/{batch.pk}/"))
    client.force_login(person("approver"))
    assert f"/batches/{batch.pk}/skip/" in text_of(client.get(f"/batches/{batch.pk}/"))
    assert client.get(f"/batches/{batch.pk}/skip/").status_code == 200
    batch.refresh_from_db()
    assert batch.state == BatchState.CANARY
    client.post(f"/batches/{batch.pk}/skip/")
    batch.refresh_from_db()
    assert batch.state == BatchState.RUNNING


def test_failed_ones_are_placed_anew_once(clerk: Client, batch: Batch) -> None:
    orders = spread(batch)
    question = clerk.get(f"/batches/{batch.pk}/again/")
    assert '<span class="fs-2">2 笔订单</span>' in text_of(question)
    assert "¥ 100" in text_of(question)
    answers = [clerk.post(f"/batches/{batch.pk}/again/", hidden_fields(question)) for _ in range(2)]
    new = Batch.objects.exclude(pk=batch.pk).get()
    assert [answer["Location"] for answer in answers] == [f"/batches/{new.pk}/"] * 2
    assert set(new.orders.values_list("replaces", flat=True)) == {orders[3].pk, orders[5].pk}
    assert "again/" not in text_of(clerk.get(f"/batches/{batch.pk}/"))


@pytest.mark.parametrize("nonce", ["", "not-a-uuid", "\x00"])
def test_damaged_form_makes_no_second_batch(clerk: Client, batch: Batch, nonce: str) -> None:
    spread(batch)
    response = clerk.post(f"/batches/{batch.pk}/again/", {"nonce": nonce})
    assert response.status_code == 200
    assert "alert-danger" in text_of(response)
    assert Batch.objects.count() == 1


def test_only_as_many_are_placed_anew_as_were_shown(clerk: Client, batch: Batch) -> None:
    address = f"/batches/{batch.pk}/again/"
    orders = spread(batch)
    shown = hidden_fields(clerk.get(address))
    become(orders[0], Submission.REJECTED, settled=True)
    nothing = {"nonce": shown["nonce"]}
    for seen in (shown, nothing, nothing | {"orders_seen": "3"}, nothing | {"orders_seen": "x", "money_seen": "150"}):
        refused = clerk.post(address, seen)
        assert refused.status_code == 200
        for words in ("alert-danger", '<span class="fs-2">3 笔订单</span>', "¥ 150"):
            assert words in text_of(refused)
        assert Batch.objects.count() == 1
    assert clerk.post(address, hidden_fields(refused)).status_code == 302
    assert Batch.objects.latest("pk").size == 3


@pytest.mark.parametrize(("gone", "left", "money"), [((5,), 2, "¥ 150"), ((3, 5), 1, "¥ 100")])
def test_as_many_orders_or_as_much_money_alone_are_not_what_was_shown(
    clerk: Client, batch: Batch, gone: tuple[int, ...], left: int, money: str
) -> None:
    orders = spread(batch)
    shown = hidden_fields(clerk.get(f"/batches/{batch.pk}/again/"))
    for number in gone:
        become(orders[number], Submission.UNKNOWN)
    Order.objects.filter(pk=orders[0].pk).update(face_value=100)
    become(orders[0], Submission.REJECTED, settled=True)
    refused = clerk.post(f"/batches/{batch.pk}/again/", shown)
    assert f'<span class="fs-2">{left} 笔订单</span>' in text_of(refused)
    assert money in text_of(refused)
    assert Batch.objects.count() == 1


def test_nothing_that_failed_means_no_second_batch(clerk: Client, batch: Batch) -> None:
    assert "没有可重新下单的订单" in text_of(clerk.get(f"/batches/{batch.pk}/again/"))
    response = clerk.post(f"/batches/{batch.pk}/again/", {"nonce": str(uuid.uuid4())})
    assert response.status_code == 200
    assert Batch.objects.count() == 1


def test_order_leads_to_its_batch_and_the_list_finds_it(clerk: Client, batch: Batch) -> None:
    order = batch.orders.order_by("id")[2]
    text = text_of(clerk.get(f"/orders/{order.order_no}/"))
    assert f'href="/batches/{batch.pk}/"' in text
    assert "第 4 行" in text
    batch_of(*mobiles(2, first=100), made_by=person("clerk"))
    listed = re.findall(r'<a href="/orders/(\d{20})/">', text_of(clerk.get(f"/orders/?batch={batch.pk}")))
    assert set(listed) == set(batch.orders.values_list("order_no", flat=True))
    for wrong in ("0", "-1", "abc", "9" * 30, "%00"):
        assert "搜索条件有误" in text_of(clerk.get(f"/orders/?batch={wrong}"))


def test_a_batch_is_found_among_many(clerk: Client, batch: Batch) -> None:
    other = batch_of(*mobiles(2, first=100), made_by=person("approver"))
    managing.pause(batch_id=other.pk, actor=person("clerk"), reason="why")
    Batch.objects.filter(pk=other.pk).update(
        file_name="三月话费.xlsx", made_at=datetime(2026, 3, 5, 15, 59, tzinfo=UTC)
    )

    def found(query: str) -> set[int]:
        return {int(key) for key in re.findall(r'href="/batches/(\d+)/"', text_of(clerk.get(f"/batches/?{query}")))}

    assert found("") == {batch.pk, other.pk}
    assert found("state=PAUSED") == {other.pk}, "where the desk leads to"
    assert found(f"made_by={person('clerk').pk}") == {batch.pk}
    assert found("file_name=话费") == {other.pk}
    assert found("made_from=2026-03-05&made_to=2026-03-05") == {other.pk}, "a day ends at midnight in Shanghai"
    assert found("made_from=2026-03-06") == {batch.pk}
    assert found("made_to=2026-03-04") == set()
    assert "没有符合条件的批次" in text_of(clerk.get("/batches/?state=WITHDRAWN"))
    for wrong in ("state=x", "made_by=x", "made_from=x", "made_to=9999-12-31"):
        assert "搜索条件有误" in text_of(clerk.get(f"/batches/?{wrong}"))


def test_worker_and_page_tell_the_same(clerk: Client, batch: Batch, platform: FakePlatform) -> None:
    draining.submit_batches()
    braking.look_at_all()
    batch.refresh_from_db()
    assert batch.state == BatchState.HANDED_OVER
    assert numbers(batch_progress.of_batch(batch)) == {"in_progress": 8}
    assert sum(booked.face_value for booked in platform.books.values()) == 400


@pytest.mark.parametrize("path", ["/batches/", "/batches/{}/", "/batches/{}/?part=waiting"])
def test_number_of_statements_does_not_grow_with_the_orders(
    clerk: Client, batch: Batch, django_assert_max_num_queries: DjangoAssertNumQueries, path: str
) -> None:
    clerk.get("/orders/")  # the account of the settings is kept at the first look
    with django_assert_max_num_queries(20) as few:
        clerk.get(path.format(batch.pk))
    large = batch_of(*mobiles(70, first=100), made_by=person("clerk"))
    batch_of(*mobiles(3, first=500), made_by=person("clerk"))
    with django_assert_max_num_queries(20) as many:
        clerk.get(path.format(large.pk))
    assert len(few) == len(many)


def test_pages_by_key_show_every_line_once_in_the_order_of_the_sheet(clerk: Client, platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(120), made_by=person("clerk"))
    numbers = list(batch.orders.order_by("line").values_list("order_no", flat=True))
    texts: list[str] = []
    query: str | None = ""
    while query is not None:
        texts.append(text_of(clerk.get(f"/batches/{batch.pk}/{query}")))
        following = re.search(r'rel="next" href="([^"]+)"', texts[-1])
        query = following[1] if following else None
    pages = [re.findall(r'<a href="/orders/(\d{20})/">', text) for text in texts]
    assert [number for page in pages for number in page] == numbers
    previous = re.search(r'rel="prev" href="([^"]+)"', texts[-1])
    assert previous
    assert re.findall(r"/orders/(\d{20})/", text_of(clerk.get(f"/batches/{batch.pk}/{previous[1]}"))) == pages[1]
    assert "没有符合的订单" in text_of(clerk.get(f"/batches/{batch.pk}/?after=999999999999"))
