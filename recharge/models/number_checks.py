"""How far the platform was asked about the numbers of a list, and what it said."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from portal.kit.fields import EncryptedField

from .batches import Batch, BatchDraft


class NumberCheck(models.Model):
    """One question to the platform for each line of a list that can be placed; once it is a batch, it stays with that.

    A line that is asked about several times, since a worker died, counts once: `position` moves with the figures.
    """

    draft = models.OneToOneField(BatchDraft, models.CASCADE, null=True, related_name="number_check")
    batch = models.OneToOneField(Batch, models.PROTECT, null=True, related_name="number_check")
    language = models.CharField(max_length=10, help_text="of whoever reads what the platform says")
    asked_at = models.DateTimeField(default=timezone.now)
    to_ask = EncryptedField(default="", help_text="lines and numbers, compressed; empty before they are read")
    total = models.PositiveIntegerField(default=0, help_text="lines to be asked about")
    position = models.PositiveIntegerField(default=0, help_text="how many of them are dealt with")
    ported = models.PositiveIntegerField(default=0)
    unable = models.PositiveIntegerField(default=0)
    against = models.PositiveIntegerField(default=0, help_text="lines that a person should confirm")
    unanswered = models.PositiveIntegerField(default=0)
    named = models.JSONField(default=list, help_text="the first lines that something speaks against, and what")
    silent = models.PositiveSmallIntegerField(default=0, help_text="lines in a row without an answer")
    attempts = models.PositiveIntegerField(default=0, help_text="how often a worker took it up")
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True, help_text="why it ended before all were asked about")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="number_check_of_a_list_or_a_batch",
                condition=Q(draft__isnull=False, batch=None) | Q(draft=None, batch__isnull=False),
            ),
        ]
        indexes = [
            models.Index("asked_at", name="number_check_open", condition=Q(finished_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.batch_id or self.draft_id)

    @property
    def left(self) -> int:
        """How many lines are not asked about."""
        return self.total - self.position
