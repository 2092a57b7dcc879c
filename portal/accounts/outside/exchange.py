"""What is asked of providers: allauth knows the addresses and the words, the portal decides what is believed."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.adapter import get_adapter as get_outside_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.socialaccount.providers.base import Provider
from allauth.socialaccount.providers.dingtalk.provider import DingTalkProvider
from allauth.socialaccount.providers.dingtalk.views import DingTalkOAuth2Adapter
from allauth.socialaccount.providers.feishu.client import FeishuOAuth2Client
from allauth.socialaccount.providers.feishu.provider import FeishuProvider
from allauth.socialaccount.providers.feishu.views import FeishuOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from . import connecting, providers
from .connecting import Unclear

LONGEST_KEY = SocialAccount._meta.get_field("uid").max_length or 0
LONGEST_NAME = 100
ALGORITHMS = [*("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), *("ES256", "ES384", "ES512", "EdDSA")]
"""By which an ID token may be signed: each has a public key, and none is "none"."""
CLOCKS_DIFFER = 60
"""Seconds."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is elsewhere."""

    source: str
    """As `providers.source_of` returns it."""
    key: str
    """The provider's own, which no two of its accounts have; allauth calls it uid."""
    name: str
    """What the provider calls the person; anybody may call himself anything there."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the browser brings back from a provider, to show that it was sent there from here."""

    provider: str
    state: str
    nonce: str
    verifier: str
    """Of PKCE; "" where the provider knows none."""


class OutsideAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth's questions to the portal: nobody signs up, and nobody is found by an address for e-mail."""

    def get_requests_session(self) -> connecting.Session:
        return connecting.Session()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def authenticate_by_email(self, sociallogin: Any) -> None:
        return None

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """Return the applications of the settings; rows in the database make none."""
        return [providers.app_of(name) for name in providers.switched_on() if provider in (None, name)]


class _Here:
    """Answers come back to the portal's own address, and keys are those of the settings."""

    request: HttpRequest
    provider: str
    provider_class: type[Provider]

    def get_provider(self) -> Any:
        return self.provider_class(self.request, app=providers.app_of(self.provider))

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return settings.PUBLIC_URL + reverse("outside_back", args=[self.provider])

    def identity(self, answer: dict[str, Any], ticket: Ticket) -> Identity:
        """Ask whose the access token in an answer is."""
        token = SocialToken(token=_text(answer["access_token"]))
        app = providers.app_of(self.provider)
        login = self.complete_login(self.request, app, token)  # type: ignore[attr-defined]  # of allauth's adapter
        known = login.account.extra_data
        return identity(self.provider, login.account.uid, known.get("nick") or known.get("name"))


