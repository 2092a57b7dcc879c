"""Lists by the ten thousand rows, as files and as pasted texts: no order that nobody wrote."""

import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st

from portal.sheets import ColumnsUnsure, UnreadableSheet, csv_stream, xlsx_file
from recharge.batches.services import making, preview, uploading
from recharge.choices import Product
from recharge.core.errors import ServiceError
from recharge.models import Order, OrderEvent
from tests.fake_platform import FakePlatform
from tests.people import person

from . import kept
from .canaries import Lines, held
from .hostile import TEXTS
from .running import Tally, newest, parts, play, share

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
PARTS = parts(2)
ROWS = 24
"""Rows of one list, at most."""
TITLES = ("手机号", "面值", "快慢", "备注")
VALUES = (50, 100, 200)
MOBILES = ("13{n:09d}", "138 0013 {n:04d}", "+86 139-0013-{n:04d}", "１３７００１３{n:04d}", "00861360013{n:04d}")
NO_MOBILES = ("1380013800", "138001380001", "23800138000", "13800138o00", "1.38E10", "138,0013,8000", "17012345678")
CELLS = st.sampled_from(TEXTS + NO_MOBILES) | st.text(max_size=8)
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16")


@dataclass(frozen=True)
class Row:
    """What a row says in its cells; `plain` where nobody can misread it."""

    cells: tuple[str, ...]
    plain: bool


@dataclass(frozen=True)
class List:
    """Rows, and how they come."""

    kind: str
    rows: list[Row]
    titles: bool
    encoding: str
    value_for_all: int | None


@st.composite
def rows(draw: st.DrawFn) -> Row:
    number = draw(st.integers(1, 9999))
    form = draw(st.sampled_from(MOBILES))
    value = draw(st.sampled_from(VALUES))
    cells = [
        form.format(n=number),
        str(value),
        draw(st.sampled_from(["快", "慢", "", "1", "0"])),
        draw(st.sampled_from(["", "张三", "a,b"])),
    ]
    plain = True
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        cells[draw(st.integers(0, 3))], plain = draw(CELLS), False
    if draw(st.sampled_from([False] * 9 + [True])):
        cells, plain = [draw(CELLS) for _ in range(draw(st.integers(0, 6)))], False
    return Row(tuple(cells), plain)


LISTS = st.builds(
    List,
    kind=st.sampled_from(["csv", "csv", "paste", "paste", "xlsx"]),
    rows=st.lists(rows(), min_size=ROWS // 2, max_size=ROWS),
    titles=st.sampled_from([True, True, True, False]),
    encoding=st.sampled_from(ENCODINGS),
    value_for_all=st.sampled_from([None, None, 50]),
)


def content_of(one: List) -> tuple[bytes, str]:
    """Return the bytes of a list and the name of its file."""
    titles = TITLES if one.titles else ()
    if one.kind == "xlsx":
        with xlsx_file(titles or ("a", "b"), [row.cells for row in one.rows]) as file:
            return file.read(), "list.xlsx"
    if one.kind == "csv":
        written = b"".join(csv_stream(titles or ("a", "b"), [row.cells for row in one.rows])).decode("utf-8-sig")
        return written.encode(one.encoding, "replace"), "list.csv"
    lines = ["\t".join(titles)] * one.titles + [" ".join(row.cells) for row in one.rows]
    return "\n".join(lines).encode("utf-8", "replace"), ""


def digits(text: str) -> str:
    """Return the digits of a text, of whatever width, one after the other."""
    return "".join(str(unicodedata.digit(letter)) for letter in text if unicodedata.digit(letter, None) is not None)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_row_orders_what_it_does_not_say(
    platform: FakePlatform, lines: Lines, keep: Callable[[Tally], None], part: int
) -> None:
    clerk = person("clerk")
    tally = Tally("rows of lists")
    tally.seeds[0] += part * 100_000

    def upload(one: List, tally: Tally) -> None:
        content, name = content_of(one)
        last, last_event = newest("recharge_order"), newest("recharge_orderevent")
        outcome = "unreadable"
        with suppress(UnreadableSheet, ColumnsUnsure):
            draft = uploading.keep_upload(
                content=content,
                file_name=name,
                product=Product.MOBILE,
                uploaded_by=clerk,
                value_for_all=one.value_for_all,
            )
            outcome = "columns to be named"
            seen = preview.preview(draft)
            assert not Order.objects.filter(pk__gt=last).exists(), "looking at a list places orders"
            outcome = "nothing to place"
            with suppress(ServiceError):
                batch = making.make_batch(draft=draft, made_by=clerk, leave_out_bad=True, reason="is right")
                outcome = "made"
                assert (batch.size, batch.total) == (seen.placeable.orders, seen.placeable.money), "not what was shown"
        made = list(Order.objects.filter(pk__gt=last))
        judge(one, made)
        for _ in one.rows:
            tally.count(f"of lists that are {outcome}" if outcome != "made" else "of lists that are made")
        tally.came["orders"] += len(made)
        assert not held(lines.taken(), *(order.mobile for order in made)), "a number in the log"
        for event in OrderEvent.objects.filter(pk__gt=last_event):
            assert not held(event.raw + event.note)

    def judge(one: List, made: list[Order]) -> None:
        texts = [unicodedata.normalize("NFKC", " ".join(row.cells)) for row in one.rows]
        assert len(made) <= len(one.rows), "more orders than rows"
        assert len({order.line for order in made}) == len(made), "a row becomes two orders"
        for order in made:
            assert order.submission in ("QUEUED", "AWAITING_APPROVAL")
            assert (order.placed_by, order.product) == (clerk, Product.MOBILE)
            assert order.face_value in VALUES
            value = str(order.face_value)
            of_all = one.value_for_all == order.face_value
            rows = [text for text in texts if order.mobile in digits(text) and (value in text or of_all)]
            same = [other for other in made if other.mobile == order.mobile and other.face_value == order.face_value]
            assert len(order.mobile) == 11
            assert len(same) <= len(rows), (order.mobile, value, rows)
            assert "\0" not in order.note
        if one.titles and one.kind != "paste" and one.rows and all(row.plain for row in one.rows):
            assert len(made) == len(one.rows), "a plain list is not made"

    play(tally, share(0.125 / PARTS), LISTS, upload, kept.LISTS)
    keep(tally)
