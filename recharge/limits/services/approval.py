"""Which orders and batches a second person has to approve, and who that may be."""

import datetime as dt
from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max, Q
from django.utils.translation import gettext_lazy

from portal.kit.database import from_now
from recharge.choices import BatchState, PortalEventKind, Submission
from recharge.core.errors import NotYours
from recharge.core.events import subject
from recharge.models import Batch, Order, PortalEvent

SECOND_SELF_FOR = dt.timedelta(days=30)
"""For so long whoever added a person, set a password or took factors away counts as able to sign in as that person:
who can do that can change the password there, too, so that a change of the password proves nothing."""
SECOND_SELF = gettext_lazy(
    "You may be able to sign in as a person concerned: you added this person, set the password or took the second "
    "factors away. Another one has to decide. That ends after 30 days, if the password was changed by then."
)
TAKES_OVER = (PortalEventKind.USER_ADDED, PortalEventKind.PASSWORD_SET, PortalEventKind.FACTORS)
ABOUT_PASSWORDS = (PortalEventKind.USER_ADDED, PortalEventKind.PASSWORD_SET, PortalEventKind.PASSWORD_CHANGED)
ABOUT_SIGN_INS = {*TAKES_OVER, *ABOUT_PASSWORDS}


def can_approve(thing: Order | Batch, person: User) -> bool:
    """Say whether a person may decide about an order or a batch; permissions are another matter."""
    if isinstance(thing, Batch):
        return thing.state == BatchState.AWAITING_APPROVAL and thing.made_by_id != person.pk
    awaits = thing.submission == Submission.AWAITING_APPROVAL and thing.batch_id is None
    return awaits and thing.placed_by_id != person.pk


def require_another(first: User, second: User) -> None:
    """Make sure that the first of two persons can't be the second one's second self.

    Args:
        first: who placed or asked for something.
        second: who decides about it.

    Raises:
        NotYours: the second may be able to sign in as the first, see `may_sign_in_as`.
    """
    require_none_of([first], second)


def require_none_of(people: Collection[User], decider: User) -> None:
    """Make sure of the same for several people at once; errors as in `require_another`."""
    if second_selves(people, decider):
        raise NotYours(SECOND_SELF)


def needs_approval(yuan: int) -> bool:
    """Say whether an order or a batch of this sum has to be approved by a second person."""
    return 0 < settings.APPROVAL_ABOVE < yuan


def second_selves(people: Collection[User], decider: User) -> set[int]:
    """Return the keys of those people as whom somebody else who decides may be able to sign in."""
    return {pk for pk, others in may_sign_in_as(people).items() if decider.pk in {other.pk for other in others}}


def may_sign_in_as(people: Collection[User]) -> dict[int, list[User]]:
    """Return who else may be able to sign in as each of some people, by their keys.

    That is who set the password that is in use, however long ago, and for SECOND_SELF_FOR whoever added the person, set
    a password or took second factors away. Of passwords from before the portal's history nothing is known.
    """
    about = PortalEvent.objects.filter(about__in={subject(one) for one in people}, kind__in=ABOUT_SIGN_INS)
    last = about.filter(kind__in=ABOUT_PASSWORDS).order_by().values("about").annotate(last=Max("id")).values("last")
    lately = Q(kind__in=TAKES_OVER, at__gt=from_now(-SECOND_SELF_FOR))
    known: dict[str, dict[int, User]] = {}
    for event in about.filter(lately | Q(pk__in=last), actor__isnull=False).select_related("actor").order_by("id"):
        assert event.actor
        known.setdefault(event.about, {})[event.actor.pk] = event.actor
    return {one.pk: [who for pk, who in known.get(subject(one), {}).items() if pk != one.pk] for one in people}


def last_sign_in_changes(people: Collection[User]) -> dict[int, int]:
    """Return the last event by which each of some people's password or factors became others, by their keys."""
    keys = {subject(one): one.pk for one in people}
    about = PortalEvent.objects.filter(about__in=keys, kind__in=ABOUT_SIGN_INS).order_by()
    last = about.values("about").annotate(last=Max("id")).values_list("about", "last")
    return {keys[name]: event for name, event in last}