class DingTalk(_Here, DingTalkOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    provider, provider_class = providers.DINGTALK, DingTalkProvider


class FeishuClient(FeishuOAuth2Client):  # type: ignore[misc]  # allauth has no types
    def app_access_token(self) -> str:
        """Ask by JSON, as Feishu's document has it; allauth sends a form."""
        said = {"app_id": self.consumer_key, "app_secret": self.consumer_secret}
        with get_outside_adapter().get_requests_session() as session:
            response = session.post(self.app_access_token_url, json=said)
            response.raise_for_status()
            return _text(response.json()["app_access_token"])


class Feishu(_Here, FeishuOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    provider, provider_class = providers.FEISHU, FeishuProvider

    def get_client(self, request: HttpRequest, app: SocialApp) -> FeishuClient:
        """Make a client as other providers do: Feishu's own asks for an address that the portal doesn't have."""
        address = self.get_callback_url(request, app)
        return FeishuClient(
            request, app.client_id, app.secret, self.access_token_method, self.access_token_url, address
        )


class OpenIDConnect(_Here, OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """Believes the ID token alone, and only one that is signed, for the portal, and asked for by this browser."""

    provider, provider_class = providers.OIDC, OpenIDConnectProvider

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, providers.OIDC)

    @property
    def openid_config(self) -> dict[str, Any]:
        require_safe(settings.OIDC_ISSUER)
        found: dict[str, Any] = super().openid_config
        if _text(found["issuer"]).rstrip("/") != settings.OIDC_ISSUER.rstrip("/"):
            raise Unclear("another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            require_safe(found[name])
        return found

    def identity(self, answer: dict[str, Any], ticket: Ticket) -> Identity:
        claims = self._claims(_text(answer["id_token"]))
        if not hmac.compare_digest(_text(claims.get("nonce", "")).encode(), ticket.nonce.encode()):
            raise Unclear("another nonce")
        name = claims.get("name") or claims.get("preferred_username") or self._name(answer, claims)
        return identity(self.provider, claims["sub"], name)

    def _claims(self, token: str) -> dict[str, Any]:
        keys = jwt.PyJWKSet.from_dict(_asked(self.openid_config["jwks_uri"])).keys
        wanted = jwt.get_unverified_header(token).get("kid")
        key = next((key for key in keys if wanted in (None, key.key_id)), None)
        if key is None:
            raise Unclear("another key")
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=ALGORITHMS,
            audience=settings.OIDC_CLIENT_ID,
            issuer=self.openid_config["issuer"],
            leeway=CLOCKS_DIFFER,
            options={"require": ["iss", "aud", "sub", "exp", "iat"]},
        )
        if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
            raise Unclear("another audience")
        return claims

    def _name(self, answer: dict[str, Any], claims: dict[str, Any]) -> Any:
        """Ask for the name, where the ID token has none."""
        address = self.openid_config.get("userinfo_endpoint")
        if not address:
            return ""
        found = _asked(require_safe(address), Authorization=f"Bearer {_text(answer['access_token'])}")
        if found["sub"] != claims["sub"]:
            raise Unclear("another person")
        return found.get("name") or found.get("preferred_username")


ADAPTERS: dict[str, Any] = {providers.DINGTALK: DingTalk, providers.FEISHU: Feishu, providers.OIDC: OpenIDConnect}


def address_at(request: HttpRequest, provider: str) -> tuple[str, Ticket]:
    """Return where somebody is sent to say who he is, and what he must bring back.

    Raises:
        Unreachable: the provider, which must be asked for that address, could not be reached.
        Unclear: its answer makes no sense.
    """
    adapter = ADAPTERS[provider](request)
    app, known = providers.app_of(provider), adapter.get_provider()
    asked: dict[str, str] = {**known.get_auth_params(), **known.get_pkce_params()}
    ticket = Ticket(provider, secrets.token_urlsafe(24), secrets.token_urlsafe(24), asked.pop("code_verifier", ""))
    asked |= {"nonce": ticket.nonce} if provider == providers.OIDC else {}

    def ask() -> str:
        client: OAuth2Client = adapter.get_client(request, app)
        client.state = ticket.state
        return require_safe(client.get_redirect_url(adapter.authorize_url, known.get_scope(), asked))

    return connecting.within_time(ask), ticket


def identity_of(request: HttpRequest, code: str, ticket: Ticket) -> Identity:
    """Ask the provider who somebody is that came back from it.

    Raises:
        Unreachable: the provider could not be reached.
        Unclear: it said nothing that can be believed.
    """
    adapter = ADAPTERS[ticket.provider](request)
    app = providers.app_of(ticket.provider)

    def ask() -> Identity:
        client: OAuth2Client = adapter.get_client(request, app)
        answer = client.get_access_token(code, pkce_code_verifier=ticket.verifier or None)
        found: Identity = adapter.identity(answer, ticket)
        return found

    return connecting.within_time(ask)


def identity(provider: str, key: Any, name: Any) -> Identity:
    """Make an identity of what a provider said.

    Raises:
        Unclear: the key is none.
    """
    if not isinstance(key, str) or not key.isprintable() or not 0 < len(key) <= LONGEST_KEY or key != key.strip():
        raise Unclear("no key")
    shown = name if isinstance(name, str) else ""
    readable = "".join(sign if sign.isprintable() else "\ufffd" for sign in shown.strip()[:LONGEST_NAME])
    return Identity(providers.source_of(provider), key, readable)


def require_safe(address: Any) -> str:
    """Return an address that a provider named, if it is an https one, or on this machine like the issuer's.

    Raises:
        Unclear: it is not.
    """
    parts, issuer = urlsplit(_text(address)), urlsplit(settings.OIDC_ISSUER)
    is_trial = parts.scheme == issuer.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_trial):
        raise Unclear("no safe address")
    return str(address)


def _asked(address: str, **headers: str) -> Any:
    with get_outside_adapter().get_requests_session() as session:
        response = session.get(address, headers=headers)
        response.raise_for_status()
        return response.json()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unclear("no text")
    return value
