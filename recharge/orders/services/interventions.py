"""What a person may do with an order that is under way. Each action is recorded with its author."""

import re
from collections.abc import Collection
from copy import copy

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import platform
from portal.gateway import Acknowledgement, GatewayError
from portal.kit.database import now as database_now
from portal.kit.database import release_connection
from portal.kit.lists import listed
from recharge.choices import NOT_HANDED_OVER, NOT_YET_SENT, EventKind, MarkKind, Submission, Verdict, bits_of
from recharge.core import queue
from recharge.core.errors import InvalidOrder, NotConfigured, TooLate
from recharge.core.events import describe, record, require_all_seen
from recharge.core.locking import lock
from recharge.fulfilment.services import products, reports
from recharge.fulfilment.services.privacy import hiding
from recharge.fulfilment.services.scheduling import CHECK_DELAYS, ask_at_once
from recharge.fulfilment.services.transitions import LEAVING_DOUBTS, Change
from recharge.limits.services import accounts, pacing
from recharge.models import Order
from recharge.status import CANCELLABLE

_PLATFORM_NUMBER = re.compile(r"[0-9A-Za-z_-]{1,64}")

ELSEWHERE = gettext_lazy("This order was pushed under another account: the present one can't be asked about it.")


def ask_now(*, order_id: int, actor: User) -> Order:
    """Make a query due as soon as the spacing of queries allows.

    Args:
        order_id: the order's primary key.
        actor: the person.

    Returns:
        The order; its `next_check_at` says when.

    Raises:
        TooLate: the order has not been handed over, so that there is nothing to ask for.
    """
    with transaction.atomic(durable=True):
        order = lock(order_id)
        if not can_ask(order):
            raise TooLate(_("The order has not been handed to the platform yet."))
        if not accounts.belongs_here(order):
            raise TooLate(ELSEWHERE)
        change = Change(order)
        ask_at_once(order)
        change.record(EventKind.ASKED_BY_HAND, actor=actor)
        queue.send_on_commit(queue.CHECK, order.pk)
    return order


def look_up_by_number(*, order_id: int, platform_number: str, actor: User) -> Order:
    """Ask the platform for an order by the number that its console shows for it, and believe only a matching answer.

    The document knows queries by the platform's own number alone: where the answer to a push and all callbacks are
    lost, a person is the only one who can find the order.

    Args:
        order_id: the order's primary key.
        platform_number: what stands in the console.
        actor: the person.

    Returns:
        The order, accepted where the answer matches.

    Raises:
        NotConfigured: the platform's credentials are not set.
        TooLate: nothing is unknown of the order, or it is of another account.
        InvalidOrder: this is no number, another order has it, or the platform's answer is about another order; nothing
            was taken over.
        GatewayError: Rejected, NotSent or OutcomeUnknown.
    """
    if not platform.is_configured():
        raise NotConfigured
    number = platform_number.strip()
    if not _PLATFORM_NUMBER.fullmatch(number):
        raise InvalidOrder("platform_number", _("A platform number has letters and digits only."))
    with transaction.atomic(durable=True):
        order = lock(order_id)
        if not can_be_looked_up(order):
            raise TooLate(_("The platform's number of this order is known, or it has not been handed over."))
        if not accounts.belongs_here(order):
            raise TooLate(ELSEWHERE)
        other = Order.objects.filter(gateway_order_no=number).first()
        if other:
            taken = _("Order %(number)s has this number at the platform.") % {"number": other.order_no}
            raise InvalidOrder("platform_number", taken)
        record(order, EventKind.ASKED_BY_HAND, actor=actor, note=number)
        query = reports.Query(order.pk, database_now(), order.heard)
    pacing.wait_for_turn()
    release_connection()
    named = copy(order)
    named.gateway_order_no = number
    report = products.query(named)
    if report.order_no != order.order_no or report.gateway_order_no != number:
        raise InvalidOrder(
            "platform_number", _("The platform's answer is not about this order. Nothing was taken over.")
        )
    reports.apply_answer(query=query, report=report)
    order.refresh_from_db()
    return order


