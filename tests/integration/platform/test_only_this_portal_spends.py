"""Orders by other ways are forbidden by two persons, and what the platform says of it is told apart."""

from unittest import mock

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction
from django.test import Client

from portal import platform
from portal.gateway import OutcomeUnknown, Rejected
from portal.sandbox import Sandbox
from recharge.choices import PortalEventKind, SwitchOutcome
from recharge.core.errors import NotConfigured, NotYours, TooLate
from recharge.core.events import record_of_portal
from recharge.limits.services import accounts
from recharge.models import OtherWays, PortalEvent
from recharge.platform.services import other_ways
from tests.pages import Page
from tests.people import person

from .conftest import set_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]


def asked(*, forbid: bool = True) -> OtherWays:
    return other_ways.ask(forbid=forbid, reason="有人在后台下单", actor=person("administrator"))


def agree(wish: OtherWays) -> OtherWays:
    return other_ways.decide(wish_id=wish.pk, agrees=True, actor=person("approver"))


def calls(sandbox: Sandbox) -> int:
    with sandbox.books.snapshot() as books:
        row = books.execute("SELECT count FROM calls WHERE endpoint = 'Recharge/forbid'").fetchone()
    return row[0] if row else 0


def browser(who: str) -> Client:
    client = Client()
    user = person(who)
    user.set_password("correct horse")
    user.save()
    client.force_login(user)
    return client


def text(page: Page) -> str:
    return page.content.decode()


def test_who_set_the_password_of_who_asked_is_no_second_person(sandbox: Sandbox) -> None:
    wish = asked()
    record_of_portal(PortalEventKind.PASSWORD_SET, actor=person("approver"), about=wish.asked_by)
    with pytest.raises(NotYours):
        other_ways.decide(wish_id=wish.pk, agrees=True, actor=person("approver"))
    assert (calls(sandbox), other_ways.waiting()) == (0, wish)


def test_nothing_is_called_before_a_second_person_agrees(sandbox: Sandbox) -> None:
    wish = asked()
    assert (calls(sandbox), other_ways.waiting(), other_ways.last_done()) == (0, wish, None)
    with pytest.raises(NotYours):
        other_ways.decide(wish_id=wish.pk, agrees=True, actor=person("administrator"))
    assert calls(sandbox) == 0
    assert agree(wish).outcome == SwitchOutcome.DONE
    assert (calls(sandbox), other_ways.last_done(), other_ways.waiting()) == (1, wish, None)
    note = PortalEvent.objects.get(kind=PortalEventKind.OTHER_WAYS)
    assert note.actor == person("approver")
    assert "administrator: 有人在后台下单" in note.note


def test_who_asked_is_named_as_everywhere_else(sandbox: Sandbox) -> None:
    asking = person("administrator")
    asking.first_name = "王小明"
    asking.save()
    wish = asked()
    waiting = text(browser("approver").get("/platform/")).partition("data-wish")[2].partition("有人在后台下单")[0]
    assert "王小明" in waiting
    assert "administrator" not in waiting
    agree(wish)
    assert "王小明: 有人在后台下单" in PortalEvent.objects.get(kind=PortalEventKind.OTHER_WAYS).note


def test_who_disagrees_changes_nothing(sandbox: Sandbox) -> None:
    wish = asked()
    other_ways.decide(wish_id=wish.pk, agrees=False, actor=person("approver"))
    assert (calls(sandbox), other_ways.last_done(), other_ways.last_tried()) == (0, None, None)
    with pytest.raises(TooLate):
        agree(wish)
    assert calls(sandbox) == 0


def test_one_wish_at_a_time(sandbox: Sandbox) -> None:
    asked()
    with pytest.raises(TooLate):
        asked(forbid=False)


def test_a_platform_without_the_call_is_told_apart_from_a_refusal(sandbox: Sandbox, settings: LazySettings) -> None:
    set_to(sandbox, missing_calls="Recharge/forbid")
    missing = agree(asked())
    assert (missing.outcome, missing.words) == (SwitchOutcome.NO_SUCH_CALL, "1002 接口不存在")
    set_to(sandbox, missing_calls="")
    settings.WIKEYUN_APP_SECRET = "wrong-secret"
    refused = agree(asked())
    assert (refused.outcome, refused.words) == (SwitchOutcome.REFUSED, "1005 签名错误")
    settings.WIKEYUN_BASE_URL = "http://127.0.0.1:1/rest/"
    assert agree(asked()).outcome == SwitchOutcome.NOT_SENT
    assert other_ways.last_done() is None


