"""Whom orders are pushed to: accounts at the platform."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from recharge.choices import SwitchOutcome


class Account(models.Model):
    """An account at the platform that the settings named at some time. Of its secret nothing is kept.

    `party` is the same in all accounts that a person declared to be one and the same under different keys.
    """

    fingerprint = models.CharField(_("fingerprint"), max_length=64, unique=True)
    base_url = models.CharField(_("address of the platform"), max_length=300)
    app_key = models.CharField(_("name of the key"), max_length=200)
    store_id = models.CharField(_("store"), max_length=100)
    party = models.PositiveBigIntegerField(null=True)
    is_first = models.BooleanField(
        default=False, help_text=_("orders that were pushed before accounts were kept belong to it")
    )
    seen_at = models.DateTimeField(_("first seen at"), db_default=Now())
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("confirmed by"),
        related_name="+",
        db_index=False,
        help_text=_("empty where it was the first one, which needs no confirmation"),
    )

    class Meta:
        verbose_name = _("account at the platform")
        verbose_name_plural = _("accounts at the platform")
        ordering = ["id"]
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(fields=["is_first"], name="account_one_first", condition=Q(is_first=True)),
        ]

    def __str__(self) -> str:
        return f"{self.app_key} ({self.store_id}) {self.base_url}"


class OtherWays(models.Model):
    """A person's wish to forbid or allow orders that don't come from this portal; done once another one has agreed."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="other_ways", db_index=False)
    forbid = models.BooleanField()
    reason = models.CharField(max_length=200)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    agreed = models.BooleanField(null=True)
    outcome = models.CharField(max_length=12, choices=SwitchOutcome, blank=True)
    words = models.CharField(max_length=300, blank=True, help_text="the platform's own")

    class Meta:
        default_permissions = ()
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint("account", name="other_ways_once_open", condition=Q(decided_at=None)),
            models.CheckConstraint(
                name="other_ways_decided_as_a_whole",
                condition=Q(decided_by=None, decided_at=None, agreed=None, outcome="")
                | Q(decided_by__isnull=False, decided_at__isnull=False, agreed=True)
                | Q(decided_by__isnull=False, decided_at__isnull=False, agreed=False, outcome=""),
            ),
            # Four eyes: nobody agrees with himself.
            models.CheckConstraint(
                name="other_ways_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
            ),
        )
        indexes = (models.Index(fields=["account", "id"], name="other_ways_of_account"),)

    def __str__(self) -> str:
        return f"{self.account_id} {self.forbid}"
