"""What the vendor said about an order that can't be found by a query."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from recharge.choices import Submission

from .orders import Order


class DeclarationQuerySet(models.QuerySet["Declaration"]):
    def waiting(self) -> DeclarationQuerySet:
        """Those about which a second person still has to decide; one whose order was found needs no decision."""
        return self.filter(decided_at=None, order__submission=Submission.UNKNOWN)


class Declaration(models.Model):
    """A person's word that the vendor confirms that an order never arrived; it counts once another one has agreed."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="declarations", db_index=False)
    words = models.TextField(help_text="the vendor's own words")
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    declared_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    agreed = models.BooleanField(null=True)

    objects = DeclarationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint("order", name="declaration_once_open", condition=Q(decided_at=None)),
            models.CheckConstraint(
                name="declaration_decided_as_a_whole",
                condition=Q(decided_by=None, decided_at=None, agreed=None)
                | Q(decided_by__isnull=False, decided_at__isnull=False, agreed__isnull=False),
            ),
            # Four eyes: nobody agrees with himself.
            models.CheckConstraint(
                name="declaration_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("declared_by")),
            ),
        )
        indexes = (models.Index(fields=["order", "id"], name="declaration_of_order"),)

    def __str__(self) -> str:
        return f"{self.order_id} {self.declared_at:%F %T}"
