"""Looking things up and managing users in Django's admin: read-only for orders, quick however many there are."""

import datetime as dt
import re
import uuid

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from recharge.admin import COUNTED_ROWS
from recharge.choices import BatchEventKind, BatchState
from recharge.demo import Story
from recharge.models import Batch, BatchEvent, EmergencyStop, Order, OrderEvent
from tests.known import known

pytestmark = pytest.mark.django_db

LOOK = ("view_order", "view_orderevent", "view_batch", "view_batchevent", "view_emergencystop")
MANAGE = ("add_user", "change_user", "view_user", "add_group", "change_group", "view_group")
ORDERS = "admin:recharge_order_changelist"
EVENTS = "admin:recharge_orderevent_changelist"


def staff(*permissions: str) -> User:
    user = User.objects.create_user("administrator", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def administrator(client: Client) -> User:
    user = staff(*LOOK, *MANAGE, "see_numbers", "add_order", "change_order")
    client.force_login(user)
    return user


@pytest.fixture
def onlooker(client: Client) -> User:
    user = staff(*LOOK)
    client.force_login(user)
    return user


@pytest.fixture
def order() -> Order:
    return place(1)


def place(number: int) -> Order:
    clerk, _ = User.objects.get_or_create(username="clerk")
    story = Story(number, dt.datetime.now(dt.UTC) - dt.timedelta(hours=1), clerk).accept().report(1)
    story.order.refusal = f"{story.order.mobile} was refused"
    story.order.save(force_insert=True)
    story.events[-1].raw = f"mobile={story.order.mobile}"
    OrderEvent.objects.bulk_create(story.events)
    return story.order


def spaced(mobile: str) -> str:
    return f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}"


def test_who_is_no_staff_is_turned_away(client: Client, clerk_user: User) -> None:
    client.force_login(clerk_user)
    assert client.get(reverse("admin:index")).status_code == 302


def test_it_looks_like_the_portal(client: Client, administrator: User) -> None:
    page = client.get(reverse("admin:index")).content.decode()
    assert "portal/admin.css" in page
    assert reverse("overview") in page


@pytest.mark.parametrize("column", ["order_no", "gateway_order_no", "mobile"])
def test_an_order_is_found_by_a_whole_number(client: Client, administrator: User, order: Order, column: str) -> None:
    place(2)
    found = client.get(reverse(ORDERS), {"q": getattr(order, column)}).context["cl"].result_list
    assert [row.pk for row in found] == [order.pk]


def test_a_number_is_found_as_people_write_it(client: Client, administrator: User, order: Order) -> None:
    assert len(client.get(reverse(ORDERS), {"q": spaced(order.mobile)}).context["cl"].result_list) == 1


def test_a_part_of_a_number_finds_nothing(client: Client, administrator: User, order: Order) -> None:
    for column in ("order_no", "gateway_order_no", "mobile"):
        assert len(client.get(reverse(ORDERS), {"q": getattr(order, column)[:-1]}).context["cl"].result_list) == 0


def test_the_events_of_an_order_are_found(client: Client, administrator: User, order: Order) -> None:
    place(2)
    found = client.get(reverse(EVENTS), {"q": order.order_no}).context["cl"].result_list
    assert {event.order_id for event in found} == {order.pk}
    assert len(found) == order.events.count()


@pytest.mark.parametrize("model", ["order", "orderevent"])
def test_nothing_can_be_added_changed_or_deleted(client: Client, administrator: User, order: Order, model: str) -> None:
    row = order if model == "order" else order.events.get(verdict="applied", kind="CALLBACK")
    before = (list(Order.objects.values()), list(OrderEvent.objects.values()))
    for verb, arguments in (("add", []), ("change", [row.pk]), ("delete", [row.pk])):
        address = reverse(f"admin:recharge_{model}_{verb}", args=arguments)
        assert client.post(address, {"face_value": 200, "note": "changed"}).status_code == 403
    actions = {"action": "delete_selected", "_selected_action": [row.pk]}
    client.post(reverse(f"admin:recharge_{model}_changelist"), actions)
    assert (list(Order.objects.values()), list(OrderEvent.objects.values())) == before


@pytest.mark.parametrize("address", [ORDERS, EVENTS])
def test_a_list_shows_no_whole_number_to_whom_it_may_not(
    client: Client, onlooker: User, order: Order, address: str
) -> None:
    page = client.get(reverse(address)).content.decode()
    assert order.mobile not in page
    assert spaced(order.mobile) not in page


