"""What allauth asks the portal for: how secrets are stored, what things are called, where a request comes from."""

from ipaddress import ip_address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import truncate_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.kit import crypto

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  (nothing listens on it)
"""Stands where nobody knows where a request came from: at a socket of Unix, with no header to be believed."""


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from, of IPv6 the network; "" where it is not known.

    It isn't where a web server of one's own passed the request on and TRUSTED_PROXIES doesn't say so: its address would
    stand for everybody's, and who keeps guessing would shut all of them out.
    """
    address = AccountAdapter().get_client_ip(request)
    if address == UNKNOWN_ADDRESS or _is_passed_on(request, address):
        return ""
    return str(truncate_ip(address))


def _is_passed_on(request: HttpRequest, address: str) -> bool:
    said = "X-Forwarded-For" in request.headers
    return said and not settings.ALLAUTH_TRUSTED_PROXY_COUNT and ip_address(address).is_private


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the browser's address, by X-Forwarded-For only where TRUSTED_PROXIES says so."""
        try:
            return str(super().get_client_ip(request))
        except (ImproperlyConfigured, PermissionDenied):
            return UNKNOWN_ADDRESS

    def add_message(self, *arguments: Any, **named: Any) -> None:
        """Leave it to the portal's pages to say what was done."""


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text)

    def get_totp_label(self, user: User) -> str:
        return user.get_username()

    def get_totp_issuer(self) -> str:
        return _("Top-up portal")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": _("Top-up portal")}
