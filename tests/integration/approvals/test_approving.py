"""A second person looks at what is above APPROVAL_ABOVE, and approves or rejects it, with a fresh password."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from portal.accounts.password import WRONG_TRIES
from recharge.approvals import services as approving
from recharge.batches.services import draining, managing
from recharge.choices import BatchEventKind, BatchState, EventKind, Submission
from recharge.core import queue
from recharge.core.errors import LimitReached, NotYours, TooLate
from recharge.fulfilment.services import submission
from recharge.models import Batch, BatchEvent, Order, OrderEvent, Spending
from recharge.operations.services import sweeping
from recharge.orders.services import interventions, placing
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform
from tests.pages import Page
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("platform", "sent")]
START = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
PASSWORD = "a-long-enough-password"
APPROVE = {"decision": "approve"}
REJECT = {"decision": "reject", "reason": "金额不对"}


@pytest.fixture(autouse=True)
def approval_above(settings: LazySettings) -> None:
    settings.APPROVAL_ABOVE = 100


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def order() -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=200)


@pytest.fixture
def batch() -> Batch:
    return batch_of(*mobiles(4), made_by=person("clerk"))


@pytest.fixture
def approver(client: Client) -> Client:
    """The approver, who signed in just now."""
    return signed_in(client, "approver")


def signed_in(client: Client, name: str) -> Client:
    user = person(name)
    user.set_password(PASSWORD)
    user.save()
    client.post("/accounts/login/", {"username": name, "password": PASSWORD})
    return client


def address(thing: Order | Batch) -> str:
    return f"/approvals/batches/{thing.pk}/" if isinstance(thing, Batch) else f"/approvals/orders/{thing.order_no}/"


def everything() -> tuple[Any, ...]:
    models = (Order, OrderEvent, Batch, BatchEvent, Spending)
    return tuple(list(model.objects.order_by("pk").values()) for model in models)


def text_of(response: Page) -> str:
    return response.content.decode()


def asks_for_password(response: Page) -> bool:
    return 'name="password"' in text_of(response)


# --- orders


def test_order_up_to_the_limit_needs_nobody(settings: LazySettings) -> None:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=100)
    assert order.submission == Submission.QUEUED
    settings.APPROVAL_ABOVE = 0
    other = placing.place_mobile_order(placed_by=person("clerk"), mobile="13900139000", face_value=200)
    assert other.submission == Submission.QUEUED


def test_order_above_it_is_sent_to_nobody_before_it_is_approved(
    order: Order, platform: FakePlatform, sent: list[tuple[str, int]]
) -> None:
    assert (order.submission, order.next_push_at, order.counted_on) == (Submission.AWAITING_APPROVAL, None, None)
    submission.submit_order(order_id=order.pk)
    sweeping.sweep()
    assert platform.books == {}
    assert sent == []


def test_approver_approves_an_order_and_it_goes_out(
    approver: Client, order: Order, platform: FakePlatform, sent: list[tuple[str, int]]
) -> None:
    approver.post(address(order), {**APPROVE, "reason": "已核对"})
    order.refresh_from_db()
    assert (order.submission, order.approved_by) == (Submission.QUEUED, person("approver"))
    event = order.events.get(kind=EventKind.APPROVED)
    assert (event.actor, event.note, event.submission_to) == (person("approver"), "已核对", Submission.QUEUED)
    submission.submit_order(order_id=order.pk)
    assert platform.books[order.order_no].pushes == 1


def test_worker_is_told_once_the_approval_is_committed(
    approver: Client, order: Order, sent: list[tuple[str, int]], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        approver.post(address(order), APPROVE)
    assert sent == [(queue.SUBMIT, order.pk)]


def test_approver_rejects_an_order_with_a_reason(approver: Client, order: Order, platform: FakePlatform) -> None:
    approver.post(address(order), REJECT)
    order.refresh_from_db()
    assert order.submission == Submission.WITHDRAWN
    assert order.settled_at
    assert (order.approved_by, order.counted_on) == (None, None)
    event = order.events.get(kind=EventKind.DISAPPROVED)
    assert (event.actor, event.note) == (person("approver"), REJECT["reason"])
    submission.submit_order(order_id=order.pk)
    assert platform.books == {}


def test_nobody_approves_what_he_placed_himself(client: Client) -> None:
    order = placing.place_mobile_order(placed_by=person("administrator"), mobile="13800138000", face_value=200)
    signed_in(client, "administrator")
    before = everything()
    page = text_of(client.get(address(order)))
    assert "须由另一人审批" in page
    assert "name=decision" not in page.replace('"', "")
    for answer in (APPROVE, REJECT):
        assert "须由另一人审批" in text_of(client.post(address(order), answer))
    assert everything() == before
    with pytest.raises(NotYours):
        approving.approve_order(order_id=order.pk, actor=person("administrator"))
    assert everything() == before


def test_what_was_decided_is_decided_once(approver: Client, order: Order) -> None:
    approver.post(address(order), APPROVE)
    before = everything()
    for answer in (APPROVE, REJECT):
        response = approver.post(address(order), answer)
        assert response.status_code == 200
        assert "已不在待审批状态" in text_of(response)
    assert everything() == before


def test_withdrawn_order_is_approved_no_more(order: Order) -> None:
    interventions.withdraw(order_id=order.pk, actor=person("clerk"))
    before = everything()
    with pytest.raises(TooLate):
        approving.approve_order(order_id=order.pk, actor=person("approver"))
    assert everything() == before


def test_order_of_a_batch_is_approved_with_the_batch_only(approver: Client, batch: Batch) -> None:
    order = batch.orders.earliest("id")
    assert approver.get(address(order))["Location"] == address(batch)
    before = everything()
    with pytest.raises(TooLate):
        approving.approve_order(order_id=order.pk, actor=person("approver"))
    assert everything() == before


@pytest.mark.parametrize("answer", [{}, {"decision": ""}, {"decision": "perhaps"}, {"reason": "x"}])
def test_nothing_is_approved_by_accident(approver: Client, order: Order, answer: dict[str, str]) -> None:
    before = everything()
    response = approver.post(address(order), answer)
    assert "is-invalid" in text_of(response) or "invalid-feedback" in text_of(response)
    assert everything() == before


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "\x00"])
def test_rejection_needs_a_reason_that_can_be_read(approver: Client, order: Order, reason: str) -> None:
    before = everything()
    response = approver.post(address(order), {"decision": "reject", "reason": reason})
    assert "invalid-feedback" in text_of(response)
    assert everything() == before


def test_what_no_more_fits_into_the_day_is_refused_in_words(
    approver: Client, order: Order, batch: Batch, settings: LazySettings
) -> None:
    settings.DAILY_LIMIT = 150
    before = everything()
    for thing in (order, batch):
        response = approver.post(address(thing), APPROVE)
        assert "今日总限额 ¥ 150" in text_of(response)
    assert everything() == before
    settings.DAILY_LIMIT, settings.DAILY_LIMIT_PER_PERSON = 0, 150
    assert "clerk 今日限额 ¥ 150" in text_of(approver.post(address(order), APPROVE))
    with pytest.raises(LimitReached):
        approving.approve_batch(batch_id=batch.pk, actor=person("approver"))
    assert everything() == before


def test_approved_order_counts_for_who_placed_it(order: Order) -> None:
    approving.approve_order(order_id=order.pk, actor=person("approver"))
    assert set(Spending.objects.values_list("person__username", "amount")) == {(None, 200), ("clerk", 200)}


# --- batches


def test_approver_approves_a_batch_and_it_goes_out(approver: Client, batch: Batch, platform: FakePlatform) -> None:
    assert (batch.state, batch.total) == (BatchState.AWAITING_APPROVAL, 200)
    draining.submit_batches()
    assert platform.books == {}
    approver.post(address(batch), {**APPROVE, "reason": "已核对"})
    batch.refresh_from_db()
    assert (batch.state, batch.approved_by) == (BatchState.CANARY, person("approver"))
    event = batch.events.get(kind=BatchEventKind.APPROVED)
    assert (event.actor, event.note) == (person("approver"), "已核对")
    assert OrderEvent.objects.filter(kind=EventKind.APPROVED, submission_to=Submission.QUEUED).count() == batch.size
    assert set(Spending.objects.values_list("person__username", "amount")) == {(None, 200), ("clerk", 200)}
    draining.submit_batches()
    assert len(platform.books) == batch.size
    assert set(batch.orders.values_list("approved_by__username", flat=True)) == {"approver"}


def test_approver_rejects_a_batch_with_all_its_orders(approver: Client, batch: Batch, platform: FakePlatform) -> None:
    approver.post(address(batch), REJECT)
    batch.refresh_from_db()
    assert (batch.state, batch.approved_by) == (BatchState.DISAPPROVED, None)
    assert set(batch.orders.values_list("submission", flat=True)) == {Submission.WITHDRAWN}
    event = batch.events.get(kind=BatchEventKind.DISAPPROVED)
    assert (event.actor, event.note) == (person("approver"), REJECT["reason"])
    assert OrderEvent.objects.filter(kind=EventKind.DISAPPROVED, actor=person("approver")).count() == batch.size
    assert not Spending.objects.filter(amount__gt=0).exists()
    draining.submit_batches()
    assert platform.books == {}


def test_nobody_approves_the_batch_he_made(client: Client) -> None:
    batch = batch_of(*mobiles(4), made_by=person("administrator"))
    signed_in(client, "administrator")
    before = everything()
    for answer in (APPROVE, REJECT):
        assert "须由另一人审批" in text_of(client.post(address(batch), answer))
    assert everything() == before


def test_batch_is_decided_once(batch: Batch) -> None:
    approving.disapprove_batch(batch_id=batch.pk, actor=person("approver"), reason="x")
    before = everything()
    with pytest.raises(TooLate):
        approving.approve_batch(batch_id=batch.pk, actor=person("approver"))
    with pytest.raises(TooLate):
        approving.disapprove_batch(batch_id=batch.pk, actor=person("approver"), reason="x")
    assert everything() == before


def test_withdrawn_batch_is_approved_no_more(batch: Batch) -> None:
    managing.withdraw_rest(batch_id=batch.pk, actor=person("clerk"))
    before = everything()
    with pytest.raises(TooLate):
        approving.approve_batch(batch_id=batch.pk, actor=person("approver"))
    assert everything() == before


def test_what_was_withdrawn_before_the_approval_neither_goes_out_nor_counts(batch: Batch) -> None:
    withdrawn = batch.orders.earliest("id")
    interventions.withdraw(order_id=withdrawn.pk, actor=person("clerk"))
    approving.approve_batch(batch_id=batch.pk, actor=person("approver"))
    withdrawn.refresh_from_db()
    assert (withdrawn.submission, withdrawn.approved_by) == (Submission.WITHDRAWN, None)
    assert not withdrawn.events.filter(kind=EventKind.APPROVED).exists()
    assert Spending.objects.get(person=None).amount == 150


# --- the pages


def test_list_shows_what_awaits_approval_and_which_is_ones_own(client: Client, order: Order, batch: Batch) -> None:
    own = placing.place_mobile_order(placed_by=person("administrator"), mobile="13900139000", face_value=200)
    queued = placing.place_mobile_order(placed_by=person("clerk"), mobile="13700137000", face_value=50)
    client.force_login(person("administrator"))
    page = text_of(client.get("/approvals/"))
    for thing in (order, own, batch):
        assert f'href="{address(thing)}"' in page
    assert queued.order_no not in page
    assert batch.orders.earliest("id").order_no not in page
    assert page.count("查看并审批") == 2
    assert page.count("须由另一人审批") == 1


def test_list_says_that_nothing_is_to_be_done(client: Client) -> None:
    client.force_login(person("approver"))
    assert "没有待审批的内容" in text_of(client.get("/approvals/"))


def test_menu_counts_what_awaits_approval(client: Client, order: Order, batch: Batch) -> None:
    client.force_login(person("approver"))
    assert re.search(r">审批</span><span[^>]*>2</span>", text_of(client.get("/orders/")))
    client.force_login(person("clerk"))
    assert 'href="/approvals/"' not in text_of(client.get("/orders/"))


def test_order_page_says_what_happens_next(client: Client, order: Order) -> None:
    client.force_login(person("clerk"))
    page = text_of(client.get(f"/orders/{order.order_no}/"))
    assert "批准后立即提交" in page
    assert address(order) not in page
    client.force_login(person("approver"))
    assert f'href="{address(order)}"' in text_of(client.get(f"/orders/{order.order_no}/"))


def test_batch_is_shown_with_its_sums_its_file_and_its_reason(approver: Client, order: Order) -> None:
    lines = ["13800138000,200", *mobiles(30), *(f"1390013{n:04},100" for n in range(3))]
    batch = batch_of(*lines, made_by=person("clerk"), reason="客户又要一次")
    response = approver.get(address(batch))
    page = text_of(response)
    assert response.context["by_value"] == [
        {"face_value": 50, "orders": 30, "money": 1500},
        {"face_value": 100, "orders": 3, "money": 300},
        {"face_value": 200, "orders": 1, "money": 200},
    ]
    for words in ("¥ 2,000", "34 笔订单", "list.csv", "客户又要一次", "clerk", "138 0013 8000"):
        assert words in page
    assert [found.line for found in response.context["first"]] == [2, 3, 4]
    drawn = response.context["sample"]
    assert len(drawn) == 7
    assert min(found.line for found in drawn) > 4
    assert [found.mobile for found in response.context["repeated"]] == ["13800138000"]


def test_numbers_are_hidden_from_approvers_who_may_not_see_them(client: Client, order: Order, batch: Batch) -> None:
    person("approver").groups.clear()
    user = User.objects.get(username="approver")
    for codename in ("approve_order", "view_order"):
        user.user_permissions.add(permission(codename))
    Order.objects.update(note=F("mobile"))
    client.force_login(user)
    for path in ("/approvals/", address(order), address(batch)):
        page = text_of(client.get(path))
        assert not re.search(r"1[38]\d 0013 \d{4}|(?<!\d)1[38]\d{9}(?!\d)", page), path
        assert "****" in page or path == "/approvals/"


def permission(codename: str) -> Any:
    from django.contrib.auth.models import Permission

    return Permission.objects.get(content_type__app_label="recharge", codename=codename)


@pytest.mark.parametrize("path", ["/approvals/orders/1/", "/approvals/batches/1/", f"/approvals/batches/{'9' * 30}/"])
def test_what_is_not_there_is_our_own_404(client: Client, path: str) -> None:
    client.force_login(person("approver"))
    for response in (client.get(path), client.post(path, APPROVE)):
        assert response.status_code == 404
        assert "没有" in text_of(response)


# --- the password


def test_password_typed_at_the_sign_in_holds_for_five_minutes(
    clock: time_machine.Traveller, approver: Client, order: Order
) -> None:
    clock.shift(299)
    assert not asks_for_password(approver.get(address(order)))
    clock.shift(1)
    assert asks_for_password(approver.get(address(order)))
    before = everything()
    response = approver.post(address(order), APPROVE)
    assert asks_for_password(response)
    assert "请输入密码" in text_of(response)
    assert everything() == before


def test_right_password_lets_the_decision_through_and_holds_again(
    clock: time_machine.Traveller, approver: Client, order: Order, batch: Batch
) -> None:
    clock.shift(600)
    assert approver.post(address(order), {**APPROVE, "password": PASSWORD}).status_code == 302
    clock.shift(299)
    assert approver.post(address(batch), APPROVE).status_code == 302
    assert set(Order.objects.values_list("submission", flat=True)) == {Submission.QUEUED}


def test_wrong_password_decides_nothing(clock: time_machine.Traveller, approver: Client, order: Order) -> None:
    clock.shift(600)
    before = everything()
    for answer in (APPROVE, REJECT):
        response = approver.post(address(order), {**answer, "password": "wrong"})
        assert "密码不正确" in text_of(response)
        assert asks_for_password(response)
        assert "wrong" not in text_of(response)
    assert everything() == before


def test_too_many_wrong_passwords_end_the_session(
    clock: time_machine.Traveller, approver: Client, order: Order
) -> None:
    clock.shift(600)
    before = everything()
    for _ in range(WRONG_TRIES - 1):
        assert approver.post(address(order), {**APPROVE, "password": "wrong"}).status_code == 200
    response = approver.post(address(order), {**APPROVE, "password": "wrong"})
    assert response["Location"] == "/accounts/login/"
    assert "退出登录" in text_of(approver.get("/accounts/login/"))
    assert approver.post(address(order), {**APPROVE, "password": PASSWORD})["Location"].startswith("/accounts/login/")
    assert everything() == before


def test_right_password_forgives_the_wrong_ones(
    clock: time_machine.Traveller, approver: Client, order: Order, settings: LazySettings
) -> None:
    settings.DAILY_LIMIT = 10
    for _ in range(2):
        clock.shift(600)
        for _ in range(WRONG_TRIES - 1):
            approver.post(address(order), {**APPROVE, "password": "wrong"})
        assert "限额" in text_of(approver.post(address(order), {**APPROVE, "password": PASSWORD}))


def test_new_password_counts_as_typed(clock: time_machine.Traveller, approver: Client, order: Order) -> None:
    clock.shift(600)
    new = "another-long-password"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert approver.post("/accounts/password_change/", form).status_code == 302
    assert not asks_for_password(approver.get(address(order)))


@pytest.mark.parametrize("address", ["/accounts/password_change/", "/admin/password_change/"])
def test_old_password_cannot_be_guessed_where_it_is_changed(approver: Client, address: str) -> None:
    User.objects.update(is_staff=True)
    form = {"old_password": "wrong", "new_password1": "another-long-one", "new_password2": "another-long-one"}
    for _ in range(WRONG_TRIES - 1):
        assert approver.post(address, form).status_code == 200
    assert approver.post(address, form)["Location"] == "/accounts/login/"
    assert User.objects.get(username="approver").check_password(PASSWORD)


def test_session_that_typed_no_password_is_asked_for_it(client: Client, order: Order) -> None:
    client.force_login(person("approver"))
    assert asks_for_password(client.get(address(order)))


def test_clock_set_back_makes_no_password_fresh(clock: time_machine.Traveller, approver: Client, order: Order) -> None:
    clock.shift(-3600)
    assert asks_for_password(approver.get(address(order)))


# --- what can't be approved now


def test_the_page_says_beforehand_that_a_limit_is_reached_and_offers_to_reject_it(
    approver: Client, order: Order, batch: Batch, settings: LazySettings
) -> None:
    settings.DAILY_LIMIT = 199
    for thing in (order, batch):
        page = text_of(approver.get(address(thing)))
        assert "data-why-no-approval" in page
        assert "¥ 199" in page
        assert 'value="approve"' not in page
        assert 'value="reject"' in page
    assert "¥ 199" in text_of(approver.post(address(order), APPROVE))
    approver.post(address(order), REJECT)
    order.refresh_from_db()
    assert order.submission == Submission.WITHDRAWN


def test_the_page_offers_both_where_both_are_possible(approver: Client, order: Order, settings: LazySettings) -> None:
    settings.DAILY_LIMIT = 200
    page = text_of(approver.get(address(order)))
    assert "data-why-no-approval" not in page
    assert "data-why-not" not in page
    assert 'value="approve"' in page


def test_nobody_is_offered_to_decide_about_his_own(client: Client) -> None:
    own = placing.place_mobile_order(placed_by=person("approver"), mobile="13800138000", face_value=200)
    page = text_of(signed_in(client, "approver").get(address(own)))
    assert "data-why-not" in page
    assert 'name="decision"' not in page
