"""The prepaid balance at the platform."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Balance(models.Model):
    """The prepaid balance at the platform: one row, what was told last and how long ago."""

    amount = models.DecimalField(_("balance"), max_digits=14, decimal_places=4, null=True)
    told_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True, help_text="when the platform answered last, were it by a refusal")
    tried_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(name="balance_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return str(self.amount)
