"""Stopping everything in an emergency: nothing goes out, everybody sees it, and who may approve lets it go on."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from recharge.batches.services import draining, managing
from recharge.choices import BatchState, Submission
from recharge.core.errors import TooLate
from recharge.fulfilment.services import checking, submission
from recharge.limits.services import emergency_stop
from recharge.models import EmergencyStop, Order
from recharge.operations.services import sweeping
from recharge.operations.services.standstill import standstills
from recharge.orders.services import interventions, placing
from tests.actions import go_on
from tests.batches import batch_of, mobiles
from tests.fake_platform import FakePlatform
from tests.pages import confirm, hidden_fields
from tests.people import person
from tests.processes import time_passes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


@pytest.fixture
def order(platform: FakePlatform) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)


def stop() -> EmergencyStop:
    return emergency_stop.stop_everything(actor=person("clerk"), reason="价格不对")


def test_single_order_is_held_back_and_goes_out_afterwards(
    order: Order, platform: FakePlatform, sent: list[tuple[str, int]]
) -> None:
    stop()
    before = Order.objects.values().get()
    submission.submit_order(order_id=order.pk)
    assert Order.objects.values().get() == before
    time_passes(5)
    sweeping.sweep()
    assert (platform.books, sent) == ({}, [])
    go_on(person("approver"))
    sweeping.sweep()
    assert [order_id for _, order_id in sent] == [order.pk]
    submission.submit_order(order_id=order.pk)
    assert platform.books[order.order_no].pushes == 1


def test_batch_is_held_back_and_goes_out_afterwards(platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(5), made_by=person("clerk"))
    stop()
    draining.submit_batches()
    sweeping.sweep()
    assert platform.books == {}
    assert set(batch.orders.values_list("submission", flat=True)) == {Submission.QUEUED}
    batch.refresh_from_db()
    assert batch.state == BatchState.CANARY
    go_on(person("approver"))
    draining.submit_batches()
    assert len(platform.books) == 5


def test_batch_that_is_under_way_stops_at_once(platform: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(*mobiles(5), made_by=person("clerk"))
    take_up, claims = submission.claim, iter(range(10))

    def claim_and_stop(*what: Any) -> Order | None:
        if next(claims) == 2:
            stop()
        return take_up(*what)

    monkeypatch.setattr(submission, "claim", claim_and_stop)
    draining.submit_batches()
    assert len(platform.books) == 2
    assert batch.orders.filter(submission=Submission.QUEUED).count() == 3


def test_questions_go_on(order: Order, platform: FakePlatform) -> None:
    submission.submit_order(order_id=order.pk)
    stop()
    checking.check_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == 1


def test_what_is_held_back_can_be_withdrawn(order: Order, platform: FakePlatform) -> None:
    batch = batch_of(*mobiles(5), made_by=person("clerk"))
    stop()
    interventions.withdraw(order_id=order.pk, actor=person("clerk"))
    assert managing.withdraw_rest(batch_id=batch.pk, actor=person("clerk")) == 5
    go_on(person("approver"))
    submission.submit_order(order_id=order.pk)
    draining.submit_batches()
    assert platform.books == {}


def test_clerk_stops_everything_with_a_reason(client: Client) -> None:
    client.force_login(person("clerk"))
    assert client.post("/stop/", {"reason": " 价格不对 "}).status_code == 302
    found = EmergencyStop.objects.get()
    assert (found.on, found.started_by, found.reason) == (True, person("clerk"), "价格不对")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "\x00"])
def test_stop_needs_a_reason_that_can_be_read(client: Client, reason: str) -> None:
    client.force_login(person("clerk"))
    response = client.post("/stop/", {"reason": reason})
    assert "invalid-feedback" in response.content.decode()
    assert not EmergencyStop.objects.exists()


def test_second_stop_is_refused_and_the_first_one_stays(client: Client) -> None:
    stop()
    before = EmergencyStop.objects.values().get()
    with pytest.raises(TooLate):
        emergency_stop.stop_everything(actor=person("approver"), reason="again")
    client.force_login(person("clerk"))
    response = client.post("/stop/", {"reason": "again"})
    assert "已经全部停止" in response.content.decode()
    assert EmergencyStop.objects.values().get() == before


def test_approver_lets_orders_go_out_again(client: Client) -> None:
    stop()
    client.force_login(person("approver"))
    assert "要恢复提交吗" in client.get("/stop/go-on/").content.decode()
    assert EmergencyStop.objects.get().on
    assert "alert-success" in confirm(client, "/stop/go-on/").content.decode()
    found = EmergencyStop.objects.get()
    assert (found.on, found.ended_by) == (False, person("approver"))
    assert found.ended_at


def test_who_may_not_approve_is_told_who_lets_them_go_out(client: Client) -> None:
    stop()
    client.force_login(person("clerk"))
    page = client.get("/stop/").content.decode()
    assert "/stop/go-on/" not in page
    assert "审批权限" in page
    assert client.post("/stop/go-on/").status_code == 403
    assert EmergencyStop.objects.get().on


def test_going_on_twice_is_told_and_changes_nothing(client: Client) -> None:
    stop()
    go_on(person("approver"))
    before = EmergencyStop.objects.values().get()
    client.force_login(person("approver"))
    assert client.get("/stop/go-on/")["Location"] == "/stop/"
    assert "没有停止" in client.post("/stop/go-on/", follow=True).content.decode()
    assert EmergencyStop.objects.values().get() == before


def test_only_the_stop_that_was_shown_is_ended(client: Client) -> None:
    stop()
    client.force_login(person("approver"))
    shown = hidden_fields(client.get("/stop/go-on/"))
    go_on(person("administrator"))
    emergency_stop.stop_everything(actor=person("clerk"), reason="余额异常")
    before = list(EmergencyStop.objects.order_by("pk").values())
    for seen in (shown, {}, {"seen": "abc"}, {"seen": "9" * 30}):
        refused = client.post("/stop/go-on/", seen)
        assert refused.status_code == 200
        assert "余额异常" in refused.content.decode()
        assert "alert-danger" in refused.content.decode()
        assert list(EmergencyStop.objects.order_by("pk").values()) == before
    client.post("/stop/go-on/", hidden_fields(refused))
    assert not EmergencyStop.objects.filter(on=True).exists()


def test_earlier_stops_are_shown_with_who_and_why(client: Client) -> None:
    stop()
    go_on(person("approver"))
    client.force_login(person("auditor"))
    page = client.get("/stop/").content.decode()
    for words in ("价格不对", "clerk", "approver"):
        assert words in page
    assert "<textarea" not in page


@pytest.mark.parametrize("path", ["/", "/orders/", "/orders/new/", "/stop/", "/accounts/password_change/", "/admin/"])
def test_every_page_says_so_while_it_is_on(client: Client, platform: FakePlatform, path: str) -> None:
    client.force_login(person("administrator"))
    assert "banner-stop" not in client.get(path).content.decode()
    stop()
    page = client.get(path).content.decode()
    assert re.search(r'banner-stop.*?clerk.*?价格不对.*?href="/stop/"', page, re.DOTALL)
    go_on(person("approver"))
    assert "banner-stop" not in client.get(path).content.decode()


@pytest.mark.parametrize(
    "path",
    ["/orders/1/", "/batches/1/", "/approvals/batches/1/", f"/batches/new/{uuid.UUID(int=1)}/", "/oil-cards/1/"],
    ids=["order", "batch", "approval", "draft", "card"],
)
def test_page_about_what_is_not_there_says_so_too(client: Client, path: str) -> None:
    stop()
    client.force_login(person("administrator"))
    response = client.get(path)
    assert response.status_code == 404
    assert "banner-stop" in response.content.decode()


def test_stranger_is_told_nothing(client: Client) -> None:
    stop()
    assert "价格不对" not in client.get("/accounts/login/").content.decode()


def test_queued_order_says_that_it_is_held_back(client: Client, order: Order) -> None:
    client.force_login(person("clerk"))
    words = "恢复提交之前，此订单不会发出"
    path = f"/orders/{order.order_no}/"
    assert words not in client.get(path).content.decode()
    stop()
    assert words in client.get(path).content.decode()
    assert words in client.get(path, headers={"HX-Request": "true"}).content.decode()


def test_way_to_the_stop_is_in_the_header_of_those_who_may(client: Client) -> None:
    for role, shown in (("clerk", True), ("approver", True), ("administrator", True), ("auditor", False)):
        client.force_login(person(role))
        assert ('href="/stop/"' in client.get("/orders/").content.decode()) is shown, role


def test_what_is_held_back_on_purpose_raises_no_question_of_the_worker(order: Order) -> None:
    batch_of(*mobiles(5), made_by=person("clerk"))
    time_passes(10)
    assert [one.work for one in standstills()] == ["orders"]
    stop()
    assert standstills() == []
    go_on(person("approver"))
    interventions.withdraw(order_id=order.pk, actor=person("clerk"))
    assert standstills() == []  # a batch waits for itself
