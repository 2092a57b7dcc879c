"""Who looks after an order that needs a person, and when it is to be looked at again."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .orders import Order


class Case(models.Model):
    """What people agreed about an order on the desk; made when the first of them does something about it.

    Whether the order is on the desk at all, its own state says. The whole story is in its history: this row repeats
    what a list shows of it.
    """

    order = models.OneToOneField(Order, models.PROTECT, primary_key=True, related_name="case")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("looked after by"), related_name="cases"
    )
    look_again_at = models.DateTimeField(_("look again at"), null=True)
    note = models.CharField(_("latest note"), max_length=300, blank=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.order)
