"""Rules about numbers: who is refused, who is asked once more, and who may change that."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recharge.batches.services import making, reading
from recharge.choices import BatchState, NumberVerdict, PortalEventKind
from recharge.core.errors import BadLines, DoubtfulNumber, InvalidOrder, ReasonNeeded
from recharge.models import Batch, NumberRule, Order, PortalEvent
from recharge.numbers.services import judging as numbers
from recharge.orders.services import placing
from tests.batches import assembled, mobile, mobiles, upload
from tests.pages import hidden_fields
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent", "platform")]
REFUSED = ["140", "141", "144", "146", "148", "149", "162", "165", "167", "170", "171"]


def rule(prefix: str, verdict: NumberVerdict, reason: str = "x") -> NumberRule:
    made, _ = NumberRule.objects.update_or_create(prefix=prefix, defaults={"verdict": verdict, "reason": reason})
    numbers.forget()
    return made


def verdict(mobile: str) -> NumberVerdict:
    return numbers.judge(mobile).verdict


@pytest.mark.parametrize("prefix", REFUSED)
def test_things_and_virtual_operators_are_refused(clerk_user: User, prefix: str) -> None:
    assert verdict(f"{prefix}00138000") == NumberVerdict.REFUSE
    with pytest.raises(InvalidOrder, match=prefix):
        placing.place_mobile_order(placed_by=clerk_user, mobile=f"{prefix}00138000", face_value=50)
    assert not Order.objects.exists()


@pytest.mark.parametrize("prefix", ["145", "147", "142", "143", "154", "160", "161", "164", "168", "169", "179", "194"])
def test_doubtful_and_unknown_prefixes_are_asked_about_once_more(clerk_user: User, prefix: str) -> None:
    mobile = f"{prefix}00138000"
    with pytest.raises(DoubtfulNumber, match=prefix) as asked:
        placing.place_mobile_order(placed_by=clerk_user, mobile=mobile, face_value=50)
    assert not Order.objects.exists()
    with pytest.raises(DoubtfulNumber):
        placing.place_mobile_order(placed_by=clerk_user, mobile=mobile, face_value=50, number_confirmed="138")
    order = placing.place_mobile_order(
        placed_by=clerk_user, mobile=mobile, face_value=50, number_confirmed=asked.value.key
    )
    assert str(asked.value) in order.events.get().note


@pytest.mark.parametrize("prefix", ["130", "138", "150", "166", "173", "178", "189", "192", "199"])
def test_common_prefixes_are_fine(prefix: str) -> None:
    assert verdict(f"{prefix}00138000") == NumberVerdict.ALLOW


def test_the_longest_prefix_wins_and_a_whole_number_over_all() -> None:
    rule("17012", NumberVerdict.ALLOW)
    assert verdict("17012345678") == NumberVerdict.ALLOW
    assert verdict("17013345678") == NumberVerdict.REFUSE
    rule("17012345678", NumberVerdict.REFUSE, "停机")
    assert "停机" in numbers.judge("17012345678").message
    rule("13800138000", NumberVerdict.WARN)
    assert verdict("13800138000") == NumberVerdict.WARN
    assert verdict("13800138001") == NumberVerdict.ALLOW


def test_a_rule_that_is_off_judges_nothing() -> None:
    NumberRule.objects.filter(prefix="170").update(active=False)
    numbers.forget()
    assert verdict("17012345678") == NumberVerdict.WARN, "nobody knows it any more"
    NumberRule.objects.update(active=False)
    numbers.forget()
    assert verdict("17012345678") == NumberVerdict.ALLOW, "nothing is judged without rules"


def test_lists_are_judged_likewise_without_a_query_for_each_line(clerk_user: User) -> None:
    draft = upload(clerk_user, ["17000138000,50", "14700138000,50", *mobiles(3)])
    lines = list(reading.lines(draft))
    assert "170" in lines[0].problem
    assert "147" in lines[1].doubts[0]
    assert not any(line.problem or line.doubts for line in lines[2:])
    with pytest.raises(BadLines):
        making.make_batch(draft=draft, made_by=clerk_user)
    with pytest.raises(ReasonNeeded, match="147"):
        making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True)
    batch = making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True, reason="客户确认", doubts_seen=1)
    assert (batch.state, batch.size, batch.left_out) == (BatchState.CANARY, 4, 1)
    numbers.forget()
    with CaptureQueriesContext(connection) as captured:
        for number in range(1000):
            numbers.judge(f"138{number:08d}")
    assert len(captured) == 1


def test_the_form_asks_for_a_tick_and_takes_it(client: Client) -> None:
    client.force_login(person("clerk"))
    typed = {"mobile": "147 0013 8000", "face_value": "50", "speed": "1"}
    page = client.post("/orders/new/", typed).content.decode()
    assert 'name="number_confirmed" value="147"' in page
    assert not Order.objects.exists()
    assert client.post("/orders/new/", {**typed, "number_confirmed": "147"}).status_code == 302
    assert Order.objects.get().mobile == "14700138000"


@pytest.mark.parametrize(("mobile", "words"), [("14700138000", "147"), ("17000138000", "170"), ("16000138000", "160")])
def test_the_hint_says_it_while_the_number_is_typed(client: Client, mobile: str, words: str) -> None:
    client.force_login(person("clerk"))
    said = client.post("/orders/new/hint/", {"mobile": mobile}).content.decode()
    assert f"{words} " in said
    assert "icon" in said
    assert "icon" not in client.post("/orders/new/hint/", {"mobile": "13800138000"}).content.decode()


def test_administrators_change_rules_and_it_is_written_down(client: Client) -> None:
    chief = person("administrator")
    chief.is_staff = True
    chief.save()
    client.force_login(chief)
    given = {"prefix": "13800138000", "verdict": "REFUSE", "reason": "黑名单：投诉", "active": "on"}
    assert client.post("/admin/recharge/numberrule/add/", given).status_code == 302
    numbers.forget()
    assert "投诉" in numbers.judge("13800138000").message
    added = NumberRule.objects.get(prefix="13800138000")
    client.post(f"/admin/recharge/numberrule/{added.pk}/change/", {**given, "verdict": "ALLOW"})
    client.post(f"/admin/recharge/numberrule/{added.pk}/delete/", {"post": "yes"})
    notes = PortalEvent.objects.filter(kind=PortalEventKind.NUMBER_RULE).order_by("pk").values_list("note", flat=True)
    assert [note.count("→") for note in notes] == [1, 1, 1]
    assert f"{NumberVerdict.REFUSE.label} 黑名单" in notes[1]
    assert f"{NumberVerdict.ALLOW.label} 黑名单" in notes[1]
    refused = client.post("/admin/recharge/numberrule/add/", {**given, "prefix": "2138"})
    assert refused.status_code == 200
    assert not NumberRule.objects.filter(prefix="2138").exists()


@pytest.mark.parametrize("role", ["clerk", "approver", "outsider"])
def test_nobody_else_changes_rules(client: Client, role: str) -> None:
    client.force_login(person(role))
    client.post("/admin/recharge/numberrule/add/", {"prefix": "139", "verdict": "REFUSE", "active": "on"})
    assert NumberRule.objects.get(prefix="139").verdict == NumberVerdict.ALLOW


def test_an_unknown_verdict_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        NumberRule.objects.create(prefix="1", verdict="MAYBE")


@pytest.mark.parametrize("at_once", [1000, 1])
def test_of_a_list_just_what_was_shown_is_placed(client: Client, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """One line can be placed no more, another one can by now: as many orders, as much money, another number."""
    monkeypatch.setattr(making, "MADE_AT_ONCE", at_once)
    rule(mobile(1), NumberVerdict.REFUSE)
    clerk = person("clerk")
    client.force_login(clerk)
    address = f"/batches/new/{upload(clerk, mobiles(3)).pk}/"
    shown = hidden_fields(client.get(address))
    rule(mobile(1), NumberVerdict.ALLOW)
    rule(mobile(2), NumberVerdict.REFUSE)
    refused = client.post(address, {**shown, "leave_out_bad": "on"})
    assert "情况有变" in refused.content.decode()
    again = hidden_fields(refused)
    assert [again[name] == shown[name] for name in ("orders_seen", "money_seen", "digest_seen")] == [True, True, False]
    assert not Batch.objects.exists()
    assert client.post(address, {**again, "leave_out_bad": "on"}).status_code == 302
    batch = assembled(Batch.objects.get())
    assert list(batch.orders.order_by("line").values_list("mobile", flat=True)) == [mobile(1), mobile(3)]
