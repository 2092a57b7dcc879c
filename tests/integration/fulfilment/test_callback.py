"""The platform's door: what it lets in, what it answers, and that evidence is committed before `success`."""

import json
from collections.abc import Mapping
from unittest import mock
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from recharge.choices import EventKind, MarkKind, Submission, Verdict
from recharge.fulfilment.services import checking, products, submission
from recharge.fulfilment.views import callback
from recharge.models import Order, OrderEvent
from recharge.orders.services import placing
from tests.fake_platform import FakePlatform
from tests.pages import Page

pytestmark = pytest.mark.usefixtures("sent")
FORM = "application/x-www-form-urlencoded"
MULTIPART_HEAD = b'--b\r\nContent-Disposition: form-data; name="order_no"\r\n\r\n'


@pytest.fixture
def order(clerk_user: User, platform: FakePlatform) -> Order:
    order = placing.place_mobile_order(placed_by=clerk_user, mobile="13800138000", face_value=50)
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def path(order: Order) -> str:
    return f"/callback/{products.CALLBACK_SIGNER.sign(order.order_no)}/"


def post(client: Client, order: Order, **fields: object) -> Page:
    fields = {"order_no": order.order_no, "order_number": "W1", "status": 2, **fields}
    return client.post(path(order), urlencode(fields), content_type=FORM)


def state(order: Order) -> tuple[Mapping[str, object], int]:
    return Order.objects.filter(pk=order.pk).values().get(), OrderEvent.objects.count()


@pytest.mark.parametrize("encoding", ["json", "form", "multipart"])
def test_report_is_answered_with_the_bare_text_success(client: Client, order: Order, encoding: str) -> None:
    fields = {"order_no": order.order_no, "order_number": "W1", "status": 2, "mobile": "13800138000", "amount": "50"}
    if encoding == "json":
        response = client.post(path(order), json.dumps(fields), content_type="application/json")
    elif encoding == "multipart":
        response = client.post(path(order), fields)
    else:
        response = client.post(path(order), urlencode(fields), content_type=FORM)
    assert (response.status_code, response.content) == (200, b"success")
    assert response["Content-Type"].startswith("text/plain")
    order.refresh_from_db()
    assert order.status == 2
    assert order.next_check_at


@pytest.mark.parametrize(
    "fields",
    [
        {"status": 2},
        {"status": 3},
        {"status": 99},
        {"order_number": "W2"},
        {"order_no": "123"},
        {"mobile": "13900139000"},
        {"amount": "200"},
        {"sign": "ABC"},
    ],
)
def test_every_readable_report_is_kept_and_answered_with_success(
    client: Client, order: Order, fields: dict[str, object]
) -> None:
    post(client, order, status=2)
    _, events = state(order)
    response = post(client, order, **fields)
    assert (response.status_code, response.content) == (200, b"success")
    assert OrderEvent.objects.count() == events + 1
    order.refresh_from_db()
    assert order.status == 2
    last = order.events.last()
    assert last
    assert all(str(value) in last.raw for value in fields.values())


def test_wrong_address_is_404_and_nothing_is_stored(client: Client, order: Order) -> None:
    before = state(order)
    good = products.CALLBACK_SIGNER.sign(order.order_no)
    for token in (order.order_no, good[:-1], good + "x", "x" * 3000, products.CALLBACK_SIGNER.sign("12345")):
        assert client.post(f"/callback/{token}/", {"order_no": "1", "status": 2}).status_code == 404
    assert state(order) == before


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head", "options"])
def test_only_post_is_let_in(client: Client, order: Order, method: str) -> None:
    before = state(order)
    assert getattr(client, method)(path(order)).status_code == 405
    assert state(order) == before


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff", b"status=2", b"order_no=&status=2", b"{", b"[]", b'{"order_no":{}}', b"null"]
)
def test_unreadable_report_is_400_kept_once_and_makes_a_query_due(client: Client, order: Order, body: bytes) -> None:
    before, events = state(order)
    for content_type in (FORM, "application/json", "text/plain"):
        assert client.post(path(order), body, content_type=content_type).status_code == 400
    after, more_events = state(order)
    changed = {name for name, value in after.items() if value != before[name]}
    assert changed == {"heard", "next_check_at"}
    assert Order.objects.due_for_check().get() == order
    assert more_events == events + 1
    event = OrderEvent.objects.latest("pk")
    assert (event.order, event.kind, event.verdict) == (order, EventKind.CALLBACK, Verdict.UNREADABLE)
    assert event.raw == body.decode("utf-8", "replace").replace("\0", "\ufffd")


