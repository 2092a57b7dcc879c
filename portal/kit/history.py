"""History that can only grow: what the events of orders, batches and cards have in common."""

from typing import Any

from django.db import models


class AppendOnlyError(Exception):
    """Somebody tried to change or delete history."""


class AppendOnly(models.Model):
    """A row that is written once. Never changed, never deleted."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("events are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("events are never deleted")
