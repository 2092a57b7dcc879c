"""Raising and ending alerts. An alert is a row first; its messages are queued in the same transaction."""

import datetime as dt
from collections.abc import Collection, Mapping

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Least, Now
from django.utils.translation import gettext as _

from portal.kit.database import now
from recharge.choices import AlertKind, AlertPhase
from recharge.core.errors import TooLate
from recharge.models import Alert, AlertMessage, AlertRule
from recharge.platform.services.findings import hidden

from . import rules

ENDS_BY_HAND = (AlertKind.NEW_DEVICE, AlertKind.WRONG_PASSWORDS)
"""What somebody did once holds on until a person has seen it."""

MAX_INTERVAL = dt.timedelta(days=1)


def ring(kind: AlertKind, key: str = "", *, since: dt.datetime | None = None, amount: int = 0,
         **data: str | int) -> None:  # fmt: skip
    """Raise an alert, or note that an open one still holds; only a new one makes messages.

    Args:
        kind: what it is about; a kind that is switched off raises none.
        key: which one of its kind; "" where there is only one.
        since: since when, by the database's clock; now where it isn't known.
        amount: how many there are of what it is about, where that may grow.
        data: what a message tells, by the words shown before it. What could be a phone number, a card or a secret in
            names and in the platform's words is hidden here.
    """
    data = {name: hidden(value) if isinstance(value, str) else value for name, value in data.items()}
    still = Alert.objects.filter(kind=kind, key=key, over_at=None)
    news = {"last_seen": Now(), "data": data, "amount": amount, "told_amount": Least(F("told_amount"), amount)}
    if still.update(**news, count=F("count") + 1):
        return
    rule = rules.rule_of(kind)
    if not rule.on:
        return
    known = {"since": since} if since else {}
    try:
        with transaction.atomic():
            alert = Alert.objects.create(kind=kind, key=key, data=data, amount=amount, told_amount=amount, **known)
            _owe(alert, AlertPhase.STARTED, rule)
    except IntegrityError:  # another process was faster
        still.update(last_seen=Now())


def end(alert: Alert, *, quietly: bool = False) -> None:
    """Say that an alert is over, to those who were told that it began or goes on; does nothing where it is already.

    Args:
        alert: which one.
        quietly: without any message, because its kind was switched off.
    """
    with transaction.atomic():
        if not Alert.objects.filter(pk=alert.pk, over_at=None).update(over_at=Now()):
            return
        # What came and went within the quiet hours nobody needs to know afterwards, nor that it went on meanwhile.
        alert.messages.filter(attempts=0, due_at__gt=Now()).delete()
        if not quietly:
            channels = set(alert.messages.values_list("channel_id", flat=True))
            _owe_to(sorted(channels), alert, AlertPhase.OVER, rules.rule_of(alert.kind))


def remind(by_kind: Mapping[str, AlertRule], kinds: Collection[str] = tuple(AlertKind)) -> None:
    """Ring again for what holds on: at growing distance until somebody has seen it, or for more of the same.

    Args:
        by_kind: the rules.
        kinds: for which; whoever looks at some only doesn't know of the others.
    """
    for alert in Alert.objects.open().filter(kind__in=kinds):
        rule = by_kind[alert.kind]
        if rule.on and rule.again_after and _is_due_again(alert, rule):
            _remind(alert, rule)


def acknowledge(*, alert_id: int, actor: User, words: str) -> None:
    """Note that a person has seen an alert and what he says about it; it rings no more until it is over.

    Args:
        alert_id: which one.
        actor: the person.
        words: what everybody reads beside it.

    Raises:
        TooLate: somebody has acknowledged it already, or it is over.
    """
    alert = Alert.objects.filter(pk=alert_id, over_at=None, acknowledged_at=None)
    said = {"acknowledged_at": Now(), "acknowledged_by": actor, "acknowledgement": words}
    with transaction.atomic():
        if not alert.update(**said):
            raise TooLate(_("It is over, or somebody has seen it already."))
        Alert.objects.filter(pk=alert_id, kind__in=ENDS_BY_HAND).update(over_at=Now())


def _is_due_again(alert: Alert, rule: AlertRule) -> bool:
    grows = alert.kind in rules.GROWING
    if (grows and alert.amount <= alert.told_amount) or (alert.acknowledged_at and not grows):
        return False
    distance = dt.timedelta(minutes=rule.again_after)
    if not grows:
        distance = min(distance * 2 ** min(alert.reminders, 20), max(distance, MAX_INTERVAL))
    return now() - alert.told_at >= distance


def _remind(alert: Alert, rule: AlertRule) -> None:
    with transaction.atomic():
        same = Alert.objects.filter(pk=alert.pk, over_at=None, reminders=alert.reminders)
        if same.update(reminders=F("reminders") + 1, told_at=Now(), told_amount=F("amount")):
            _owe(alert, AlertPhase.AGAIN, rule, number=alert.reminders + 1)


def _owe(alert: Alert, phase: AlertPhase, rule: AlertRule, *, number: int = 0) -> None:
    _owe_to([channel.pk for channel in rules.channels_of(rule)], alert, phase, rule, number=number)


def _owe_to(channels: list[int], alert: Alert, phase: AlertPhase, rule: AlertRule, *, number: int = 0) -> None:
    later = rules.due_at(rule)
    when = {"due_at": later} if later else {}
    AlertMessage.objects.bulk_create(
        [AlertMessage(alert=alert, channel_id=channel, phase=phase, number=number, **when) for channel in channels]
    )
