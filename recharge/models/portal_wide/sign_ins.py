"""What is remembered of sign-ins: where a person has signed in before."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class KnownDevice(models.Model):
    """A browser in which somebody was let in, known by the hash of a random number that it keeps."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    token = models.CharField(max_length=64, help_text="SHA-256 of what is in the browser's cookie")
    at = models.DateTimeField(db_default=Now(), help_text="of the first sign-in")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "token"], name="device_of_user")]

    def __str__(self) -> str:
        return self.token[:12]
