"""Claims of what the platform owes: what was shown is what is claimed, and what came of it is known of each order."""

import re
import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from portal.sheets import Column, read
from recharge.choices import ClaimOutcome, EventKind
from recharge.core.errors import Outdated, TooLate
from recharge.fulfilment.services import checking, reports, submission
from recharge.models import ClaimedOrder, Order, RefundClaim
from recharge.orders.services import placing
from recharge.refunds.services import claiming
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


def tell(order: Order, platform: FakePlatform, status: int) -> None:
    platform.books[order.order_no].status = status
    reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no))


def confirm(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(asked_at=None)
    checking.check_order(order_id=order.pk)


def failed(platform: FakePlatform, end: int, cost: str = "49") -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=f"138001380{end:02}", face_value=50)
    submission.submit_order(order_id=order.pk)
    tell(order, platform, 3)
    Order.objects.filter(pk=order.pk).update(cost_price=Decimal(cost))
    return order


@pytest.fixture
def orders(platform: FakePlatform) -> list[Order]:
    return [failed(platform, 1), failed(platform, 2, "48.35"), failed(platform, 3, "0.1")]


def shown(*orders: Order, again: bool = False) -> list[str]:
    choice = claiming.choose([order.order_no for order in orders], again=again)
    return [claiming.as_seen(order) for order in choice.fit]


def claimed(*orders: Order, by: str = "clerk", again: bool = False) -> RefundClaim:
    return claiming.claim(actor=person(by), seen=shown(*orders, again=again), nonce=uuid.uuid4())


def outcomes(claim: RefundClaim) -> list[ClaimOutcome]:
    return [row.outcome for row in claim.rows.select_related("order")]


def row_of(claim: RefundClaim, order: Order) -> int:
    return claim.rows.get(order=order).pk


def test_a_claim_keeps_who_when_what_and_how_much(orders: list[Order]) -> None:
    claim = claimed(*orders)
    claim.refresh_from_db()
    assert (claim.made_by, claim.size, claim.total) == (person("clerk"), 3, Decimal("97.45"))
    assert claim.made_at
    assert [row.owed for row in claim.rows.all()] == [Decimal("49"), Decimal("48.35"), Decimal("0.1")]
    for order in orders:
        event = order.events.latest("pk")
        assert (event.kind, event.actor) == (EventKind.REFUND_CLAIMED, person("clerk"))
        assert str(claim.pk) in event.note
    assert outcomes(claim) == [ClaimOutcome.OPEN] * 3


def test_a_refund_crosses_it_off_once_it_is_confirmed(orders: list[Order], platform: FakePlatform) -> None:
    claim = claimed(*orders)
    tell(orders[1], platform, 4)
    assert outcomes(claim) == [ClaimOutcome.OPEN] * 3, "a callback alone gives no money back"
    confirm(orders[1])
    assert outcomes(claim) == [ClaimOutcome.OPEN, ClaimOutcome.REFUNDED, ClaimOutcome.OPEN]
    sums = {outcome: (count, money) for _, outcome, count, money in claim.rows.summed_up()}
    assert sums == {ClaimOutcome.OPEN: (2, Decimal("49.1")), ClaimOutcome.REFUNDED: (1, Decimal("48.35"))}
    assert claim.rows.open().count() == 2


def test_what_arrives_after_all_is_owed_no_more(orders: list[Order], platform: FakePlatform) -> None:
    tell(more := failed_in_part(platform), platform, 11)
    claim = claimed(more)
    tell(more, platform, 2)
    assert outcomes(claim) == [ClaimOutcome.ARRIVED]
    assert not claim.rows.open().exists()


def failed_in_part(platform: FakePlatform) -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile="13900139000", face_value=50)
    submission.submit_order(order_id=order.pk)
    return order


