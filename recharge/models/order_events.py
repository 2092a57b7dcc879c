"""The history of orders: append-only."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from portal.kit.history import AppendOnly
from recharge.choices import EventKind, Submission, Verdict
from recharge.status import Status

from .orders import Order


class OrderEvent(AppendOnly):
    """One entry of an order's history: timeline, audit and evidence in one. Never changed, never deleted."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="events", db_index=False)
    at = models.DateTimeField(_("at"), db_default=Now())
    kind = models.CharField(_("event"), max_length=16, choices=EventKind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("by"),
        related_name="+",
        db_index=False,
    )
    submission_from = models.CharField(max_length=17, choices=Submission, blank=True)
    submission_to = models.CharField(max_length=17, choices=Submission, blank=True)
    status_from = models.PositiveIntegerField(choices=Status, null=True)
    status_to = models.PositiveIntegerField(choices=Status, null=True)
    reported_status = models.PositiveIntegerField(null=True)
    verdict = models.CharField(_("verdict"), max_length=15, choices=Verdict, blank=True)
    began_at = models.DateTimeField(null=True, help_text=_("when the query began, by the database's clock"))
    note = models.CharField(_("note"), max_length=300, blank=True)
    raw = models.TextField(_("evidence"), blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["order", "id"], name="event_of_order"),
            # Codes that nobody knows: what has been told by them so far.
            models.Index(
                fields=["reported_status", "order"],
                name="event_unknown_code",
                condition=models.Q(verdict=Verdict.UNKNOWN_CODE),
            ),
            # Codes that were taught: what was read by them, should they be taken back.
            models.Index(
                fields=["reported_status", "order"],
                name="event_taught_code",
                condition=models.Q(reported_status__gt=max(Status.values)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%F %T}"
