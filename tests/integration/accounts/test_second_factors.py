"""Second factors: nothing goes without one that is due, and each is what it says."""

import re
import time
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from portal.accounts import factors, services, tries
from portal.accounts.models import FailedTry
from portal.accounts.password import WRONG_TRIES
from recharge.choices import AlertKind, PortalEventKind
from recharge.models import Alert, PortalEvent
from tests.authenticator import PERIOD, App, code_of
from tests.pages import Page
from tests.people import app_of, person, sign_in_with_factor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("factors_required")]
PASSWORD = "correct horse battery"
SET_UP = "/accounts/factors/"
CHECK = "/accounts/factor/"
OPEN = re.compile(
    r"(healthz|readyz|callback/.*|accounts/(login|logout|outside/.*)/|admin/(login|logout)/|language/setlang/)$"
)


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> list[str]:
    """Return one address for each pattern there is, the administration's too."""
    found = []
    for pattern in (resolver or get_resolver()).url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += addresses(pattern, path)
        elif isinstance(pattern, URLPattern):
            path = re.sub(r"<(?:\w+:)?(\w+)>", "1", path)
            found.append(re.sub(r"\^?\(\?P<url>\.\*\)\$", "nowhere/", path).replace("^", "").replace("$", ""))
    return found


def with_password(name: str) -> User:
    user = person(name)
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, name: str = "approver", *, then: str = "") -> Page:
    return client.post("/accounts/login/", {"username": name, "password": PASSWORD, "next": then}, follow=True)


def is_held_back(client: Client, path: str, step: str) -> bool:
    answers = client.get(path), client.post(path)
    return all(answer.status_code == 302 and answer["Location"].startswith(step) for answer in answers)


@pytest.mark.parametrize(("name", "step"), [("approver", SET_UP), ("administrator", SET_UP), ("with an app", CHECK)])
def test_no_address_answers_without_the_factor_that_is_due(client: Client, name: str, step: str) -> None:
    user = with_password("clerk" if name == "with an app" else name)
    if name == "with an app":
        app_of(user)
    sign_in(client, user.username)
    open_now = {"accounts/factor/"} if step == CHECK else {"accounts/factor/", "accounts/factors/"}
    open_now |= {f"accounts/factors/{way}/" for way in ("app", "passkey") if step == SET_UP}
    found = addresses()
    assert len(found) > 100
    assert any(path.startswith("admin/recharge/") for path in found)
    for path in [*found, "no/such/page/", "admin/no/such/page/"]:
        if not OPEN.match(path) and path not in open_now:
            assert is_held_back(client, f"/{path}", step), path


@pytest.mark.parametrize("name", ["clerk", "auditor", "outsider"])
def test_others_need_none_and_may_have_one(client: Client, name: str) -> None:
    with_password(name)
    sign_in(client, name)
    assert client.get("/sessions/").status_code == 200
    assert client.get(SET_UP).status_code == 200


def test_all_need_one_where_the_shop_says_so(client: Client, settings: LazySettings) -> None:
    settings.MFA_REQUIRED = "all"
    client.force_login(person("clerk"))
    assert is_held_back(client, "/orders/", SET_UP)


def test_whoever_becomes_an_approver_needs_one_at_once(client: Client) -> None:
    client.force_login(person("clerk"))
    assert client.get("/orders/").status_code == 200
    person("clerk").groups.set(person("approver").groups.all())
    assert is_held_back(client, "/orders/", SET_UP)


def test_pages_of_who_is_held_back_show_nothing_of_the_portal(client: Client) -> None:
    with_password("approver")
    page = sign_in(client).content.decode()
    assert "请先设置两步验证" in page
    assert "<header" not in page
    assert 'action="/accounts/logout/"' in page


def secret_on(page: Page) -> str:
    found = re.search(r"data-secret>(\w+)<", page.content.decode())
    assert found
    return found[1]


def test_an_app_is_set_up_and_the_codes_are_shown_once(client: Client) -> None:
    user = with_password("approver")
    sign_in(client, then="/approvals/")
    address = f"{SET_UP}app/"
    secret = secret_on(client.get(address))
    assert secret == secret_on(client.get(address))
    assert secret not in str(dict(client.session.items())), "it stands there encrypted"
    assert "验证码不正确" in client.post(address, {"code": "000000"}).content.decode()
    assert not Authenticator.objects.exists()
    page = client.post(address, {"code": App(secret).code()}, follow=True).content.decode()
    codes = re.findall(r"^(?:.*>)?(\d{4} \d{4})", page, re.MULTILINE)
    assert len(codes) == 10
    assert client.get(f"{SET_UP}codes/")["Location"] == SET_UP
    assert codes[0] not in client.get(SET_UP).content.decode()
    assert client.get("/approvals/").status_code == 200
    stored = str(list(Authenticator.objects.filter(user=user).values_list("data", flat=True)))
    assert secret not in stored
    (event,) = PortalEvent.objects.filter(kind=PortalEventKind.FACTORS)
    assert event.actor == user


