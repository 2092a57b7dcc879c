"""Changes of people's rights that wait for a second administrator."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from portal.kit.database import from_now
from recharge.choices import AccountChangeKind, AccountChangeOutcome

WAITS_FOR = dt.timedelta(days=7)


class AccountChangeQuerySet(models.QuerySet["AccountChange"]):
    def waiting(self) -> AccountChangeQuerySet:
        """Those about which a second person may still decide."""
        return self.filter(outcome="", asked_at__gt=from_now(-WAITS_FOR))

    def expire(self) -> int:
        """Close what nobody has decided in time, and forget the passwords; return how many."""
        late = self.filter(outcome="", asked_at__lte=from_now(-WAITS_FOR))
        return late.update(outcome=AccountChangeOutcome.EXPIRED, decided_at=Now(), password="")


class AccountChange(models.Model):
    """An administrator's wish to give somebody more rights, or a new password; done once another one has confirmed it.

    What is wanted never changes: who confirms it confirms what was asked for.
    """

    kind = models.CharField(_("kind"), max_length=12, choices=AccountChangeKind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, verbose_name=_("person"), related_name="+", db_index=False
    )
    group = models.ForeignKey(
        Group, models.SET_NULL, null=True, verbose_name=_("group"), related_name="+", db_index=False
    )
    wanted = models.JSONField(default=dict, help_text="keys of groups and permissions, and flags of the user")
    password = models.CharField(max_length=128, blank=True, help_text="the hash; empty again once it is decided")
    reason = models.CharField(_("reason"), max_length=200)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("asked for by"), related_name="+", db_index=False
    )
    asked_at = models.DateTimeField(_("asked for at"), db_default=Now())
    outcome = models.CharField(_("outcome"), max_length=12, choices=AccountChangeOutcome, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        verbose_name=_("decided by"),
        related_name="+",
        db_index=False,
        help_text="nobody where it expired, or was confirmed at the command line",
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    words = models.CharField(max_length=200, blank=True, help_text="of who decided")

    objects = AccountChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of rights")
        verbose_name_plural = _("changes of rights")
        ordering = ("-id",)
        default_permissions = ()
        constraints = (
            models.UniqueConstraint("kind", "user", name="account_change_of_user_once", condition=Q(outcome="")),
            models.UniqueConstraint("kind", "group", name="account_change_of_group_once", condition=Q(outcome="")),
            models.CheckConstraint(
                name="account_change_decided_as_a_whole",
                condition=Q(outcome="", decided_at=None, decided_by=None)
                | (Q(outcome__in=AccountChangeOutcome.values) & Q(decided_at__isnull=False, password="")),
            ),
            # Four eyes: nobody confirms what he asked for, or what is about him.
            models.CheckConstraint(
                name="account_change_confirmed_by_another",
                condition=~Q(outcome=AccountChangeOutcome.CONFIRMED)
                | Q(decided_by=None)
                | (~Q(decided_by=F("asked_by")) & (Q(user=None) | ~Q(decided_by=F("user")))),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def waits(self) -> bool:
        """Whether nobody has decided yet."""
        return not self.outcome
