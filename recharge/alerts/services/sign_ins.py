"""Sign-ins that somebody should hear of: from a browser that is new, and several wrong passwords."""

import hashlib

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import translation
from django.utils.translation import gettext as _

from portal.accounts import tries
from portal.accounts.models import FailedTry
from portal.kit.wording import person
from recharge.choices import AlertKind
from recharge.models import KnownDevice

from . import rules
from .ringing import ring


def succeeded(user: User, *, device: str, completed: bool) -> None:
    """Note a sign-in, and ring where the person has signed in before but never in this browser.

    Args:
        user: who signed in.
        device: the random number that the browser keeps; "" where it is not known.
        completed: whether the person was let in. Where only the password was right so far, it rings all the same, for
            somebody else may know it; but the browser stays a new one.
    """
    if not device:
        return
    token = hashlib.sha256(device.encode()).hexdigest()
    devices = KnownDevice.objects.filter(user=user)
    others = devices.exclude(token=token).exists()
    known = devices.filter(token=token).exists()
    if completed and not known:
        KnownDevice.objects.bulk_create([KnownDevice(user=user, token=token)], ignore_conflicts=True)
    if others and not known:
        ring(AlertKind.NEW_DEVICE, f"{user.pk} {token[:12]}", since=None, amount=0, **_told(user, completed))


def _told(user: User, completed: bool) -> dict[str, str | int]:
    with translation.override(settings.LANGUAGE_CODE):  # others read it than who signs in
        so_far = {} if completed else {_("sign-in"): _("begun, not completed so far")}
        return {_("person"): person(user), **so_far}


def failed(name: str) -> None:
    """Ring where there were several wrong passwords, or wrong codes after the right one, within 15 minutes.

    As many statements are run for a name that nobody has, so that the time of an answer does not tell.

    Args:
        name: what was typed as the name.
    """
    user = User.objects.filter(username=name).first()
    times = tries.count(FailedTry.Kind.PASSWORD, name) + tries.count(FailedTry.Kind.FACTOR, str(user.pk if user else 0))
    most = rules.threshold(rules.rule_of(AlertKind.WRONG_PASSWORDS))
    if user and most and times >= most:
        with translation.override(settings.LANGUAGE_CODE):
            told: dict[str, str | int] = {_("person"): person(user), _("times"): times}
        ring(AlertKind.WRONG_PASSWORDS, str(user.pk), since=None, amount=0, **told)
