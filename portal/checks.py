"""System checks that refuse unsafe configurations. `manage.py check --deploy` runs all of it."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from portal.accounts import factors
from portal.accounts.outside import providers
from recharge.batches.services.braking import WINDOW

MIN_KEY_LENGTH = 50
AT_LEAST_ZERO = (
    "TRUSTED_PROXIES",
    "WIKEYUN_MAX_RPS",
    "APPROVAL_ABOVE",
    "DAILY_LIMIT",
    "DAILY_LIMIT_PER_PERSON",
    "BALANCE_FLOOR",
    "BATCH_CANARY",
    "BRAKE_REJECTIONS",
    "BRAKE_UNKNOWNS",
    "ALERT_PLATFORM_DOWN_SECONDS",
    "ALERT_BACKUP_HOURS",
    "ALERT_BALANCE_YUAN",
    "ALERT_RUNWAY_HOURS",
    "ALERT_APPROVAL_MINUTES",
    "ALERT_REFUND_DAYS",
    "ALERT_CASES",
    "ALERT_WRONG_PASSWORDS",
    "NUMBER_ASKS_PER_SECOND",
    "SLOW_LIMIT_PER_NUMBER",
)
WITHIN_WINDOW = ("BRAKE_REJECTIONS", "BRAKE_UNKNOWNS")
"""A brake of more orders than are judged together would never be pulled."""

DURATIONS = {
    "DESK_UNKNOWN_CALM_MINUTES": "DESK_UNKNOWN_CALM_FOR",
    "DESK_REFUND_CALM_HOURS": "DESK_REFUND_CALM_FOR",
    "ONE_WITNESS_AFTER_HOURS": "ONE_WITNESS_AFTER",
}
"""The variable that gives each of these settings."""

AT_LEAST_ONE = ("BATCH_LANES", "CHECK_LANES", "NUMBER_ANSWER_DAYS")


@register()
def production_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With DEBUG off, no setting may keep its value for trying out."""
    if settings.DEBUG or settings.TESTING:
        return []
    problems = {
        "E001": (
            settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY or len(settings.SECRET_KEY) < MIN_KEY_LENGTH,
            f"SECRET_KEY must be set, to at least {MIN_KEY_LENGTH} random characters.",
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
        "E018": (
            settings.MFA_REQUIRED == factors.NONE,
            "MFA_REQUIRED=none is for trying out: approvers and administrators need a second factor.",
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
    if not set(settings.WIKEYUN_LEAVE_OUT) <= {"client", "format"}:
        errors.append(Error("WIKEYUN_LEAVE_OUT may name client and format only.", id="portal.E013"))
    if not all(_is_fernet_key(key) for key in settings.FIELD_ENCRYPTION_KEYS):
        errors.append(Error("FIELD_ENCRYPTION_KEYS must be Fernet keys, separated by commas.", id="portal.E009"))
    for name in ("FACE_VALUES", "OIL_FACE_VALUES"):
        values = getattr(settings, name)
        if not values or any(value <= 0 for value in values):
            errors.append(Error(f"{name} must be positive whole yuan.", id="portal.E008"))
    if settings.SESSION_IDLE_MINUTES <= 0 or settings.SESSION_HOURS <= 0:
        errors.append(Error("SESSION_IDLE_MINUTES and SESSION_HOURS must be more than 0.", id="portal.E014"))
    if settings.MFA_REQUIRED not in (factors.APPROVERS, factors.ALL, factors.NONE):
        errors.append(Error("MFA_REQUIRED must be approvers, all or none.", id="portal.E016"))
    if settings.MFA_FRESH_MINUTES <= 0:
        errors.append(Error("MFA_FRESH_MINUTES must be more than 0.", id="portal.E017"))
    heartbeat = urlsplit(settings.HEARTBEAT_URL)
    if settings.HEARTBEAT_URL and not (heartbeat.scheme == "https" or (heartbeat.scheme == "http" and settings.DEBUG)):
        errors.append(Error("HEARTBEAT_URL must begin with https://.", id="portal.E015"))
    negative = [name for name in AT_LEAST_ZERO if getattr(settings, name) < 0]
    if negative:
        errors.append(Error(f"{', '.join(negative)} must not be negative; 0 switches it off.", id="portal.E010"))
    backwards = [variable for variable, name in DURATIONS.items() if getattr(settings, name) < timedelta()]
    if settings.DECLARE_AFTER_HOURS < 0:
        backwards.append("DECLARE_AFTER_HOURS")
    if backwards:
        errors.append(Error(f"{', '.join(backwards)} must not be negative.", id="portal.E019"))
    beyond = [name for name in WITHIN_WINDOW if getattr(settings, name) > WINDOW]
    if beyond:
        errors.append(Error(f"{', '.join(beyond)} must be at most {WINDOW}.", id="portal.E012"))
    if settings.ALERT_CALLBACKS_SILENT > settings.ALERT_CALLBACKS_OF:
        told = "ALERT_CALLBACKS_SILENT must be at most ALERT_CALLBACKS_OF, else the alert is never raised."
        errors.append(Error(told, id="portal.E020"))
    without_drains = [name for name in AT_LEAST_ONE if getattr(settings, name) < 1]
    if without_drains:
        errors.append(Error(f"{', '.join(without_drains)} must be at least 1.", id="portal.E011"))
    return errors


@register()
def providers_are_whole(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A provider of sign-ins is switched on by all of its settings, or off by none of them."""
    errors: list[CheckMessage] = []
    for names in providers.SETTINGS.values():
        missing = [name for name in names if not getattr(settings, name)]
        if missing and len(missing) < len(names):
            told = f"{', '.join(missing)} must be set, too, or none of {', '.join(names)}."
            errors.append(Error(told, id="portal.E030"))
    issuer = urlsplit(settings.OIDC_ISSUER)
    is_trial = settings.DEBUG and _is_loopback(settings.OIDC_ISSUER)
    is_odd = issuer.query or issuer.fragment or issuer.username or len(settings.OIDC_ISSUER) > providers.LONGEST_ISSUER
    if settings.OIDC_ISSUER and (is_odd or not (issuer.scheme == "https" or is_trial)):
        longest = providers.LONGEST_ISSUER
        told = f"OIDC_ISSUER must begin with https://, without a query, and have at most {longest} characters."
        errors.append(Error(told, id="portal.E031"))
    return errors


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
