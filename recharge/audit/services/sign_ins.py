"""Who signed in and out, and who tried to."""

from django.contrib.auth.models import User

from recharge.choices import PortalEventKind
from recharge.core.events import record_of_portal


def signed_in(user: User, *, way: str = "") -> None:
    """Write down that somebody has signed in.

    Args:
        user: who.
        way: of an account elsewhere, where from it is; "" where it was by the password.
    """
    record_of_portal(PortalEventKind.SIGNED_IN, actor=user, about=user, details={"way": way} if way else None)


def signed_out(user: User) -> None:
    """Write down that somebody has signed out, or was signed out."""
    record_of_portal(PortalEventKind.SIGNED_OUT, actor=user, about=user)


def failed(name: str) -> None:
    """Write down a sign-in that failed; one that was slowed down, and so not tried, is none.

    It is as much work for a name that nobody has, so that nobody learns from the time it takes which names there are.

    Args:
        name: what was typed as the name. A name that nobody has is not kept: it may be a password.
    """
    user = User.objects.filter(username=name).first()
    record_of_portal(PortalEventKind.SIGN_IN_FAILED, about=user or "")
