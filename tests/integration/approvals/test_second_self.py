"""Whoever set somebody's password may sign in as that person: he is no second person for what that one placed."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from portal.accounts.services import reset_factors
from recharge.approvals import services as approving
from recharge.choices import BatchState, PortalEventKind, Submission
from recharge.core.errors import NotYours
from recharge.core.events import record_of_portal
from recharge.limits.services.approval import may_sign_in_as
from recharge.models import Batch, Order
from recharge.orders.services import placing
from tests.administrators import browser, days_pass
from tests.batches import batch_of, mobiles
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("platform", "sent")]
PASSWORD = "a-long-enough-password"
OWN = "which-only-the-clerk-knows"


@pytest.fixture(autouse=True)
def _approval_above(settings: LazySettings) -> None:
    settings.APPROVAL_ABOVE = 100


@pytest.fixture
def clerk() -> User:
    """A clerk whom the administrator has made on the pages, with a password that he knows."""
    client = Client()
    client.force_login(person("administrator"))
    said = {"username": "wang", "first_name": "王", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/admin/auth/user/add/", said).status_code == 302
    return User.objects.get(username="wang")


@pytest.fixture
def order(clerk: User) -> Order:
    return placing.place_mobile_order(placed_by=clerk, mobile="13800138000", face_value=200)


@pytest.fixture
def batch(clerk: User) -> Batch:
    return batch_of(*mobiles(4), made_by=clerk)


def chooses_own_password(clerk: User) -> None:
    client = Client()
    client.post("/accounts/login/", {"username": clerk.username, "password": PASSWORD})
    said = {"old_password": PASSWORD, "new_password1": OWN, "new_password2": OWN}
    assert client.post("/accounts/password_change/", said).status_code == 302


def test_who_made_the_clerk_can_t_approve_what_the_clerk_placed(order: Order, batch: Batch) -> None:
    administrator = person("administrator")
    with pytest.raises(NotYours):
        approving.approve_order(order_id=order.pk, actor=administrator)
    with pytest.raises(NotYours):
        approving.approve_batch(batch_id=batch.pk, actor=administrator)
    order.refresh_from_db()
    batch.refresh_from_db()
    assert (order.submission, batch.state) == (Submission.AWAITING_APPROVAL, BatchState.AWAITING_APPROVAL)


def test_the_page_says_why(order: Order) -> None:
    client = Client()
    user = person("administrator")
    user.set_password(PASSWORD)
    user.save()
    client.post("/accounts/login/", {"username": user.username, "password": PASSWORD})
    page = client.post(f"/approvals/orders/{order.order_no}/", {"decision": "approve"}).content.decode()
    assert "密码由您设置" in page


def test_the_page_says_so_before_anything_is_sent(order: Order, batch: Batch) -> None:
    client = browser(person("administrator"))
    for address in (f"/approvals/orders/{order.order_no}/", f"/approvals/batches/{batch.pk}/"):
        page = client.get(address).content.decode()
        assert "密码由您设置" in page
        assert "data-why-not" in page
        assert 'name="decision"' not in page


def test_another_person_can(order: Order) -> None:
    approving.approve_order(order_id=order.pk, actor=person("approver"))
    order.refresh_from_db()
    assert order.submission == Submission.QUEUED


def others(user: User) -> list[User]:
    return may_sign_in_as([user])[user.pk]


def awaits(order: Order) -> bool:
    order.refresh_from_db()
    return order.submission == Submission.AWAITING_APPROVAL


def test_a_change_of_the_password_ends_nothing_by_itself(order: Order, batch: Batch, clerk: User) -> None:
    """Whoever knows the password makes the change that is asked for at the first sign-in, and any other."""
    chooses_own_password(clerk)
    assert others(clerk) == [person("administrator")]
    with pytest.raises(NotYours):
        approving.approve_order(order_id=order.pk, actor=person("administrator"))
    with pytest.raises(NotYours):
        approving.approve_batch(batch_id=batch.pk, actor=person("administrator"))
    assert awaits(order)


def test_thirty_days_later_he_can(order: Order, clerk: User) -> None:
    chooses_own_password(clerk)
    days_pass(29.9)
    with pytest.raises(NotYours):
        approving.approve_order(order_id=order.pk, actor=person("administrator"))
    days_pass(0.2)
    assert others(clerk) == []
    approving.approve_order(order_id=order.pk, actor=person("administrator"))
    order.refresh_from_db()
    assert order.submission == Submission.QUEUED


def test_but_not_while_the_password_is_still_the_one_he_has_set(order: Order, clerk: User) -> None:
    days_pass(31)
    with pytest.raises(NotYours):
        approving.approve_order(order_id=order.pk, actor=person("administrator"))
    assert awaits(order)


def test_a_reset_makes_him_the_same_again(order: Order, clerk: User) -> None:
    chooses_own_password(clerk)
    days_pass(31)
    client = Client()
    client.force_login(person("administrator"))
    said = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    client.post(f"/admin/auth/user/{clerk.pk}/password/", said)
    with pytest.raises(NotYours):
        approving.approve_order(order_id=order.pk, actor=person("administrator"))


def test_so_does_taking_the_second_factors_away(order: Order, clerk: User) -> None:
    chooses_own_password(clerk)
    days_pass(31)
    reset_factors(clerk, actor=person("administrator"))
    with pytest.raises(NotYours):
        approving.approve_order(order_id=order.pk, actor=person("administrator"))


def test_what_one_does_to_ones_own_factors_keeps_nobody_away(clerk: User) -> None:
    chooses_own_password(clerk)
    days_pass(31)
    record_of_portal(PortalEventKind.FACTORS, actor=clerk, about=clerk)
    reset_factors(clerk, actor=None)  # at the command line
    assert others(clerk) == []


def test_who_set_it_before_the_last_one_stays_away_as_long(order: Order, clerk: User) -> None:
    record_of_portal(PortalEventKind.PASSWORD_SET, actor=person("approver"), about=clerk)
    assert set(others(clerk)) == {person("administrator"), person("approver")}


def test_of_many_those_are_left_out_with_the_reason(
    order: Order, clerk: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    chooses_own_password(clerk)
    mobiles_of_others = [f"1390013900{number}" for number in range(5)]
    rows = [order] + [
        placing.place_mobile_order(placed_by=person(name), mobile=mobile, face_value=200)
        for mobile, name in zip(mobiles_of_others, ["clerk", "clerk", "approver", "clerk", "approver"], strict=True)
    ]
    orders = list(Order.objects.filter(pk__in=[row.pk for row in rows]).with_people_and_cards())
    administrator = person("administrator")
    with django_assert_max_num_queries(2):
        left_out = approving.left_out(orders, administrator)
    assert list(left_out) == [order.pk]
    assert "下单人由您添加" in str(left_out[order.pk])


def test_who_decides_about_many_reads_it(order: Order, clerk: User) -> None:
    chooses_own_password(clerk)
    client = browser(person("administrator"))
    page = client.post("/approvals/orders/decide/", {"order_no": [order.order_no]}).content.decode()
    assert f'data-left-out="{order.order_no}"' in page
    assert "下单人由您添加" in page


def test_people_from_before_are_nobody_s_second_self() -> None:
    assert others(person("clerk")) == []