def withdraw(*, order_id: int, actor: User) -> Order:
    """Take back an order that no worker has taken up; it counts towards its day no more.

    Args:
        order_id: the order's primary key, of a single order or of one in a batch.
        actor: the person.

    Returns:
        The order, settled.

    Raises:
        TooLate: a worker has taken it up; it may have reached the platform.
    """
    with transaction.atomic(durable=True):
        change = Change(lock(order_id))
        if not can_withdraw(change.order):
            raise TooLate(_("The order is no longer queued: it may have reached the platform."))
        change.withdraw()
        change.record(EventKind.WITHDRAWN, actor=actor)
    return change.order


def can_ask(order: Order) -> bool:
    """Say whether the platform can know anything of the order."""
    return order.submission not in NOT_HANDED_OVER


def can_be_looked_up(order: Order) -> bool:
    """Say whether a person may know the order's number at the platform before the portal does."""
    return order.submission in (Submission.UNKNOWN, Submission.NOT_RECEIVED, Submission.REJECTED)


def can_withdraw(order: Order) -> bool:
    """Say whether the order can still be taken back."""
    return order.submission in NOT_YET_SENT


def can_cancel(order: Order) -> bool:
    """Say whether asking the platform to cancel the order makes sense."""
    return order.submission == Submission.ACCEPTED and order.status in CANCELLABLE


def cancel_at_platform(*, order_id: int, actor: User) -> Acknowledgement:
    """Ask the platform to cancel the order. Whether it did, only a later status tells.

    Args:
        order_id: the order's primary key.
        actor: the person.

    Returns:
        The platform's acknowledgement.

    Raises:
        NotConfigured: the platform's credentials are not set.
        TooLate: the order isn't in a state in which cancelling makes sense.
        GatewayError: Rejected, NotSent or OutcomeUnknown; recorded like an answer.
    """
    if not platform.is_configured():
        raise NotConfigured
    with transaction.atomic(durable=True):
        order = lock(order_id)
        if not can_cancel(order):
            raise TooLate(_("This order can't be cancelled at the platform."))
        if not accounts.belongs_here(order):
            raise TooLate(ELSEWHERE)
        record(order, EventKind.CANCEL_ASKED, actor=actor)
    pacing.wait_for_turn()
    release_connection()
    try:
        answer = products.cancel(order)
    except GatewayError as error:
        _record_cancel_answer(order_id, actor, *describe(error))
        raise
    _record_cancel_answer(order_id, actor, Verdict.APPLIED, answer.raw, answer.message)
    return answer


def acknowledge(*, order_id: int, actor: User, note: str, last_seen: int, kinds: Collection[MarkKind] = ()) -> Order:
    """Record that a person has dealt with what needed attention. No order becomes replaceable by that alone.

    Args:
        order_id: the order's primary key.
        actor: the person.
        note: what was found and done.
        last_seen: the last event that the person knew of, see `require_all_seen`.
        kinds: the marks that were dealt with; all that are open, where none is named.

    Raises:
        TooLate: nothing of it needs attention (any more).
        Outdated: something has happened since; it may need attention, too.
    """
    with transaction.atomic(durable=True):
        order = lock(order_id)
        change = Change(order)
        dealt_with = [kind for kind in order.marked_as if not kinds or kind in kinds]
        if not dealt_with:
            raise TooLate(_("This order no longer needs attention."))
        require_all_seen(order, last_seen)
        hide = hiding(order)
        change.deal_with(dealt_with)
        if not order.settled_at and order.submission not in NOT_HANDED_OVER and not order.next_check_at:
            order.next_check_at = timezone.now() + CHECK_DELAYS[-1]
        if order.doubts & bits_of(LEAVING_DOUBTS) & bits_of(dealt_with):
            ask_at_once(order)  # only an answer that is asked for from here on ends the doubt
        labels = listed(kind.label for kind in dealt_with)
        change.record(EventKind.ACKNOWLEDGED, actor=actor, note=f"{labels}: {hide(note) if hide else note}")
    return order


def _record_cancel_answer(order_id: int, actor: User, verdict: Verdict, raw: str, note: str) -> None:
    with transaction.atomic(durable=True):
        change = Change(lock(order_id))
        ask_at_once(change.order)
        change.record(EventKind.CANCEL_ASKED, actor=actor, verdict=verdict, raw=raw, note=note)