def test_the_vendor_refuses_and_the_refund_comes_all_the_same(orders: list[Order], platform: FakePlatform) -> None:
    claim = claimed(*orders)
    settle = {"said": ClaimOutcome.REFUSED, "actor": person("auditor"), "words": "上游不退"}
    claiming.settle(row_id=row_of(claim, orders[0]), **settle)  # type: ignore[arg-type]
    assert outcomes(claim) == [ClaimOutcome.REFUSED, ClaimOutcome.OPEN, ClaimOutcome.OPEN]
    event = orders[0].events.latest("pk")
    assert (event.kind, event.actor) == (EventKind.CLAIM_REFUSED, person("auditor"))
    assert "上游不退" in event.note
    with pytest.raises(TooLate):
        claiming.settle(row_id=row_of(claim, orders[0]), **settle)  # type: ignore[arg-type]
    assert claimed(orders[0]).size == 1, "what was refused may be claimed again"
    tell(orders[0], platform, 4)
    confirm(orders[0])
    assert outcomes(claim)[0] == ClaimOutcome.REFUNDED
    with pytest.raises(TooLate):
        claiming.settle(row_id=RefundClaim.objects.latest("pk").rows.get().pk, **settle)  # type: ignore[arg-type]


def test_what_is_in_an_open_claim_is_left_out_unless_that_is_said(orders: list[Order]) -> None:
    first = claimed(*orders[:2])
    choice = claiming.choose([order.order_no for order in orders], again=False)
    assert [order.pk for order in choice.fit] == [orders[2].pk]
    assert [order.pk for order in choice.claimed] == [orders[0].pk, orders[1].pk]
    assert choice.claimed[0].open_claims[0].claim == first
    assert claimed(*orders, by="auditor", again=True).size == 3
    withdrawn = {"said": ClaimOutcome.WITHDRAWN, "actor": person("clerk"), "words": ""}
    for claim in RefundClaim.objects.all():
        claiming.settle(row_id=row_of(claim, orders[0]), **withdrawn)  # type: ignore[arg-type]
    assert len(shown(*orders)) == 1, "what was taken out of every claim is free again"


def test_two_persons_claim_the_same_rows(orders: list[Order]) -> None:
    one, other = shown(*orders), shown(*orders)
    claiming.claim(actor=person("clerk"), seen=one, nonce=uuid.uuid4())
    with pytest.raises(Outdated):
        claiming.claim(actor=person("auditor"), seen=other, nonce=uuid.uuid4())
    assert RefundClaim.objects.count() == 1
    assert ClaimedOrder.objects.count() == 3


@pytest.mark.parametrize("change", ["amount", "refund"])
def test_what_has_changed_since_it_was_shown_is_not_claimed(
    orders: list[Order], platform: FakePlatform, change: str
) -> None:
    seen = shown(*orders)
    if change == "amount":
        Order.objects.filter(pk=orders[0].pk).update(cost_price=Decimal("48"))
    else:
        tell(orders[0], platform, 4)
        confirm(orders[0])
    with pytest.raises(Outdated):
        claiming.claim(actor=person("clerk"), seen=seen, nonce=uuid.uuid4())
    assert not RefundClaim.objects.exists()
    assert not Order.objects.filter(events__kind=EventKind.REFUND_CLAIMED).exists()


def test_a_form_that_is_sent_twice_makes_one_claim(orders: list[Order]) -> None:
    seen, nonce = shown(*orders), uuid.uuid4()
    first = claiming.claim(actor=person("clerk"), seen=seen, nonce=nonce)
    assert claiming.claim(actor=person("clerk"), seen=seen, nonce=nonce) == first
    with pytest.raises(Outdated):
        claiming.claim(actor=person("auditor"), seen=seen, nonce=nonce)


@pytest.mark.parametrize(
    "wrong", [{"said": "OPEN"}, {"said": "REFUSED"}, {"words": "x"}, {"said": "REFUNDED", "said_at": "2026-01-01T00Z"}]
)
def test_the_database_refuses_half_an_outcome(orders: list[Order], wrong: dict[str, str]) -> None:
    claim = claimed(orders[0])
    with pytest.raises(IntegrityError), transaction.atomic():
        claim.rows.update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        claim.rows.create(order=orders[0], owed=1, status=3, status_at=claim.made_at)


# --- the pages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def finance(client: Client) -> Client:
    client.force_login(person("auditor"))
    return client


def hidden(page: str, name: str) -> list[str]:
    return re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)


def send(client: Client, page: str, **more: object) -> str:
    """Send the form of the confirmation as the browser would."""
    names = ("nonce", "order_no", "claimed", "seen")
    fields = {name: hidden(page, name) for name in names}
    response = client.post("/refunds/claims/new/", {**fields, **more}, follow=True)
    assert response.status_code == 200
    return str(response.content.decode())


