"""Whom orders are pushed to.

Nothing is pushed under an account that nobody has confirmed. What was pushed under one account is asked about there
only: "no such order" from another one proves nothing.
"""

import hashlib

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Q, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from recharge.choices import NOT_YET_SENT, PortalEventKind
from recharge.core.errors import Outdated, TooLate
from recharge.core.events import record_of_portal
from recharge.models import Account, Order, OrderQuerySet

COUNTED_OPEN = 10_000
"""Open orders are counted no further."""


def fingerprint() -> str:
    """Return what names the account of the settings: its address, key and store count, its secret doesn't."""
    named = (settings.WIKEYUN_BASE_URL, settings.WIKEYUN_APP_KEY, settings.WIKEYUN_STORE_ID)
    return hashlib.sha256("\n".join(named).encode()).hexdigest()


def current() -> Account:
    """Return the account of the settings, kept from now on.

    The very first one needs no confirmation: there is nothing yet that could be taken for another's.
    """
    found = Account.objects.filter(fingerprint=fingerprint()).first()
    return found or _keep()


def is_confirmed() -> bool:
    """Say whether orders may be pushed under the account of the settings."""
    return current().confirmed_at is not None


def pushable() -> Exists:
    """Return the condition under which anything may be pushed, for the WHERE of what takes orders up."""
    return Exists(Account.objects.filter(fingerprint=fingerprint(), confirmed_at__isnull=False))


def current_key() -> Subquery:
    """Return the key of the account of the settings, for the UPDATE that takes an order up."""
    return Subquery(Account.objects.filter(fingerprint=fingerprint()).values("pk")[:1])


def of_current() -> Q:
    """Return the condition on orders that were pushed under the account of the settings, whatever its key was then."""
    party = Account.objects.filter(fingerprint=fingerprint()).values("party")[:1]
    same = Account.objects.filter(party=Subquery(party))
    return Q(account__in=same.values("pk")) | Q(Exists(same.filter(is_first=True)), account=None)


def belongs_here(order: Order) -> bool:
    """Say whether the account of the settings is the one that the order was pushed under, or will be."""
    return order.submission in NOT_YET_SENT or Order.objects.filter(of_current(), pk=order.pk).exists()


def open_elsewhere() -> int:
    """Return how many orders are unfinished under other accounts; COUNTED_OPEN for more than that."""
    return pushed_elsewhere(Order.objects.open()).order_by()[:COUNTED_OPEN].count()


def pushed_elsewhere(orders: OrderQuerySet) -> OrderQuerySet:
    """Of some orders, those that were pushed under another account."""
    return orders.filter(~of_current(), claims__gt=0)


def confirm(*, account_id: int, actor: User) -> Account:
    """Let orders be pushed under the account of the settings; those of others stay as they are, and are marked.

    Args:
        account_id: the account that the person was shown.
        actor: the person.

    Raises:
        Outdated: the settings name another account by now.
        TooLate: it is confirmed already.
    """
    with transaction.atomic(durable=True):
        account = _shown(account_id)
        _confirm(account, actor)
        note = _("%(account)s; unfinished under other accounts: %(open)d")
        record_of_portal(
            PortalEventKind.ACCOUNT_CONFIRMED, actor=actor, note=note % {"account": account, "open": open_elsewhere()}
        )
    return account


def declare_same(*, account_id: int, other_id: int, actor: User, reason: str) -> Account:
    """Let the account of the settings be the same as another one, under a new key; this confirms it, too.

    Args:
        account_id: the account that the person was shown as that of the settings.
        other_id: the account that it is the same as.
        actor: the person.
        reason: how the person knows.

    Raises:
        Outdated: the settings name another account by now.
        TooLate: the two are known to be the same.
    """
    with transaction.atomic(durable=True):
        account = _shown(account_id)
        other = Account.objects.select_for_update().filter(pk=other_id).exclude(party=account.party).first()
        if other is None:
            raise TooLate(_("These two are known to be the same account."))
        Account.objects.filter(party=account.party).update(party=other.party)
        if account.confirmed_at is None:
            _confirm(account, actor)
        record_of_portal(
            PortalEventKind.ACCOUNT_SAME,
            actor=actor,
            note=_("%(new)s is the same as %(old)s: %(reason)s") % {"new": account, "old": other, "reason": reason},
        )
    return account


def _keep() -> Account:
    named = {
        "base_url": settings.WIKEYUN_BASE_URL,
        "app_key": settings.WIKEYUN_APP_KEY,
        "store_id": settings.WIKEYUN_STORE_ID,
    }
    try:
        with transaction.atomic():
            is_first = not Account.objects.exists()
            account = Account.objects.create(fingerprint=fingerprint(), is_first=is_first, **named)
            Account.objects.filter(pk=account.pk).update(party=F("pk"), confirmed_at=Now() if is_first else None)
            record_of_portal(PortalEventKind.ACCOUNT_SEEN, note=str(account))
    except IntegrityError:
        pass  # another process has just kept it
    return Account.objects.get(fingerprint=fingerprint())


def _shown(account_id: int) -> Account:
    account = Account.objects.select_for_update().filter(pk=account_id, fingerprint=fingerprint()).first()
    if account is None:
        raise Outdated
    return account


def _confirm(account: Account, actor: User) -> None:
    if account.confirmed_at is not None:
        raise TooLate(_("This account is confirmed already."))
    Account.objects.filter(pk=account.pk).update(confirmed_at=Now(), confirmed_by=actor)
