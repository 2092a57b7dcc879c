"""What is remembered of people and their sign-ins; second factors are allauth's `Authenticator`."""

from __future__ import annotations

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class FailedTry(models.Model):
    """A wrong password or code, or one that is being looked at. Gone with one that is right, or after a day."""

    class Kind(models.TextChoices):
        PASSWORD = "PASSWORD"  # noqa: S105  (a kind)
        FACTOR = "FACTOR"
        OUTSIDE = "OUTSIDE"

    kind = models.CharField(max_length=8, choices=Kind)
    who = models.CharField(max_length=64, help_text="blind index of the name that was typed, whether anybody has it")
    address = models.CharField(max_length=45, help_text="of the browser; empty where it is not known")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["who", "at"], name="failed_try_of_name"),
            models.Index(fields=["address", "at"], name="failed_try_from_address"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class DuePassword(models.Model):
    """Somebody whose password another person knows: it must be changed at the next sign-in."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)


class UnmatchedIdentity(models.Model):
    """An account elsewhere by which somebody wanted to sign in, and which is nobody's; gone once it is matched."""

    source = models.CharField(_("provider"), max_length=200, help_text="see portal/accounts/outside/providers.py")
    key = models.CharField(_("key at the provider"), max_length=191)
    name = models.CharField(_("name at the provider"), max_length=100, help_text="anybody may call himself anything")
    first_seen = models.DateTimeField(_("first seen"), db_default=Now())
    last_seen = models.DateTimeField(_("last seen"), db_default=Now(), db_index=True)
    times = models.PositiveIntegerField(_("how often"), default=1)

    class Meta:
        verbose_name = _("unmatched outside account")
        verbose_name_plural = _("unmatched outside accounts")
        ordering = ("-last_seen", "-pk")
        default_permissions = ()
        constraints = (models.UniqueConstraint("source", "key", name="unmatched_identity_once"),)

    def __str__(self) -> str:
        return self.name or self.key


class MatchedIdentity(SocialAccount):  # type: ignore[misc]  # allauth has no types
    """An account elsewhere by which its user signs in: allauth's row, of which it stores the key and the name."""

    class Meta:
        proxy = True
        verbose_name = _("matched outside account")
        verbose_name_plural = _("matched outside accounts")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.extra_data.get("name") or self.uid)
