"""What changes second factors, sign-ins and passwords, with no request where none is needed."""

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from portal.kit.audit import COMMAND_LINE, tell
from portal.kit.wording import person

from . import tries
from .models import DuePassword, FailedTry

Type = Authenticator.Type
SIGNS_IN = (Type.TOTP, Type.WEBAUTHN)
"""What is a second factor; recovery codes only stand in for one."""


def reset_factors(user: User, *, actor: User | None) -> None:
    """Take all second factors from somebody, and end his sign-ins: he sets up new ones when he signs in again.

    Args:
        user: whose; he need not have any.
        actor: who decided it; None at the command line.
    """
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        tries.forget(FailedTry.Kind.FACTOR, str(user.pk))
        end_sessions(user)
        note = _("All second factors of %(person)s were taken away.") % {"person": person(user)}
        by = {} if actor else {"by": COMMAND_LINE}
        tell("FACTORS", actor=actor, about=f"user:{user.pk}", note=note, **by)


def end_sessions(user: User, *, but: str | None = None) -> int:
    """End the sign-ins of somebody, in all browsers or in all but the one whose session has the key `but`."""
    sessions = list(UserSession.objects.filter(user=user).exclude(session_key=but or ""))
    for session in sessions:
        session.end()
    return len(sessions)


def require_new_password(user: User) -> None:
    """Let somebody choose a password of his own at his next sign-in, since another person has set this one."""
    DuePassword.objects.get_or_create(user=user)


def accepted(user: User, code: str) -> Authenticator | None:
    """Return what a code belongs to, of the authenticator app or one of the recovery codes; each is good once.

    allauth remembers used codes of an app in the memory of one process; here the last one stands in the database.
    """
    for found in Authenticator.objects.filter(user=user).exclude(type=Type.WEBAUTHN).order_by("-type"):
        with transaction.atomic():
            factor = Authenticator.objects.select_for_update().filter(pk=found.pk).first()
            if factor and (_accepts_of_app(factor, code) if factor.type == Type.TOTP else _accepts(factor, code)):
                factor.record_usage()
                return factor
    return None


def set_up_app(user: User, secret: str, code: str) -> bool:
    """Make an authenticator app somebody's second factor, if it shows the right code.

    Returns:
        Whether the code was right. Nothing happens where somebody has an app already.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        step = step_of(secret, code, after=0)
        if step is None or Authenticator.objects.filter(user=user, type=Type.TOTP).exists():
            return step is not None
        factor = totp.TOTP.activate(user, secret).instance
        factor.data["step"] = step
        factor.save(update_fields=["data"])
        _note(user, _("An authenticator app was set up."))
    return True


def step_of(secret: str, code: str, *, after: int) -> int | None:
    """Return the step of time that a code of an app is of, among those that are good now and later than one."""
    for step in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, step))
        if step > after and compare_user_code(actual=code, expected=expected):
            return int(step)
    return None


def passkey_added(user: User, name: str) -> None:
    """Write down that somebody has a new passkey."""
    _note(user, _("The passkey %(name)s was added.") % {"name": name})


def remove(user: User, factor: Authenticator) -> None:
    """Take a second factor from its owner; the recovery codes go with the last one."""
    with transaction.atomic():
        name = factor.wrap().name if factor.type == Type.WEBAUTHN else factor.get_type_display()
        factor.delete()
        if not Authenticator.objects.filter(user=user, type__in=SIGNS_IN).exists():
            Authenticator.objects.filter(user=user).delete()
        _note(user, _("The second factor %(name)s was removed.") % {"name": name})


def _accepts_of_app(factor: Authenticator, code: str) -> bool:
    step = step_of(totp.decrypt(factor.data["secret"]), code, after=factor.data.get("step", 0))
    if step is None:
        return False
    factor.data["step"] = step
    factor.save(update_fields=["data"])
    return True


def _accepts(factor: Authenticator, code: str) -> bool:
    return bool(factor.wrap().validate_code(code))


def _note(user: User, note: str) -> None:
    tell("FACTORS", actor=user, about=f"user:{user.pk}", note=note)
