"""The one client of the platform, made from the settings."""

from functools import cache

from django.conf import settings

from .gateway import Client


@cache
def client() -> Client:
    """Return the process's client of the platform; it is safe to share among threads.

    Raises:
        ValueError: the settings name an address that must not be used.
    """
    return Client(
        base_url=settings.WIKEYUN_BASE_URL,
        app_key=settings.WIKEYUN_APP_KEY,
        app_secret=settings.WIKEYUN_APP_SECRET,
        store_id=settings.WIKEYUN_STORE_ID,
        client_ip=settings.WIKEYUN_CLIENT_IP,
        timeout=settings.WIKEYUN_TIMEOUT,
        allow_insecure=settings.DEBUG,
    )


def is_configured() -> bool:
    """Say whether the platform's credentials are set, so that orders can be sent at all."""
    return bool(settings.WIKEYUN_APP_KEY and settings.WIKEYUN_APP_SECRET and settings.WIKEYUN_STORE_ID)
