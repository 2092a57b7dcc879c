"""What the platform owes: to the yuan, until its own answer confirms that it came back."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from recharge.fulfilment.services import checking, reports, submission
from recharge.models import Order
from recharge.orders.services import placing
from recharge.refunds.services.owing import by_age, owing
from tests.fake_platform import FakePlatform
from tests.pages import streamed
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


@pytest.fixture
def order(clerk_user: User, platform: FakePlatform) -> Order:
    order = placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50)
    submission.submit_order(order_id=order.pk)
    return order


def tell(order: Order, platform: FakePlatform, status: int) -> None:
    platform.books[order.order_no].status = status
    reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no))


def confirm(order: Order) -> None:
    Order.objects.update(asked_at=None)
    checking.check_order(order_id=order.pk)


def owed() -> dict[str, Decimal]:
    # What another function annotated, the plugin of django-stubs doesn't know.
    return dict(owing().values_list("order_no", "owed"))  # type: ignore[misc]


@pytest.mark.parametrize("status", [3, 9])
def test_what_failed_is_owed_by_its_cost_until_the_refund_is_confirmed(
    order: Order, platform: FakePlatform, status: int
) -> None:
    assert owed() == {}
    tell(order, platform, status)
    assert owed() == {order.order_no: Decimal("49")}
    tell(order, platform, 4)
    assert owed() == {order.order_no: Decimal("49")}, "a callback alone gives no money back"
    confirm(order)
    assert owed() == {}


def test_a_reversal_is_owed(order: Order, platform: FakePlatform) -> None:
    tell(order, platform, 2)
    assert owed() == {}
    tell(order, platform, 10)
    assert owed() == {order.order_no: Decimal("49")}


def test_without_a_cost_the_face_value_is_owed(order: Order, platform: FakePlatform) -> None:
    tell(order, platform, 3)
    Order.objects.update(cost_price=None)
    assert owed() == {order.order_no: Decimal("50")}


def test_of_a_part_the_rest_is_owed(order: Order, platform: FakePlatform) -> None:
    tell(order, platform, 11)
    Order.objects.update(credited_amount=20, cost_price=Decimal("49"))
    assert owed() == {order.order_no: Decimal("29.4")}
    Order.objects.update(credited_amount=None)
    assert owed() == {order.order_no: Decimal("49")}, "how large the part was isn't known"


def test_ages_add_up_to_the_whole(order: Order, platform: FakePlatform, clerk_user: User) -> None:
    tell(order, platform, 3)
    for days in (2, 5, 30):
        more = placing.place_mobile_order(placed_by=clerk_user, mobile=f"1390013900{days % 10}", face_value=50)
        submission.submit_order(order_id=more.pk)
        tell(more, platform, 3)
        Order.objects.filter(pk=more.pk).update(status_at=timezone.now() - dt.timedelta(days=days))
    assert [(group.orders, group.owed) for group in by_age(owing())] == [(1, Decimal("49"))] * 4


def test_the_page_and_its_forms_for_programs(client: Client, order: Order, platform: FakePlatform) -> None:
    tell(order, platform, 3)
    client.force_login(person("auditor"))
    page = client.get("/refunds/").content.decode()
    assert "¥ 49.00" in page
    assert order.order_no in page
    rows = client.get("/refunds/?format=json").json()["rows"]
    assert [(row["order_no"], row["owed"]) for row in rows] == [(order.order_no, "49")]
    assert rows[0]["since"]
    sheet = b"".join(client.get("/refunds/?format=csv").streaming_content)  # type: ignore[attr-defined]
    assert order.order_no in sheet.decode("utf-8-sig")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_sheets_are_for_those_who_may_export(client: Client, order: Order, platform: FakePlatform, kind: str) -> None:
    tell(order, platform, 3)
    for name, status in (("clerk", 403), ("approver", 403), ("auditor", 200), ("administrator", 200)):
        client.force_login(person(name))
        page = client.get("/refunds/").content.decode()
        assert order.order_no in page
        assert ("format=csv" in page) == (status == 200)
        answer = client.get(f"/refunds/?format={kind}")
        assert answer.status_code == (200 if kind == "json" else status), "no number of a customer stands in JSON"
        if answer.streaming:
            streamed(answer)


def test_a_sheet_has_whole_numbers_only_for_those_who_may_see_them(
    client: Client, order: Order, platform: FakePlatform
) -> None:
    tell(order, platform, 3)
    outsider = person("outsider")
    outsider.user_permissions.add(*Permission.objects.filter(codename__in=["view_order", "export_order"]))
    for user, whole in ((outsider, False), (person("auditor"), True)):
        client.force_login(user)
        sheet = b"".join(client.get("/refunds/?format=csv").streaming_content).decode()  # type: ignore[attr-defined]
        assert (order.mobile in sheet) is whole


def test_nothing_is_owed(client: Client, order: Order) -> None:
    client.force_login(person("auditor"))
    assert "alert" not in client.get("/refunds/").content.decode().split("<main")[1]
    assert client.get("/refunds/?format=json").json() == {"rows": []}
