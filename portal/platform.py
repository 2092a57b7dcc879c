"""The one client of the platform, made from the settings."""

from collections.abc import Collection
from functools import cache

from django.conf import settings

from .gateway import Client

TRIAL_TIMEOUT = 10.0
"""Seconds."""


@cache
def client() -> Client:
    """Return the process's client of the platform; it is safe to share among threads.

    Raises:
        ValueError: the settings name an address that must not be used.
    """
    return _client(timeout=settings.WIKEYUN_TIMEOUT, leave_out=settings.WIKEYUN_LEAVE_OUT)


def trial_client(*, leave_out: Collection[str] | None = None) -> Client:
    """Return a client that gives up early, for calls that only find out how the platform is doing.

    Args:
        leave_out: system parameters that are not sent; by default those of the settings.

    Raises:
        ValueError: the settings name an address that must not be used.
    """
    left_out = settings.WIKEYUN_LEAVE_OUT if leave_out is None else leave_out
    return _client(timeout=min(TRIAL_TIMEOUT, settings.WIKEYUN_TIMEOUT), leave_out=left_out)


@cache
def asking_client(timeout: float) -> Client:
    """Return the process's client for asking about numbers, which gives up after so many seconds.

    Raises:
        ValueError: the settings name an address that must not be used.
    """
    return _client(timeout=min(timeout, settings.WIKEYUN_TIMEOUT), leave_out=settings.WIKEYUN_LEAVE_OUT)


def _client(*, timeout: float, leave_out: Collection[str]) -> Client:
    return Client(
        base_url=settings.WIKEYUN_BASE_URL,
        app_key=settings.WIKEYUN_APP_KEY,
        app_secret=settings.WIKEYUN_APP_SECRET,
        store_id=settings.WIKEYUN_STORE_ID,
        client_ip=settings.WIKEYUN_CLIENT_IP,
        timeout=timeout,
        allow_insecure=settings.DEBUG,
        leave_out=leave_out,
    )


def is_configured() -> bool:
    """Say whether the platform's credentials are set, so that orders can be sent at all."""
    return bool(settings.WIKEYUN_APP_KEY and settings.WIKEYUN_APP_SECRET and settings.WIKEYUN_STORE_ID)
