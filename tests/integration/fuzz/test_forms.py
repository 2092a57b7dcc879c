"""Every form that a page shows, filled in by the ten thousand by whoever may and whoever may not."""

import re
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import Resolver404, resolve
from hypothesis import strategies as st

from portal import platform as platform_settings
from recharge.limits.services import emergency_stop
from recharge.models import Order
from tests.addresses import named_patterns
from tests.everything import address_of, one_of_everything
from tests.fake_card_platform import FakeCardPlatform
from tests.fake_platform import FakePlatform
from tests.people import person

from . import kept
from .canaries import Lines, held
from .filling_in import PASSWORD, ROLES, Form, Forms, Post, posts
from .gallery import Gallery, hang_up
from .running import Tally, columns_of, newest, parts, play, rows_of, share

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
ONES_OWN = ("/accounts/", "/sessions/")
PARTS = parts(2)
AT_ONCE = 12
"""Posts of one example, at most."""
ORDERS = ("accepted", "confirmed 3", "hanging", "awaiting", "queued", "oil accepted")
ADMIN = ("auth/user/add/", "auth/group/add/", "recharge/numberrule/add/", "recharge/numberlimit/add/", "auth/user/")
WHOLE_NUMBER = re.compile(r"139[ -]?0013[ -]?\d{4}")
"""Of the administrator's orders: no clerk sees one whole."""

# What a form may do to orders, by the name of its address: make some, or take these steps. All others do neither.
MAKES = {"order_new", "order_new_oil", "batch_preview", "batch_again", "batch_new"}
STEPS: dict[str, set[tuple[str, str]]] = {
    "order_withdraw": {("QUEUED", "WITHDRAWN"), ("AWAITING_APPROVAL", "WITHDRAWN")},
    "batch_withdraw": {("QUEUED", "WITHDRAWN"), ("AWAITING_APPROVAL", "WITHDRAWN")},
    "order_bulk": {("QUEUED", "WITHDRAWN"), ("AWAITING_APPROVAL", "WITHDRAWN")},
    "order_approve": {("AWAITING_APPROVAL", "QUEUED"), ("AWAITING_APPROVAL", "WITHDRAWN")},
    "orders_decide": {("AWAITING_APPROVAL", "QUEUED"), ("AWAITING_APPROVAL", "WITHDRAWN")},
    "batch_approve": {("AWAITING_APPROVAL", "QUEUED"), ("AWAITING_APPROVAL", "WITHDRAWN")},
    "declaration_decide": {("UNKNOWN", "NOT_RECEIVED")},
    "order_enter_number": {("UNKNOWN", "ACCEPTED")},
}
TABLES = ("recharge_order", "recharge_orderevent", "recharge_batch", "recharge_portalevent", "oilcards_oilcard")


