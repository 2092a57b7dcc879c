"""Administrators teach just the refusal that they have before their eyes: its words, its numbers and its code."""

import pytest
from django.test import Client
from django.utils import timezone

from portal.gateway import Rejected
from recharge.choices import EventKind, RefusalMeaning, Submission
from recharge.core.errors import TooLate
from recharge.fulfilment.services import submission
from recharge.models import Order, Reading
from recharge.orders.services import placing
from recharge.readings import services as readings
from recharge.teaching.services import applying, effects, lessons
from tests.fake_platform import FakePlatform
from tests.integration.teaching.test_teaching import propose, remove, second, states, teach
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
NO = RefusalMeaning.DEFINITE_NO


def refused(platform: FakePlatform, code: str, message: str, last: int = 0) -> Order:
    """Place an order that the platform refuses in these words."""
    order = placing.place_mobile_order(placed_by=person("clerk"), mobile=f"1380013800{last}", face_value=50)

    def refuse(**named: object) -> None:
        raise Rejected(code, message, "{}")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(platform, "push_mobile_order", refuse)
        submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def taught_before(words: str, means: str) -> Reading:
    """Make a row as it stood when any number in the words stood for all."""
    return Reading.objects.create(
        words=words,
        means=means,
        reason="the vendor says so",
        agreed=True,
        proposed_by=person("administrator"),
        decided_by=second(),
        decided_at=timezone.now(),
    )


class TestNumbers:
    @pytest.mark.parametrize("other", ["提交失败，错误码：1002", "提交失败，错误码：500", "提交失败，错误码：10010"])
    def test_one_error_number_teaches_no_other(self, platform: FakePlatform, other: str) -> None:
        stored = refused(platform, "9999", other)
        teach(words="提交失败，错误码：1001", meaning=NO)
        assert states(stored) == [Submission.UNKNOWN], "what is stored is left alone"
        assert refused(platform, "9999", other, 1).submission == Submission.UNKNOWN, "and so is what comes"
        assert refused(platform, "9999", "提交失败，错误码：1001", 2).submission == Submission.REJECTED

    @pytest.mark.parametrize(
        ("one", "another"),
        [
            ("提交失败[E01]", "提交失败[E77]"),
            ("接口v1.2异常", "接口v1.3异常"),
            ("错误 404", "错误 500"),
            ("code 10:01", "code 10:02"),
            ("error 123456", "error 123457"),
            ("网关10.0.0.1异常", "网关10.0.0.2异常"),
            ("错误码：10010001", "错误码：10010002"),
            ("error code = 1001000", "error code = 1001001"),
            ("错误0", "错误1"),
            ("错误0", "错误13800138000"),
        ],
    )
    def test_what_may_be_the_thing_that_is_said_is_kept(self, one: str, another: str) -> None:
        assert readings.key_of(one) != readings.key_of(another)

    @pytest.mark.parametrize(
        ("one", "another"),
        [
            ("订单26112900000000000001处理异常", "订单26112912345678901234处理异常"),
            ("号码13800138000异常", "号码15912345678异常"),
            ("号码138****8000异常", "号码159****5678异常"),
            ("号码138****8000异常", "号码13800138000异常"),
            ("号码138xxxx8000异常", "号码159XXXX5678异常"),
            ("号码 138 0013 8000 异常", "号码13800138000异常"),
            ("尾号8000的号码异常", "尾号5678的号码异常"),
            ("当前余额12.35元，请稍后", "当前余额1,200元，请稍后"),
            ("balance ¥12.35, later", "balance ¥7, later"),
            ("2026-11-29 18:36:27 系统异常", "2026-12-01 08:00:00 系统异常"),
            ("2026年11月29日系统异常", "2026年1月2日系统异常"),
            ("18:36:27 系统异常", "08:00:01 系统异常"),
            ("系统异常1764412587", "系统异常1764412999123"),
            (" Order 1234567  is BAD ", "order 7654321 is bad"),
        ],
    )
    def test_what_differs_from_order_to_order_makes_no_difference(self, one: str, another: str) -> None:
        assert readings.key_of(one) == readings.key_of(another)
        assert readings.ANY in readings.key_of(one)

    @pytest.mark.parametrize(
        "message", ["13800138000", "错误码13800138000", "138-0013-8000", "尾号：8000", "138****8000", "****8000"]
    )
    def test_no_persons_number_is_kept(self, message: str) -> None:
        assert "8000" not in readings.key_of(message)

    def test_what_is_too_long_is_not_taught(self) -> None:
        assert readings.key_of("x" * 201) == ""
        assert readings.place_of(Rejected("1" * 51, "系统异常")) is None


