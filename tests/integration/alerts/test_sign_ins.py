"""It rings for sign-ins from a browser that is new for somebody, and for several wrong passwords."""

import datetime as dt

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client, override_settings

from portal.accounts.models import FailedTry
from portal.accounts.services import require_new_password
from recharge.alerts.services.ringing import acknowledge
from recharge.choices import AlertKind
from recharge.models import Alert, KnownDevice
from tests.authenticator import App
from tests.people import app_of

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("lin", password=PASSWORD, first_name="娜", last_name="林")


def sign_in(client: Client, password: str = PASSWORD, *, name: str = "lin") -> None:
    client.post("/accounts/login/", {"username": name, "password": password})


def rung(kind: AlertKind) -> list[Alert]:
    return list(Alert.objects.filter(kind=kind))


def test_the_first_browser_is_no_news_and_a_second_one_rings_once(user: User) -> None:
    first, second = Client(), Client()
    sign_in(first)
    sign_in(first)
    assert rung(AlertKind.NEW_DEVICE) == []
    sign_in(second)
    first.post("/accounts/logout/")
    sign_in(second)
    sign_in(first)
    (alert,) = rung(AlertKind.NEW_DEVICE)
    assert "林娜" in alert.data.values()
    assert KnownDevice.objects.filter(user=user).count() == 2


def test_who_reads_english_rings_in_the_language_of_the_portal(user: User) -> None:
    for passwords in ([PASSWORD], [PASSWORD, *["wrong"] * 5]):
        client = Client()
        client.cookies["django_language"] = "en"
        for password in passwords:
            sign_in(client, password)
    told = [set(alert.data) for kind in (AlertKind.NEW_DEVICE, AlertKind.WRONG_PASSWORDS) for alert in rung(kind)]
    assert told == [{"人员"}, {"人员", "次数"}]


@pytest.fixture
def known_at_work(user: User) -> App:
    """Somebody who has a second factor, and was let in elsewhere before."""
    KnownDevice.objects.create(user=user, token="at work")
    return app_of(user)


def test_the_password_alone_rings_and_makes_no_browser_known(user: User, known_at_work: App) -> None:
    client = Client()
    sign_in(client)
    (alert,) = rung(AlertKind.NEW_DEVICE)
    assert alert.data == {"人员": "林娜", "登录": "已开始，尚未完成"}
    assert KnownDevice.objects.filter(user=user).count() == 1
    acknowledge(alert_id=alert.pk, actor=user, words="mistyped")
    sign_in(client)
    assert len(rung(AlertKind.NEW_DEVICE)) == 2, "it is as new as before"


def test_with_the_factor_the_browser_is_known_and_the_alert_says_so(user: User, known_at_work: App) -> None:
    client = Client()
    sign_in(client)
    client.post("/accounts/factor/", {"code": "000000"})
    assert KnownDevice.objects.filter(user=user).count() == 1
    client.post("/accounts/factor/", {"code": known_at_work.code()})
    (alert,) = rung(AlertKind.NEW_DEVICE)
    assert alert.data == {"人员": "林娜"}
    assert KnownDevice.objects.filter(user=user).count() == 2
    acknowledge(alert_id=alert.pk, actor=user, words="it was me")
    client.post("/accounts/logout/")
    sign_in(client)
    client.get("/accounts/factor/")
    assert len(rung(AlertKind.NEW_DEVICE)) == 1


@pytest.mark.parametrize("due", ["password", "factor"])
def test_who_has_yet_to_choose_a_password_or_to_set_a_factor_up_is_not_let_in(
    user: User, due: str, settings: LazySettings
) -> None:
    KnownDevice.objects.create(user=user, token="at work")
    settings.MFA_REQUIRED = "all" if due == "factor" else "none"
    if due == "password":
        require_new_password(user)
    client = Client()
    sign_in(client)
    assert ["登录" in alert.data for alert in rung(AlertKind.NEW_DEVICE)] == [True]
    assert KnownDevice.objects.filter(user=user).count() == 1
    if due == "password":
        new = "quite another battery"
        said = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        client.post("/accounts/password_change/", said)
    else:
        secret = client.get("/accounts/factors/app/").context["secret"]
        client.post("/accounts/factors/app/", {"code": App(secret).code()})
    assert ["登录" in alert.data for alert in rung(AlertKind.NEW_DEVICE)] == [False]
    assert KnownDevice.objects.filter(user=user).count() == 2


def test_a_browser_that_another_person_uses_is_new_for_this_one(user: User) -> None:
    User.objects.create_user("wu", password=PASSWORD)
    sign_in(Client())
    shared = Client()
    sign_in(shared, name="wu")
    sign_in(shared)
    assert [alert.key.split()[0] for alert in rung(AlertKind.NEW_DEVICE)] == [str(user.pk)]


def test_the_cookie_is_for_the_server_alone_and_stays(user: User) -> None:
    client = Client()
    sign_in(client)
    cookie = client.cookies["device"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] > 300 * 24 * 3600
    assert not KnownDevice.objects.filter(token__contains=cookie.value).exists(), "only its hash is kept"


def test_several_wrong_passwords_ring_once(user: User) -> None:
    client = Client()
    for _time in range(4):
        sign_in(client, "wrong")
    assert rung(AlertKind.WRONG_PASSWORDS) == []
    for _time in range(3):
        sign_in(client, "wrong")
    (alert,) = rung(AlertKind.WRONG_PASSWORDS)
    assert alert.key == str(user.pk)
    assert "wrong" not in str(alert.data)


def test_a_right_one_in_between_and_old_ones_do_not_count(user: User) -> None:
    client = Client()
    for _time in range(4):
        sign_in(client, "wrong")
    sign_in(client)
    assert not FailedTry.objects.exists()
    for _time in range(4):
        sign_in(client, "wrong")
    FailedTry.objects.update(at=F("at") - dt.timedelta(minutes=16))
    sign_in(client, "wrong")
    assert rung(AlertKind.WRONG_PASSWORDS) == []
    FailedTry.objects.update(at=F("at") - dt.timedelta(days=1))
    sign_in(client, "wrong")
    assert FailedTry.objects.count() == 1


def test_a_name_that_nobody_has_rings_nothing_and_stands_nowhere_in_clear(user: User) -> None:
    for _time in range(6):
        sign_in(Client(), "wrong", name="hunter2, typed into the wrong field")
    assert "hunter2" not in str(list(FailedTry.objects.values()))
    assert not Alert.objects.exists()


@override_settings(ALERT_WRONG_PASSWORDS=0)
def test_nothing_rings_where_it_is_switched_off(user: User) -> None:
    for _time in range(9):
        sign_in(Client(), "wrong")
    assert rung(AlertKind.WRONG_PASSWORDS) == []
