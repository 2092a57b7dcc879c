"""Signing in by an account at DingTalk, Feishu or an OpenID Connect server: it stands for the password, no more."""

import datetime as dt
import html
import io
import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from portal.accounts import tries
from portal.accounts.models import DuePassword, MatchedIdentity, UnmatchedIdentity
from portal.accounts.outside import connecting, exchange, services
from portal.accounts.outside.exchange import Identity
from recharge.choices import AlertKind
from recharge.core.errors import NotYours, TooLate
from recharge.models import AccountChange, Alert, PortalEvent
from recharge.staff.services import changes
from tests.dumps import dump, found_in
from tests.identity_providers import CLIENT, CODE, SECRET, TOKEN, IdentityProvider
from tests.known import known
from tests.pages import Page, confirm
from tests.people import app_of, person, sign_in_with_factor
from tests.receivers import serving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
PROVIDERS = ("dingtalk", "feishu", "oidc")
PASSWORD = "a-long-enough-password"
KEYS = {"dingtalk": "open-7", "feishu": "ou_7", "oidc": "7"}


@pytest.fixture
def server() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    with serving(provider.server):
        yield provider
        provider.let_go.set()


@pytest.fixture
def provider(server: IdentityProvider, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> IdentityProvider:
    """All three, switched on, with their addresses on this machine."""
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = server.address, CLIENT, SECRET
    settings.OIDC_NAME = "公司账号"
    settings.DINGTALK_APP_KEY, settings.DINGTALK_APP_SECRET = CLIENT, SECRET
    settings.FEISHU_APP_ID, settings.FEISHU_APP_SECRET = CLIENT, SECRET
    for adapter in (exchange.DingTalk, exchange.Feishu, exchange.FeishuClient):
        for name in dir(adapter):
            if name.endswith("_url") and isinstance(getattr(adapter, name), str):
                path = getattr(adapter, name).split("/", 3)[3]
                monkeypatch.setattr(adapter, name, f"{server.address}/{path}")
    return server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "WAIT", 0.4)
    monkeypatch.setattr(connecting, "IN_ALL", 0.8)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What stands in the log, of all that there may be."""
    root = logging.getLogger()
    console = next(handler for handler in root.handlers if handler.name == "console")
    lines, before = io.StringIO(), root.level
    monkeypatch.setattr(console, "stream", lines)
    root.setLevel(logging.DEBUG)
    yield lines
    root.setLevel(before)


def begin(client: Client, provider: str = "oidc", **said: str) -> str:
    """Press the button; return the address at the provider."""
    page = client.post(f"/accounts/outside/{provider}/", said)
    assert page.status_code == 200, page.content.decode()
    found = known(re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.content.decode()))
    return html.unescape(found[1])


def come_back(client: Client, state: str, provider: str = "oidc", **said: str) -> Page:
    code = "authCode" if provider == "dingtalk" else "code"
    return client.get(f"/accounts/outside/{provider}/back/", {code: CODE, "state": state, **said})


def sign_in(client: Client, server: IdentityProvider, provider: str = "oidc", **said: str) -> Page:
    """Go to the provider and come back with what it says."""
    return come_back(client, server.visited(begin(client, provider, **said)), provider)


def identity(provider: str = "oidc", key: str = "") -> Identity:
    return exchange.identity(provider, key or KEYS[provider], "王小明")


def matched(user: User, provider: str = "oidc") -> User:
    found = identity(provider)
    services.match(user, source=found.source, key=found.key, name=found.name)
    return user


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def failures() -> list[tuple[str, Any]]:
    return [(event.about, event.details) for event in PortalEvent.objects.filter(kind="SIGN_IN_FAILED")]


class TestOffByDefault:
    @pytest.mark.parametrize("provider", [*PROVIDERS, "github", "openid_connect"])
    def test_there_is_no_button_and_no_address(self, client: Client, provider: str) -> None:
        assert "data-outside" not in client.get("/accounts/login/").content.decode()
        assert client.post(f"/accounts/outside/{provider}/").status_code == 404
        assert client.get(f"/accounts/outside/{provider}/back/?code=x&state=y").status_code == 404

    @pytest.mark.parametrize("missing", ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"])
    def test_nor_where_a_setting_is_missing(
        self, client: Client, provider: IdentityProvider, settings: LazySettings, missing: str
    ) -> None:
        setattr(settings, missing, "")
        page = client.get("/accounts/login/").content.decode()
        assert re.findall(r'data-outside="(\w+)"', page) == ["dingtalk", "feishu"]
        assert client.post("/accounts/outside/oidc/").status_code == 404

    def test_nor_anything_of_it_in_the_administration(self, provider: IdentityProvider, settings: LazySettings) -> None:
        client = administrator()
        assert "matchedidentity" in client.get("/admin/").content.decode()
        for name in ("DINGTALK_APP_KEY", "FEISHU_APP_ID", "OIDC_ISSUER"):
            setattr(settings, name, "")
        assert "matchedidentity" not in client.get("/admin/").content.decode()

    def test_a_row_in_the_database_switches_nothing_on(self, client: Client) -> None:
        SocialApp.objects.create(provider="dingtalk", client_id="x", secret="y")
        assert client.post("/accounts/outside/dingtalk/").status_code == 404

    @pytest.mark.parametrize("path", ["signup/", "connections/", "login/cancelled/", "login/error/"])
    def test_none_of_the_pages_of_allauth_is_there(self, client: Client, provider: IdentityProvider, path: str) -> None:
        client.force_login(person("clerk"))
        for prefix in ("/accounts/social/", "/accounts/3rdparty/", "/accounts/"):
            assert client.get(f"{prefix}{path}").status_code == 404


@pytest.mark.parametrize("name", PROVIDERS)
class TestAtEachProvider:
    def test_who_is_matched_with_nobody_stays_outside(
        self, client: Client, provider: IdentityProvider, name: str
    ) -> None:
        User.objects.create_user("wang", email="wang@example.com")
        provider.claims |= {"email": "wang@example.com", "email_verified": True, "preferred_username": "wang"}
        before = User.objects.count()
        for times in (1, 2):
            page = sign_in(client, provider, name)
            assert page.status_code == 403
            row = UnmatchedIdentity.objects.get()
            found = identity(name)
            assert (row.source, row.key, row.name, row.times) == (found.source, found.key, "王小明", times)
        text = page.content.decode()
        assert "尚未关联用户" in text
        assert services.code_of(found.source, found.key) in text
        assert not is_in(client)
        assert (User.objects.count(), SocialAccount.objects.count()) == (before, 0)
        assert failures()[-1] == ("", {"way": found.source, "why": "unmatched"})

    def test_who_is_matched_is_signed_in_and_goes_where_he_wanted(
        self, client: Client, provider: IdentityProvider, name: str
    ) -> None:
        user = matched(person("clerk"), name)
        page = sign_in(client, provider, name, next="/orders/new/")
        assert (page.status_code, page["Location"]) == (302, "/orders/new/")
        assert client.session["_auth_user_id"] == str(user.pk)
        assert client.get("/orders/").status_code == 200
        event = known(PortalEvent.objects.filter(kind="SIGNED_IN").last())
        assert (event.actor, event.details) == (user, {"way": identity(name).source})
        assert UserSession.objects.filter(user=user).count() == 1
        assert not UnmatchedIdentity.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_no_token_and_no_secret_is_kept(
        self, client: Client, provider: IdentityProvider, name: str, tmp_path: Path, log: io.StringIO
    ) -> None:
        sign_in(client, provider, name)
        matched(User.objects.create_user("clerk"), name)
        page = sign_in(client, provider, name)
        assert is_in(client)
        secrets = [TOKEN, SECRET, CODE]
        assert not found_in(dump(tmp_path), secrets)
        assert "connectionpool" in log.getvalue()
        assert not found_in(log.getvalue().encode(), secrets)
        assert not found_in(page.content + str(client.cookies).encode(), secrets)
        assert not SocialToken.objects.exists()
        assert known(MatchedIdentity.objects.get()).extra_data == {"name": "王小明"}

    def test_a_provider_that_is_down_ends_on_a_page(
        self, client: Client, provider: IdentityProvider, name: str, request: pytest.FixtureRequest
    ) -> None:
        matched(person("clerk"), name)
        state = provider.visited(begin(client, name))
        request.getfixturevalue("impatient")
        provider.hangs.set()
        since = time.monotonic()
        page = come_back(client, state, name)
        assert time.monotonic() - since < 5
        assert page.status_code == 503
        assert "无法连接" in page.content.decode()
        assert not is_in(client)
        assert failures() == [("", {"way": name, "why": "unreachable"})]

    @pytest.mark.parametrize("garbage", [b"<html>", b"[]", b'"x"', b"null", b"{}", b"\xff" * 9, b"[" * 9999, 302, 400])
    def test_garbage_ends_on_a_page(
        self, client: Client, provider: IdentityProvider, name: str, garbage: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        matched(person("clerk"), name)
        paths = {
            "oidc": ("/token", "/keys", "/.well-known/openid-configuration"),
            "dingtalk": ("/v1.0/oauth2/userAccessToken", "/v1.0/contact/users/me"),
            "feishu": (
                "/open-apis/auth/v3/app_access_token/internal/",
                "/open-apis/authen/v1/access_token",
                "/open-apis/authen/v1/user_info",
            ),
        }
        for path in paths[name]:
            provider.answers = {}
            state = provider.visited(begin(client, name))
            provider.answers = {path: garbage}
            page = come_back(client, state, name)
            assert page.status_code == 503, path
            assert "没有确认您的身份" in page.content.decode(), path
            assert not is_in(client), path
        assert TOKEN not in caplog.text
        assert "/elsewhere" not in {path for path, _said in provider.asked}
        assert not UnmatchedIdentity.objects.exists()

    def test_an_answer_without_a_key_is_none(self, client: Client, provider: IdentityProvider, name: str) -> None:
        for key in (None, "", " ", "a\x00b", "7" * 192, 7, ["7"], {"7": 7}):
            provider.claims = {"sub": key, "name": "x"}
            provider.answers = {
                "/v1.0/contact/users/me": {"openId": key, "nick": "x"},
                "/open-apis/authen/v1/user_info": {"code": 0, "data": {"open_id": key, "name": "x"}},
            }
            try:
                page = sign_in(client, provider, name)
            except TypeError:
                assert name == "oidc", "no server makes such an ID token"
                continue
            assert page.status_code == 503, key
        assert not UnmatchedIdentity.objects.exists()

    def test_the_provider_knows_only_the_one_address_to_send_back_to(
        self, client: Client, provider: IdentityProvider, name: str, settings: LazySettings
    ) -> None:
        settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://portal.example.com", ["*"]
        page = client.post(f"/accounts/outside/{name}/", headers={"host": "evil.example"})
        text = html.unescape(page.content.decode())
        assert f"redirect_uri=https%3A%2F%2Fportal.example.com%2Faccounts%2Foutside%2F{name}%2Fback%2F" in text
        assert "redirect_uri=https%3A%2F%2Fevil" not in text


class TestWhatTheirDocumentsWant:
    def test_dingtalk_is_asked_for_the_person_alone_and_each_time(
        self, client: Client, provider: IdentityProvider
    ) -> None:
        asked = dict(parse_qsl(urlsplit(begin(client, "dingtalk")).query))
        assert (asked["scope"], asked["prompt"], asked["response_type"]) == ("openid", "consent", "code")
        sign_in(client, provider, "dingtalk")
        said = dict(provider.asked)["/v1.0/oauth2/userAccessToken"]
        assert said == {"clientId": CLIENT, "clientSecret": SECRET, "code": CODE, "grantType": "authorization_code"}
        assert provider.headers[-1]["x-acs-dingtalk-access-token"] == TOKEN

    def test_feishu_is_asked_by_json(self, client: Client, provider: IdentityProvider) -> None:
        assert dict(parse_qsl(urlsplit(begin(client, "feishu")).query))["app_id"] == CLIENT
        sign_in(client, provider, "feishu")
        (app, said), (person, _code), _last = provider.asked
        assert (app, said) == (
            *("/open-apis/auth/v3/app_access_token/internal/", {"app_id": CLIENT, "app_secret": SECRET}),
        )
        assert [headers["Content-Type"] for headers in provider.headers[:2]] == ["application/json"] * 2
        assert person == "/open-apis/authen/v1/access_token"
        assert provider.headers[-1]["Authorization"] == f"Bearer {TOKEN}"


class TestWhatTheBrowserBringsBack:
    def test_somebody_who_breaks_off_reads_so(self, client: Client, provider: IdentityProvider) -> None:
        state = provider.visited(begin(client))
        asked = len(provider.asked)
        page = client.get("/accounts/outside/oidc/back/", {"error": "access_denied", "state": state})
        assert page.status_code == 200
        assert "您取消了登录" in page.content.decode()
        assert len(provider.asked) == asked
        assert not is_in(client)

    @pytest.mark.parametrize("error", ["server_error", "<script>", ""])
    def test_another_failure_at_the_provider_is_one(
        self, client: Client, provider: IdentityProvider, error: str
    ) -> None:
        state = provider.visited(begin(client))
        page = client.get("/accounts/outside/oidc/back/", {"error": error, "state": state})
        assert page.status_code == 503
        assert "<script>" not in page.content.decode()

    @pytest.mark.parametrize("state", ["", "x", "\udcff", "é"])
    def test_another_state_is_refused_before_anything_is_asked(
        self, client: Client, provider: IdentityProvider, state: str
    ) -> None:
        matched(person("clerk"))
        provider.visited(begin(client))
        asked = len(provider.asked)
        page = come_back(client, state.encode("utf-8", "replace").decode())
        assert page.status_code == 400
        assert "已失效" in page.content.decode()
        assert len(provider.asked) == asked
        assert not is_in(client)

    def test_another_browser_is_refused(self, client: Client, provider: IdentityProvider) -> None:
        """Else somebody could have another one sign in as him, and read what that one types."""
        matched(person("clerk"))
        state = provider.visited(begin(client))
        other = Client()
        assert come_back(other, state).status_code == 400
        assert not is_in(other)

    def test_a_ticket_is_good_once(self, client: Client, provider: IdentityProvider) -> None:
        matched(person("clerk"))
        state = provider.visited(begin(client))
        assert come_back(client, state).status_code == 302
        client.post("/accounts/logout/")
        assert come_back(client, state).status_code == 400
        assert not is_in(client)

    def test_a_ticket_of_one_provider_is_none_of_another(self, client: Client, provider: IdentityProvider) -> None:
        matched(person("clerk"), "dingtalk")
        state = provider.visited(begin(client, "oidc"))
        assert come_back(client, state, "dingtalk").status_code == 400
        assert not is_in(client)

    def test_a_ticket_that_somebody_changed_is_none(self, client: Client, provider: IdentityProvider) -> None:
        state = provider.visited(begin(client))
        client.cookies["outside"].set("outside", "x" + client.cookies["outside"].value, "x")
        assert come_back(client, state).status_code == 400

    @pytest.mark.parametrize(
        "to", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/" + "x" * 4000]
    )
    def test_nobody_is_led_elsewhere_afterwards(self, client: Client, provider: IdentityProvider, to: str) -> None:
        matched(person("clerk"))
        assert sign_in(client, provider, next=to)["Location"] == "/"

    def test_a_forged_form_begins_nothing(self, provider: IdentityProvider) -> None:
        strict = Client(enforce_csrf_checks=True)
        assert strict.post("/accounts/outside/oidc/").status_code == 403
        assert strict.get("/accounts/outside/oidc/").status_code == 405
        assert not provider.asked

    def test_whoever_is_signed_in_takes_no_account_for_himself(
        self, client: Client, provider: IdentityProvider
    ) -> None:
        """allauth lets people connect accounts themselves; here two administrators do."""
        client.force_login(person("clerk"))
        page = sign_in(client, provider, process="connect")
        assert page.status_code == 403
        page = client.post("/accounts/outside/oidc/?process=connect")
        assert come_back(client, provider.visited(begin(client))).status_code == 403
        assert not SocialAccount.objects.exists()


class TestTheIdToken:
    """Whoever has the token of another portal, or makes one, is nobody here."""

    @pytest.mark.parametrize(
        "news",
        [
            {"nonce": "another"},
            {"nonce": None},
            {"aud": "another portal"},
            {"aud": ["another portal", "a third"]},
            {"azp": "another portal"},
            {"iss": "https://evil.example"},
            {"exp": 1_000_000_000},
            {"exp": None},
            {"iat": None},
            {"sub": None},
        ],
        ids=str,
    )
    def test_one_that_is_for_somebody_else_is_refused(
        self, client: Client, provider: IdentityProvider, news: dict[str, Any]
    ) -> None:
        matched(person("clerk"))
        state = provider.visited(begin(client))
        provider.answers["/token"] = {"access_token": TOKEN, "id_token": provider.id_token(**news)}
        assert come_back(client, state).status_code == 503
        assert not is_in(client)

    @pytest.mark.parametrize("how", ["another key", "HS256", "none", "missing"])
    def test_one_that_the_server_did_not_sign_is_refused(
        self, client: Client, provider: IdentityProvider, how: str
    ) -> None:
        matched(person("clerk"))
        state = provider.visited(begin(client))
        if how == "another key":
            provider.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        elif how == "HS256":
            provider.algorithm = how
        token = _unsigned(provider) if how == "none" else provider.id_token()
        provider.answers["/token"] = {"access_token": TOKEN, **({} if how == "missing" else {"id_token": token})}
        assert come_back(client, state).status_code == 503
        assert not is_in(client)

    def test_a_name_comes_from_the_server_only_for_the_same_person(
        self, client: Client, provider: IdentityProvider
    ) -> None:
        provider.claims = {"sub": "7"}
        assert sign_in(client, provider).status_code == 403
        assert UnmatchedIdentity.objects.get().name == "王小明"
        provider.answers["/userinfo"] = {"sub": "8", "name": "李"}
        assert sign_in(client, provider).status_code == 503

    def test_a_server_that_calls_itself_otherwise_is_not_asked(
        self, client: Client, provider: IdentityProvider
    ) -> None:
        good = provider._answer("/.well-known/openid-configuration", {})
        for news in (
            {"issuer": "https://evil.example"},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"token_endpoint": "ftp://x/"},
        ):
            provider.answers["/.well-known/openid-configuration"] = {**good, **news}
            assert client.post("/accounts/outside/oidc/").status_code == 503

    def test_the_same_number_at_another_server_is_somebody_else(
        self, client: Client, provider: IdentityProvider, settings: LazySettings
    ) -> None:
        settings.OIDC_ISSUER = "https://former.example.com"
        matched(person("clerk"))
        settings.OIDC_ISSUER = provider.address
        assert sign_in(client, provider).status_code == 403
        assert not is_in(client)

    def test_the_verifier_of_pkce_is_sent(self, client: Client, provider: IdentityProvider) -> None:
        address = begin(client)
        assert "code_challenge_method=S256" in address
        come_back(client, provider.visited(address))
        assert any(said.get("code_verifier") for path, said in provider.asked if path == "/token")


def _unsigned(provider: IdentityProvider) -> str:
    head, body, _signature = provider.id_token().split(".")
    return f"eyJhbGciOiJub25lIiwia2lkIjoiMSJ9.{body}." if head else ""


class TestSlowProviders:
    @pytest.mark.usefixtures("impatient")
    def test_the_button_answers_while_the_server_hangs(self, client: Client, provider: IdentityProvider) -> None:
        provider.hangs.set()
        since = time.monotonic()
        page = client.post("/accounts/outside/oidc/")
        assert (page.status_code, time.monotonic() - since < 5) == (503, True)

    def test_only_few_wait_at_once(self, client: Client, provider: IdentityProvider) -> None:
        taken = [connecting._free.acquire(blocking=False) for _ in range(connecting.AT_ONCE)]
        try:
            assert client.post("/accounts/outside/oidc/").status_code == 503
            assert not provider.asked
        finally:
            for _ in filter(None, taken):
                connecting._free.release()

    def test_an_endless_answer_is_cut_off(self, client: Client, provider: IdentityProvider) -> None:
        known = json.dumps(provider._answer("/.well-known/openid-configuration", {})).encode()
        for spaces, status in ((9, 200), (connecting.LONGEST_ANSWER, 503)):
            provider.answers["/.well-known/openid-configuration"] = known + b" " * spaces
            assert client.post("/accounts/outside/oidc/").status_code == status

    @pytest.mark.usefixtures("impatient")
    def test_an_answer_that_drips_is_not_waited_for(self, client: Client, provider: IdentityProvider) -> None:
        """Each piece comes in time; the whole never does."""
        provider.drips.set()
        since = time.monotonic()
        assert client.post("/accounts/outside/oidc/").status_code == 503
        assert time.monotonic() - since < 5
        provider.let_go.set()

    def test_whoever_fails_all_the_time_does_not_fill_the_history(
        self, client: Client, provider: IdentityProvider
    ) -> None:
        for _ in range(tries.FREE_BY_ADDRESS + 5):
            client.get("/accounts/outside/oidc/back/?state=x")
        assert len(failures()) == tries.FREE_BY_ADDRESS
        person("clerk").set_password(PASSWORD)
        page = client.post("/accounts/login/", {"username": "clerk", "password": "wrong"})
        assert "尝试" not in page.content.decode(), "passwords are not slowed by it"


class TestTheGate:
    @pytest.mark.usefixtures("factors_required")
    def test_the_second_factor_is_still_due(self, client: Client, provider: IdentityProvider) -> None:
        user = matched(person("approver"))
        app = app_of(user)
        sign_in(client, provider)
        assert client.get("/approvals/")["Location"].startswith("/accounts/factor/")
        client.post("/accounts/factor/", {"code": app.code()})
        assert client.get("/approvals/").status_code == 200

    @pytest.mark.usefixtures("factors_required")
    def test_who_has_no_factor_yet_sets_it_up_by_the_password(self, client: Client, provider: IdentityProvider) -> None:
        user = matched(person("approver"))
        user.set_password(PASSWORD)
        user.save()
        sign_in(client, provider)
        assert client.get("/approvals/")["Location"].startswith("/accounts/factors/")
        assert client.get("/accounts/factors/app/")["Location"].startswith("/accounts/factor/?")
        client.post("/accounts/factor/", {"password": PASSWORD, "next": "/accounts/factors/app/"})
        assert client.get("/accounts/factors/app/").status_code == 200

    def test_it_does_not_count_as_a_password_that_was_typed(self, client: Client, provider: IdentityProvider) -> None:
        matched(person("clerk"))
        sign_in(client, provider)
        assert "password_typed_at" not in client.session

    def test_a_password_that_another_has_set_does_not_matter(self, client: Client, provider: IdentityProvider) -> None:
        user = matched(person("clerk"))
        DuePassword.objects.create(user=user)
        sign_in(client, provider)
        assert client.get("/orders/").status_code == 200
        user.set_password(PASSWORD)
        user.save()
        other = Client()
        other.post("/accounts/login/", {"username": "clerk", "password": PASSWORD})
        assert other.get("/orders/")["Location"].startswith("/accounts/password_change/")

    def test_who_may_not_sign_in_reads_what_strangers_read(self, client: Client, provider: IdentityProvider) -> None:
        strange = sign_in(client, provider).content.decode()
        UnmatchedIdentity.objects.all().delete()
        user = matched(person("clerk"))
        User.objects.update(is_active=False)
        page = sign_in(client, provider)
        assert page.status_code == 403
        assert _without_tokens(page.content.decode()) == _without_tokens(strange)
        assert not is_in(client)
        assert failures()[-1] == (f"user:{user.pk}", {"way": identity().source, "why": "inactive"})
        assert not UnmatchedIdentity.objects.exists()

    def test_another_person_in_the_same_browser_begins_anew(self, client: Client, provider: IdentityProvider) -> None:
        sign_in_with_factor(client, person("approver"))
        user = matched(person("clerk"))
        sign_in(client, provider)
        assert client.session["_auth_user_id"] == str(user.pk)
        assert "factor_shown_at" not in client.session

    def test_half_a_sign_in_does_not_keep_from_another_one(self, client: Client, provider: IdentityProvider) -> None:
        client.force_login(person("approver"))
        session = client.session
        session["factor_due"] = True
        session.save()
        user = matched(person("clerk"))
        assert sign_in(client, provider).status_code == 302
        assert client.session["_auth_user_id"] == str(user.pk)

    def test_a_new_device_rings(self, provider: IdentityProvider) -> None:
        matched(person("clerk"))
        first, second = Client(), Client()
        for client in (first, first, second):
            sign_in(client, provider)
        assert Alert.objects.filter(kind=AlertKind.NEW_DEVICE).count() == 1
        assert second.cookies["device"]["httponly"]

    def test_what_was_typed_comes_back(self, client: Client, provider: IdentityProvider) -> None:
        user = matched(person("clerk"))
        sign_in(client, provider)
        session = client.session
        session["signed_in_at"] -= 13 * 3600
        session.save()
        page = client.post("/orders/new/", {"mobile": "13800138000", "face_value": 50})
        assert page["Location"].startswith("/accounts/login/?next=")
        again = sign_in(client, provider, next="/orders/new/")
        assert again["Location"] == "/orders/new/"
        assert "13800138000" in client.get("/orders/new/").content.decode()
        assert client.session["_auth_user_id"] == str(user.pk)


def _without_tokens(page: str) -> str:
    return re.sub(r'value="\w{64}"', "", page)


class TestUnmatchedOnes:
    def test_a_flood_does_not_fill_the_table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "MOST_UNMATCHED", 3)
        for number in range(3):
            services.note_unmatched(identity(key=f"n{number}"))
            last = timezone.now() - dt.timedelta(days=9 - number)
            UnmatchedIdentity.objects.filter(key=f"n{number}").update(last_seen=last)
        services.note_unmatched(identity(key="n0"))
        services.note_unmatched(identity(key="n9"))
        assert {row.key for row in UnmatchedIdentity.objects.all()} == {"n0", "n2", "n9"}, "n1 was seen longest ago"

    def test_names_of_strangers_are_shown_with_what_is_unseen(self, client: Client, provider: IdentityProvider) -> None:
        provider.claims |= {"name": "<b>王</b>\u202e" + "x" * 500}
        page = sign_in(client, provider)
        assert "<b>王" not in page.content.decode()
        assert len(UnmatchedIdentity.objects.get().name) <= 100


# --- matching -----------------------------------------------------------------------------------------------


def administrator(name: str = "administrator") -> Client:
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    user.groups.set(person("administrator").groups.all())
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    client.post("/accounts/login/", {"username": name, "password": PASSWORD})
    return client


def unmatched() -> UnmatchedIdentity:
    services.note_unmatched(identity())
    return UnmatchedIdentity.objects.get()


def ask(client: Client, row: UnmatchedIdentity, whose: User, **news: object) -> Page:
    said = {"user": whose.pk, "code": services.code_of(row.source, row.key), "reason": "当面核对", **news}
    return client.post(f"/admin/accounts/unmatchedidentity/{row.pk}/change/", said, follow=True)


class TestMatching:
    @pytest.mark.parametrize("name", ["clerk", "approver", "auditor"])
    def test_it_takes_two_administrators(self, client: Client, provider: IdentityProvider, name: str) -> None:
        user, row = person(name), unmatched()
        page = ask(administrator(), row, user)
        assert "尚未生效" in page.content.decode()
        assert not SocialAccount.objects.exists()
        assert sign_in(client, provider).status_code == 403
        change = AccountChange.objects.get()
        assert (change.kind, change.user) == ("IDENTITY", user)
        shown = administrator("second").get(f"/accounts/changes/{change.pk}/").content.decode()
        assert "王小明" in shown
        assert "公司账号" in shown
        confirm(administrator("second"), f"/accounts/changes/{change.pk}/", decision="approve", reason="见过面")
        assert SocialAccount.objects.get().user == user
        assert not UnmatchedIdentity.objects.exists()
        assert sign_in(client, provider).status_code == 302
        told = known(known(PortalEvent.objects.filter(kind="CHANGE_CONFIRMED").last()).details)
        assert told["identity"] == [identity().source, "王小明", "7"]
        client.force_login(person("auditor"))
        assert "王小明" in client.get("/audit/?kind=CHANGE_CONFIRMED").content.decode()

    def test_nobody_confirms_his_own_wish_nor_what_is_about_him(self) -> None:
        asker, row = person("administrator"), unmatched()
        second = User.objects.get(pk=administrator("second").session["_auth_user_id"])
        change = changes.ask_for_identity(user=second, identity=row, reason="x", actor=asker)
        for actor in (asker, second):
            with pytest.raises(NotYours):
                changes.confirm(change_id=change.pk, was_seen=changes.seen(change), actor=actor)
        assert not SocialAccount.objects.exists()

    def test_only_the_person_knows_the_code(self) -> None:
        row = unmatched()
        client = administrator()
        address = f"/admin/accounts/unmatchedidentity/{row.pk}/change/"
        assert services.code_of(row.source, row.key) not in client.get(address).content.decode()
        right = services.code_of(row.source, row.key)
        wrong = f"{(int(right) + 1) % 10**6:06}"
        for news in ({"code": wrong}, {"code": ""}, {"reason": " "}, {"user": ""}):
            assert ask(client, row, person("clerk"), **news).status_code == 200
        assert not AccountChange.objects.exists()
        spaced = f"{right[:3]} {right[3:]}"
        ask(client, row, person("clerk"), code=spaced)
        assert AccountChange.objects.count() == 1

    def test_an_account_is_one_persons_only(self) -> None:
        row = unmatched()
        asker, second = person("administrator"), administrator("second").session["_auth_user_id"]
        wishes = [
            changes.ask_for_identity(user=person(name), identity=row, reason="x", actor=asker)
            for name in ("clerk", "approver")
        ]
        actor = User.objects.get(pk=second)
        changes.confirm(change_id=wishes[0].pk, was_seen=changes.seen(wishes[0]), actor=actor)
        with pytest.raises(TooLate):
            changes.confirm(change_id=wishes[1].pk, was_seen=changes.seen(wishes[1]), actor=actor)
        assert SocialAccount.objects.get().user == person("clerk")

    @pytest.mark.parametrize("name", ["clerk", "approver", "auditor", "outsider"])
    def test_who_does_not_manage_users_sees_none_of_it(self, client: Client, name: str) -> None:
        user, row = person(name), unmatched()
        User.objects.filter(pk=user.pk).update(is_staff=True)
        client.force_login(user)
        assert ask(client, row, user).status_code == 403
        assert client.get("/admin/accounts/unmatchedidentity/").status_code == 403
        assert client.get("/admin/accounts/matchedidentity/").status_code == 403
        assert not AccountChange.objects.exists()

    def test_identities_are_neither_typed_nor_changed(self) -> None:
        matched(person("clerk"))
        client, key = administrator(), SocialAccount.objects.get().pk
        assert client.get("/admin/accounts/matchedidentity/add/").status_code == 403
        assert client.get("/admin/accounts/unmatchedidentity/add/").status_code == 403
        said = {"user": person("approver").pk, "uid": "8"}
        assert client.post(f"/admin/accounts/matchedidentity/{key}/change/", said).status_code == 403
        for model in ("socialaccount", "socialapp", "socialtoken"):
            assert client.get(f"/admin/socialaccount/{model}/").status_code == 404
        assert SocialAccount.objects.get().user == person("clerk")

    @pytest.mark.parametrize("how", ["one", "several"])
    def test_one_administrator_takes_it_away_at_once(
        self, client: Client, provider: IdentityProvider, how: str
    ) -> None:
        user = matched(person("approver"))
        sign_in(client, provider)
        key = SocialAccount.objects.get().pk
        if how == "one":
            address, said = f"/admin/accounts/matchedidentity/{key}/delete/", {"post": "yes"}
        else:
            address = "/admin/accounts/matchedidentity/"
            said = {"action": "delete_selected", "_selected_action": str(key), "post": "yes"}
        assert administrator().post(address, said).status_code == 302
        assert not SocialAccount.objects.exists()
        assert client.get("/approvals/")["Location"].startswith("/accounts/login/")
        assert sign_in(client, provider).status_code == 403
        event = PortalEvent.objects.get(kind="IDENTITY_REMOVED")
        assert (event.about, known(event.actor).username) == (f"user:{user.pk}", "administrator")
