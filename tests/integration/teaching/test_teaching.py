"""Administrators teach what codes and words mean: with two persons, the effect before, and no more than is proven."""

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import Client

from portal.gateway import Rejected
from portal.kit.append_only import open_to_change
from recharge.choices import EventKind, MarkKind, PortalEventKind, RefusalMeaning, Submission, Verdict
from recharge.core.errors import NotReplaceable, NotYours, Outdated, TooLate
from recharge.core.events import record_of_portal
from recharge.fulfilment.services import checking, reports, submission
from recharge.fulfilment.services.replaying import Outcome
from recharge.models import Mark, Order, OrderEvent, PortalEvent, Reading, Spending
from recharge.operations.services import sweeping
from recharge.orders.services import declaring, placing
from recharge.readings import services as readings
from recharge.status import Status
from recharge.teaching.services import applying, effects, lessons
from tests.actions import acknowledge, answer
from tests.fake_platform import FakePlatform
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
UNCLEAR = "系统异常，请稍后查询订单结果"
REFUSED = "余额不足"


def second() -> User:
    user, _ = User.objects.get_or_create(username="second")
    user.groups.set(person("administrator").groups.all())
    return user


def propose(*, code: int | None = None, words: str = "", refusal_code: str = "", meaning: str | int) -> Reading:
    return lessons.propose(
        code=code,
        words=readings.key_of(words),
        refusal_code=refusal_code,
        meaning=str(meaning),
        reason="the vendor says so",
        actor=person("administrator"),
    )


def agree(reading: Reading) -> Reading:
    seen = effects.effect_of(reading).changing
    lessons.decide(reading_id=reading.pk, actor=second(), agrees=True, orders_seen=seen)
    return reading


def teach(*, code: int | None = None, words: str = "", refusal_code: str = "", meaning: str | int) -> Reading:
    """Teach it, and let a worker apply it."""
    reading = agree(propose(code=code, words=words, refusal_code=refusal_code, meaning=meaning))
    applying.apply_waiting()
    return reading


def remove(reading: Reading) -> None:
    """Take it back, and let a worker apply that."""
    lessons.ask_for_removal(reading_id=reading.pk, actor=second(), reason="it was wrong")
    seen = effects.effect_of_removal(Reading.objects.get(pk=reading.pk)).changing
    lessons.decide_removal(reading_id=reading.pk, actor=person("administrator"), agrees=True, orders_seen=seen)
    applying.apply_waiting()


def place(platform: FakePlatform, behaviour: str, last: int = 0) -> Order:
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=f"1380013800{last}", face_value=50)
    platform.behaviour = behaviour
    submission.submit_order(order_id=order.pk)
    platform.behaviour = "accept"
    order.refresh_from_db()
    return order


def callback(order: Order, platform: FakePlatform, status: int) -> Verdict:
    verdict = reports.receive_callback(order_no=order.order_no, report=platform.report(order.order_no, status))
    order.refresh_from_db()
    return verdict


def states(*orders: Order) -> list[str]:
    for order in orders:
        order.refresh_from_db()
    return [order.submission for order in orders]


