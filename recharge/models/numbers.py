"""What is known of phone numbers before money is spent on them."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recharge.choices import Carrier, LimitPeriod, NumberVerdict, Speed


class NumberRule(models.Model):
    """What to do with the numbers that begin so, or with one whole number. The longest one that fits wins."""

    prefix = models.CharField(
        _("prefix or whole number"),
        max_length=11,
        unique=True,
        validators=[RegexValidator(r"^1[0-9]{0,10}\Z", _("1 to 11 digits, the first one a 1."))],
    )
    verdict = models.CharField(_("what to do"), max_length=6, choices=NumberVerdict)
    reason = models.CharField(
        _("reason"), max_length=200, blank=True, help_text=_("Whoever places an order is shown it.")
    )
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("number rule")
        verbose_name_plural = _("number rules")
        ordering = ["prefix"]
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.CheckConstraint(name="number_rule_verdict_known", condition=Q(verdict__in=NumberVerdict.values)),
        ]

    def __str__(self) -> str:
        return self.prefix


class NumberLimit(models.Model):
    """How much one phone number may get at most within a period, whoever places it. Without a row, any number of it."""

    period = models.CharField(_("within"), max_length=4, choices=LimitPeriod, unique=True)
    most_orders = models.PositiveIntegerField(_("orders at most"), null=True, blank=True)
    most_yuan = models.PositiveIntegerField(_("yuan at most"), null=True, blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("limit per number")
        verbose_name_plural = _("limits per number")
        ordering = ["period"]
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.CheckConstraint(name="number_limit_period_known", condition=Q(period__in=LimitPeriod.values)),
            models.CheckConstraint(
                name="number_limit_limits", condition=Q(most_orders__isnull=False) | Q(most_yuan__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_period_display())


class NumberInfo(models.Model):
    """What the platform said of a phone number, kept for NUMBER_ANSWER_DAYS."""

    mobile = models.CharField(max_length=11, primary_key=True)
    carrier = models.CharField(max_length=8, choices=Carrier, blank=True, help_text="the one that it has now")
    original_carrier = models.CharField(max_length=8, choices=Carrier, blank=True)
    province = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=40, blank=True)
    ported = models.BooleanField(null=True, help_text="empty where the platform named one carrier, or none")
    told_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="number_info_carriers_known", condition=Q(carrier__in=["", *Carrier.values])),
        ]
        indexes = [models.Index("told_at", name="number_info_told_at")]

    def __str__(self) -> str:
        return f"{self.mobile[:3]}****{self.mobile[-4:]}"


class NumberOffer(models.Model):
    """Whether the platform said that a phone number may be topped up so, kept for NUMBER_ANSWER_DAYS."""

    mobile = models.CharField(max_length=11)
    face_value = models.PositiveIntegerField(help_text="yuan")
    speed = models.PositiveSmallIntegerField(choices=Speed)
    able = models.BooleanField()
    words = models.CharField(max_length=200, blank=True, help_text="the platform's own, where it isn't")
    told_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["mobile", "face_value", "speed"], name="number_offer_once"),
        ]
        indexes = [models.Index("told_at", name="number_offer_told_at")]

    def __str__(self) -> str:
        return f"{self.mobile[:3]}****{self.mobile[-4:]} {self.face_value}"
