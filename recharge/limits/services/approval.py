"""Which orders and batches a second person has to approve, and who that may be."""

from django.conf import settings
from django.contrib.auth.models import User

from recharge.choices import BatchState, Submission
from recharge.models import Batch, Order


def can_approve(thing: Order | Batch, person: User) -> bool:
    """Say whether a person may decide about an order or a batch; permissions are another matter."""
    if isinstance(thing, Batch):
        return thing.state == BatchState.AWAITING_APPROVAL and thing.made_by_id != person.pk
    awaits = thing.submission == Submission.AWAITING_APPROVAL and thing.batch_id is None
    return awaits and thing.placed_by_id != person.pk


def needs_approval(yuan: int) -> bool:
    """Say whether an order or a batch of this sum has to be approved by a second person."""
    return 0 < settings.APPROVAL_ABOVE < yuan
