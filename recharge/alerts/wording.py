"""What alerts and their messages say: numbers of orders, money, a link; nothing personal."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.kit.lists import listed
from recharge.choices import AlertKind, AlertPhase
from recharge.models import Alert, AlertMessage

MAX_LINES = 15
"""Alerts that a digest names one by one."""
MAX_BYTES, MAX_LINE_BYTES, MAX_FACTS_BYTES = 1800, 400, 1200
"""Of a text, a line of a digest, and the facts of one alert: WeCom's robots take 2,048 bytes, with the heading."""

WHAT_TO_DO: dict[str, str | Promise] = {
    AlertKind.PLATFORM: gettext_lazy("Nothing is lost: orders wait. Don't place them elsewhere."),
    AlertKind.BALANCE: gettext_lazy("Pay in at the platform; batches that stopped for it go on when a person says so."),
    AlertKind.RUNWAY: gettext_lazy("Pay in at the platform before it is used up."),
    AlertKind.BATCH: gettext_lazy("Look at its orders, then let it go on or withdraw the rest."),
    AlertKind.STOP: gettext_lazy("No order goes out until somebody who may approve lets them."),
    AlertKind.GUARD: gettext_lazy("The database may be a restored one: nothing goes out until that is settled."),
    AlertKind.ACCOUNT: gettext_lazy("Nothing goes out until an administrator confirms the account."),
    AlertKind.BOOKS: gettext_lazy("Look at the orders that the check names."),
    AlertKind.APPROVALS: gettext_lazy("A second person has to decide."),
    AlertKind.CASES: gettext_lazy("Look at the desk, the oldest first."),
    AlertKind.REFUNDS: gettext_lazy("Claim it from the vendor; the sheet to do so with is on that page."),
    AlertKind.STANDSTILL: gettext_lazy("Whoever runs the portal must look at its workers."),
    AlertKind.NEW_DEVICE: gettext_lazy("Ask whether it was this person; if not, change the password at once."),
    AlertKind.WRONG_PASSWORDS: gettext_lazy("Ask whether it was this person; if not, somebody tries to get in."),
    AlertKind.BACKUP: gettext_lazy("Whoever runs the portal must look at why none was made."),
}
PAGES: dict[str, str] = {
    AlertKind.STOP: "emergency_stop",
    AlertKind.ACCOUNT: "platform",
    AlertKind.BOOKS: "check_list",
    AlertKind.APPROVALS: "approval_list",
    AlertKind.CASES: "attention",
    AlertKind.REFUNDS: "refunds",
    AlertKind.BALANCE: "overview",
    AlertKind.RUNWAY: "overview",
}
"""Where to look at what a kind is about."""


def page_of(alert: Alert) -> str:
    """Return the address of what an alert is about, "" where it has no page."""
    if alert.kind == AlertKind.BATCH:
        return reverse("batch_detail", args=[int(alert.key)])
    return reverse(PAGES[alert.kind]) if alert.kind in PAGES else ""


def heading(messages: list[AlertMessage]) -> str:
    """Return what a message is headed by that stands for these."""
    if len(messages) == 1:
        return title(messages[0])
    return _("%(count)d alerts") % {"count": len(messages)}


def text(messages: list[AlertMessage]) -> str:
    """Return the lines of a message that stands for these."""
    if len(messages) == 1:
        return body(messages[0])
    link = f"{settings.PUBLIC_URL}{reverse('alert_list')}"
    lines = [_shortened(_line(message), MAX_LINE_BYTES) for message in messages[:MAX_LINES]]
    while len("\n".join([*lines, link]).encode()) > MAX_BYTES:
        lines.pop()
    if len(messages) > len(lines):
        lines.append(_("and %(count)d more") % {"count": len(messages) - len(lines)})
    return "\n".join([*lines, link])


def title(message: AlertMessage) -> str:
    """Return what one message is headed by."""
    if message.alert is None:
        return _("A test")
    label = message.alert.get_kind_display()
    if message.phase == AlertPhase.OVER:
        return _("Over: %(what)s") % {"what": label}
    return _("Still: %(what)s") % {"what": label} if message.phase == AlertPhase.AGAIN else str(label)


def body(message: AlertMessage) -> str:
    """Return the lines of one message: since when, how long it took, what is known, what to do, and where to look."""
    alert = message.alert
    if alert is None:
        return _("If you can read this, alerts arrive here.") + f"\n{settings.PUBLIC_URL}/"
    lines = [_("since %(at)s") % {"at": f"{timezone.localtime(alert.since):%Y-%m-%d %H:%M:%S}"}]
    if message.phase == AlertPhase.OVER and alert.over_at:
        lines.append(_("It took %(duration)s.") % {"duration": duration(alert.over_at - alert.since)})
    facts = "\n".join(f"{name}: {value}" for name, value in alert.data.items())
    lines += filter(None, [_shortened(facts, MAX_FACTS_BYTES)])
    if message.phase != AlertPhase.OVER and alert.kind in WHAT_TO_DO:
        lines.append(str(WHAT_TO_DO[alert.kind]))
    return "\n".join([*lines, _link(alert)])


def data(message: AlertMessage) -> dict[str, Any]:
    """Return what a program reads of one message."""
    alert = message.alert
    if alert is None:
        return {}
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "phase": message.phase,
        "title": title(message),
        "since": alert.since.isoformat(),
        "over_at": alert.over_at.isoformat() if alert.over_at else None,
        "facts": alert.data,
        "link": _link(alert),
    }


def duration(length: dt.timedelta) -> str:
    """Show how long something took, to the second below an hour."""
    minutes, seconds = divmod(max(0, round(length.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}


def _line(message: AlertMessage) -> str:
    alert = message.alert
    if alert is None:
        return title(message)
    facts = listed(f"{name}: {value}" for name, value in alert.data.items())
    return " · ".join(filter(None, [title(message), f"{timezone.localtime(alert.since):%m-%d %H:%M}", facts]))


def _shortened(text: str, most: int) -> str:
    """Cut a text to so many bytes of UTF-8, between two characters."""
    data = text.encode()
    return text if len(data) <= most else data[:most].decode(errors="ignore") + "…"


def _link(alert: Alert) -> str:
    return f"{settings.PUBLIC_URL}{reverse('alert_detail', args=[alert.pk])}"