def chosen(client: Client, orders: list[Order], **more: object) -> str:
    numbers = [order.order_no for order in orders]
    response = client.post("/refunds/claims/new/", {"order_no": numbers, **more})
    assert response.status_code == 200
    return str(response.content.decode())


def test_finance_confirms_and_gets_text_and_sheet(finance: Client, orders: list[Order], platform: FakePlatform) -> None:
    tell(back := failed(platform, 4), platform, 4)
    confirm(back)
    page = chosen(finance, [*orders, back])
    assert 'data-count="3"' in page
    assert 'data-money="97.4500"' in page
    assert f'data-left-out="{back.order_no}"' in page
    assert not RefundClaim.objects.exists(), "the first page does nothing"
    page = send(finance, page, confirmed=1)
    claim = RefundClaim.objects.get()
    assert (claim.total, claim.made_by.username) == (Decimal("97.45"), "auditor")
    text = re.search(r'<textarea[^>]*id="for-vendor"[^>]*>([^<]*)<', page)
    assert text
    assert "3 笔" in text[1]
    assert "¥ 97.45" in text[1]
    for order in orders:
        order.refresh_from_db()
        assert order.order_no in text[1]
        assert str(order.gateway_order_no) in text[1]
        assert order.mobile in text[1], "whoever may see whole numbers needs them whole for the vendor"
    columns = (Column("order", ("订单号",), required=True), Column("owed", ("应退金额",), required=True))
    for kind in ("csv", "xlsx"):
        address = f"/refunds/claims/{claim.pk}/claim.{kind}"
        sheet = b"".join(finance.get(address).streaming_content)  # type: ignore[attr-defined]
        rows = list(read(sheet, file_name=f"x.{kind}", columns=columns))
        assert [row.cells["order"] for row in rows] == [order.order_no for order in orders]
        assert sum(Decimal(row.cells["owed"]) for row in rows) == claim.total


def test_who_may_not_see_numbers_hands_over_masked_ones(client: Client, orders: list[Order]) -> None:
    Order.objects.update(placed_by=User.objects.create_user("somebody"))
    client.force_login(person("clerk"))
    claim = claimed(*orders)
    claiming.settle(
        row_id=row_of(claim, orders[2]), said=ClaimOutcome.REFUSED, actor=person("clerk"), words="13800138003"
    )
    page = client.get(f"/refunds/claims/{claim.pk}/").content.decode()
    sheet = b"".join(client.get(f"/refunds/claims/{claim.pk}/claim.csv").streaming_content).decode()  # type: ignore[attr-defined]
    for shown_text in (page, sheet):
        assert "138****8001" in shown_text.replace("13800138001", "") or "138****3801" in shown_text
        assert not re.search(r"138 ?0013 ?80", shown_text)


def test_a_claim_once_more_is_made_only_where_it_is_said(finance: Client, orders: list[Order]) -> None:
    claimed(orders[0])
    page = chosen(finance, orders)
    assert 'data-count="2"' in page
    assert f'data-claimed="{orders[0].order_no}"' in page
    page = send(finance, page, again=1)
    assert 'data-count="3"' in page
    send(finance, page, confirmed=1)
    assert [claim.size for claim in RefundClaim.objects.order_by("pk")] == [1, 3]


def test_who_comes_second_is_shown_what_the_first_one_claimed(
    client: Client, finance: Client, orders: list[Order]
) -> None:
    page = chosen(finance, orders)
    claimed(*orders[:2])
    page = send(finance, page, confirmed=1)
    assert RefundClaim.objects.count() == 1
    assert 'role="alert"' in page
    assert 'data-count="1"' in page
    send(finance, page, confirmed=1)
    assert RefundClaim.objects.latest("pk").size == 1