class TestSecondSelves:
    """Whoever may be able to sign in as who asked is no second person: words that are taught make orders dead."""

    def test_who_set_the_password_of_who_proposed_may_not_agree(self) -> None:
        reading = propose(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        record_of_portal(PortalEventKind.PASSWORD_SET, actor=second(), about=person("administrator"))
        with pytest.raises(NotYours):
            agree(reading)
        reading.refresh_from_db()
        assert reading.agreed is None

    def test_nor_agree_that_it_is_taken_back(self) -> None:
        reading = teach(words=REFUSED, meaning=RefusalMeaning.UNCLEAR)
        lessons.ask_for_removal(reading_id=reading.pk, actor=second(), reason="it was wrong")
        record_of_portal(PortalEventKind.PASSWORD_SET, actor=person("administrator"), about=second())
        with pytest.raises(NotYours):
            lessons.decide_removal(reading_id=reading.pk, actor=person("administrator"), agrees=True, orders_seen=0)
        reading.refresh_from_db()
        assert reading.removed_at is None

    def test_the_page_says_so_before_anything_is_sent(self, client: Client) -> None:
        reading = propose(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        record_of_portal(PortalEventKind.PASSWORD_SET, actor=second(), about=person("administrator"))
        client.force_login(second())
        page = client.get(f"/readings/{reading.pk}/").content.decode()
        assert "密码由您设置" in page
        assert 'name="decision"' not in page


class TestCodes:
    def test_stored_reports_are_read_anew_and_a_fresh_answer_confirms(self, platform: FakePlatform) -> None:
        order, other = place(platform, "accept"), place(platform, "accept", 1)
        callback(order, platform, 99)
        assert (order.status, order.marked_as) == (None, [MarkKind.UNKNOWN_CODE])
        reading = teach(code=99, meaning=Status.FAILED)
        order.refresh_from_db()
        other.refresh_from_db()
        assert (order.status, order.confirmed_at, order.marked_as) == (Status.FAILED, None, [])
        assert not order.is_confirmed_failed
        assert order.next_check_at
        assert other.status is None
        reading.refresh_from_db()
        assert reading.changed == 1
        answer(order, platform.report(order.order_no, 99))
        order.refresh_from_db()
        assert order.is_confirmed_failed
        event = order.events.get(kind=EventKind.QUERIED)
        assert (event.reported_status, event.status_to, event.verdict) == (99, Status.FAILED, Verdict.DUPLICATE)
        assert "充值失败" in event.note

    def test_a_failure_told_by_a_taught_code_is_a_proof_that_can_be_named(self, platform: FakePlatform) -> None:
        teach(code=99, meaning=Status.FAILED)
        order = place(platform, "accept")
        answer(order, platform.report(order.order_no, 99))
        order.refresh_from_db()
        again = placing.place_mobile_order(
            placed_by=person("clerk"), mobile=order.mobile, face_value=50, replaces=order
        )
        client = Client()
        client.force_login(person("approver"))
        assert "充值失败" in client.get(f"/approvals/orders/{again.order_no}/").content.decode()

    @pytest.mark.parametrize("dead", [Status.FAILED, Status.REFUNDED, Status.CANCELLED])
    def test_what_succeeded_is_never_made_dead(self, platform: FakePlatform, dead: Status) -> None:
        order = place(platform, "accept")
        answer(order, platform.report(order.order_no, Status.SUCCEEDED))
        callback(order, platform, 99)
        teach(code=99, meaning=dead)
        order.refresh_from_db()
        assert order.status == Status.SUCCEEDED
        assert MarkKind.CONFLICT in order.marked_as
        assert not order.is_provably_unspent

    def test_older_news_is_not_applied_over_newer(self, platform: FakePlatform) -> None:
        order = place(platform, "accept")
        callback(order, platform, 99)
        answer(order, platform.report(order.order_no, Status.RECHARGING))
        teach(code=99, meaning=Status.FAILED)
        order.refresh_from_db()
        assert (order.status, order.marked_as) == (Status.RECHARGING, [])

    def test_a_part_that_arrived_is_never_forgotten(self, platform: FakePlatform) -> None:
        order = place(platform, "accept")
        callback(order, platform, 99)
        answer(order, platform.report(order.order_no, Status.RECHARGING))
        teach(code=99, meaning=Status.PARTLY_ARRIVED)
        order.refresh_from_db()
        assert order.part_arrived

    def test_life_told_of_a_refunded_order_stays_a_doubt(self, platform: FakePlatform) -> None:
        order = place(platform, "accept")
        answer(order, platform.report(order.order_no, Status.REFUNDED))
        callback(order, platform, 99)
        acknowledge(order, person("clerk"))
        teach(code=99, meaning=Status.RECHARGING)
        order.refresh_from_db()
        assert order.marked_as == [MarkKind.CONFLICT]
        assert not order.is_provably_unspent

    def test_a_doubt_that_a_person_closed_ends_where_the_code_was_harmless(self, platform: FakePlatform) -> None:
        order = place(platform, "accept")
        answer(order, platform.report(order.order_no, Status.REFUNDED))
        callback(order, platform, 99)
        acknowledge(order, person("clerk"))
        teach(code=99, meaning=Status.REFUNDED)
        order.refresh_from_db()
        assert order.is_provably_unspent

    def test_the_mark_stays_while_another_code_is_unknown(self, platform: FakePlatform) -> None:
        order = place(platform, "accept")
        callback(order, platform, 99)
        callback(order, platform, 98)
        teach(code=99, meaning=Status.RECHARGING)
        order.refresh_from_db()
        assert order.marked_as == [MarkKind.UNKNOWN_CODE]
        teach(code=98, meaning=Status.RECHARGING)
        order.refresh_from_db()
        assert order.marked_as == []

    def test_it_is_read_once_however_often_the_worker_comes(self, platform: FakePlatform) -> None:
        order = place(platform, "accept")
        callback(order, platform, 99)
        reading = teach(code=99, meaning=Status.RECHARGING)
        Reading.objects.update(rounds=0, applied_to=0)
        applying.apply_waiting()
        reading.refresh_from_db()
        assert (reading.changed, order.events.filter(kind=EventKind.READ_ANEW).count()) == (1, 1)

    def test_taken_back_it_holds_no_more_and_no_status_is_undone(self, platform: FakePlatform) -> None:
        order = place(platform, "accept")
        callback(order, platform, 99)
        remove(teach(code=99, meaning=Status.FAILED))
        order.refresh_from_db()
        assert order.status == Status.FAILED
        other = place(platform, "accept", 1)
        assert callback(other, platform, 99) == Verdict.UNKNOWN_CODE
        teach(code=99, meaning=Status.RECHARGING)
        other.refresh_from_db()
        assert other.status == Status.RECHARGING

    def test_codes_that_are_known_can_not_be_taught(self) -> None:
        with pytest.raises(lessons.InvalidReading):
            propose(code=2, meaning=Status.FAILED)


class TestDefiniteNo:
    def test_stored_refusals_of_the_hand_over_count(self, platform: FakePlatform, clerk_user: User) -> None:
        order = place(platform, "unclear_lost")
        assert order.submission == Submission.UNKNOWN
        spent = Spending.objects.get(person=None).amount
        teach(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        assert states(order) == [Submission.REJECTED]
        assert order.is_provably_unspent
        assert order.next_check_at, "whatever is refused is asked about once"
        assert Spending.objects.get(person=None).amount == spent - 50
        assert order.events.get(kind=EventKind.READ_ANEW).verdict == Verdict.REJECTED

    def test_it_is_brought_back_to_life_by_the_platforms_answer(self, platform: FakePlatform) -> None:
        order = place(platform, "unclear")
        teach(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        assert states(order) == [Submission.REJECTED]
        Order.objects.update(asked_at=None)
        checking.check_order(order_id=order.pk)
        assert states(order) == [Submission.ACCEPTED]
        assert not order.is_provably_unspent

    def test_new_refusals_count_at_once(self, platform: FakePlatform) -> None:
        reading = teach(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        assert place(platform, "unclear_lost").submission == Submission.REJECTED
        remove(reading)
        assert place(platform, "unclear_lost", 1).submission == Submission.UNKNOWN

    def test_a_sign_of_life_forbids_it(self, platform: FakePlatform) -> None:
        order = place(platform, "unclear")
        reports.keep_unreadable_callback(order_no=order.order_no, raw="?")
        teach(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        assert states(order) == [Submission.UNKNOWN]

    def test_an_open_contradiction_forbids_it(self, platform: FakePlatform) -> None:
        order = place(platform, "unclear")
        Order.objects.filter(pk=order.pk).update(doubts=8)
        teach(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        assert states(order) == [Submission.UNKNOWN]

    def test_a_refusal_that_came_after_the_lease_ran_out_forbids_it(self, platform: FakePlatform) -> None:
        order = place(platform, "unclear_lost")
        with open_to_change(connection, OrderEvent):
            answered = OrderEvent.objects.filter(order=order, kind=EventKind.ANSWERED)
            answered.update(submission_from=Submission.UNKNOWN)
        teach(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        assert states(order) == [Submission.UNKNOWN]

    def test_other_words_are_left_alone(self, platform: FakePlatform) -> None:
        order = place(platform, "unclear_lost")
        teach(words=UNCLEAR + "。", meaning=RefusalMeaning.DEFINITE_NO)
        assert states(order) == [Submission.UNKNOWN]

    def test_words_that_may_tell_of_the_order_can_not_be_taught(self) -> None:
        with pytest.raises(lessons.InvalidReading):
            propose(words="订单号已存在", meaning=RefusalMeaning.DEFINITE_NO)
        Reading.objects.create(
            words=readings.key_of("订单号已存在"),
            means=RefusalMeaning.DEFINITE_NO,
            agreed=True,
            proposed_by=person("administrator"),
            decided_by=second(),
            decided_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        )
        assert not readings.in_force().is_definite_no(Rejected("1", "订单号已存在")), "nor does such a row do harm"


class TestOtherWords:
    def test_unclear_takes_precedence_over_the_default(self, platform: FakePlatform) -> None:
        teach(words=REFUSED, meaning=RefusalMeaning.UNCLEAR)
        assert place(platform, "reject").submission == Submission.UNKNOWN

    @pytest.mark.parametrize("meaning", [RefusalMeaning.UNCLEAR, RefusalMeaning.DUPLICATE])
    def test_what_was_refused_in_such_words_is_doubted(self, platform: FakePlatform, meaning: RefusalMeaning) -> None:
        order = place(platform, "reject_wrongly")
        assert order.is_provably_unspent
        spent = Spending.objects.get(person=None).amount
        teach(words=REFUSED, meaning=meaning)
        assert states(order) == [Submission.UNKNOWN]
        assert (order.is_provably_unspent, order.settled_at) == (False, None)
        assert Spending.objects.get(person=None).amount == spent + 50
        checking.check_order(order_id=order.pk)
        assert states(order) == [Submission.ACCEPTED]

    def test_a_replacement_that_waits_is_held_and_one_that_went_out_leaves_its_original(
        self, platform: FakePlatform
    ) -> None:
        waits, went = place(platform, "reject"), place(platform, "reject", 1)
        waiting, gone = (
            placing.place_mobile_order(
                placed_by=person("clerk"), mobile=original.mobile, face_value=50, replaces=original
            )
            for original in (waits, went)
        )
        submission.submit_order(order_id=gone.pk)
        teach(words=REFUSED, meaning=RefusalMeaning.UNCLEAR)
        submission.submit_order(order_id=waiting.pk)
        assert states(waits, went, gone) == [Submission.UNKNOWN, Submission.REJECTED, Submission.ACCEPTED]
        assert waiting.order_no not in platform.books

    def test_denials_count_towards_the_proof_that_a_control_completes(
        self, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        control, order = place(platform, "accept", 1), place(platform, "lost")
        answer(control, platform.report(control.order_no, Status.RECHARGING))
        denied = Rejected("7", "查无记录XYZ", "{}")
        find = platform.query_mobile_order

        def deny(*, order_no: str | None = None, gateway_order_no: str | None = None) -> object:
            if order_no == order.order_no:
                raise denied
            return find(order_no=order_no, gateway_order_no=gateway_order_no)

        monkeypatch.setattr(platform, "query_mobile_order", deny)
        for _ in range(3):
            Order.objects.update(asked_at=None)
            checking.check_order(order_id=order.pk)
            with open_to_change(connection, OrderEvent):
                OrderEvent.objects.update(at=F("at") - dt.timedelta(minutes=20))
        order.refresh_from_db()
        assert order.missing_answers == 0
        teach(words=denied.message, meaning=RefusalMeaning.NO_SUCH_ORDER)
        assert states(order) == [Submission.UNKNOWN], "nothing is concluded without a control"
        assert order.missing_answers == 3
        assert not order.is_provably_unspent
        Order.objects.update(asked_at=None)
        checking.check_order(order_id=order.pk)
        assert states(order) == [Submission.NOT_RECEIVED]


class TestTwoPersons:
    def test_nothing_holds_before_another_administrator_agrees(self, platform: FakePlatform) -> None:
        order = place(platform, "unclear_lost")
        reading = propose(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        applying.apply_waiting()
        assert states(order) == [Submission.UNKNOWN]
        with pytest.raises(NotYours):
            lessons.decide(reading_id=reading.pk, actor=person("administrator"), agrees=True, orders_seen=1)
        lessons.decide(reading_id=reading.pk, actor=second(), agrees=False, orders_seen=0, reason="no")
        applying.apply_waiting()
        assert states(order) == [Submission.UNKNOWN]
        with pytest.raises(TooLate):
            lessons.decide(reading_id=reading.pk, actor=second(), agrees=True, orders_seen=1)
        assert PortalEvent.objects.filter(kind="READING").count() == 2

    def test_more_orders_than_were_shown_are_shown_again(self, platform: FakePlatform) -> None:
        place(platform, "unclear_lost")
        reading = propose(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        place(platform, "unclear_lost", 1)
        with pytest.raises(Outdated):
            lessons.decide(reading_id=reading.pk, actor=second(), agrees=True, orders_seen=1)

    def test_one_meaning_at_a_time(self) -> None:
        teach(code=99, meaning=Status.FAILED)
        with pytest.raises(lessons.InvalidReading):
            propose(code=99, meaning=Status.SUCCEEDED)

    def test_taking_back_needs_another_one_too(self) -> None:
        reading = teach(code=99, meaning=Status.FAILED)
        lessons.ask_for_removal(reading_id=reading.pk, actor=second(), reason="wrong")
        with pytest.raises(NotYours):
            lessons.decide_removal(reading_id=reading.pk, actor=second(), agrees=True, orders_seen=0)
        assert readings.in_force().codes == {99: Status.FAILED}
        lessons.decide_removal(reading_id=reading.pk, actor=person("administrator"), agrees=True, orders_seen=0)
        assert readings.in_force().codes == {}


class TestEffect:
    def test_what_is_shown_is_what_becomes(self, platform: FakePlatform) -> None:
        dead, alive = place(platform, "unclear_lost"), place(platform, "unclear", 1)
        reports.keep_unreadable_callback(order_no=alive.order_no, raw="?")
        reading = propose(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        effect = effects.effect_of(reading)
        assert dict(effect.outcomes) == {Outcome.REFUSED: 1, Outcome.LEFT: 1}
        assert [order for order, _ in effect.listed] == [dead]
        assert states(dead, alive) == [Submission.UNKNOWN] * 2, "looking changes nothing"

    def test_what_came_in_while_it_came_into_force_is_found_by_the_second_round(
        self, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reading = teach(words=UNCLEAR, meaning=RefusalMeaning.DEFINITE_NO)
        with monkeypatch.context() as patched:
            patched.setattr(readings, "in_force", lambda: readings.Readings({}, {}))
            late = place(platform, "unclear_lost")
        applying.apply_waiting()
        assert states(late) == [Submission.UNKNOWN], "not yet due"
        Reading.objects.update(decided_at=F("decided_at") - dt.timedelta(minutes=3))
        applying.apply_waiting()
        assert states(late) == [Submission.REJECTED]
        reading.refresh_from_db()
        assert reading.rounds == 2
        assert not Reading.objects.to_apply().exists()

    def test_the_sweep_lets_a_worker_go_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        opened: list[str] = []
        monkeypatch.setattr("recharge.core.queue.start_drains", lambda task, drains: opened.append(task))
        agree(propose(code=99, meaning=Status.FAILED))
        opened.clear()
        sweeping.sweep()
        assert opened == ["recharge.tasks.apply_readings"]

    def test_many_orders_take_a_constant_number_of_queries(
        self, platform: FakePlatform, django_assert_max_num_queries: object
    ) -> None:
        reading = propose(code=99, meaning=Status.FAILED)
        for last in range(6):
            callback(place(platform, "accept", last), platform, 99)
        with django_assert_max_num_queries(5):  # type: ignore[operator]
            assert effects.effect_of(reading).changing == 6


class TestPages:
    @pytest.fixture
    def administrator(self, client: Client) -> Client:
        client.force_login(person("administrator"))
        return client

    def test_taught_from_the_list_and_agreed_by_another(self, administrator: Client, platform: FakePlatform) -> None:
        order = place(platform, "unclear_lost")
        shown = administrator.get("/readings/").content.decode()
        assert UNCLEAR in shown
        event = order.events.get(kind=EventKind.ANSWERED)
        page = administrator.get(f"/readings/teach/{event.pk}/?meaning=DEFINITE_NO").content.decode()
        assert 'data-effect="1"' in page
        assert order.order_no in page
        assert "重复扣款" in page
        said = {"meaning": "DEFINITE_NO", "reason": "客服王工 11-29 电话确认"}
        answered = administrator.post(f"/readings/teach/{event.pk}/", said)
        reading = Reading.objects.get()
        assert answered["Location"] == f"/readings/{reading.pk}/"
        own = administrator.get(f"/readings/{reading.pk}/").content.decode()
        assert 'name="decision"' not in own
        other = Client()
        other.force_login(second())
        decision = {"decision": "approve", "reason": "", "proof_seen": "1", "password": "x"}
        user = second()
        user.set_password("x")
        user.save()
        other.force_login(user)
        assert other.post(f"/readings/{reading.pk}/", decision).status_code == 302
        applying.apply_waiting()
        assert states(order) == [Submission.REJECTED]
        assert 'data-changed="1"' in other.get(f"/readings/{reading.pk}/").content.decode()

    def test_an_order_with_an_unknown_code_leads_there(self, administrator: Client, platform: FakePlatform) -> None:
        order = place(platform, "accept")
        callback(order, platform, 99)
        event = order.events.get(kind=EventKind.CALLBACK)
        shown = administrator.get(f"/orders/{order.order_no}/").content.decode()
        assert f"/readings/teach/{event.pk}/" in shown
        assert "状态码 99" in administrator.get(f"/readings/teach/{event.pk}/").content.decode()

    def test_a_reason_is_needed(self, administrator: Client, platform: FakePlatform) -> None:
        event = place(platform, "unclear_lost").events.get(kind=EventKind.ANSWERED)
        administrator.post(f"/readings/teach/{event.pk}/", {"meaning": "UNCLEAR", "reason": ""})
        assert not Reading.objects.exists()

    def test_an_auditor_reads_and_decides_nothing(self, client: Client) -> None:
        reading = propose(code=99, meaning=Status.FAILED)
        client.force_login(person("auditor"))
        assert client.get(f"/readings/{reading.pk}/").status_code == 200
        said = {"decision": "approve", "proof_seen": "0"}
        assert client.post(f"/readings/{reading.pk}/", said).status_code == 403
        reading.refresh_from_db()
        assert reading.agreed is None

    def test_what_awaits_another_one_stands_on_the_desk(self, administrator: Client) -> None:
        propose(code=99, meaning=Status.FAILED)
        assert 'data-elsewhere="READING_WAITING"' in administrator.get("/attention/").content.decode()

    def test_evidence_without_code_or_words_is_nothing_to_teach(
        self, administrator: Client, platform: FakePlatform
    ) -> None:
        event = place(platform, "accept").events.get(kind=EventKind.CLAIMED)
        assert administrator.get(f"/readings/teach/{event.pk}/").status_code == 404
        assert Mark.objects.count() == 0


class TestReplacedMeanwhile:
    def test_a_first_attempt_is_doubted_once_the_one_that_was_placed_again_is_dead(
        self, platform: FakePlatform
    ) -> None:
        """While the second one may have spent money it is left as it is; what comes after that one asks for it anew."""
        first = place(platform, "reject")
        assert first.submission == Submission.REJECTED
        again = placing.place_mobile_order(
            placed_by=person("clerk"), mobile=first.mobile, face_value=50, replaces=first
        )
        platform.behaviour = "hang"
        submission.submit_order(order_id=again.pk)
        teach(words=first.refusal.partition(" ")[2], meaning=RefusalMeaning.UNCLEAR)
        Reading.objects.update(rounds=2)
        assert states(first, again) == [Submission.REJECTED, Submission.UNKNOWN]
        Order.objects.filter(pk=again.pk).update(submitted_at=F("submitted_at") - dt.timedelta(days=3))
        declaration = declaring.declare(order_id=again.pk, actor=person("clerk"), words="it never arrived")
        seen = again.events.values_list("pk", flat=True).last() or 0
        declaring.decide(declaration_id=declaration.pk, actor=person("approver"), agrees=True, last_seen=seen)
        with pytest.raises(NotReplaceable, match="重新判读"):
            placing.place_mobile_order(placed_by=person("clerk"), mobile=first.mobile, face_value=50, replaces=again)
        applying.apply_waiting()
        assert states(first, again) == [Submission.UNKNOWN, Submission.NOT_RECEIVED]
        with pytest.raises(NotReplaceable):
            placing.place_mobile_order(placed_by=person("clerk"), mobile=first.mobile, face_value=50, replaces=again)
