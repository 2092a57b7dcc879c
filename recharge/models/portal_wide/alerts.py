"""What the portal rings for, by which rules, and the messages that it owes to each channel."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import models
from django.db.models import Exists, Q, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from portal.kit.fields import BlindIndexField, EncryptedField
from recharge.choices import AlertChannelKind, AlertKind, AlertPhase, Part


class AlertChannelQuerySet(models.QuerySet["AlertChannel"]):
    def without_secrets(self) -> AlertChannelQuerySet:
        """Leave the addresses out: who looks needs none, and one that can't be decrypted hinders nobody."""
        return self.defer("address", "address_index")


class AlertChannel(models.Model):
    """Where messages go: an address in apprise's notation, which holds secrets."""

    name = models.CharField(_("name"), max_length=60, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=AlertChannelKind, blank=True)
    address = EncryptedField()
    address_index = BlindIndexField(of="address", unique=True)
    from_settings = models.BooleanField(default=False, help_text=_("whether ALERT_URLS names it, or did"))
    on = models.BooleanField(_("on"), default=True, help_text=_("switched off, it is sent nothing"))
    succeeded_at = models.DateTimeField(_("last success"), null=True)
    failed_at = models.DateTimeField(_("last failure"), null=True)
    failure = models.CharField(_("why"), max_length=300, blank=True)

    objects = AlertChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel for alerts")
        ordering = ["id"]
        default_permissions = ("change",)

    def __str__(self) -> str:
        return self.name or f"{self.get_kind_display()} {self.pk}"


class AlertRule(models.Model):
    """How the portal rings for one kind; a kind without a row goes by the defaults of the code."""

    kind = models.CharField(_("kind"), max_length=16, choices=AlertKind, primary_key=True)
    on = models.BooleanField(_("on"), default=True)
    threshold = models.PositiveIntegerField(null=True)
    again_after = models.PositiveIntegerField(default=0, help_text=_("minutes; 0: only once"))
    can_wait = models.BooleanField(default=False, help_text=_("whether it is told after the quiet hours only"))
    groups = models.ManyToManyField(Group, blank=True, related_name="+")
    channels = models.ManyToManyField(AlertChannel, blank=True, related_name="+")

    class Meta:
        verbose_name = _("rule for alerts")
        default_permissions = ("change",)

    def __str__(self) -> str:
        return self.kind


