"""Personas: who uses the portal, with what they may do."""

import time

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.authenticator import App

GROUP_OF = {
    "clerk": "Operators",
    "approver": "Approvers",
    "auditor": "Auditors",
    "administrator": "Administrators",
    "outsider": None,
}


def person(name: str) -> User:
    """Return a user of the group that the persona belongs to; the outsider belongs to none."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": name == "administrator"})
    if group := GROUP_OF[name]:
        user.groups.add(Group.objects.get(name=group))
    return user


def app_of(user: User) -> App:
    """Give somebody an authenticator app as second factor."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return App(secret)


def sign_in_with_factor(client: Client, user: User, *, minutes_ago: float = 0) -> None:
    """Sign somebody in who has shown a second factor so many minutes ago."""
    client.force_login(user)
    session = client.session
    session.pop("factor_due", None)
    session["factor_shown_at"] = time.time() - minutes_ago * 60
    session.save()
