"""What only those may do who were shown what it is about; here they have seen all that there is."""

from django.contrib.auth.models import User

from recharge.models import Batch, Order
from recharge.services import interventions


def acknowledge(order: Order, actor: User, note: str = "seen") -> Order:
    return interventions.acknowledge(order_id=order.pk, actor=actor, note=note, last_seen=last_event(order))


def last_event(thing: Order | Batch) -> int:
    return thing.events.values_list("pk", flat=True).last() or 0
