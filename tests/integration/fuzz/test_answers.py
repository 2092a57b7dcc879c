"""Answers of the platform by the ten thousand, to each call, through all of the client but its sockets."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import strategies as st

from oilcards.models import OilCard, OilCardEvent
from oilcards.services import adding, changing, comparing, deleting
from oilcards.services.errors import ServiceError as CardError
from portal.gateway import GatewayError
from recharge.core.errors import ServiceError
from recharge.fulfilment.services import checking, submission
from recharge.limits.services import balance
from recharge.models import Balance, Order, OrderEvent
from recharge.orders.services import interventions
from recharge.platform.services import asking, other_ways
from tests.fake_card_platform import details
from tests.fake_platform import FakePlatform
from tests.people import person
from tests.unit.test_status import EXPECTED

from . import kept
from .answers import BOOKKEEPING, CARD_CALLS, CLEAR_NOES, MISSING, PERSONAL, UNSURE, Answer, answers
from .canaries import APP_SECRET, Lines, held
from .gallery import Gallery, hang_up
from .running import Tally, newest, order_row, parts, play, rows_of, share
from .wire import Wire, wired
from .witness import Case, Said, amounts, said_by, said_in_data, seen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
PARTS = parts(2)
AT_ONCE = 24
"""Answers of one example, at most."""


class Platform:
    """Gives the answers, one to each call, and judges what each did."""

    def __init__(self, gallery: Gallery, lines: Lines, wire: Wire) -> None:
        self.gallery, self.lines, self.wire = gallery, lines, wire
        self.clerk: User = gallery.clerk
        self.other: User = person("approver")
        self.pushed: set[str] = set()
        self.data: Said = {}

    def look_at(self, example: list[Answer], tally: Tally) -> None:
        self.pushed.clear()
        asked: dict[str, Callable[[Answer], str]] = {
            **{"push": self.push, "query": self.query, "cancel": self.cancel, "balance": self.balance},
            **{"forbid": self.forbid, "contact": self.contact, **dict.fromkeys(CARD_CALLS, self.card)},
        }
        last, last_of_cards = newest("recharge_orderevent"), newest("oilcards_oilcardevent")
        for answer in example:
            self.wire.called.clear()
            outcome = asked[answer.call](answer)
            tally.count(f"{answer.call if answer.call not in CARD_CALLS else 'cards'}: {outcome}")
        logged = self.lines.taken()
        assert not held(logged, *PERSONAL, "1390013", "1390139"), "a secret in the log"
        for event in OrderEvent.objects.filter(pk__gt=last).select_related("order"):
            holder = PERSONAL if event.order.oil_card_id else ()
            assert not held(f"{event.raw}{event.note}", *holder), "a secret is kept with an order"
            assert "\0" not in event.raw + event.note
        for entry in OilCardEvent.objects.filter(pk__gt=last_of_cards):
            assert not held(f"{entry.raw}{entry.note}", *PERSONAL), "a secret is kept with a card"

    def filled(self, answer: Answer, order: Order) -> tuple[int, bytes, dict[str, str]]:
        booked = self.gallery.platform.books.get(order.order_no)
        fill: dict[str, Any] = {
            "order_no": order.order_no,
            "number": order.gateway_order_no or (booked.gateway_order_no if booked else f"N{order.pk}"),
            "new": f"N{order.pk}",
            "mobile": order.mobile,
            "value": order.face_value,
            "another": "26112999999999999999",
            "taken": "W1",
            "secret": f"{APP_SECRET}",
        }
        body = answer.body
        for name, value in fill.items():
            body = body.replace(f"{{{name}}}".encode(), str(value).encode())
        return answer.status, body, {"Content-Encoding": answer.encoding} if answer.encoding else {}

    def told(self, answer: Answer, order: Order) -> Said:
        """Put the answer on the wire, and return all that it can be read to say; of what isn't HTTP 200, nothing."""
        self.wire.answers = [self.filled(answer, order)]
        self.data = {}
        if answer.status != 200 or answer.encoding.lower() not in ("", "identity"):
            return {}
        body = self.wire.answers[0][1].replace(APP_SECRET.encode(), b"[hidden]")
        self.data = said_in_data(body)
        return said_by(body)

    def case(self, before: dict[str, Any], said: Said) -> Case:
        card = self.gallery.card.platform_card_id if before["oil_card_id"] else ""
        is_taken = self.gallery.is_taken_beside(before["id"])
        return Case(before, order_row(before["id"]), said, card or "", is_taken, self.data)

    def push(self, answer: Answer) -> str:
        """Hand over an order that waits, of a phone or a card; where none does any more, one that was handed over."""
        keys = self.gallery.waiting_for_card if answer.about.startswith("oil") else self.gallery.waiting
        orders = Order.objects.filter(pk__in=keys)
        order = orders.filter(submission="QUEUED").last() or orders[0]
        said = self.told(answer, order)
        before = order_row(order.pk)
        submission.submit_order(order_id=order.pk)
        pushes = [call for call in self.wire.called if "push" in call]
        case = self.case(before, said)
        if before["submission"] != "QUEUED":
            case.require(not case.changed() and not pushes, "an order is handed over twice")
            return "already handed over"
        in_doubt = order.oil_card_id and not OilCard.objects.filter(pk=order.oil_card_id, state="ACTIVE").exists()
        if not pushes and in_doubt:
            case.require(case.changed() <= {"next_push_at"}, "an order of a card in doubt does more than wait")
            return "waits for its card"
        case.require(len(pushes) == 1, f"pushed {len(pushes)} times")
        self.judge_push(case, answer)
        submission.submit_order(order_id=order.pk)
        case.require(len([call for call in self.wire.called if "push" in call]) == 1, "pushed once more")
        return str(case.after["submission"])

    def judge_push(self, case: Case, answer: Answer) -> None:
        became, said = case.after["submission"], case.said
        case.require(became in ("ACCEPTED", "REJECTED", "UNKNOWN"), "neither taken nor refused nor unknown")
        case.require(case.after["status"] is None and case.after["confirmed_at"] is None, "more than a push can tell")
        if became == "ACCEPTED":
            number = case.after["gateway_order_no"]
            case.require("0000" in said.get("code", set()), "taken without a yes")
            case.require(number in said.get("order_number", set()), "taken under a number that nobody named")
            case.require(not case.is_taken(number), "taken under the number of another order")
        if became == "REJECTED":
            words = {seen(text) for text in said.get("msg", set())}
            case.require(any(code.strip("-+0. ") for code in said.get("code", set())), "refused without a code")
            case.require(not said.get("order_number", set()) - {"", "None"}, "refused although it has a number")
            clear = {text for text in words if any(seen(no) in text for no in (*CLEAR_NOES, "接口不存在"))}
            case.require(
                {text for text in clear if not any(word in text.replace("不存在", "") for word in UNSURE)},
                "no clear no",
            )
        for column, field in (("cost_price", "cost_price"), ("rebate", "fanli")):
            if column in case.changed():
                case.require(case.after[column] in amounts(said.get(field, set())), f"{column} that nobody named")
        if answer.says:
            case.require(
                became == {"taken": "ACCEPTED", "refused": "REJECTED"}[answer.says], "a plain answer is not believed"
            )

    def query(self, answer: Answer) -> str:
        order = Order.objects.get(pk=self.gallery.orders[answer.about])
        said = self.told(answer, order)
        self.wire.answers.append((502, b"", {}))
        if control := Order.objects.filter(
            submission="ACCEPTED", confirmed_at__isnull=False, product=order.product
        ).first():
            found = {"order_no": control.order_no, "order_number": control.gateway_order_no, "status": control.status}
            self.wire.answers[1] = (200, json.dumps({"code": "0000", "data": found}).encode(), {})
        Order.objects.filter(pk=order.pk).update(asked_at=None)
        before = order_row(order.pk)
        checking.check_order(order_id=order.pk)
        case = self.case(before, said)
        if not self.wire.called:
            case.require(not case.changed(), "nobody was asked")
            return "not asked about"
        case.require(all("query" in call for call in self.wire.called), "more than a question")
        denied = any(word in text for text in said.get("msg", set()) for word in MISSING)
        proves = answer.about == "nearly missing" and denied and bool(said.get("code", set()) - {"0000"})
        case.judge_report(first_hand=True, proves_missing=proves)
        if not said:
            case.require(case.changed() <= BOOKKEEPING | {"one_witness"}, "no answer changes something")
        if answer.says.isdigit() and before["submission"] == "ACCEPTED":
            code = int(answer.says)
            letter = EXPECTED[before["status"]][code]
            case.require(
                case.after["status"] == (code if letter == "A" else before["status"]), "a plain answer is not believed"
            )
            case.require(letter not in "AD" or case.after["confirmed_at"], "a plain answer confirms nothing")
        return "no answer" if not said else "the status changes" if "status" in case.changed() else "taken in"

    def cancel(self, answer: Answer) -> str:
        order = Order.objects.get(pk=self.gallery.orders[answer.about])
        said = self.told(answer, order)
        before = order_row(order.pk)
        outcome, told = "acknowledged", ""
        try:
            interventions.cancel_at_platform(order_id=order.pk, actor=self.clerk)
        except GatewayError as error:
            outcome, told = type(error).__name__, str(error)
        except ServiceError:
            outcome = "can't be"
        assert not held(told), "a secret in an error"
        assert outcome != "acknowledged" or "0000" in said.get("code", set()), "acknowledged without a yes"
        case = self.case(before, said)
        case.require(case.changed() <= BOOKKEEPING, "asking for a cancellation changes more than the next query")
        return outcome

    def balance(self, answer: Answer) -> str:
        said = self.told(answer, Order.objects.get(pk=self.gallery.orders[answer.about]))
        before = Balance.objects.values_list("amount", flat=True).first()
        answered = balance.refresh_balance()
        row = Balance.objects.get()
        assert not held(row.error), "a secret beside the balance"
        if row.amount != before:
            assert row.amount in amounts(said.get("money", set())), (row.amount, said)
            assert "0000" in said.get("code", set())
        assert answered or not row.answered_at or before == row.amount
        return "told" if answered else "not told"

    def forbid(self, answer: Answer) -> str:
        said = self.told(answer, Order.objects.get(pk=self.gallery.orders[answer.about]))
        wish = other_ways.ask(forbid=True, reason="因为", actor=self.clerk)
        done = other_ways.decide(wish_id=wish.pk, agrees=True, actor=self.other)
        assert not held(done.words), "a secret beside the switch"
        assert done.outcome != "DONE" or "0000" in said.get("code", set()), (done.outcome, said)
        assert len(self.wire.called) == 1
        return str(done.outcome)

    def contact(self, answer: Answer) -> str:
        """All that the check of the platform asks gets the same answer."""
        self.told(answer, Order.objects.get(pk=self.gallery.orders[answer.about]))
        before = rows_of("recharge_order")
        told = asking.ask_for_account()
        looks = (
            asking.look_for_store,
            asking.learn_words,
            asking.try_our_number,
            asking.look_for_calls,
            asking.try_face_values,
        )
        for finding in (asking.judge_signature(told), *(look() for look in looks)):
            text = f"{finding.words}{finding.follows}{finding.raw}{finding.facts}"
            assert not held(text, "1390013", "1390139"), "a secret in a finding"
        harmless = {
            "User/query",
            "Order/orderList",
            "Recharge/query",
            "Recharge/verify",
            "Recharge/mobileInfo",
            "Oil/query",
        }
        assert set(self.wire.called) <= harmless
        assert rows_of("recharge_order") == before
        return "answered" if told.answer else "refused" if told.refusal else "no answer"

    def card(self, answer: Answer) -> str:
        card = OilCard.objects.get(pk=self.gallery.card.pk)
        said = self.told(answer, Order.objects.get(pk=self.gallery.orders["oil accepted"]))
        yes = "0000" in said.get("code", set())
        before = OilCard.objects.values_list("card_number", "holder_name", "national_id").get(pk=card.pk)
        with suppress(CardError):
            if answer.call == "add":
                added = adding.add_card(details=details(), actor=self.clerk)
                ids = said.get("card_id", set()) | said.get("id", set())
                assert added.state != "ACTIVE" or (yes and added.platform_card_id in ids), (added.state, said)
                return f"add {added.state}"
            if answer.call == "edit":
                edited = changing.adopt_ours(card_id=card.pk, version=card.version, actor=self.clerk)
                assert edited.state != "ACTIVE" or yes, (edited.state, said)
                return f"edit {edited.state}"
            if answer.call == "delete":
                gone = deleting.delete_card(card_id=card.pk, actor=self.clerk)
                missing = any("不存在" in text for text in said.get("msg", set()))
                assert gone.state != "DELETED" or yes or missing, (gone.state, said)
                return f"delete {gone.state}"
            compared = comparing.compare(card_id=card.pk, actor=self.clerk)
            after = OilCard.objects.values_list("card_number", "holder_name", "national_id").get(pk=card.pk)
            assert after == before, "a comparison changes the book"
            assert not held(compared.message, *PERSONAL), "the holder in a message"
            return f"compare {compared.card.state}"
        return f"{answer.call} can't be"


@pytest.mark.parametrize("part", range(PARTS))
def test_no_answer_does_more_than_it_says(
    platform: FakePlatform, lines: Lines, keep: Callable[[Tally], None], part: int
) -> None:
    gallery = hang_up(platform)
    tally = Tally("answers of the platform")
    tally.seeds[0] += part * 100_000
    with wired() as wire:
        lines.taken()
        examples = st.lists(answers(sorted(gallery.orders)), min_size=AT_ONCE // 2, max_size=AT_ONCE)
        judge = Platform(gallery, lines, wire).look_at
        play(tally, share(0.25 / PARTS), examples, judge, kept.ANSWERS, forget=gallery.lied_about())
        assert wire.sent
    assert not held(wire.sent.decode()), "a secret leaves"
    keep(tally)
