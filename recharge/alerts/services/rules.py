"""By which rules the portal rings: the defaults of each kind, what administrators made of them, what is fixed."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Prefetch, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.kit.lists import listed
from portal.kit.wording import group_name
from recharge.choices import AlertKind, PortalEventKind
from recharge.core.events import record_of_portal
from recharge.models import AlertChannel, AlertQuietHours, AlertRule

HOURS_4 = 4 * 60


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number from which on a kind rings: the setting that holds its default, and what it counts."""

    setting: str
    unit: str | Promise

    @property
    def fixed(self) -> bool:
        """Whether the environment names it."""
        return self.setting in settings.ALERT_FIXED

    @property
    def default(self) -> float:
        return float(getattr(settings, self.setting))


THRESHOLDS: dict[str, Threshold] = {
    AlertKind.PLATFORM: Threshold("ALERT_PLATFORM_DOWN_SECONDS", _("seconds without an answer")),
    AlertKind.BALANCE: Threshold("ALERT_BALANCE_YUAN", _("yuan at least; 0: never")),
    AlertKind.RUNWAY: Threshold("ALERT_RUNWAY_HOURS", _("hours at least; 0: never")),
    AlertKind.APPROVALS: Threshold("ALERT_APPROVAL_MINUTES", _("minutes of waiting")),
    AlertKind.CASES: Threshold("ALERT_CASES", _("urgent cases at least")),
    AlertKind.REFUNDS: Threshold("ALERT_REFUND_DAYS", _("days since the failure")),
    AlertKind.WRONG_PASSWORDS: Threshold("ALERT_WRONG_PASSWORDS", _("within 15 minutes; 0: never")),
    AlertKind.BACKUP: Threshold("ALERT_BACKUP_HOURS", _("hours since the last one")),
}
AGAIN_AFTER: dict[str, int] = {
    **dict.fromkeys((AlertKind.PLATFORM, AlertKind.BALANCE, AlertKind.GUARD, AlertKind.STANDSTILL), HOURS_4),
    **dict.fromkeys((AlertKind.CASES, AlertKind.APPROVALS), 60),
    AlertKind.REFUNDS: 24 * 60,
}
"""Minutes after which a kind rings once more, where it does so unless a rule says otherwise."""

CAN_WAIT = (AlertKind.CASES, AlertKind.APPROVALS, AlertKind.REFUNDS, AlertKind.BACKUP)
GROWING = (AlertKind.CASES, AlertKind.APPROVALS, AlertKind.REFUNDS)
"""Kinds of which one alert tells of many: it rings again only for more of them."""


def all_rules() -> dict[str, AlertRule]:
    """Return the rule of every kind, those too that nobody has changed."""
    channels = Prefetch("channels", AlertChannel.objects.without_secrets())
    kept = {rule.kind: rule for rule in AlertRule.objects.prefetch_related("groups", channels)}
    return {kind: kept.get(kind) or default(kind) for kind in AlertKind.values}


def rule_of(kind: str) -> AlertRule:
    """Return the rule that a kind goes by."""
    return AlertRule.objects.filter(kind=kind).first() or default(kind)


def default(kind: str) -> AlertRule:
    """Return the rule, not kept anywhere, of a kind that nobody has made one for."""
    return AlertRule(kind=kind, again_after=AGAIN_AFTER.get(kind, 0), can_wait=kind in CAN_WAIT)


def threshold(rule: AlertRule) -> float:
    """Return the number from which on a kind rings, 0 for none: the environment's, the rule's, or the default."""
    known = THRESHOLDS.get(rule.kind)
    if known is None:
        return 0
    return known.default if known.fixed or rule.threshold is None else float(rule.threshold)


def channels_of(rule: AlertRule) -> list[AlertChannel]:
    """Return the channels that are switched on and that a kind's messages go to.

    What the settings named once and don't any more is as good as removed.
    """
    on = AlertChannel.objects.without_secrets().filter(on=True)
    named = Q(from_settings=False) | Q(on=True)
    chosen = [] if rule._state.adding else list(rule.channels.filter(named).values_list("pk", flat=True))
    return list(on.filter(pk__in=chosen) if chosen else on)


def due_at(rule: AlertRule) -> dt.datetime | None:
    """Return when the quiet hours end that a kind has to wait for; None where it is told at once."""
    hours = AlertQuietHours.objects.first() if rule.can_wait else None
    return hours.end_for(timezone.localtime()) if hours else None


def change_rule(
    *,
    kind: AlertKind,
    actor: User,
    on: bool,
    threshold: int | None,
    again_after: int,
    can_wait: bool,
    groups: list[Group],
    channels: list[AlertChannel],
) -> None:
    """Change how a kind rings, and write down who did it.

    Args:
        kind: which one.
        actor: the person.
        on: whether it rings at all.
        threshold: the number from which on; None for the default. Without effect where the environment names it.
        again_after: minutes until it rings once more; 0: only once.
        can_wait: whether it waits for the end of the quiet hours.
        groups: who is shown it in the portal; none of them: everybody who may see alerts.
        channels: where its messages go; none of them: to all.
    """
    with transaction.atomic():
        before = said(rule_of(kind))
        fields = {"on": on, "threshold": threshold, "again_after": again_after, "can_wait": can_wait}
        rule, _made = AlertRule.objects.update_or_create(kind=kind, defaults=fields)
        rule.groups.set(groups)
        rule.channels.set(channels)
        record_of_portal(PortalEventKind.ALERT_RULE, actor=actor, note=f"{kind.label}: {before} → {said(rule)}")


def change_quiet_hours(*, actor: User, begin: dt.time | None, end: dt.time | None) -> None:
    """Set when messages that can wait are held back, by the clock in Shanghai; both None: never."""
    with transaction.atomic():
        before = AlertQuietHours.objects.first()
        AlertQuietHours.objects.all().delete()
        now = AlertQuietHours.objects.create(pk=1, begin=begin, end=end) if begin and end and begin != end else None
        note = f"{_('Quiet hours')}: {before or '–'} → {now or '–'}"
        record_of_portal(PortalEventKind.ALERT_RULE, actor=actor, note=note)


def said(rule: AlertRule) -> str:
    """Describe a rule in one line, for the portal's history."""
    kept = not rule._state.adding
    groups = listed(map(group_name, rule.groups.order_by("name"))) if kept else ""
    channels = listed(rule.channels.without_secrets()) if kept else ""
    parts = [
        _("switched on") if rule.on else _("switched off"),
        _("from %(number)s") % {"number": rule.threshold} if rule.threshold is not None else "",
        _("again after %(minutes)s min") % {"minutes": rule.again_after} if rule.again_after else _("only once"),
        _("can wait") if rule.can_wait else "",
        f"{_('for')} {groups}" if groups else "",
        f"{_('to')} {channels}" if channels else "",
    ]
    return " · ".join(str(part) for part in parts if part)