def test_the_list_says_what_is_claimed_since_when(finance: Client, orders: list[Order]) -> None:
    claim = claimed(*orders[:2])
    page = finance.get("/refunds/").content.decode()
    assert page.count(f'href="/refunds/claims/{claim.pk}/"') == 2
    assert 'data-owed="97.45' in page
    assert 'data-claimed="97.35' in page

    def rows(query: str) -> list[tuple[str, object]]:
        found = finance.get(f"/refunds/?format=json{query}").json()["rows"]
        return [(row["order_no"], row["claim"]) for row in found]

    assert rows("&claimed=yes") == [(order.order_no, claim.pk) for order in orders[:2]]
    assert rows("&claimed=no") == [(orders[2].order_no, None)]
    assert len(rows("&age=1")) == 3
    assert rows("&age=7") == []
    assert finance.get("/refunds/?format=json&age=x").status_code == 400
    refused = {"said": ClaimOutcome.REFUSED, "actor": person("clerk"), "words": "不退"}
    claiming.settle(row_id=row_of(claim, orders[1]), **refused)  # type: ignore[arg-type]
    assert rows("&claimed=yes") == [(orders[0].order_no, claim.pk)], "what was refused waits for nobody's answer"
    assert rows("&claimed=no") == [(order.order_no, None) for order in orders[1:]]
    sheet = b"".join(finance.get("/refunds/?format=csv&claimed=yes").streaming_content).decode()  # type: ignore[attr-defined]
    assert orders[0].order_no in sheet
    assert orders[2].order_no not in sheet


def test_all_that_the_filter_finds_is_what_was_there_when_the_page_was_made(
    finance: Client, orders: list[Order], platform: FakePlatform
) -> None:
    claimed(orders[0])
    page = finance.get("/refunds/?claimed=no&choose=all").content.decode()
    failed(platform, 5)
    found = hidden(page, "found")
    assert sorted(found) == sorted(order.order_no for order in orders[1:])
    page = chosen(finance, [], found=found)
    assert 'data-count="2"' in page


def test_what_came_of_it_is_said_for_some_rows_at_once(
    finance: Client, orders: list[Order], platform: FakePlatform
) -> None:
    claim = claimed(*orders)
    address = f"/refunds/claims/{claim.pk}/refused/"
    rows = [row_of(claim, order) for order in orders]
    assert finance.get(address).content.decode().count('type="checkbox" name="rows"') == 3
    nothing = finance.post(address, {"rows": rows[:2]})
    assert (nothing.status_code, outcomes(claim)) == (200, [ClaimOutcome.OPEN] * 3), "the vendor's words are missing"
    tell(orders[0], platform, 4)
    confirm(orders[0])
    assert finance.post(address, {"rows": rows[:2], "words": "不退"}).status_code == 200, "one of them is over"
    assert finance.post(address, {"rows": rows[1:2], "words": "不退"}).status_code == 302
    assert outcomes(claim) == [ClaimOutcome.REFUNDED, ClaimOutcome.REFUSED, ClaimOutcome.OPEN]
    page = finance.get(f"/refunds/claims/{claim.pk}/").content.decode()
    assert "不退" in page
    assert orders[1].order_no not in page.split("<textarea")[1].split("</textarea>")[0], "only what is open is claimed"
    finance.post(f"/refunds/claims/{claim.pk}/take-out/", {"rows": rows[2:]})
    assert "<textarea" not in finance.get(f"/refunds/claims/{claim.pk}/").content.decode()


def test_odd_requests_do_nothing(finance: Client, orders: list[Order]) -> None:
    new = "/refunds/claims/new/"
    assert finance.get(new).status_code == 405
    assert finance.post(new, {"order_no": ["1"] * 501}).status_code == 400
    assert finance.post(new, {"confirmed": 1, "seen": "x", "nonce": "no"}).status_code == 400
    for seen in ("x", "\x00:1:2", f"{orders[0].order_no}:999.0000:0"):
        sent = {"confirmed": 1, "seen": seen, "nonce": str(uuid.uuid4()), "order_no": "\x00"}
        assert finance.post(new, sent).status_code == 200
    assert finance.get("/refunds/claims/999/").status_code == 404
    assert finance.get("/refunds/claims/999/claim.csv").status_code == 404
    assert not RefundClaim.objects.exists()


def test_the_statements_do_not_grow_with_the_rows(
    finance: Client, orders: list[Order], platform: FakePlatform, django_assert_max_num_queries: object
) -> None:
    for end in range(10, 30):
        orders.append(failed(platform, end))
    claim = claimed(*orders)
    for _ in range(3):
        claimed(*orders, again=True)
    for address, most in (("/refunds/", 24), ("/refunds/claims/", 18), (f"/refunds/claims/{claim.pk}/", 18)):
        with django_assert_max_num_queries(most):  # type: ignore[operator]
            assert finance.get(address).status_code == 200
