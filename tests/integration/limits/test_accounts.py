"""Whom orders are pushed to: nothing goes out under an account that nobody confirmed, nor is asked of another one."""

import datetime as dt

import pytest
from django.db.models import F
from django.test import Client, override_settings

from recharge.choices import EventKind, MarkKind, PortalEventKind, Submission
from recharge.core.errors import Outdated, TooLate
from recharge.fulfilment.services import checking, submission
from recharge.limits.services import accounts
from recharge.models import Account, Order, PortalEvent
from recharge.operations.services import sweeping
from recharge.orders.services import interventions, placing
from tests.fake_platform import FakePlatform
from tests.known import known
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
OLD = override_settings(WIKEYUN_APP_KEY="old", WIKEYUN_APP_SECRET="the secret", WIKEYUN_STORE_ID="1")
NEW = override_settings(WIKEYUN_APP_KEY="new", WIKEYUN_APP_SECRET="another", WIKEYUN_STORE_ID="1")


def place(number: int = 0) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile=f"1380013800{number}", face_value=50)


def push(order: Order, platform: FakePlatform, behaviour: str = "accept") -> Order:
    platform.behaviour = behaviour
    submission.submit_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def minutes_pass(minutes: int) -> None:
    moments = ("next_check_at", "asked_at", "first_missing_at", "last_missing_at", "submitted_at")
    Order.objects.update(**{moment: F(moment) - dt.timedelta(minutes=minutes) for moment in moments})


@pytest.fixture
def unknown(platform: FakePlatform) -> Order:
    """Taken by the old account, whose answer was lost."""
    with OLD:
        platform.key = "old"
        order = push(place(), platform, "hang")
    assert order.submission == Submission.UNKNOWN
    platform.key = "new"
    return order


def test_the_first_account_needs_no_confirmation(platform: FakePlatform) -> None:
    with OLD:
        order = push(place(), platform)
    assert order.submission == Submission.ACCEPTED
    account = Account.objects.get()
    assert order.account == account
    assert (account.app_key, account.is_first, account.confirmed_by) == ("old", True, None)
    assert account.confirmed_at


def test_no_secret_is_kept(platform: FakePlatform) -> None:
    with OLD:
        accounts.current()
    assert "the secret" not in str(Account.objects.values().get())
    assert "the secret" not in str(PortalEvent.objects.values().get())


def test_the_secret_alone_makes_no_other_account(platform: FakePlatform) -> None:
    with OLD:
        first = accounts.current()
        with override_settings(WIKEYUN_APP_SECRET="renewed"):
            assert accounts.current() == first


@pytest.mark.parametrize(
    "changed", [{"WIKEYUN_APP_KEY": "x"}, {"WIKEYUN_STORE_ID": "2"}, {"WIKEYUN_BASE_URL": "http://127.0.0.1:1/"}]
)
def test_nothing_is_pushed_on_a_changed_account(platform: FakePlatform, changed: dict[str, str]) -> None:
    with OLD:
        accounts.current()
        with override_settings(**changed):
            order = push(place(), platform)
            sweeping.sweep()
            push(order, platform)
            assert (order.submission, platform.books) == (Submission.QUEUED, {})
            accounts.confirm(account_id=accounts.current().pk, actor=person("administrator"))
            assert push(order, platform).submission == Submission.ACCEPTED


