"""Refusing to run where it would be dangerous. `manage.py check --deploy` runs all of it."""

from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from recharge.batches.services.braking import WINDOW

LEAST_KEY_LENGTH = 50
AT_LEAST_ZERO = (
    "WIKEYUN_MAX_RPS",
    "APPROVAL_ABOVE",
    "DAILY_LIMIT",
    "DAILY_LIMIT_PER_PERSON",
    "BALANCE_FLOOR",
    "BATCH_CANARY",
    "BRAKE_REJECTIONS",
    "BRAKE_UNKNOWNS",
)
WITHIN_WINDOW = ("BRAKE_REJECTIONS", "BRAKE_UNKNOWNS")
"""A brake of more orders than are judged together would never be pulled."""

AT_LEAST_ONE = ("BATCH_LANES", "CHECK_LANES")


@register()
def production_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With DEBUG off, nothing may be left at what is meant for trying out."""
    if settings.DEBUG or settings.TESTING:
        return []
    problems = {
        "E001": (
            settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY or len(settings.SECRET_KEY) < LEAST_KEY_LENGTH,
            f"SECRET_KEY must be set, to at least {LEAST_KEY_LENGTH} random characters.",
        ),
        "E002": (not settings.FIELD_ENCRYPTION_KEYS, "FIELD_ENCRYPTION_KEYS must be set."),
        "E004": (
            urlsplit(settings.PUBLIC_URL).scheme != "https",
            "PUBLIC_URL must begin with https://: the platform reports to it.",
        ),
        "E005": (
            settings.WIKEYUN_APP_KEY == "sandbox",
            "WIKEYUN_APP_KEY is the sandbox's: nothing would be topped up.",
        ),
        "E006": (
            urlsplit(settings.WIKEYUN_BASE_URL).scheme != "https" and not _is_loopback(settings.WIKEYUN_BASE_URL),
            "WIKEYUN_BASE_URL must begin with https://.",
        ),
    }
    errors: list[CheckMessage] = [
        Error(text, id=f"portal.{number}") for number, (wrong, text) in problems.items() if wrong
    ]
    missing = [
        name for name in ("WIKEYUN_APP_KEY", "WIKEYUN_APP_SECRET", "WIKEYUN_STORE_ID") if not getattr(settings, name)
    ]
    if missing:
        errors.append(Error(f"{', '.join(missing)} must be set.", id="portal.E003"))
    return errors


@register()
def values_that_make_sense(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Numbers that would make the portal misbehave are refused everywhere."""
    errors: list[CheckMessage] = []
    if not 1 <= settings.WIKEYUN_TIMEOUT <= 120:
        errors.append(Error("WIKEYUN_TIMEOUT must be between 1 and 120 seconds.", id="portal.E007"))
    if not all(_is_fernet_key(key) for key in settings.FIELD_ENCRYPTION_KEYS):
        errors.append(Error("FIELD_ENCRYPTION_KEYS must be Fernet keys, separated by commas.", id="portal.E009"))
    for name in ("FACE_VALUES", "OIL_FACE_VALUES"):
        values = getattr(settings, name)
        if not values or any(value <= 0 for value in values):
            errors.append(Error(f"{name} must be positive whole yuan.", id="portal.E008"))
    negative = [name for name in AT_LEAST_ZERO if getattr(settings, name) < 0]
    if negative:
        errors.append(Error(f"{', '.join(negative)} must not be negative; 0 switches it off.", id="portal.E010"))
    beyond = [name for name in WITHIN_WINDOW if getattr(settings, name) > WINDOW]
    if beyond:
        errors.append(Error(f"{', '.join(beyond)} must be at most {WINDOW}.", id="portal.E012"))
    without_drains = [name for name in AT_LEAST_ONE if getattr(settings, name) < 1]
    if without_drains:
        errors.append(Error(f"{', '.join(without_drains)} must be at least 1.", id="portal.E011"))
    return errors


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
