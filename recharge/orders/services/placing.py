"""Placing an order: checked, committed, and only then told to a worker."""

import secrets
import uuid

import structlog
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from oilcards.models import OilCard
from oilcards.services.availability import lock_for_recharge
from oilcards.services.errors import NotRechargeable
from portal import platform
from recharge.choices import Product, Speed, Submission
from recharge.core import phone_numbers, queue
from recharge.core.errors import DuplicateOrder, FormAlreadyUsed, InvalidOrder, NotConfigured, NotReplaceable
from recharge.core.events import clean
from recharge.core.locking import lock
from recharge.fulfilment.services import transitions
from recharge.fulfilment.services.replacing import explain, living_attempt
from recharge.limits.services import rules
from recharge.limits.services.approval import needs_approval
from recharge.models import Order

NOTE_LIMIT = 200

ALL_TARGETS = 7_202_611_250
"""The number of an advisory lock: no hash of a target is as large."""


def new_order_no() -> str:
    """Return a number that people can read out: the day, then 14 random digits."""
    return f"{timezone.localdate():%y%m%d}{secrets.randbelow(10**14):014d}"


def place_mobile_order(
    *,
    placed_by: User,
    mobile: str,
    face_value: int,
    speed: Speed = Speed.FAST,
    switch_channel: bool | None = None,
    channel: int | None = None,
    nonce: uuid.UUID | None = None,
    duplicate_reason: str = "",
    duplicate_of: str = "",
    replaces: Order | None = None,
    note: str | None = None,
) -> Order:
    """Place a top-up; it is on its way to the platform when this returns, or awaits approval.

    Args:
        placed_by: the clerk.
        mobile: the number in any usual form.
        face_value: yuan, one of FACE_VALUES.
        speed: FAST or SLOW.
        switch_channel: whether the platform may try another channel; None leaves that to its own setting.
        channel: force one of the platform's channels; None does not.
        nonce: names the form that was sent; the same form makes one order, however often it is sent.
        duplicate_reason: why the same number gets the same value again within a day.
        duplicate_of: the number of the order that the reason was given for; "" for whichever there is.
        replaces: a dead order for the same number and value that this one stands in for.
        note: for people, at most 200 characters; None takes over that of the order that it replaces.

    Returns:
        The order, awaiting approval where its value asks for that; the earlier one, where the same form made it.

    Raises:
        NotConfigured: the platform's credentials are not set.
        InvalidOrder: a value that no order may have.
        LimitReached: it doesn't fit into what may be spent today.
        DuplicateOrder: the same number and value, open or within 24 hours, and no reason given for that order.
        FormAlreadyUsed: the form made an order with other contents.
        NotReplaceable: `replaces` isn't proven dead, or has been replaced already.
    """
    if not platform.is_configured():
        raise NotConfigured
    order = Order(
        product=Product.MOBILE,
        mobile=_normalized(mobile),
        face_value=face_value,
        speed=speed,
        switch_channel=switch_channel,
        channel=channel,
        placed_by=placed_by,
        nonce=nonce,
        duplicate_reason=duplicate_reason.strip(),
        replaces=replaces,
        note=_noted(note, replaces),
    )
    return place(order, duplicate_of=duplicate_of)


def place_oil_order(
    *,
    placed_by: User,
    oil_card: OilCard,
    face_value: int,
    speed: Speed = Speed.SLOW,
    nonce: uuid.UUID | None = None,
    duplicate_reason: str = "",
    duplicate_of: str = "",
    replaces: Order | None = None,
    note: str | None = None,
) -> Order:
    """Place a recharge of an oil card; it is on its way to the platform when this returns, or awaits approval.

    Args:
        placed_by: the clerk.
        oil_card: an active card of the card book.
        face_value: yuan, one of OIL_FACE_VALUES.
        speed: one of OIL_SPEEDS; the platform's document says slow for now.
        nonce, duplicate_reason, duplicate_of, replaces, note: as in `place_mobile_order`.

    Returns:
        As `place_mobile_order`.

    Raises:
        NotConfigured, InvalidOrder, LimitReached, DuplicateOrder, FormAlreadyUsed, NotReplaceable: as in
            `place_mobile_order`.
    """
    if not platform.is_configured():
        raise NotConfigured
    return place(
        Order(
            product=Product.OIL,
            oil_card=oil_card,
            face_value=face_value,
            speed=speed,
            placed_by=placed_by,
            nonce=nonce,
            duplicate_reason=duplicate_reason.strip(),
            replaces=replaces,
            note=_noted(note, replaces),
        ),
        duplicate_of=duplicate_of,
    )