def test_the_claim_itself_asks_for_the_confirmed_account(
    platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OLD:
        accounts.current()
    with NEW:
        order = place()
        monkeypatch.setattr(accounts, "is_confirmed", lambda: True)
        push(order, platform)
    assert (order.submission, platform.books) == (Submission.QUEUED, {})


def test_three_denials_of_another_account_prove_nothing(unknown: Order, platform: FakePlatform) -> None:
    with NEW:
        accounts.confirm(account_id=accounts.current().pk, actor=person("administrator"))
        control = push(place(1), platform)
        checking.check_order(order_id=control.pk)
        for _ in range(5):
            minutes_pass(16)
            sweeping.sweep()
            checking.check_due_orders()
            checking.check_order(order_id=unknown.pk)
        unknown.refresh_from_db()
        assert (unknown.submission, unknown.missing_answers) == (Submission.UNKNOWN, 0)
        assert unknown.marked_as == [MarkKind.OTHER_ACCOUNT]
        assert not unknown.events.filter(kind=EventKind.QUERIED).exists()
        for action in (interventions.ask_now,):
            with pytest.raises(TooLate):
                action(order_id=unknown.pk, actor=person("clerk"))


def test_a_refused_order_is_asked_about_once_its_account_is_back(platform: FakePlatform) -> None:
    with OLD:
        platform.key = "old"
        refused = push(place(), platform, "reject_wrongly")
        assert refused.submission == Submission.REJECTED
        minutes_pass(10)
    with NEW:
        accounts.confirm(account_id=accounts.current().pk, actor=person("administrator"))
        sweeping.sweep()
        refused.refresh_from_db()
        assert (refused.next_check_at, refused.marked_as) == (None, [MarkKind.OTHER_ACCOUNT])
    with OLD:
        sweeping.sweep()
        checking.check_due_orders()
        checking.check_order(order_id=refused.pk)
    refused.refresh_from_db()
    assert (refused.submission, refused.is_provably_unspent) == (Submission.ACCEPTED, False)


def test_an_order_of_another_account_is_not_cancelled_here(platform: FakePlatform) -> None:
    with OLD:
        order = push(place(), platform)
    with NEW, pytest.raises(TooLate):
        interventions.cancel_at_platform(order_id=order.pk, actor=person("clerk"))


def test_a_control_of_another_account_controls_nothing(unknown: Order, platform: FakePlatform) -> None:
    with NEW:
        accounts.confirm(account_id=accounts.current().pk, actor=person("administrator"))
        control = push(place(1), platform)
        checking.check_order(order_id=control.pk)
    with OLD:
        assert checking._control(unknown) is None


def test_back_under_the_old_account_it_is_asked_about_again(unknown: Order, platform: FakePlatform) -> None:
    with NEW:
        minutes_pass(10)
        sweeping.sweep()
    platform.key = "old"
    with OLD:
        sweeping.sweep()
        minutes_pass(2)
        checking.check_due_orders()
    unknown.refresh_from_db()
    assert (unknown.submission, unknown.marked_as) == (Submission.ACCEPTED, [])
    assert unknown.marks.get().closed_by is None


def test_the_same_account_under_a_new_key_is_declared_and_audited(unknown: Order, platform: FakePlatform) -> None:
    old = Account.objects.get()
    with NEW:
        minutes_pass(10)
        sweeping.sweep()
        new = accounts.current()
        accounts.declare_same(
            account_id=new.pk, other_id=old.pk, actor=person("administrator"), reason="the vendor said so"
        )
        platform.key = "old"  # the very same books
        sweeping.sweep()
        minutes_pass(2)
        checking.check_due_orders()
        assert accounts.is_confirmed()
        with pytest.raises(TooLate):
            accounts.declare_same(account_id=new.pk, other_id=old.pk, actor=person("administrator"), reason="again")
    unknown.refresh_from_db()
    assert (unknown.submission, unknown.marked_as) == (Submission.ACCEPTED, [])
    event = PortalEvent.objects.get(kind=PortalEventKind.ACCOUNT_SAME)
    assert event.actor == person("administrator")
    assert "the vendor said so" in event.note


def test_orders_older_than_accounts_belong_to_the_first_one(unknown: Order, platform: FakePlatform) -> None:
    Order.objects.update(account=None)
    with NEW:
        assert accounts.open_elsewhere() == 1
        assert not Order.objects.filter(accounts.of_current()).exists()
    with OLD:
        assert Order.objects.filter(accounts.of_current()).get() == unknown


def test_who_confirms_confirms_the_account_that_was_shown(unknown: Order) -> None:
    with NEW:
        shown = accounts.current()
        with override_settings(WIKEYUN_STORE_ID="77"), pytest.raises(Outdated):
            accounts.confirm(account_id=shown.pk, actor=person("administrator"))


# --- in the browser -------------------------------------------------------------------------------------------------
def browser(who: str) -> Client:
    client = Client()
    user = person(who)
    user.set_password("correct horse")
    user.save()
    client.force_login(user)
    return client


def test_every_page_says_that_nothing_is_pushed(unknown: Order) -> None:
    client = browser("clerk")
    with OLD:
        assert 'data-banner="account"' not in client.get("/orders/").content.decode()
    with NEW:
        assert 'data-banner="account"' in client.get("/orders/").content.decode()


def test_administrator_confirms_with_the_password_and_sees_what_is_open(unknown: Order) -> None:
    client = browser("administrator")
    with NEW:
        page = client.get("/platform/").content.decode()
        assert 'data-open-elsewhere="1"' in page
        assert 'data-account="unconfirmed"' in page
        seen = accounts.current().pk
        client.post("/platform/confirm/", {"seen": seen, "password": "wrong"})
        assert not accounts.is_confirmed()
        client.post("/platform/confirm/", {"seen": 0, "password": "correct horse"})
        assert not accounts.is_confirmed()
        done = client.post("/platform/confirm/", {"seen": seen, "password": "correct horse"}, follow=True)
        assert 'data-account="confirmed"' in done.content.decode()
        assert accounts.is_confirmed()
    assert PortalEvent.objects.get(kind=PortalEventKind.ACCOUNT_CONFIRMED).actor == person("administrator")


def test_administrator_declares_two_the_same(unknown: Order) -> None:
    client = browser("administrator")
    with NEW:
        data = {"seen": accounts.current().pk, "password": "correct horse", "other": known(Account.objects.first()).pk}
        client.post("/platform/same/", data)
        assert not accounts.is_confirmed(), "a reason is missing"
        client.post("/platform/same/", {**data, "reason": "key renewed"})
        assert accounts.is_confirmed()
        assert accounts.open_elsewhere() == 0


@pytest.mark.parametrize("who", ["clerk", "approver", "auditor", "outsider"])
def test_nobody_else_confirms(unknown: Order, who: str) -> None:
    client = browser(who)
    with NEW:
        seen = accounts.current().pk
        assert client.post("/platform/confirm/", {"seen": seen, "password": "correct horse"}).status_code == 403
        assert client.post("/platform/same/", {"seen": seen, "password": "correct horse"}).status_code == 403
        assert not accounts.is_confirmed()
