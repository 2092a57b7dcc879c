"""Several workers deliver the same alerts at the same moment."""

import pytest
from django.db import connection, transaction

from recharge.alerts.services import delivering
from recharge.choices import AlertChannelKind, AlertPhase
from recharge.models import AlertChannel, AlertMessage
from tests.races import together

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
MESSAGES = 200


def test_no_message_is_taken_by_two_workers() -> None:
    assert connection.vendor == "postgresql", "SQLite lets no two transactions run at once"
    channel = AlertChannel.objects.create(kind=AlertChannelKind.JSON, address="json://127.0.0.1/", address_index="1")
    taken: list[int] = []

    def take() -> None:
        with transaction.atomic():
            letter = delivering._claim(channel.pk)
        taken.extend(letter.messages if letter else [])

    for _ in range(3):
        AlertMessage.objects.bulk_create(
            [AlertMessage(channel=channel, phase=AlertPhase.TEST) for _ in range(MESSAGES)]
        )
        together(take, take)
        AlertMessage.objects.all().delete()
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 3 * MESSAGES
