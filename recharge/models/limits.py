"""What holds spending back: the sums of a day, and the stop of everything."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Spending(models.Model):
    """Yuan queued on a day in Shanghai, by one person, or in total where `person` is None."""

    day = models.DateField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    amount = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["day"], name="spending_one_total_a_day", condition=Q(person=None)),
            models.UniqueConstraint(fields=["day", "person"], name="spending_one_row_a_day_and_person"),
            models.CheckConstraint(name="spending_not_negative", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.person or '–'}: {self.amount}"


class EmergencyStop(models.Model):
    """While one of these is on, no order is handed to the platform. The ended ones are its history."""

    on = models.BooleanField(_("on"), default=True)
    started_at = models.DateTimeField(_("stopped at"), db_default=Now())
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("stopped by"),
        related_name="+",
        db_index=False,
        help_text=_("empty where the portal did it by itself"),
    )
    reason = models.CharField(_("reason"), max_length=200)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("ended by"),
        related_name="+",
        db_index=False,
    )

    class Meta:
        verbose_name = _("emergency stop")
        verbose_name_plural = _("emergency stops")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["on"], name="stop_one_at_a_time", condition=Q(on=True)),
            models.CheckConstraint(
                name="stop_off_iff_ended",
                condition=Q(on=True, ended_at=None, ended_by=None)
                | Q(on=False, ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%F %T} {self.reason}"

    @property
    def started_by_whom(self) -> str:
        """Who stopped everything, as people are called."""
        return self.started_by.get_username() if self.started_by else str(_("The portal"))


class Pace(models.Model):
    """When the platform may be called next, for all workers together: one row."""

    next_turn_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(name="pace_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return f"{self.next_turn_at:%F %T}"
