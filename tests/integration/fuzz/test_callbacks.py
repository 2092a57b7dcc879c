"""Callbacks by the ten thousand: whoever knows an address, and whoever doesn't, says whatever he likes."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from hypothesis import strategies as st

from recharge.fulfilment.services.products import CALLBACK_SIGNER
from recharge.models import Order, OrderEvent
from tests.fake_platform import FakePlatform
from tests.oil_cards import HOLDER
from tests.pages import Page
from tests.unit.test_status import EXPECTED

from . import kept
from .canaries import Lines, held
from .gallery import Gallery, hang_up
from .hostile import ANY, FORM, NAMES, Fields, as_form, as_json, as_multipart, spoiled
from .running import Tally, newest, order_row, parts, play, rows_of, share
from .witness import DEAD, WAITING, Case, Row, said_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
PARTS = parts(4)
AT_ONCE = 40
"""Callbacks of one example, at most."""
WRITERS = {"form": (as_form, FORM), "json": (as_json, "application/json"), "multipart": (as_multipart, "")}
TYPES = st.sampled_from(
    (
        *("application/json", FORM, "multipart/form-data; boundary=b", "multipart/form-data", "text/plain", ""),
        *("application/json; charset=gbk", "multipart/form-data; boundary=" + "b" * 300, "\x00", "x" * 2000),
    )
)
TOKENS = ("right",) * 12 + ("another's", "unsigned", "cut", "longer", "made up", "other salt", "empty order", "huge")
PERSONAL = (HOLDER, "11010519491231002X", "1000111100001234567")
"""Of the card's holder: an oil order's callback may repeat it, and nothing of it is kept."""


@dataclass(frozen=True)
class Callback:
    """One of them: of which order, at which address, what it says and how."""

    about: str
    token: str
    body: bytes
    content_type: str
    status: int | None = None
    """The code that it plainly reports, in words that nobody can misread; None where anything is odd."""
    method: str = "POST"
    length: str = ""


@st.composite
def callbacks(draw: st.DrawFn, names: list[str]) -> Callback:
    about = draw(st.sampled_from(names))
    token = draw(st.sampled_from(TOKENS))
    code = draw(st.integers(0, 14))
    # {...} are filled in when the order is at hand.
    fields: Fields = [
        ("order_no", "{order_no}"),
        ("order_number", "{number}"),
        ("status", draw(st.sampled_from([code, str(code)]))),
    ]
    odd = draw(st.sampled_from([False, False, True]))
    if draw(st.booleans()):
        fields += [("mobile", "{mobile}"), ("amount", draw(st.sampled_from(["{value}", "{value}.00"])))]
    if draw(st.booleans()):
        fields += [("cost_price", "49.5"), ("fanli", "0.5"), ("failReason", "运营商维护"), ("sign", "A" * 32)]
    if odd:
        for _ in range(draw(st.integers(1, 3))):
            place = draw(st.integers(0, len(fields)))
            gone = draw(st.integers(0, 1))
            fields[place : place + gone] = [
                (draw(NAMES), draw(ANY | st.sampled_from(["{order_no}", "{another}", "{taken}"])))
            ]
    write, content_type = WRITERS[draw(st.sampled_from(["form", "form", "json", "multipart"]))]
    content_type = content_type or "multipart/form-data; boundary=b"
    body = write(fields)
    method, length = "POST", ""
    if draw(st.sampled_from([False, False, False, True])):
        body, odd = draw(spoiled(body)), True
    if draw(st.sampled_from([False] * 9 + [True])):
        content_type, odd = draw(TYPES), True
    if draw(st.sampled_from([False] * 19 + [True])):
        method = draw(st.sampled_from(["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "post"]))
    if draw(st.sampled_from([False] * 19 + [True])):
        length, odd = draw(st.sampled_from(["0", "5", "999999", "-1", "abc", "²", "1" * 30])), True
    return Callback(about, token, body, content_type, None if odd or code > 12 else code, method, length)


class Door:
    """Posts callbacks, and judges what each did."""

    def __init__(self, gallery: Gallery, lines: Lines, client: Client) -> None:
        self.gallery, self.lines, self.client = gallery, lines, client
        client.raise_request_exception = False
        keys = sorted(gallery.orders.values())
        self.after = dict(zip(keys, [*keys[1:], keys[0]], strict=True))
        self.numbers = dict(Order.objects.values_list("pk", "order_no"))

    def look_at(self, example: list[Callback], tally: Tally) -> None:
        before = rows_of("recharge_order")
        touched = {self.gallery.orders[one.about] for one in example if one.token == "right"}
        touched |= {self.another(one) for one in example if one.token == "another's"}
        for one in example:
            self.take(one, tally)
        after = rows_of("recharge_order")
        assert {key: row for key, row in after.items() if key not in touched} == {
            key: row for key, row in before.items() if key not in touched
        }
        logged = self.lines.taken()
        assert not held(logged, *PERSONAL, "1390013", "1390139"), "a secret in the log"
        assert "/callback/***" in logged, "the log isn't looked at"
        assert CALLBACK_SIGNER.sign(self.numbers[self.gallery.orders[example[0].about]]).partition(".")[2] not in logged

    def take(self, one: Callback, tally: Tally) -> None:
        order = before = order_row(self.gallery.orders[one.about])
        if one.token == "another's":
            before = order_row(self.another(one))
        token, valid = self.token(one, order["order_no"], before["order_no"])
        body = self.filled(one, order)
        events = newest("recharge_orderevent")
        response = self.send(one, token, body)
        after = order_row(before["id"])
        more = newest("recharge_orderevent") > events
        new = list(OrderEvent.objects.filter(pk__gt=events)) if more else []
        tally.count(f"{'valid' if valid else 'wrong'} address: {response.status_code}")
        is_taken = self.gallery.is_taken_beside(before["id"])
        card = self.gallery.card.platform_card_id if before["oil_card_id"] else ""
        case = Case(before, after, said_by(body), card or "", is_taken)
        self.judge(one, valid, response, case, new)

    def judge(self, one: Callback, valid: bool, response: Page, case: Case, new: list[OrderEvent]) -> None:
        content = response.content.decode()
        status = response.status_code
        assert status < 500, (status, one)
        assert not held(content + str(response.headers), "1390013", "1390139", *PERSONAL), "a secret is answered"
        if not valid or one.method.upper() != "POST" or status in (404, 405, 413):
            case.require(not case.changed() and not new, f"an address that nobody knows changes something, {status}")
            case.require(status in (400, 403, 404, 405, 413), f"{status} for it")
            return
        case.require(status in (200, 400), f"{status} for a valid address")
        case.require(status != 200 or (content == "success" and len(new) == 1), "one entry for each that is taken")
        case.require(len(new) <= 1, "several entries")
        for event in new:
            text = f"{event.raw}{event.note}"
            held_by_card = PERSONAL if case.card_id else ()
            case.require(not held(text, *held_by_card), "a secret is kept")
            case.require("\0" not in text, "a NUL is kept")
        if status == 400:
            may = {"next_check_at", "asked_at", "checks", "heard"}
            if case.before["submission"] in WAITING:
                case.require(case.after["submission"] == "UNKNOWN" or not new, "it may still be sent")
                return
            if case.before["submission"] in DEAD or case.before["status"] in (3, 4, 9):
                may |= {"open_marks", "doubts"}
            case.require(case.changed() <= may, f"what can't be read changes something: {case.changed() - may}")
            return
        case.judge_report(first_hand=False)
        if one.status is not None and case.before["submission"] == "ACCEPTED" and one.token == "right":
            applied = EXPECTED[case.before["status"]][one.status] == "A"
            wanted = one.status if applied else case.before["status"]
            case.require(case.after["status"] == wanted, f"a plain report of {one.status} was not taken for what it is")

    def another(self, one: Callback) -> int:
        """Return the key of the order after the one that it is about."""
        return self.after[self.gallery.orders[one.about]]

    def token(self, one: Callback, order_no: str, target: str) -> tuple[str, bool]:
        if one.token in ("right", "another's"):
            return CALLBACK_SIGNER.sign(target), True
        right = CALLBACK_SIGNER.sign(order_no)
        made: dict[str, str] = {
            "unsigned": order_no,
            "cut": right[:-1],
            "longer": right + "A",
            "made up": CALLBACK_SIGNER.sign("26112999999999999999"),
            "other salt": signing.Signer(sep=".", salt="recharge.callback_probe").sign(order_no),
            "empty order": CALLBACK_SIGNER.sign(""),
            "huge": "A" * 5000,
        }
        return made[one.token], False

    def filled(self, one: Callback, order: Row) -> bytes:
        booked = self.gallery.platform.books.get(order["order_no"])
        fill: dict[str, Any] = {
            "order_no": order["order_no"],
            "number": order["gateway_order_no"] or (booked.gateway_order_no if booked else "W9999"),
            "mobile": order["mobile"],
            "value": order["face_value"],
            "another": self.numbers[self.another(one)],
            "taken": "W1",
        }
        body = one.body
        for name, value in fill.items():
            for left, right in (("{", "}"), ("%7B", "%7D")):
                body = body.replace(f"{left}{name}{right}".encode(), str(value).encode())
        return body

    def send(self, one: Callback, token: str, body: bytes) -> Page:
        extra: dict[str, Any] = {"wsgi.input": io.BytesIO(body)} | (
            {"CONTENT_LENGTH": one.length} if one.length else {}
        )
        path = f"/callback/{token}/"
        return self.client.generic(one.method, path, body, content_type=one.content_type, **extra)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_callback_does_more_than_it_says(
    platform: FakePlatform, lines: Lines, client: Client, keep: Callable[[Tally], None], part: int
) -> None:
    gallery = hang_up(platform)
    tally = Tally("callbacks")
    tally.seeds[0] += part * 100_000
    door = Door(gallery, lines, client)
    lines.taken()
    examples = st.lists(callbacks(sorted(gallery.orders)), min_size=AT_ONCE // 2, max_size=AT_ONCE)
    play(tally, share(0.5 / PARTS), examples, door.look_at, kept.CALLBACKS, forget=gallery.lied_about())
    keep(tally)
    assert any("valid address: 200" in outcome for outcome in tally.came)
