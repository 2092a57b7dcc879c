"""The history of the portal as a whole: append-only."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from portal.kit.history import AppendOnly
from recharge.choices import PortalEventKind

ABOUT_ACCOUNTS = (PortalEventKind.ACCOUNT_SEEN, PortalEventKind.ACCOUNT_CONFIRMED, PortalEventKind.ACCOUNT_SAME)


class PortalEventQuerySet(models.QuerySet["PortalEvent"]):
    def about_accounts(self) -> PortalEventQuerySet:
        return self.filter(kind__in=ABOUT_ACCOUNTS)


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
    note = models.CharField(_("note"), max_length=1000, blank=True)

    objects = PortalEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("portal event")
        verbose_name_plural = _("portal events")
        ordering = ["id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["kind", "id"], name="portal_event_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%F %T}"
