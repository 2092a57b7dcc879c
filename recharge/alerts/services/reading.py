"""Which alerts a person has seen in the list."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import Value
from django.db.models.functions import Greatest

from recharge.models import Alert, AlertReading


def read_until(reader: User) -> int:
    """Return the key of the newest alert that the person has seen, 0 for one who never looked."""
    return AlertReading.objects.filter(user=reader).values_list("read_until", flat=True).first() or 0


def note(shown: Sequence[Alert], *, reader: User) -> None:
    """Note that a person was shown these, and all before them."""
    newest = max((alert.pk for alert in shown), default=0)
    if newest > read_until(reader):
        AlertReading.objects.get_or_create(user=reader, defaults={"read_until": newest})
        AlertReading.objects.filter(user=reader).update(read_until=Greatest("read_until", Value(newest)))
