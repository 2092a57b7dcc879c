"""How the checks went last: those of the books, and that of the platform."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .accounts import Account


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


class PlatformCheck(models.Model):
    """The last check of the platform under one account, and when the next one is due."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="check_of_platform")
    asked_at = models.DateTimeField(_("asked for at"), null=True, help_text=_("when a person last asked for all of it"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("by"),
        related_name="+",
        db_index=False,
        help_text=_("empty at the command line"),
    )
    due_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
    ran_at = models.DateTimeField(_("last run"), null=True)
    thorough_at = models.DateTimeField(null=True, help_text=_("when all steps were tried last"))
    findings = models.JSONField(default=list, help_text=_("what each step found last"))
    expected = models.JSONField(default=dict, help_text=_("by step, the result that a person has been shown"))
    worse_since = models.DateTimeField(null=True, help_text=_("since when a step has been worse than that"))

    class Meta:
        verbose_name = _("check of the platform")
        verbose_name_plural = _("checks of the platform")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