def test_an_order_shows_no_whole_number_to_whom_it_may_not(client: Client, onlooker: User, order: Order) -> None:
    event = known(order.events.last())
    Order.objects.filter(pk=order.pk).update(duplicate_reason="for 139 0013 9000, too", note=f"as {order.mobile} said")
    for address in (
        reverse("admin:recharge_order_change", args=[order.pk]),
        reverse("admin:recharge_orderevent_change", args=[event.pk]),
    ):
        page = client.get(address).content.decode()
        assert order.mobile not in page
        assert spaced(order.mobile) not in page
        assert "139 0013 9000" not in page
        assert f"{order.mobile[:3]}****{order.mobile[-4:]}" in page


def test_whoever_may_see_numbers_sees_them(client: Client, administrator: User, order: Order) -> None:
    assert spaced(order.mobile) in client.get(reverse(ORDERS)).content.decode()


def test_the_list_never_counts_the_whole_table(client: Client, administrator: User, order: Order) -> None:
    for address in (ORDERS, EVENTS):
        with CaptureQueriesContext(connection) as statements:
            client.get(reverse(address))
        counts = [query["sql"] for query in statements if "COUNT(" in query["sql"] and "recharge_" in query["sql"]]
        assert counts
        assert all(f"LIMIT {COUNTED_ROWS}" in sql for sql in counts if "attention" not in sql)
        assert not any("UPPER(" in query["sql"] or "LIKE" in query["sql"] for query in statements)


def test_the_number_of_statements_does_not_grow_with_the_list(client: Client, administrator: User) -> None:
    place(1)
    with CaptureQueriesContext(connection) as few:
        client.get(reverse(ORDERS))
    for number in range(2, 8):
        place(number)
    with CaptureQueriesContext(connection) as many:
        client.get(reverse(ORDERS))
    assert len(many) == len(few)


def test_columns_cannot_be_sorted(client: Client, administrator: User, order: Order) -> None:
    with CaptureQueriesContext(connection) as statements:
        client.get(reverse(ORDERS), {"o": "3.-2"})
    assert not any('ORDER BY "recharge_order"."face_value"' in query["sql"] for query in statements)


@pytest.fixture
def batch(clerk_user: User) -> Batch:
    return make_batch(clerk_user)


def make_batch(clerk: User) -> Batch:
    batch = Batch.objects.create(
        nonce=uuid.uuid4(), product="MOBILE", size=1, total=50, state=BatchState.HANDED_OVER, made_by=clerk
    )
    BatchEvent.objects.create(batch=batch, kind=BatchEventKind.MADE, actor=clerk)
    EmergencyStop.objects.create(started_by=clerk, reason="x", on=False, ended_at=batch.made_at, ended_by=clerk)
    return batch


@pytest.mark.parametrize("model", ["batch", "batchevent"])
@pytest.mark.parametrize("term", ["0", "-1", "abc", "９", "9" * 18, "9" * 300])
@pytest.mark.books_broken("batches")
def test_whatever_is_no_batch_finds_none(
    client: Client, administrator: User, batch: Batch, model: str, term: str
) -> None:
    response = client.get(reverse(f"admin:recharge_{model}_changelist"), {"q": term})
    assert response.status_code == 200
    assert len(response.context["cl"].result_list) == 0


@pytest.mark.parametrize("model", ["batch", "batchevent"])
@pytest.mark.books_broken("batches")
def test_a_batch_and_its_events_are_found_by_its_number(
    client: Client, administrator: User, batch: Batch, model: str
) -> None:
    make_batch(batch.made_by)
    found = client.get(reverse(f"admin:recharge_{model}_changelist"), {"q": str(batch.pk)}).context["cl"].result_list
    assert [getattr(row, "batch_id", row.pk) for row in found] == [batch.pk]


@pytest.mark.parametrize("model", [Batch, BatchEvent, EmergencyStop])
@pytest.mark.books_broken("batches")
def test_batches_and_stops_are_looked_up_and_not_changed(
    client: Client, administrator: User, batch: Batch, model: type[Batch | BatchEvent | EmergencyStop]
) -> None:
    row, name = model.objects.get(), model._meta.model_name
    assert client.get(reverse(f"admin:recharge_{name}_change", args=[row.pk])).status_code == 200
    before = list(model.objects.values())
    for verb, arguments in (("add", []), ("change", [row.pk]), ("delete", [row.pk])):
        address = reverse(f"admin:recharge_{name}_{verb}", args=arguments)
        assert client.post(address, {"reason": "changed", "state": "RUNNING"}).status_code == 403
    actions = {"action": "delete_selected", "_selected_action": [row.pk]}
    client.post(reverse(f"admin:recharge_{name}_changelist"), actions)
    assert list(model.objects.values()) == before


