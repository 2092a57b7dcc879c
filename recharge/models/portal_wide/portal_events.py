"""The history of the portal as a whole: append-only."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from portal.kit.history import AppendOnly
from recharge.choices import PortalEventKind

ABOUT_ACCOUNTS = (
    PortalEventKind.ACCOUNT_SEEN,
    PortalEventKind.ACCOUNT_CONFIRMED,
    PortalEventKind.ACCOUNT_SAME,
    PortalEventKind.OTHER_WAYS,
)


BOUND_SLACK = dt.timedelta(hours=1)
"""How much later than another one an event may be written that began before it."""


class PortalEventQuerySet(models.QuerySet["PortalEvent"]):
    def about_accounts(self) -> PortalEventQuerySet:
        return self.filter(kind__in=ABOUT_ACCOUNTS)

    def between(self, start: dt.datetime | None, end: dt.datetime | None) -> PortalEventQuerySet:
        """Events from `start` on and before `end`; both become bounds of the key, by which lists are sorted."""
        events = self
        if start:
            first = PortalEvent.objects.filter(at__gte=start - BOUND_SLACK).order_by("at", "id")
            events = events.filter(at__gte=start, id__gte=first.values_list("id", flat=True).first() or 0)
        if end:
            last = PortalEvent.objects.filter(at__lt=end + BOUND_SLACK).order_by("-at", "-id")
            events = events.filter(at__lt=end, id__lte=last.values_list("id", flat=True).first() or 0)
        return events


class PortalEvent(AppendOnly):
    """What was done to the portal itself rather than to an order, a batch or a card. Never changed, never deleted."""

    at = models.DateTimeField(_("at"), db_default=Now())
    kind = models.CharField(_("event"), max_length=24, choices=PortalEventKind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("by"),
        related_name="+",
        db_index=False,
        help_text=_("nobody where the portal did it by itself, or at the command line"),
    )
    about = models.CharField(
        _("about"),
        max_length=64,
        blank=True,
        db_default="",
        help_text=_("what it was done to, such as order:20261129000000000001 or user:7"),
    )
    note = models.CharField(_("note"), max_length=1000, blank=True)
    details = models.JSONField(_("details"), null=True, help_text=_("never phone numbers, cards or secrets"))

    objects = PortalEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("portal event")
        verbose_name_plural = _("portal events")
        ordering = ["id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["kind", "id"], name="portal_event_kind"),
            models.Index(fields=["actor", "id"], name="portal_event_actor", condition=Q(actor__isnull=False)),
            models.Index(fields=["about", "id"], name="portal_event_about", condition=~Q(about="")),
            models.Index(fields=["at", "id"], name="portal_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%F %T}"


class Seal(AppendOnly):
    """A link of the chain over the histories: so many rows of one table, as they were when they were sealed."""

    table = models.CharField(max_length=64, help_text="a model's label, such as recharge.orderevent")
    first = models.BigIntegerField(help_text="from this id on; there need not be a row of it")
    last = models.BigIntegerField(help_text="up to this one, of which there is a row")
    columns = models.JSONField(help_text="the columns that were sealed; later ones are sealed with later rows")
    prints = models.BinaryField(help_text="the first bytes of each row's SHA-256, in the order of the ids")
    content = models.CharField(max_length=64, help_text="SHA-256 of all rows")
    previous = models.CharField(max_length=64, unique=True, help_text="the digest of the link before; empty: the first")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of this link and the one before")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["table", "first"], name="seal_of_rows")]
