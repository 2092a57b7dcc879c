"""Where people may have an account by which they sign in here; each is switched on by all of its settings."""

from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.utils.translation import gettext as _

DINGTALK, FEISHU, OIDC = "dingtalk", "feishu", "oidc"
SETTINGS = {
    DINGTALK: ("DINGTALK_APP_KEY", "DINGTALK_APP_SECRET"),
    FEISHU: ("FEISHU_APP_ID", "FEISHU_APP_SECRET"),
    OIDC: ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ISSUER"),
}
"""The settings of each: its key, its secret, and what else it needs."""
LONGEST_ISSUER = 150
SCOPE = ("openid", "profile")
"""What an OpenID Connect server is asked for; addresses for e-mail are of no use here."""
ASKED_OF = {DINGTALK: {"scope": ("openid",), "auth_params": {"prompt": "consent"}}}
"""DingTalk's document wants the consent each time; allauth asks for the organization, too, which is of no use here."""


def switched_on() -> list[str]:
    """Return those whose settings are complete, in the order of their buttons."""
    return [provider for provider in SETTINGS if is_on(provider)]


def is_on(provider: str) -> bool:
    """Say whether people may sign in by a provider, known or not."""
    return provider in SETTINGS and all(getattr(settings, name) for name in SETTINGS[provider])


def source_of(provider: str) -> str:
    """Return where identities of a provider come from, as it is stored beside them.

    Of an OpenID Connect server it holds the address: who is number 7 at one server is somebody else at another.
    """
    return f"{OIDC} {settings.OIDC_ISSUER.rstrip('/')}" if provider == OIDC else provider


def name_of(source: str) -> str:
    """Return what a provider is called on screen, by its name or by what is stored beside its identities."""
    provider, _space, issuer = source.partition(" ")
    if provider == OIDC:
        return str(settings.OIDC_NAME) if not issuer or source == source_of(OIDC) else issuer
    return {DINGTALK: _("DingTalk"), FEISHU: _("Feishu")}.get(provider, provider)


def app_of(provider: str) -> SocialApp:
    """Return a provider's key and secret as allauth wants them; nothing of it is in the database."""
    key, secret, *_more = (getattr(settings, name) for name in SETTINGS[provider])
    if provider == OIDC:
        known = {"server_url": settings.OIDC_ISSUER.rstrip("/"), "oauth_pkce_enabled": True, "scope": SCOPE}
        app = {"provider": "openid_connect", "provider_id": OIDC, "name": settings.OIDC_NAME, "settings": known}
        return SocialApp(client_id=key, secret=secret, **app)
    return SocialApp(provider=provider, client_id=key, secret=secret, settings=ASKED_OF.get(provider, {}))
