"""How the checks of the books went last."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CheckRun(models.Model):
    """The last run of one check, and where its next one goes on."""

    check_name = models.CharField(_("check"), max_length=32, primary_key=True)
    ran_at = models.DateTimeField(_("last run"))
    seconds = models.FloatField(_("seconds"))
    broken = models.PositiveIntegerField(_("broken rows"), default=0)
    examples = models.JSONField(default=list, help_text=_("the first broken rows, as people know them"))
    broken_since = models.DateTimeField(null=True)
    stopped_for = models.JSONField(default=list, help_text=_("broken rows for which everything was stopped once"))
    event_seen = models.PositiveBigIntegerField(default=0, help_text=_("the last event of an order that was looked at"))
    order_seen = models.PositiveBigIntegerField(default=0, help_text=_("how far the round over all orders has come"))

    class Meta:
        verbose_name = _("check of the books")
        verbose_name_plural = _("checks of the books")
        ordering = ["check_name"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.check_name
