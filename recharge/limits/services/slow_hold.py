"""The hold of slow top-ups: while it is on, none is placed and none that is queued goes out; fast ones and cards do."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from recharge.choices import Product, Speed
from recharge.core.errors import Outdated, TooLate
from recharge.core.events import clean
from recharge.models import Order, SlowHold

REASON_LIMIT = 200

NOT_HELD = ~Q(product=Product.MOBILE, speed=Speed.SLOW) | ~Exists(SlowHold.objects.filter(on=True))
"""For the WHERE of what takes orders up."""


def current() -> SlowHold | None:
    """Return the hold that is on, None where there is none."""
    return SlowHold.objects.filter(on=True).select_related("started_by", "order").first()


def is_on() -> bool:
    """Say whether slow top-ups are held."""
    return SlowHold.objects.filter(on=True).exists()


def concerns(order: Order) -> bool:
    """Say whether an order is one of those that a hold keeps back."""
    return order.product == Product.MOBILE and order.speed == Speed.SLOW


def why_held(order: Order) -> str:
    """Return why an order can't be placed since slow top-ups are held, "" if they are not held."""
    hold = current() if concerns(order) else None
    return _("Slow top-ups are held: %(reason)s") % {"reason": hold.reason} if hold else ""


def start(*, actor: User, reason: str, order: Order | None = None) -> bool:
    """Hold slow top-ups, in the caller's transaction or one of its own.

    Args:
        actor: the person.
        reason: why, for everybody to read.
        order: whose number was suspended.

    Returns:
        Whether this began it; False where they are held already.
    """
    try:
        with transaction.atomic():
            SlowHold.objects.create(started_by=actor, reason=clean(reason.strip(), REASON_LIMIT), order=order)
    except IntegrityError:
        return False
    return True


def release(*, hold_id: int, actor: User, reason: str) -> None:
    """Let slow top-ups go on.

    Args:
        hold_id: the primary key of the hold that the person was shown.
        actor: the person, who is kept with the hold.
        reason: why it is over.

    Raises:
        TooLate: nothing is held.
        Outdated: another hold is on.
    """
    shown = SlowHold.objects.filter(pk=hold_id, on=True)
    over = {"on": False, "ended_at": Now(), "ended_by": actor, "ended_reason": clean(reason.strip(), REASON_LIMIT)}
    if not shown.update(**over):
        raise Outdated if current() else TooLate(_("Slow top-ups are not held."))