@pytest.mark.parametrize(
    ("error", "outcome", "words"),
    [
        (OutcomeUnknown("answered with HTTP 404", "", 404), SwitchOutcome.NO_SUCH_CALL, "HTTP 404"),
        (OutcomeUnknown("answered with HTTP 502", "", 502), SwitchOutcome.UNKNOWN, "HTTP 502"),
        (OutcomeUnknown("TimeoutError before an answer came"), SwitchOutcome.UNKNOWN, "没有及时回答，或回答无法识别"),
        (Rejected("0", "控制器不存在:app\\controller\\Recharge"), SwitchOutcome.NO_SUCH_CALL, None),
        (Rejected("0", "当前访问路由未定义或不匹配"), SwitchOutcome.NO_SUCH_CALL, None),
        (Rejected("1005", "店铺不存在"), SwitchOutcome.REFUSED, None),
    ],
)
def test_what_came_instead_of_a_yes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: SwitchOutcome, words: str | None
) -> None:
    monkeypatch.setattr(platform, "trial_client", lambda: mock.Mock(forbid_other_ways=mock.Mock(side_effect=error)))
    wish = agree(asked())
    assert wish.outcome == outcome
    assert words in (None, wish.words)


def test_an_answer_that_never_came_is_unknown(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "TRIAL_TIMEOUT", 0.2)
    set_to(sandbox, latency=5)
    assert agree(asked()).outcome == SwitchOutcome.UNKNOWN
    assert other_ways.last_done() is None


def test_who_dies_in_between_leaves_it_unknown(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*, forbid: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(other_ways, "_switch", killed)
    wish = asked()
    with pytest.raises(KeyboardInterrupt):
        agree(wish)
    wish.refresh_from_db()
    assert (wish.agreed, wish.outcome) == (True, SwitchOutcome.UNKNOWN)


def test_another_account_knows_nothing_of_it(sandbox: Sandbox, settings: LazySettings) -> None:
    agree(asked())
    wish = asked(forbid=False)
    settings.WIKEYUN_STORE_ID = "2"
    assert (other_ways.last_done(), other_ways.waiting()) == (None, None)
    with pytest.raises(TooLate):
        agree(wish)


def test_without_credentials_there_is_nothing_to_ask_for(settings: LazySettings) -> None:
    settings.WIKEYUN_APP_KEY = ""
    with pytest.raises(NotConfigured):
        asked()


def test_the_database_wants_two_persons(sandbox: Sandbox) -> None:
    boss = person("administrator")
    with pytest.raises(IntegrityError, match="other_ways_decided_by_another"), transaction.atomic():
        OtherWays.objects.create(
            account=accounts.current(),
            forbid=True,
            asked_by=boss,
            decided_by=boss,
            decided_at="2026-01-01T00:00:00Z",
            agreed=True,
        )


# --- in the browser ---------------------------------------------------------------------------------------------------
def test_two_persons_in_the_browser(sandbox: Sandbox) -> None:
    boss, approver = browser("administrator"), browser("approver")
    assert 'data-other-ways="unknown"' in text(boss.get("/platform/"))
    said = {"wanted": "forbid", "reason": "有人在后台下单"}
    assert "data-wish" not in text(boss.post("/platform/other-ways/", {**said, "password": "wrong"}, follow=True))
    page = text(boss.post("/platform/other-ways/", {**said, "password": "correct horse"}, follow=True))
    assert "data-wish" in page
    assert "/platform/other-ways/decide/" not in page
    assert "data-other-ways" in text(approver.get("/approvals/"))
    wish = other_ways.waiting()
    assert wish
    decision = {"seen": str(wish.pk), "decision": "agree", "password": "correct horse"}
    assert "另一个人" in text(boss.post("/platform/other-ways/decide/", decision))
    assert calls(sandbox) == 0
    assert "/platform/other-ways/decide/" in text(approver.get("/platform/"))
    page = text(approver.post("/platform/other-ways/decide/", decision, follow=True))
    assert 'data-other-ways="forbidden"' in page
    assert calls(sandbox) == 1
    assert "data-other-ways" not in text(approver.get("/approvals/"))


def test_clerks_and_auditors_decide_nothing(sandbox: Sandbox) -> None:
    wish = asked()
    for who in ("clerk", "auditor"):
        page = browser(who).post("/platform/other-ways/decide/", {"seen": wish.pk, "decision": "agree"})
        assert page.status_code == 403
        assert browser(who).post("/platform/other-ways/", {"wanted": "allow", "reason": "x"}).status_code == 403
    assert calls(sandbox) == 0