def place(order: Order, *, duplicate_of: str = "") -> Order:
    """Check and commit an order of either product, and tell a worker; see `place_mobile_order`."""
    with transaction.atomic(durable=True):
        lock_target(order)
        earlier = _made_by_the_same_form(order)
        if earlier:
            return earlier
        _refuse_problems(order)
        if order.replaces:
            _require_replaceable(order.replaces, order)
        _refuse_duplicate(order, known=duplicate_of)
        order.order_no = new_order_no()
        order.first_attempt_id = first_attempt_of(order.replaces)
        structlog.contextvars.bind_contextvars(order_no=order.order_no)
        transitions.place(order, awaits_approval=needs_approval(order.face_value))
        if order.submission == Submission.QUEUED:
            queue.send_on_commit(queue.SUBMIT, order.pk)
    return order


def find_duplicate(order: Order) -> Order | None:
    """Return the latest order for the same target and value that may have spent money."""
    return rules.earlier_ones([order], since=order.replaces_id).get(rules.target(order))


def lock_target(order: Order) -> None:
    """Let two clerks place the same top-up one after the other, so that the second one is told of the first.

    While a batch is being made, which may hold any target, all of them wait, see `lock_all_targets`. SQLite needs
    nothing: its transactions are alone from their beginning.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [ALL_TARGETS])
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{order.product} {order.mobile}{order.oil_card_id}"]
            )
            if order.nonce:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [str(order.nonce)])


def lock_all_targets() -> None:
    """Let nobody else place anything until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ALL_TARGETS])


def _noted(note: str | None, replaced: Order | None) -> str:
    if note is None:
        return replaced.note if replaced else ""
    return clean(note.strip(), NOTE_LIMIT)


def _normalized(mobile: str) -> str:
    try:
        return phone_numbers.normalize(mobile)
    except phone_numbers.InvalidMobile as error:
        raise InvalidOrder("mobile", str(error)) from None


def _made_by_the_same_form(order: Order) -> Order | None:
    earlier = Order.objects.filter(nonce=order.nonce).first() if order.nonce else None
    if earlier is None:
        return None
    what = ("product", "mobile", "oil_card_id", "face_value", "speed", "switch_channel", "channel", "note")
    contents = (*what, "placed_by_id")
    if any(getattr(earlier, name) != getattr(order, name) for name in contents):
        raise FormAlreadyUsed(earlier)
    return earlier


def _refuse_duplicate(order: Order, *, known: str) -> None:
    """Let a reason pass for the order that it was given for, not for one that somebody else placed meanwhile."""
    earlier = find_duplicate(order)
    if earlier and not (order.duplicate_reason and known in ("", earlier.order_no)):
        raise DuplicateOrder(earlier)


def _refuse_problems(order: Order) -> None:
    """Refuse what the rules don't allow; the card stays as it is until the transaction ends."""
    try:
        card = lock_for_recharge(card_id=order.oil_card_id) if order.oil_card_id else None
    except NotRechargeable as error:
        raise InvalidOrder("oil_card", str(error)) from None
    for problem in rules.problems(order, card):
        raise InvalidOrder(problem.field, problem.message)


def first_attempt_of(replaced: Order | None) -> int | None:
    """Return the key of the first attempt of the chain that an order joins by replacing another; None if it doesn't."""
    return (replaced.first_attempt_id or replaced.pk) if replaced else None


def _require_replaceable(old: Order, new: Order) -> None:
    current = lock(old.pk)
    if any(getattr(current, name) != getattr(new, name) for name in ("mobile", "oil_card_id", "face_value")):
        raise NotReplaceable(_("What replaces an order has the same target and face value."))
    if not current.is_provably_unspent:
        raise NotReplaceable(_("It isn't proven that this order spent nothing."))
    if living := living_attempt(current):
        raise NotReplaceable(explain(living))
    if Order.objects.filter(replaces=current).exists():
        raise NotReplaceable(_("This order has been replaced already."))
