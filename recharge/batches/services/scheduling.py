"""When a batch goes out: not before a moment, and only at certain hours of the day, if a person says so.

Both become two moments in its row, which every claim asks for. Hours are a new pair of moments each day, which the
sweep sets: where it stands still, a batch waits rather than that it goes out at night.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.kit.lists import listed
from recharge.choices import BatchEventKind, BatchState
from recharge.core.errors import TooLate
from recharge.core.events import record_of_batch, require_all_seen
from recharge.core.locking import lock_batch
from recharge.models import UNDER_WAY, Batch

SCHEDULABLE = (BatchState.MAKING, BatchState.AWAITING_APPROVAL, *UNDER_WAY, BatchState.PAUSED)
"""States of a batch of which something may still go out."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Not before a moment, and between two times of the day in the portal's time zone; over midnight, too."""

    starts_at: dt.datetime | None = None
    hours_from: dt.time | None = None
    hours_until: dt.time | None = None

    def columns(self, now: dt.datetime) -> dict[str, Any]:
        """Return what a batch's row says of it, as from a moment on."""
        opens_at, closes_at = self._window(now)
        return {
            "starts_at": self.starts_at,
            "hours_from": self.hours_from,
            "hours_until": self.hours_until,
            "opens_at": opens_at,
            "closes_at": closes_at,
        }

    def _window(self, now: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
        """Return the first moments between which it may go out that aren't over."""
        if self.hours_from is None or self.hours_until is None:
            return self.starts_at, None
        earliest = max(now, self.starts_at or now)
        day = timezone.localdate(earliest, timezone.get_default_timezone()) - dt.timedelta(days=1)
        while (closes_at := _moment(day, self.hours_until, later=self.hours_until <= self.hours_from)) <= earliest:
            day += dt.timedelta(days=1)
        opens_at = _moment(day, self.hours_from)
        return max(opens_at, self.starts_at or opens_at), closes_at

    def __str__(self) -> str:
        said = []
        if self.starts_at:
            local = timezone.localtime(self.starts_at, timezone.get_default_timezone())
            said.append(_("from %(moment)s on") % {"moment": f"{local:%Y-%m-%d %H:%M}"})
        if self.hours_from and self.hours_until:
            hours = {"from": f"{self.hours_from:%H:%M}", "until": f"{self.hours_until:%H:%M}"}
            said.append(_("only between %(from)s and %(until)s") % hours)
        return listed(said) or _("at once and at any hour")


AT_ONCE = Schedule()


def schedule_of(batch: Batch) -> Schedule:
    """Return when a batch goes out."""
    return Schedule(batch.starts_at, batch.hours_from, batch.hours_until)


def hours_of(batch: Batch) -> Schedule:
    """Return at which hours a batch goes out, for what is made of it later: the moment of its start is over."""
    return Schedule(None, batch.hours_from, batch.hours_until)


def set_schedule(*, batch_id: int, actor: User, last_seen: int, schedule: Schedule) -> Batch:
    """Say when a batch goes out. What is being handed over at this moment is not held back.

    Args:
        batch_id: the batch's primary key.
        actor: the person.
        last_seen: the last event of the batch that the person knew of, see `require_all_seen`.
        schedule: when; AT_ONCE for no limit.

    Raises:
        TooLate: nothing of it is left to go out.
        Outdated: something has happened since; somebody else may have said when it goes out.
    """
    with transaction.atomic(durable=True):
        batch = lock_batch(batch_id)
        if batch.state not in SCHEDULABLE:
            raise TooLate(_("Nothing of this batch is left to go out."))
        require_all_seen(batch, last_seen)
        _apply(batch, schedule)
        record_of_batch(batch, BatchEventKind.SCHEDULED, actor=actor, note=str(schedule))
    return batch


def open_new_hours() -> None:
    """Set the next pair of moments where the hours of a batch are over; harmless however often it is called."""
    over = Batch.objects.filter(state__in=SCHEDULABLE, closes_at__lte=Now())
    for batch in over.order_by("pk"):
        columns = schedule_of(batch).columns(timezone.now())
        Batch.objects.filter(pk=batch.pk, closes_at=batch.closes_at).update(**columns)


def _apply(batch: Batch, schedule: Schedule) -> None:
    columns = schedule.columns(timezone.now())
    for name, value in columns.items():
        setattr(batch, name, value)
    batch.save(update_fields=[*columns])


def _moment(day: dt.date, time: dt.time, *, later: bool = False) -> dt.datetime:
    """Return a time of a day, or of the day after it."""
    of_day = dt.datetime.combine(day + dt.timedelta(days=later), time)
    return timezone.make_aware(of_day, timezone.get_default_timezone())
