"""Which life of the database this is, so that a restored backup is not taken for the one that was running."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Generation(models.Model):
    """One row, whose token also stands beside the database: see `recharge/limits/services/restore_guard.py`."""

    token = models.CharField(max_length=32, blank=True)
    advanced_at = models.DateTimeField(db_default=Now())
    is_open = models.BooleanField(default=True)
    closed_at = models.DateTimeField(null=True)
    closed_because = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(name="generation_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return self.token
