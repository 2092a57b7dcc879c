"""What matters asks for the second factor where it was shown too long ago, and nothing is lost meanwhile."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from oilcards.models import OilCard, OilCardEvent
from recharge.choices import BatchState, Submission
from recharge.limits.services import emergency_stop
from recharge.models import Account, Batch, EmergencyStop, Order
from recharge.orders.services import placing
from tests.authenticator import App
from tests.batches import batch_of
from tests.fake_platform import FakePlatform
from tests.pages import Page, confirm
from tests.people import app_of, person, sign_in_with_factor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("factors_required", "sent")]
ROOT = Path(__file__).resolve().parents[3]
CHECK = "/accounts/factor/"
APPROVE = {"decision": "approve", "reason": "已核对"}


@pytest.fixture
def app() -> App:
    return app_of(person("approver"))


@pytest.fixture
def late(client: Client, app: App) -> Client:
    """An approver who has shown his second factor sixteen minutes ago."""
    sign_in_with_factor(client, person("approver"), minutes_ago=16)
    return client


@pytest.fixture
def order(platform: FakePlatform, settings: LazySettings) -> Order:
    settings.APPROVAL_ABOVE = 10
    return placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50)


@pytest.fixture
def batch(platform: FakePlatform, settings: LazySettings) -> Batch:
    settings.APPROVAL_ABOVE = 10
    return batch_of("13900139000,50", made_by=person("clerk"))


def kept_on(page: Page) -> Any:
    found = re.search(r'<script id="kept" type="application/json">(.*?)</script>', page.content.decode(), re.DOTALL)
    return json.loads(found[1]) if found else None


def show(client: Client, app: App, answer: Page) -> Page:
    """Show the second factor where an answer leads, and follow the way back."""
    assert answer.status_code == 302
    assert answer["Location"].startswith(CHECK)
    asked = client.get(answer["Location"])
    back = re.search(r'id="by_code".*?name="next" value="([^"]+)"', asked.content.decode(), re.DOTALL)
    assert back
    return client.post(CHECK, {"code": app.code(), "next": back[1]}, follow=True)


def test_an_approval_comes_back_to_its_form_and_is_sent_by_the_person(late: Client, app: App, batch: Batch) -> None:
    address = f"/approvals/batches/{batch.pk}/"
    page = show(late, app, late.post(address, APPROVE))
    assert page.redirect_chain[-1][0] == address
    assert kept_on(page) == {
        "action": address,
        "fields": [["decision", "approve"], ["reason", "已核对"]],
        "again": True,
    }
    assert "还没有提交" in page.content.decode()
    batch.refresh_from_db()
    assert batch.state == BatchState.AWAITING_APPROVAL, "nothing is sent by itself"
    assert late.post(address, APPROVE)["Location"] == "/approvals/"
    batch.refresh_from_db()
    assert batch.state == BatchState.RUNNING
    assert kept_on(late.get(address)) is None


@pytest.mark.parametrize("minutes", [14, 16])
def test_a_factor_is_fresh_for_fifteen_minutes(client: Client, app: App, order: Order, minutes: int) -> None:
    sign_in_with_factor(client, person("approver"), minutes_ago=minutes)
    answer = client.post(f"/approvals/orders/{order.order_no}/", APPROVE)
    order.refresh_from_db()
    assert (order.submission == Submission.QUEUED) is (minutes == 14)
    assert answer["Location"].startswith(CHECK) is (minutes == 16)


def test_the_password_is_not_asked_for_beside_the_factor(client: Client, app: App, order: Order) -> None:
    sign_in_with_factor(client, person("approver"))
    assert 'name="password"' not in client.get(f"/approvals/orders/{order.order_no}/").content.decode()


def test_orders_chosen_in_the_list_are_still_chosen_afterwards(late: Client, app: App, order: Order) -> None:
    chosen = {"order_no": [order.order_no]}
    referer = {"Referer": "http://testserver/approvals/?before=9"}
    page = show(late, app, late.post("/approvals/orders/decide/", chosen, headers=referer))
    assert page.redirect_chain[-1][0] == "/approvals/?before=9"
    assert kept_on(page)["fields"] == [["order_no", order.order_no]]
    assert late.post("/approvals/orders/decide/", chosen).status_code == 200


def test_a_decision_about_several_comes_back_to_the_list(late: Client, app: App, order: Order) -> None:
    said = {"order_no": [order.order_no], "money_seen": "50", **APPROVE}
    referer = {"Referer": "http://testserver/approvals/orders/decide/"}
    page = show(late, app, late.post("/approvals/orders/decide/", said, headers=referer))
    assert page.redirect_chain[-1][0] == "/approvals/"
    order.refresh_from_db()
    assert order.submission == Submission.AWAITING_APPROVAL
    late.post("/approvals/orders/decide/", said)
    order.refresh_from_db()
    assert order.submission == Submission.QUEUED


def test_the_emergency_stop_is_ended_with_a_fresh_factor_only(late: Client, app: App) -> None:
    emergency_stop.stop_everything(actor=person("clerk"), reason="价格不对")
    page = confirm(late, "/stop/go-on/")
    assert page.redirect_chain[-1][0].startswith(CHECK)
    assert EmergencyStop.objects.get().on
    late.post(CHECK, {"code": app.code()})
    confirm(late, "/stop/go-on/")
    assert not EmergencyStop.objects.get().on


def test_a_card_is_revealed_with_a_fresh_factor_only(client: Client, card: OilCard) -> None:
    app = app_of(person("administrator"))
    sign_in_with_factor(client, person("administrator"), minutes_ago=16)
    address = f"/oil-cards/{card.pk}/reveal/"
    page = show(client, app, client.post(address, {"reason": "客户来电"}))
    assert kept_on(page)["fields"] == [["reason", "客户来电"]]
    assert not OilCardEvent.objects.filter(kind="REVEALED").exists()
    assert client.post(address, {"reason": "客户来电"}).status_code == 200
    assert OilCardEvent.objects.filter(kind="REVEALED").count() == 1


def test_decisions_about_the_account_ask_for_it_too(client: Client, platform: FakePlatform) -> None:
    app_of(person("administrator"))
    sign_in_with_factor(client, person("administrator"), minutes_ago=16)
    client.get("/platform/")
    before = list(Account.objects.values())
    for name in ("confirm", "same", "other-ways", "other-ways/decide"):
        answer = client.post(f"/platform/{name}/", {"seen": Account.objects.get().pk})
        assert answer.status_code == 302, name
        assert answer["Location"] == f"{CHECK}?next=%2Fplatform%2F", name
    assert list(Account.objects.values()) == before


def test_who_has_no_factor_is_asked_for_the_password_as_before(
    client: Client, order: Order, settings: LazySettings
) -> None:
    settings.MFA_REQUIRED = "none"
    client.force_login(person("approver"))
    page = client.post(f"/approvals/orders/{order.order_no}/", APPROVE)
    assert page.status_code == 200
    assert 'name="password"' in page.content.decode()


def test_no_room_asks_for_the_password_where_there_is_a_factor() -> None:
    """Rooms ask `factors.needs_password`, which knows of second factors; `password.is_fresh` doesn't."""
    rooms = [path for app in ("recharge", "oilcards") for path in (ROOT / app).rglob("*.py")]
    assert any("factors.needs_password(" in path.read_text() for path in rooms)
    assert [path.name for path in rooms if "password.is_fresh" in path.read_text()] == []
