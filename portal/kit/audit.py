"""For what stands below the portal's history: telling it that somebody did what auditors look for."""

from typing import Any

from django.contrib.auth.models import User
from django.dispatch import Signal

COMMAND_LINE = "command line"
"""Stands as `by` in the details of what nobody who is signed in did, but whoever owns the server."""

done = Signal()
"""Received, in the transaction of who tells it, by `recharge.apps`."""


def tell(kind: str, *, actor: User | None, about: str = "", note: str = "", **details: Any) -> None:
    """Have it written down, or fail with whatever kept it from being written.

    Args:
        kind: one of `recharge.choices.PortalEventKind`.
        actor: the person; None where nobody is known.
        about: what it was done to, such as card:7 or user:3.
        note: a sentence for people, without phone or card numbers, and without secrets.
        details: what else is known; the same holds for it.
    """
    done.send(sender=None, kind=kind, actor=actor, about=about, note=note, details=details or None)