@pytest.mark.parametrize("name", ["batch", "batchevent", "emergencystop"])
@pytest.mark.books_broken("batches")
def test_the_number_of_statements_does_not_grow_with_batches_and_stops(
    client: Client, administrator: User, batch: Batch, name: str
) -> None:
    address = reverse(f"admin:recharge_{name}_changelist")
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(5):
        make_batch(User.objects.create_user(f"clerk{number}"))
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)


def user_form(user: User, **changes: object) -> dict[str, object]:
    form = {
        "username": user.username,
        "first_name": "",
        "last_name": "",
        "email": "",
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    }
    return {**form, **changes}


def test_an_administrator_puts_people_into_groups(client: Client, administrator: User, clerk_user: User) -> None:
    group = Group.objects.create(name="Tellers")
    address = reverse("admin:auth_user_change", args=[clerk_user.pk])
    assert client.post(address, user_form(clerk_user, groups=[group.pk])).status_code == 302
    assert list(clerk_user.groups.all()) == [group]


def test_an_administrator_makes_no_superuser(client: Client, administrator: User) -> None:
    address = reverse("admin:auth_user_change", args=[administrator.pk])
    client.post(address, user_form(administrator, is_superuser="on", is_staff="on"))
    administrator.refresh_from_db()
    assert not administrator.is_superuser


def test_an_administrator_sets_no_superusers_password(client: Client, administrator: User) -> None:
    owner = User.objects.create_superuser("owner", password="the-owners-own-password")
    address = reverse("admin:auth_user_password_change", args=[owner.pk])
    new = "something-else-altogether"
    assert client.post(address, {"password1": new, "password2": new, "usable_password": "true"}).status_code == 403
    owner.refresh_from_db()
    assert owner.check_password("the-owners-own-password")


def test_nobody_deletes_a_user(client: Client, clerk_user: User) -> None:
    client.force_login(User.objects.create_superuser("owner"))
    assert client.post(reverse("admin:auth_user_delete", args=[clerk_user.pk]), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=clerk_user.pk).exists()


def test_new_colleague_gets_name_and_group_on_the_first_page(client: Client, administrator: User) -> None:
    page = client.get("/admin/auth/user/add/").content.decode()
    assert "审批员" in page
    assert "Approvers" not in page
    operators = Group.objects.get(name="Operators")
    password = "a long enough password"
    fields = {"username": "wang", "first_name": "王小明", "groups": [operators.pk]}
    response = client.post("/admin/auth/user/add/", {**fields, "password1": password, "password2": password})
    assert response.status_code == 302
    new = User.objects.get(username="wang")
    assert (new.first_name, list(new.groups.all()), new.is_staff) == ("王小明", [operators], False)
    assert new.check_password(password)


@pytest.mark.parametrize("path", ["/admin/auth/user/add/", "/admin/auth/user/{}/change/", "/admin/auth/user/"])
def test_pages_about_users_are_chinese(client: Client, administrator: User, path: str) -> None:
    page = client.get(path.format(administrator.pk)).content.decode()
    main = re.sub(r"<script.*?</script>|<[^>]*>", " ", page[page.index('<div class="main') :], flags=re.DOTALL)
    words = set(re.findall(r"[A-Za-z]{3,}", main))
    assert words <= {"administrator", "pbkdf", "sha", "raquo", "rsaquo", "laquo"}, words


def test_people_stand_in_lists_and_pages_by_their_names(client: Client, administrator: User, order: Order) -> None:
    User.objects.filter(pk=order.placed_by_id).update(first_name="李小红")
    for path in (reverse(ORDERS), f"/admin/recharge/order/{order.pk}/change/"):
        page = client.get(path).content.decode()
        assert "李小红" in page
        assert "clerk" not in page


def test_surname_that_was_entered_apart_can_still_be_changed(client: Client, administrator: User) -> None:
    path = f"/admin/auth/user/{administrator.pk}/change/"
    assert 'name="last_name"' not in client.get(path).content.decode()
    User.objects.filter(pk=administrator.pk).update(last_name="王")
    assert 'name="last_name"' in client.get(path).content.decode()