def test_unreadable_report_of_an_order_that_was_never_sent_keeps_it_from_being_sent(
    client: Client, clerk_user: User, platform: FakePlatform
) -> None:
    order = placing.place_mobile_order(placed_by=clerk_user, mobile="13700137000", face_value=50)
    assert client.post(path(order), b"status=done", content_type=FORM).status_code == 400
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.submission, order.marked_as) == (Submission.UNKNOWN, [MarkKind.UNEXPECTED])
    assert not platform.books
    event = OrderEvent.objects.latest("pk")
    assert (event.submission_from, event.submission_to) == (Submission.QUEUED, Submission.UNKNOWN)


def test_unreadable_report_of_a_dead_order_is_a_sign_of_life(
    client: Client, clerk_user: User, platform: FakePlatform
) -> None:
    order = placing.place_mobile_order(placed_by=clerk_user, mobile="13700137000", face_value=50)
    platform.behaviour = "reject"
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.is_provably_unspent
    assert client.post(path(order), b"status=done", content_type=FORM).status_code == 400
    order.refresh_from_db()
    assert (order.marked_as, order.is_provably_unspent) == ([MarkKind.UNEXPECTED], False)
    assert order.next_check_at


def test_unreadable_report_of_an_order_that_is_over_is_kept_and_nothing_is_asked(
    client: Client, order: Order, platform: FakePlatform
) -> None:
    platform.books[order.order_no].status = 2
    checking.check_order(order_id=order.pk)
    before, events = state(order)
    assert client.post(path(order), b"status=done", content_type=FORM).status_code == 400
    assert state(order) == (before, events + 1)


def test_report_that_is_cut_short_is_400_and_changes_nothing(order: Order) -> None:
    before = state(order)
    body = urlencode({"order_no": order.order_no, "order_number": "W1", "status": 1}).encode()
    request = RequestFactory().post(path(order), body, content_type=FORM)
    request.META["CONTENT_LENGTH"] = str(len(body) + 1)
    # django-csp's decorators know no views that take more than the request.
    response = callback(request, path(order).split("/")[2])  # type: ignore[call-arg]
    assert response.status_code == 400
    assert state(order) == before


def test_huge_report_is_413_and_changes_nothing(client: Client, order: Order) -> None:
    before = state(order)
    body = b"order_no=1&status=2&x=" + b"y" * 20_000
    assert client.post(path(order), body, content_type=FORM).status_code == 413
    assert state(order) == before


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    body=st.binary(max_size=300) | st.binary(max_size=100).map(lambda value: MULTIPART_HEAD + value + b"\r\n--b--\r\n"),
    content_type=st.sampled_from([FORM, "application/json", "multipart/form-data; boundary=b", "multipart/form-data"]),
)
def test_no_bytes_make_it_crash(client: Client, order: Order, body: bytes, content_type: str) -> None:
    assert client.post(path(order), body, content_type=content_type).status_code in (200, 400)


def test_platform_is_asked_to_send_again_while_the_database_is_away(client: Client, order: Order) -> None:
    before = state(order)
    with mock.patch("recharge.fulfilment.views.receive_callback", side_effect=OperationalError("gone")):
        response = post(client, order)
    assert response.status_code == 503
    assert b"success" not in response.content
    assert state(order) == before


def test_door_needs_no_more_than_five_statements(
    client: Client, order: Order, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(5):
        post(client, order)


def test_callback_for_an_order_that_was_never_sent_is_noticed(
    client: Client, clerk_user: User, platform: FakePlatform
) -> None:
    order = placing.place_mobile_order(placed_by=clerk_user, mobile="13700137000", face_value=50)
    assert post(client, order).content == b"success"
    order.refresh_from_db()
    assert order.marked_as == [MarkKind.UNEXPECTED]
