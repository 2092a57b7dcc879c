"""The reasons why a person must look at an order."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recharge.choices import MarkKind

from .order_events import OrderEvent
from .orders import Order


class MarkQuerySet(models.QuerySet["Mark"]):
    def open(self) -> MarkQuerySet:
        """Marks that nobody and nothing has answered yet."""
        return self.filter(closed_at=None)


class Mark(models.Model):
    """One reason why a person must look at an order, and, once it was dealt with, by whom or what.

    `Order.open_marks` repeats which kinds are open: lists, indexes and claims ask for that. A check of the books
    compares the two.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="marks", db_index=False)
    kind = models.CharField(_("kind"), max_length=16, choices=MarkKind)
    since = models.DateTimeField(_("since"), db_default=Now())
    event = models.ForeignKey(
        OrderEvent,
        models.PROTECT,
        null=True,
        verbose_name=_("raised by"),
        related_name="+",
        db_index=False,
        help_text=_("empty where an older version, which did not keep it, raised the mark"),
    )
    closed_at = models.DateTimeField(_("closed at"), null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("closed by"),
        related_name="+",
        db_index=False,
        help_text=_("empty where evidence answered it"),
    )
    closing_event = models.ForeignKey(OrderEvent, models.PROTECT, null=True, related_name="+", db_index=False)
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = MarkQuerySet.as_manager()

    class Meta:
        verbose_name = _("mark")
        verbose_name_plural = _("marks")
        ordering = ["id"]
        default_permissions = ("view",)
        constraints = [
            # A kind that is open already is not raised once more: the first event that raised it stands.
            models.UniqueConstraint(fields=["order", "kind"], name="mark_open_once", condition=Q(closed_at=None)),
            models.CheckConstraint(name="mark_kind_known", condition=Q(kind__in=MarkKind.values)),
            # A mark is closed by an event of the order's history, or not at all.
            models.CheckConstraint(
                name="mark_closed_by_event",
                condition=Q(closed_at=None, closed_by=None, closing_event=None)
                | Q(closed_at__isnull=False, closing_event__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["order", "id"], name="mark_of_order")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.since:%F %T}"