class AlertQuietHours(models.Model):
    """When messages that can wait are held back, by the clock in Shanghai: one row, or none."""

    begin = models.TimeField(_("from"))
    end = models.TimeField(_("until"))

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(name="alert_quiet_hours_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}–{self.end:%H:%M}"

    def end_for(self, moment: dt.datetime) -> dt.datetime | None:
        """Return when the quiet hours end that a local moment lies in; None where it lies in none."""
        time = moment.time()
        overnight = self.begin > self.end
        if not (time >= self.begin or time < self.end if overnight else self.begin <= time < self.end):
            return None
        end = moment.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        return end + dt.timedelta(days=1) if overnight and time >= self.begin else end


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> AlertQuerySet:
        return self.filter(over_at=None)

    def over(self) -> AlertQuerySet:
        return self.filter(over_at__isnull=False)

    def told_to(self, user: User) -> AlertQuerySet:
        """Those for everybody or for one of the person's groups; all to those who may change the rules."""
        if user.has_perm("recharge.change_alertrule"):
            return self
        meant = AlertRule.objects.filter(groups__isnull=False)
        return self.exclude(kind__in=meant.exclude(groups__in=user.groups.all()).values("kind"))

    def unread_by(self, user: User) -> AlertQuerySet:
        """Those that came after the person last looked; to one who never did, those that are open."""
        mark = AlertReading.objects.filter(user=user)
        never = ~Exists(mark) & Q(over_at=None)
        return self.told_to(user).filter(Q(pk__gt=Subquery(mark.values("read_until"))) | never)


class Alert(models.Model):
    """Something that whoever runs the portal must know; open until it is over."""

    kind = models.CharField(_("kind"), max_length=16, choices=AlertKind)
    key = models.CharField(max_length=64, blank=True, help_text=_("which one of its kind"))
    data = models.JSONField(default=dict, help_text=_("numbers and amounts; never phone numbers, cards or secrets"))
    since = models.DateTimeField(_("since"), db_default=Now())
    last_seen = models.DateTimeField(_("last seen"), db_default=Now())
    count = models.PositiveIntegerField(_("how often"), default=1)
    amount = models.PositiveIntegerField(default=0, help_text=_("how many it is about, where it may grow"))
    told_amount = models.PositiveIntegerField(default=0, help_text=_("how many of them were told of"))
    told_at = models.DateTimeField(db_default=Now(), help_text=_("when messages were made last"))
    reminders = models.PositiveIntegerField(default=0)
    acknowledged_at = models.DateTimeField(_("seen at"), null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("seen by"), related_name="+", db_index=False
    )
    acknowledgement = models.CharField(_("words"), max_length=200, blank=True)
    over_at = models.DateTimeField(_("over at"), null=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-id"]
        default_permissions = ("change", "view")
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="alert_open_once", condition=Q(over_at=None)),
            models.CheckConstraint(name="alert_kind_known", condition=Q(kind__in=AlertKind.values)),
            models.CheckConstraint(
                name="alert_acknowledged_by_somebody",
                condition=Q(acknowledged_at=None, acknowledged_by=None, acknowledgement="")
                | (Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False) & ~Q(acknowledgement="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}".strip()


class AlertReading(models.Model):
    """Up to which alert a person has seen the list."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    read_until = models.BigIntegerField(help_text=_("key of the newest alert that was shown"))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} {self.read_until}"


class AlertMessageQuerySet(models.QuerySet["AlertMessage"]):
    def due(self) -> AlertMessageQuerySet:
        return self.filter(due_at__lte=Now(), channel__on=True)


class AlertMessage(models.Model):
    """One message of an alert to one channel: due until it is sent or given up."""

    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="messages", db_index=False)
    channel = models.ForeignKey(AlertChannel, models.CASCADE, related_name="messages", db_index=False)
    phase = models.CharField(max_length=7, choices=AlertPhase)
    number = models.PositiveIntegerField(default=0, help_text=_("of reminders, from 1 on"))
    due_at = models.DateTimeField(null=True, db_default=Now())
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = AlertMessageQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["alert", "channel", "phase", "number"], name="alert_message_once"),
            models.CheckConstraint(name="alert_message_sent_or_due", condition=Q(due_at=None) | Q(sent_at=None)),
            models.CheckConstraint(
                name="alert_message_test_or_alert",
                condition=Q(alert=None, phase=AlertPhase.TEST) | (Q(alert__isnull=False) & ~Q(phase=AlertPhase.TEST)),
            ),
        ]
        indexes = [models.Index("due_at", name="alert_message_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.phase}"


class AlertLetter(models.Model):
    """What goes to a channel for several messages, from before it is sent until that has certainly come to an end.

    A receiver that gets it twice, because a worker died in between or no answer came, knows it again by its number.
    """

    channel = models.ForeignKey(AlertChannel, models.CASCADE, related_name="letters")
    number = models.CharField(max_length=40)
    messages = models.JSONField(help_text="keys of the messages that it stands for")
    heading = models.TextField()
    text = models.TextField()
    data = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.number


class Heartbeat(models.Model):
    """When a part of the portal gave its last sign of life: one row each."""

    part = models.CharField(max_length=8, choices=Part, primary_key=True)
    at = models.DateTimeField(db_default=Now())
    steady_since = models.DateTimeField(db_default=Now(), help_text="since when no sign of life was missing")
    missed = models.PositiveIntegerField(default=0, help_text="so many looks in a row found it without life")

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(name="heartbeat_part_known", condition=Q(part__in=Part.values))]

    def __str__(self) -> str:
        return f"{self.part} {self.at:%F %T}"
