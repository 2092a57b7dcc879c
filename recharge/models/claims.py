"""What was claimed back from the vendor, by whom, and what came of each order."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Count, ExpressionWrapper, Q, Sum
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recharge.choices import ClaimOutcome
from recharge.status import Status

from .orders import OWED, OWING, Order

BY_A_PERSON = (ClaimOutcome.REFUSED, ClaimOutcome.WITHDRAWN)
"""What a person says of a claimed order; all else follows from the order itself."""


class RefundClaim(models.Model):
    """A list of orders that somebody handed to the vendor's support; what it held then never changes."""

    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField(db_default=Now())
    size = models.PositiveIntegerField(help_text="how many orders")
    total = models.DecimalField(max_digits=14, decimal_places=4, help_text="yuan")
    nonce = models.UUIDField(unique=True, help_text="makes one claim of a form that is sent twice")

    class Meta:
        verbose_name = _("refund claim")
        verbose_name_plural = _("refund claims")
        ordering = ["-id"]
        default_permissions = ("add", "change")
        constraints = [
            # A claim is for some orders.
            models.CheckConstraint(name="claim_not_empty", condition=Q(size__gt=0)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ClaimedOrderQuerySet(models.QuerySet["ClaimedOrder"]):
    def open(self) -> ClaimedOrderQuerySet:
        """Those of which nobody has said what came of them, and whose money isn't confirmed back."""
        return self.filter(said="", order__in=Order.objects.filter(OWED))

    def summed_up(self) -> list[tuple[int, ClaimOutcome, int, Decimal]]:
        """Return (claim, what came of it, how many orders, yuan) for each pair that there is."""
        groups: dict[tuple[int, ClaimOutcome], tuple[int, Decimal]] = {}
        is_confirmed = ExpressionWrapper(Q(order__confirmed_at__isnull=False), models.BooleanField())
        rows = (
            self.order_by().annotate(confirmed=is_confirmed).values_list("claim", "said", "order__status", "confirmed")
        )
        for claim, said, status, confirmed, orders, money in rows.annotate(orders=Count("pk"), money=Sum("owed")):
            key = (claim, outcome(said, status, confirmed=confirmed))
            before = groups.get(key, (0, Decimal(0)))
            groups[key] = (before[0] + orders, before[1] + money)
        return [(*key, *group) for key, group in groups.items()]


class ClaimedOrder(models.Model):
    """One order of a claim, as it was when it was claimed, and what a person said came of it."""

    claim = models.ForeignKey(RefundClaim, models.PROTECT, related_name="rows", db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="claimed", db_index=False)
    owed = models.DecimalField(max_digits=14, decimal_places=4, help_text="yuan")
    status = models.PositiveIntegerField(choices=Status)
    status_at = models.DateTimeField()
    said = models.CharField(max_length=9, choices=ClaimOutcome, blank=True)
    said_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    said_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=300, blank=True, help_text="the vendor's, or why it was withdrawn")

    objects = ClaimedOrderQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            # An order stands once in a claim.
            models.UniqueConstraint(fields=["claim", "order"], name="claim_order_once"),
            # A person says what only a person can know, with his name and the moment.
            models.CheckConstraint(
                name="claim_said_as_a_whole",
                condition=Q(said="", said_by=None, said_at=None, words="")
                | Q(said__in=[*BY_A_PERSON], said_by__isnull=False, said_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["order", "id"], name="claim_of_order")]

    def __str__(self) -> str:
        return f"{self.claim_id} {self.order_id}"

    @property
    def outcome(self) -> ClaimOutcome:
        """What came of it; reads the order."""
        return outcome(self.said, self.order.status, confirmed=self.order.confirmed_at is not None)


def outcome(said: str, status: int | None, *, confirmed: bool) -> ClaimOutcome:
    """Return what came of a claimed order.

    Nothing that a person said outweighs a refund which the platform's own answer confirms.

    Args:
        said: what a person said came of it, "" while nobody has said anything.
        status: the order's, as it is now.
        confirmed: whether the platform's own answer confirms that.
    """
    if status == Status.REFUNDED and confirmed:
        return ClaimOutcome.REFUNDED
    if said:
        return ClaimOutcome(said)
    return ClaimOutcome.OPEN if status in (*OWING, Status.REFUNDED) else ClaimOutcome.ARRIVED
