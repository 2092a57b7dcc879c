"""The stop of everything: while it is on, no order is handed to the platform. Queries and callbacks go on."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from recharge.choices import PortalEventKind
from recharge.core.errors import Outdated, TooLate
from recharge.core.events import clean, record_of_portal
from recharge.models import EmergencyStop

NOT_STOPPED = ~Exists(EmergencyStop.objects.filter(on=True))
"""For the WHERE of what takes orders up."""


def stop_everything(*, actor: User | None, reason: str) -> EmergencyStop:
    """Let no further order go out. What is being handed over at this moment is not held back.

    Args:
        actor: the person; None where the portal does it by itself.
        reason: why, for everybody to read.

    Raises:
        TooLate: everything is stopped already.
    """
    try:
        with transaction.atomic(durable=True):
            stop = EmergencyStop.objects.create(started_by=actor, reason=clean(reason.strip(), 200))
            record_of_portal(PortalEventKind.STOPPED, actor=actor, about=stop, note=stop.reason)
            return stop
    except IntegrityError:
        raise TooLate(_("Everything is stopped already.")) from None


def go_on(*, stop_id: int, actor: User) -> None:
    """Let orders go out again.

    Args:
        stop_id: the primary key of the stop that the person was shown, 0 where none was.
        actor: the person, who is kept with the stop.

    Raises:
        TooLate: nothing is stopped.
        Outdated: another stop is on.
    """
    shown = EmergencyStop.objects.filter(pk=stop_id, on=True)
    with transaction.atomic():
        if not shown.update(on=False, ended_at=Now(), ended_by=actor):
            raise Outdated if current_stop() else TooLate(_("Nothing is stopped."))
        record_of_portal(PortalEventKind.WENT_ON, actor=actor, about=f"stop:{stop_id}")


def current_stop() -> EmergencyStop | None:
    """Return the stop that is on, None where there is none."""
    return EmergencyStop.objects.filter(on=True).select_related("started_by").first()
