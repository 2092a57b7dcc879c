"""What holds spending back: the sums of a day, the stop of everything, and a platform that can't be reached."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import person


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
        return person(self.started_by) if self.started_by else str(_("The portal"))


class SlowHold(models.Model):
    """While one of these is on, no slow top-up of a phone is placed or handed over. The ended ones are its history."""

    on = models.BooleanField(_("on"), default=True)
    started_at = models.DateTimeField(_("held at"), db_default=Now())
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("held by"), related_name="+", db_index=False
    )
    order = models.ForeignKey("recharge.Order", models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.CharField(_("reason"), max_length=200)
    ended_at = models.DateTimeField(_("released at"), null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("released by"),
        related_name="+",
        db_index=False,
    )
    ended_reason = models.CharField(_("why it was released"), max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["on"], name="slow_hold_one_at_a_time", condition=Q(on=True)),
            models.CheckConstraint(
                name="slow_hold_off_iff_ended",
                condition=Q(on=True, ended_at=None, ended_by=None, ended_reason="")
                | Q(on=False, ended_at__isnull=False, ended_by__isnull=False) & ~Q(ended_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%F %T} {self.reason}"


class Outage(models.Model):
    """A time in which the platform can't be reached. It is suspected first; only a confirmed one holds orders back.

    A suspicion that proves wrong is deleted. What is confirmed stays: it is the history.
    """

    on = models.BooleanField(default=True)
    since = models.DateTimeField(db_default=Now(), help_text="when the platform was heard of last, or first was not")
    because = models.CharField(max_length=300, help_text="what the order's call ended in that raised the suspicion")
    after_event = models.BigIntegerField(help_text="an answer among the later events of orders ends it")
    failed_probes = models.PositiveIntegerField(default=0)
    next_probe_at = models.DateTimeField(db_default=Now(), help_text="when a call that spends nothing is due")
    confirmed_at = models.DateTimeField(null=True)
    orders_let_through = models.PositiveIntegerField(default=0)
    next_order_at = models.DateTimeField(null=True, help_text="when one order may go out all the same")
    over_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["on"], name="outage_one_at_a_time", condition=Q(on=True)),
            models.CheckConstraint(
                name="outage_off_iff_over",
                condition=Q(on=True, over_at=None) | Q(on=False, over_at__isnull=False, confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="outage_confirmed_lets_through",
                condition=Q(confirmed_at=None, next_order_at=None)
                | Q(confirmed_at__isnull=False, next_order_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.since:%F %T} {self.because}"


class Pace(models.Model):
    """When the platform may be called next, for all workers together: one row."""

    next_turn_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(name="pace_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return f"{self.next_turn_at:%F %T}"
