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
from recharge.core.errors import (
    DoubtfulNumber,
    DuplicateOrder,
    FormAlreadyUsed,
    InvalidOrder,
    NotConfigured,
    NotReplaceable,
)
from recharge.core.events import clean
from recharge.core.locking import lock
from recharge.fulfilment.services import replacing, replaying, transitions
from recharge.fulfilment.services.replacing import explain, living_attempt
from recharge.limits.services import number_limits, rules, slow_hold
from recharge.limits.services.approval import needs_approval
from recharge.models import Order, OrderQuerySet
from recharge.numbers.services import known

NOTE_LIMIT = 200
PURPOSE_LIMIT = 100
REFERENCE_LIMIT = 64

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
    number_confirmed: str = "",
    replaces: Order | None = None,
    note: str | None = None,
    purpose: str = "",
    reference: str = "",
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
        number_confirmed: the keys of the warnings that the person was shown and confirmed, of rules and of what the
            platform said, with a blank between them; "" for none.
        replaces: a dead order for the same number and value that this one stands in for; where it has failed and
            its refund is not confirmed, a second person has to approve this one.
        note: for people, at most 200 characters; None takes over that of the order that it replaces.
        purpose: what it is for, at most 100 characters; SLOW_PURPOSE_REQUIRED asks slow orders for it.
        reference: the customer's, at most 64 characters; SLOW_REFERENCE_REQUIRED asks slow orders for it.

    Returns:
        The order, awaiting approval where its value asks for that; the earlier one, where the same form made it.

    Raises:
        NotConfigured: the platform's credentials are not set.
        InvalidOrder: a value that no order may have, or more than one number gets.
        LimitReached: it doesn't fit into what may be spent today.
        DuplicateOrder: the same number and value, open or within 24 hours, and no reason given for that order.
        DoubtfulNumber: a rule, or what the platform said, asks for a second look at the number, and nobody has
            confirmed it.
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
        purpose=clean(purpose.strip(), PURPOSE_LIMIT),
        reference=clean(reference.strip(), REFERENCE_LIMIT),
    )
    return place(order, duplicate_of=duplicate_of, number_confirmed=number_confirmed)


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
    purpose: str = "",
    reference: str = "",
) -> Order:
    """Place a recharge of an oil card; it is on its way to the platform when this returns, or awaits approval.

    Args:
        placed_by: the clerk.
        oil_card: an active card of the card book.
        face_value: yuan, one of OIL_FACE_VALUES.
        speed: one of OIL_SPEEDS; the platform's document says slow for now.
        nonce, duplicate_reason, duplicate_of, replaces, note, purpose, reference: as in `place_mobile_order`.

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
            purpose=clean(purpose.strip(), PURPOSE_LIMIT),
            reference=clean(reference.strip(), REFERENCE_LIMIT),
        ),
        duplicate_of=duplicate_of,
    )


def place(order: Order, *, duplicate_of: str = "", number_confirmed: str = "") -> Order:
    """Check and commit an order of either product, and tell a worker; see `place_mobile_order`."""
    with transaction.atomic(durable=True):
        lock_target(order)
        earlier = _made_by_the_same_form(order)
        if earlier:
            return earlier
        _refuse_problems(order)
        confirmed = _require_confirmed(order, number_confirmed)
        if order.replaces:
            _require_replaceable(order.replaces, order)
        order.first_attempt_id = first_attempt_of(order.replaces)
        _refuse_beyond_limits(order)
        _refuse_duplicate(order, known=duplicate_of)
        known.describe([order])
        order.order_no = new_order_no()
        structlog.contextvars.bind_contextvars(order_no=order.order_no)
        awaits_approval = needs_approval(order.face_value) or bool(replacing.proofs(order))
        transitions.place(order, awaits_approval=awaits_approval, confirmed=confirmed)
        if order.submission == Submission.QUEUED:
            queue.send_on_commit(queue.SUBMIT, order.pk)
    return order


def find_duplicate(order: Order) -> Order | None:
    """Return the latest order for the same target and value that may have spent money."""
    return rules.earlier_ones([order], since=order.replaces_id, apart_from=_replaced_by(order)).get(rules.target(order))


def _replaced_by(order: Order) -> OrderQuerySet:
    """Return the attempts that an order stands in for."""
    return Order.objects.attempts_like(order) if order.replaces_id else Order.objects.none()


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
    contents = (*what, "purpose", "reference", "placed_by_id")
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
    if held := slow_hold.why_held(order):
        raise InvalidOrder("speed", held)


def _refuse_beyond_limits(order: Order) -> None:
    if passed := number_limits.problem(order, apart_from=_replaced_by(order)):
        raise InvalidOrder("mobile" if order.mobile else "oil_card", passed)


def _require_confirmed(order: Order, key: str) -> str:
    """Return the warnings about the order's number that a person has confirmed, "" where there are none."""
    told = known.doubts([order]).get(known.offer_of(order))
    found = [doubt for doubt in (rules.doubt(order), told) if doubt]
    message, shown = " ".join(doubt.message for doubt in found), " ".join(doubt.key for doubt in found)
    if shown != key and found:
        raise DoubtfulNumber(shown, message)
    return message


def first_attempt_of(replaced: Order | None) -> int | None:
    """Return the key of the first attempt of the chain that an order joins by replacing another; None if it doesn't."""
    return (replaced.first_attempt_id or replaced.pk) if replaced else None


def _require_replaceable(old: Order, new: Order) -> None:
    current = lock(old.pk)
    if any(getattr(current, name) != getattr(new, name) for name in ("mobile", "oil_card_id", "face_value")):
        raise NotReplaceable(_("What replaces an order has the same target and face value."))
    if not (current.is_provably_unspent or current.is_confirmed_failed):
        raise NotReplaceable(_("It is not proven that no money was spent on this order."))
    if replaying.is_to_be_read(Order.objects.in_chain_of(current)):
        raise NotReplaceable(_("Earlier orders are just being read anew by what was taught. Try again in a minute."))
    if living := living_attempt(current, may_have_failed=True):
        raise NotReplaceable(explain(living))
    if Order.objects.filter(replaces=current).exists():
        raise NotReplaceable(_("This order has been replaced already."))