def test_the_first_factor_ends_other_sign_ins(client: Client) -> None:
    with_password("clerk")
    other = Client()
    sign_in(other, "clerk")
    sign_in(client, "clerk")
    client.post(f"{SET_UP}app/", {"code": App(secret_on(client.get(f"{SET_UP}app/"))).code()})
    assert other.get("/orders/").status_code == 302
    assert client.get("/orders/").status_code == 200


def test_an_unattended_screen_gets_no_factor_of_somebody_else(client: Client) -> None:
    client.force_login(person("clerk"))
    assert client.get(f"{SET_UP}app/")["Location"].startswith(CHECK)
    assert client.post(f"{SET_UP}app/", {"code": "1"})["Location"].startswith(CHECK)


def test_a_code_is_good_once_in_any_process(client: Client) -> None:
    user = with_password("approver")
    app = app_of(user)
    sign_in(client, then="/approvals/")
    code = app.code()
    response = client.post(CHECK, {"code": code, "next": "/approvals/"})
    assert response["Location"] == "/approvals/"
    assert client.get("/approvals/").status_code == 200
    other = Client()
    sign_in(other)
    assert "已经用过" in other.post(CHECK, {"code": code}).content.decode()
    assert is_held_back(other, "/approvals/", CHECK)
    assert services.accepted(user, app.code()), "the next one is good"