class Staff:
    """Fills forms in, and judges what each did."""

    def __init__(self, gallery: Gallery, lines: Lines) -> None:
        self.gallery, self.lines = gallery, lines
        self.clients = {role: Client(raise_request_exception=False) for role in ROLES}
        for role, client in self.clients.items():
            if role != "stranger":
                user = person(role)
                User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
                client.post("/accounts/login/", {"username": role, "password": PASSWORD})
                assert "_auth_user_id" in client.session
        self.prepare()
        self.forms = list(self.look_around())
        lines.taken()

    def prepare(self) -> None:
        """Make one of everything that has a page."""
        order = Order.objects.get(pk=self.gallery.orders["unclear"])
        self.ids = one_of_everything(
            made_by=self.gallery.clerk, owner=self.gallery.administrator, order=order, card=self.gallery.card
        )
        emergency_stop.stop_everything(actor=self.gallery.clerk, reason="价格不对")

    def look_around(self) -> Iterator[Form]:
        """Open every page as whoever may, and take the forms from it."""
        seen = set()
        numbers = dict(Order.objects.values_list("pk", "order_no"))
        for page, path in [*named_patterns(), *(("admin", f"admin/{path}") for path in ADMIN)]:
            for name in ORDERS if "order_no:order_no" in path else ("unclear",):
                ids = {**self.ids, "order_no": numbers[self.gallery.orders[name]]}
                address = address_of(page, path, ids)
                for role in ("approver", "administrator", "stranger"):
                    for form in self.forms_at(address, role):
                        if (form.address, form.role, *form.fields) not in seen:
                            seen.add((form.address, form.role, *form.fields))
                            yield form

    def forms_at(self, address: str, role: str) -> Iterator[Form]:
        page = self.clients[role].get(address)
        if page.status_code != 200 or page.streaming or "html" not in page["Content-Type"]:
            return
        parser = Forms()
        parser.feed(page.content.decode())
        for action, fields in parser.found:
            target = action or page.request["PATH_INFO"]
            try:
                name = resolve(target.partition("?")[0]).url_name or "admin"
            except Resolver404:
                continue
            fields.pop("csrfmiddlewaretoken", None)
            yield Form(name, target, role, fields, dict(parser.choices))

    def look_at(self, example: list[Post], tally: Tally) -> None:
        cookies = {role: copy(client.cookies) for role, client in self.clients.items()}
        try:
            for post in example:
                self.send(post, tally)
        finally:
            for role, client in self.clients.items():
                client.cookies = cookies[role]

    def send(self, post: Post, tally: Tally) -> None:
        form, client = self.forms[post.form], self.clients[post.role]
        names = sorted(form.fields)
        fields: dict[str, Any] = {**form.fields, **post.changes}
        for place in post.left_out:
            fields.pop(names[place] if names else "", None)
        fields = {
            name: [value.encode("utf-8", "replace").decode() for value in values] for name, values in fields.items()
        }
        if post.as_file:
            fields["file"] = SimpleUploadedFile("a.csv", "手机号,面值\n13700137009,50\n".encode())
        before = {table: rows_of(table) for table in TABLES}
        pushes = {number: one.pushes for number, one in self.gallery.platform.books.items()}
        response = client.post(form.address, fields)
        status = response.status_code
        tally.count(f"HTTP {status}" if status != 302 else "done, or led on")
        self.judge(form, post, before)
        assert status < 500, (status, form, post)
        text = "" if response.streaming else response.content.decode("utf-8", "replace")
        assert not held(text + str(response.headers)), "a secret on a page"
        typed = str(fields)
        if post.role in ("clerk", "outsider", "stranger") and not WHOLE_NUMBER.search(typed):
            assert not WHOLE_NUMBER.search(text), f"{post.role} sees a whole number of another's"
        assert {number: one.pushes for number, one in self.gallery.platform.books.items()} == pushes, "a page pushes"
        logged = self.lines.taken()
        assert not held(logged, PASSWORD, "1390013", "13700137"), "a secret in the log"
        key = client.cookies.get("sessionid")
        assert key is None or not key.value or key.value not in logged, "a session in the log"

    def judge(self, form: Form, post: Post, before: dict[str, dict[int, tuple[Any, ...]]]) -> None:
        after = {table: rows_of(table) for table in TABLES}
        if post.role in ("outsider", "stranger"):
            if form.address.startswith(ONES_OWN):  # to sign out is everybody's right, and written down
                after["recharge_portalevent"] = before["recharge_portalevent"]
            assert after == before, f"{post.role} changes something: {form}"
            return
        if after["recharge_order"] == before["recharge_order"]:
            return
        new = Order.objects.filter(pk__in=after["recharge_order"].keys() - before["recharge_order"].keys())
        assert not new or form.name in MAKES, f"{form.name} makes orders"
        assert not before["recharge_order"].keys() - after["recharge_order"].keys(), "an order is gone"
        user = person(post.role)
        for order in new:
            assert (order.placed_by, order.approved_by) == (user, None)
            assert order.submission in ("QUEUED", "AWAITING_APPROVAL")
            assert order.face_value in ((500,) if order.oil_card_id else (50, 100, 200))
            assert user.has_perm("recharge.add_order")
        columns = columns_of("recharge_order")
        for key, row in before["recharge_order"].items():
            was, became = self.named(columns, row), self.named(columns, after["recharge_order"][key])
            changed = {name for name in was if was[name] != became[name]}
            if "submission" in changed:
                assert (was["submission"], became["submission"]) in STEPS.get(form.name, set()), (
                    form.name,
                    was,
                    became,
                )
            told = {"status", "confirmed_at", "gateway_order_no", "cost_price", "credited_amount", "claims"}
            assert not changed & told or form.name == "order_enter_number", (form.name, changed)
            fixed = {
                "order_no",
                "mobile",
                "face_value",
                "placed_by_id",
                "product",
                "oil_card_id",
                "replaces_id",
                "account_id",
            }
            assert not changed & fixed, (form.name, changed)
            if "approved_by_id" in changed:
                assert became["approved_by_id"] == user.pk != became["placed_by_id"]
                assert user.has_perm("recharge.approve_order")

    @staticmethod
    def named(columns: list[str], row: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(columns, row, strict=True))


class WholePlatform:
    """Orders and cards in one, as the real one has them."""

    def __init__(self, orders: FakePlatform) -> None:
        self.orders, self.cards = orders, FakeCardPlatform()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.orders if hasattr(self.orders, name) else self.cards, name)


@pytest.mark.books_broken("trail")
@pytest.mark.parametrize("part", range(PARTS))
def test_no_form_does_more_than_it_may(
    platform: FakePlatform,
    lines: Lines,
    keep: Callable[[Tally], None],
    monkeypatch: pytest.MonkeyPatch,
    settings: LazySettings,
    part: int,
) -> None:
    settings.SESSION_IDLE_MINUTES = settings.SESSION_HOURS = 10_000  # that a page was opened is forgotten, too
    whole = WholePlatform(platform)
    monkeypatch.setattr(platform_settings, "client", lambda: whole)
    monkeypatch.setattr(platform_settings, "trial_client", lambda: whole)
    staff = Staff(hang_up(platform), lines)
    assert len({form.name for form in staff.forms}) > 30, sorted({form.name for form in staff.forms})
    tally = Tally("posts of forms")
    tally.seeds[0] += part * 100_000
    examples = st.lists(posts(staff.forms), min_size=AT_ONCE // 2, max_size=AT_ONCE)
    forget = staff.gallery.lied_about()
    play(tally, share(0.125 / PARTS), examples, staff.look_at, kept.FORMS, forget=forget)
    assert newest("recharge_order")
    keep(tally)