class TestCodes:
    def test_the_same_words_with_another_code_are_no_definite_no(self, platform: FakePlatform) -> None:
        stored = refused(platform, "500", "提交失败")
        teach(words="提交失败", refusal_code="1001", meaning=NO)
        assert states(stored) == [Submission.UNKNOWN]
        assert refused(platform, "500", "提交失败", 1).submission == Submission.UNKNOWN
        assert refused(platform, "1001", "提交失败", 2).submission == Submission.REJECTED

    def test_unclear_words_are_unclear_whatever_the_code(self, platform: FakePlatform) -> None:
        stored = refused(platform, "1002", "余额不足")
        assert stored.submission == Submission.REJECTED
        teach(words="余额不足", refusal_code="1001", meaning=RefusalMeaning.UNCLEAR)
        assert states(stored) == [Submission.UNKNOWN]
        assert refused(platform, "1003", "余额不足", 1).submission == Submission.UNKNOWN

    @pytest.mark.parametrize("unclear_first", [True, False])
    def test_each_code_has_a_meaning_of_its_own(self, platform: FakePlatform, unclear_first: bool) -> None:
        meanings = [("500", RefusalMeaning.UNCLEAR), ("1001", NO)]
        for code, meaning in meanings if unclear_first else meanings[::-1]:
            teach(words="余额不足", refusal_code=code, meaning=meaning)
        taken = refused(platform, "1001", "余额不足")
        assert taken.submission == Submission.REJECTED
        assert refused(platform, "500", "余额不足", 1).submission == Submission.UNKNOWN
        Reading.objects.update(rounds=0)
        applying.apply_waiting()
        assert states(taken) == [Submission.REJECTED], "nor is it doubted by what was taught of the other code"

    def test_one_meaning_for_each_code(self) -> None:
        teach(words="提交失败", refusal_code="1001", meaning=NO)
        with pytest.raises(lessons.InvalidReading):
            propose(words="提交失败", refusal_code="1001", meaning=RefusalMeaning.UNCLEAR)
        assert propose(words="提交失败", refusal_code="1002", meaning=NO).pk


class TestTaughtBefore:
    def test_words_without_a_number_mean_what_they_meant(self, platform: FakePlatform) -> None:
        taught_before("系统异常,请稍后", NO)
        assert refused(platform, "77", "系统异常,请稍后").submission == Submission.REJECTED

    def test_a_number_that_nobody_knows_makes_no_definite_no(self, platform: FakePlatform) -> None:
        reading = taught_before("提交失败,错误码:0", NO)
        stored = [refused(platform, "9", f"提交失败,错误码:{number}", number) for number in (0, 1)]
        applying.apply_waiting()
        assert states(*stored) == [Submission.UNKNOWN] * 2
        assert effects.effect_of(reading).changing == 0
        assert readings.in_force() == readings.Readings({}, {})

    def test_what_is_unclear_stays_unclear_for_any_number(self, platform: FakePlatform) -> None:
        stored = refused(platform, "9", "余额不足(1001)")
        taught_before("余额不足(0)", RefusalMeaning.UNCLEAR)
        assert refused(platform, "9", "余额不足(1002)", 1).submission == Submission.UNKNOWN
        applying.apply_waiting()
        assert states(stored) == [Submission.UNKNOWN]

    def test_the_exact_words_are_taught_beside_it(self, platform: FakePlatform) -> None:
        old = taught_before("提交失败,错误码:0", NO)
        stored = refused(platform, "9", "提交失败,错误码:1001")
        event = stored.events.get(kind=EventKind.ANSWERED)
        assert [one.event for one in effects.untaught_words()] == [event.pk], "it is offered"
        teach(words="提交失败,错误码:1001", refusal_code="9", meaning=NO)
        assert states(stored) == [Submission.REJECTED]
        assert not effects.untaught_words()
        remove(old)

    def test_what_was_proposed_before_is_not_agreed_to(self) -> None:
        reading = taught_before("提交失败,错误码:0", NO)
        Reading.objects.update(agreed=None, decided_by=None, decided_at=None)
        with pytest.raises(TooLate):
            lessons.decide(reading_id=reading.pk, actor=second(), agrees=True, orders_seen=0)
        lessons.decide(reading_id=reading.pk, actor=second(), agrees=False, orders_seen=0, reason="no")
        reading.refresh_from_db()
        assert reading.agreed is False

    def test_the_pages_say_that_it_is_without_effect(self, client: Client) -> None:
        reading = taught_before("提交失败,错误码:0", NO)
        client.force_login(person("administrator"))
        for page in ("/readings/", f"/readings/{reading.pk}/"):
            assert "data-void" in client.get(page).content.decode()


def test_the_page_shows_code_and_words_as_they_are_taught(client: Client, platform: FakePlatform) -> None:
    order = refused(platform, "9001", "订单26112900000000000001提交失败，错误码：1001")
    client.force_login(person("administrator"))
    shown = "9001 “订单#提交失败，错误码：1001”"
    event = order.events.get(kind=EventKind.ANSWERED)
    assert shown in client.get("/readings/").content.decode()
    assert shown in client.get(f"/readings/teach/{event.pk}/?meaning=DEFINITE_NO").content.decode()
    client.post(f"/readings/teach/{event.pk}/", {"meaning": "DEFINITE_NO", "reason": "客服确认"})
    reading = Reading.objects.get()
    assert (reading.refusal_code, reading.words) == ("9001", "订单#提交失败，错误码：1001")
    page = client.get(f"/readings/{reading.pk}/").content.decode()
    assert shown in page
    assert "data-exact" in page


def test_code_and_words_are_read_from_a_history_however_they_were_written() -> None:
    for note in ("1404 接口不存在", "1404: 接口不存在"):
        refusal = readings.refusal_of(note)
        assert (refusal.code, refusal.message) == ("1404", "接口不存在")