@pytest.mark.parametrize(("half_minutes", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_that_is_a_little_off_does_no_harm(half_minutes: int, good: bool) -> None:
    user = person("approver")
    app = app_of(user)
    code = code_of(app.secret, int(time.time()) // PERIOD + half_minutes)
    assert (services.accepted(user, code) is not None) is good


def test_a_recovery_code_is_good_once(client: Client) -> None:
    user = with_password("approver")
    app_of(user)
    first, second = RecoveryCodes.activate(user).get_unused_codes()[:2]
    for code, good in ((first, True), (first, False), (f"{second[:4]} {second[4:]}", True)):
        sign_in(client)
        client.post(CHECK, {"code": code})
        assert is_held_back(client, "/approvals/", CHECK) is not good


def test_a_factor_shown_before_counts_for_no_new_sign_in(client: Client) -> None:
    user = with_password("approver")
    app_of(user)
    sign_in_with_factor(client, user)
    assert client.get("/approvals/").status_code == 200
    sign_in(client)
    assert is_held_back(client, "/approvals/", CHECK)
    sign_in_with_factor(client, user)
    Authenticator.objects.all().delete()
    sign_in(client)
    assert is_held_back(client, "/approvals/", SET_UP)


def test_too_many_wrong_codes_end_the_sign_in_and_ring(client: Client) -> None:
    app = app_of(with_password("approver"))
    sign_in(client)
    for _ in range(WRONG_TRIES - 1):
        assert client.post(CHECK, {"code": "000000"}).status_code == 200
    assert client.post(CHECK, {"code": "000000"})["Location"] == "/accounts/login/"
    assert Alert.objects.filter(kind=AlertKind.WRONG_PASSWORDS).exists()
    sign_in(client)
    assert "尝试次数过多" in client.post(CHECK, {"code": app.code()}).content.decode(), "the password forgives no code"
    assert is_held_back(client, "/approvals/", CHECK)


@pytest.mark.parametrize("address", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_the_way_back_leads_to_no_other_site(client: Client, address: str) -> None:
    app = app_of(with_password("approver"))
    sign_in(client)
    assert client.post(CHECK, {"code": app.code(), "next": address})["Location"] == "/"


def test_the_last_factor_of_who_must_have_one_stays(client: Client) -> None:
    approver, clerk = person("approver"), person("clerk")
    for user, stays in ((approver, True), (clerk, False)):
        app_of(user)
        RecoveryCodes.activate(user)
        sign_in_with_factor(client, user)
        factor = Authenticator.objects.get(user=user, type="totp")
        client.post(f"{SET_UP}{factor.pk}/remove/")
        assert Authenticator.objects.filter(user=user).exists() is stays
    assert client.get("/orders/").status_code == 200


def test_without_the_last_factor_no_other_sign_in_has_shown_one(client: Client) -> None:
    """Whoever becomes an approver has none, in whatever browser."""
    user = with_password("clerk")
    app = app_of(user)
    other = Client()
    for browser in (client, other):
        sign_in(browser, "clerk")
        browser.post(CHECK, {"code": app.code()})
        assert browser.get("/orders/").status_code == 200
    factor = Authenticator.objects.get(user=user)
    client.post(f"{SET_UP}{factor.pk}/remove/")
    assert client.get("/orders/").status_code == 200
    assert is_held_back(other, "/orders/", "/accounts/login/")
    user.groups.set(person("approver").groups.all())
    assert is_held_back(client, "/orders/", SET_UP)


HALF = '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {%s}}'


@pytest.mark.parametrize(
    "credential",
    [
        *("", "[]", "null", '{"id": "a"}', "[" * 100_000, HALF % "", HALF % '"clientDataJSON": "e30"'),
        HALF % '"clientDataJSON": "e30", "attestationObject": "AA", "authenticatorData": "AA", "signature": "AA"',
        HALF % '"clientDataJSON": 1, "attestationObject": 1, "authenticatorData": 1, "signature": 1',
    ],
)
def test_what_is_no_passkey_is_refused(client: Client, credential: str) -> None:
    user = with_password("approver")
    sign_in(client)
    new = client.post(f"{SET_UP}passkey/", {"credential": credential}, headers={"host": "localhost"})
    app_of(user)
    sign_in(client)
    shown = client.post(CHECK, {"credential": credential})
    assert (new.status_code, shown.status_code) == (200, 200)
    assert not Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).exists()


def test_nobody_removes_the_factor_of_another(client: Client) -> None:
    app_of(person("approver"))
    app_of(person("clerk"))
    sign_in_with_factor(client, person("clerk"))
    factor = Authenticator.objects.get(user=person("approver"))
    assert client.post(f"{SET_UP}{factor.pk}/remove/").status_code == 404
    assert Authenticator.objects.count() == 2


def test_taking_all_factors_away_ends_sign_ins_and_is_written_down(client: Client) -> None:
    user = with_password("approver")
    app_of(user)
    sign_in(client)
    tries.begin(FailedTry.Kind.FACTOR, str(user.pk), "")
    call_command("reset_factors", "approver", stdout=StringIO())
    assert not Authenticator.objects.exists()
    assert not UserSession.objects.exists()
    assert client.get("/approvals/")["Location"].startswith("/accounts/login/")
    assert not FailedTry.objects.filter(kind=FailedTry.Kind.FACTOR).exists()
    (event,) = PortalEvent.objects.filter(kind=PortalEventKind.FACTORS)
    assert event.actor is None
    assert "approver" in event.note
    sign_in(client)
    assert is_held_back(client, "/approvals/", SET_UP)
    with pytest.raises(CommandError):
        call_command("reset_factors", "nobody")


def test_secrets_are_written_anew_with_the_newest_key(settings: LazySettings) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.FIELD_ENCRYPTION_KEYS = [old]
    user = person("approver")
    app, codes = app_of(user), RecoveryCodes.activate(user).get_unused_codes()
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    call_command("rotate_field_keys", stdout=StringIO())
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert services.accepted(user, app.code())
    assert services.accepted(user, codes[0])


@pytest.mark.parametrize("path", ["account/emailaddress/", "mfa/authenticator/", "usersessions/usersession/"])
def test_the_administration_has_no_page_of_factors(client: Client, path: str) -> None:
    root = User.objects.create_superuser("root")
    app_of(root)
    sign_in_with_factor(client, root)
    assert client.get("/admin/").status_code == 200
    assert client.get(f"/admin/{path}").status_code == 404


def test_a_passkey_is_offered_where_browsers_make_one(client: Client) -> None:
    client.force_login(person("clerk"))
    for host, offered in (("localhost:8000", True), ("127.0.0.1:8000", False), ("testserver", False)):
        page = client.get(SET_UP, headers={"host": host}).content.decode()
        assert (f"{SET_UP}passkey/" in page) is offered, host


def test_the_powers_that_need_a_factor_are_those_of_approvers_and_administrators() -> None:
    needs = {name: factors.is_required_of(person(name)) for name in ("clerk", "auditor", "outsider", "approver")}
    assert needs == {"clerk": False, "auditor": False, "outsider": False, "approver": True}
    administrator = person("administrator")
    administrator.is_staff = False
    assert factors.is_required_of(administrator)
