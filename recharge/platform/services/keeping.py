"""When the platform is checked, and what is kept of it: one row for each account."""

import datetime as dt

from django.contrib.auth.models import User
from django.db.models.functions import Now

from portal import platform
from portal.kit.database import from_now, now
from recharge.core import queue
from recharge.limits.services import accounts, balance
from recharge.models import Account, PlatformCheck
from recharge.platform.choices import Cause, Result, Step

from . import contact
from .findings import Finding

REPEATED_AFTER = dt.timedelta(days=1)
LOOKED_AGAIN_AFTER = dt.timedelta(minutes=10)
"""Where something got worse: it may have been a passing fault, and then the alert ends soon."""
CLAIMED_FOR = dt.timedelta(minutes=10)
"""A check is another worker's again after this time: longer than all steps with their limits may take."""
SEVERITY = {Result.OK: 0, Result.NOT_TRIED: 0, Result.WARNING: 1, Result.FAILED: 2}
UNTRIED = (Cause.EARLIER_STEP, Cause.TOOK_TOO_LONG)
OTHERS_RING = (Step.BALANCE, Step.CALLBACKS)
"""Steps whose bad news have an alert of their own."""


def latest() -> PlatformCheck | None:
    """Return what is kept of the account of the settings; None where it was never checked."""
    return PlatformCheck.objects.filter(account__fingerprint=accounts.fingerprint()).first()


def findings(kept: PlatformCheck) -> list[Finding]:
    """Return what each step found last, as far as this version of the portal knows it."""
    return list(filter(None, map(Finding.kept, kept.findings)))


def strange_words() -> tuple[str, str] | None:
    """Return in which words the platform said last that there is no order, where the portal doesn't take them for that.

    They are its code and words as `readings.place_of` makes them; None where there are none, or they can't be taught.
    """
    kept = latest()
    found = (one for one in (findings(kept) if kept else []) if one.cause == Cause.WORDS_STRANGE)
    facts: dict[str, str] = next((one.facts for one in found), {})
    return (facts["words_code"], facts["words_key"]) if facts.get("words_key") else None


def is_green(kept: PlatformCheck) -> bool:
    """Say whether every step is in order."""
    return bool(kept.findings) and all(row["result"] == Result.OK for row in kept.findings)


def counts(kept: PlatformCheck | None) -> dict[str, int]:
    """Return how many steps ended how, by the values of `Result`; nothing but zeros where nothing was checked."""
    rows = kept.findings if kept else []
    return {result.value: sum(row["result"] == result for row in rows) for result in Result}


def is_under_way(kept: PlatformCheck) -> bool:
    """Say whether a check that a person asked for has not ended yet."""
    return kept.asked_at is not None and (kept.thorough_at is None or kept.thorough_at < kept.asked_at)


def worse(kept: PlatformCheck) -> list[Finding]:
    """Return which steps are worse than when a person last looked, apart from those that have an alert of their own."""
    return [one for one in findings(kept) if _is_worse(one, kept.expected)]


def ask_for_check(*, actor: User) -> None:
    """Let a worker check everything now. Asked twice, it is done once.

    Args:
        actor: the person.
    """
    row, _ = PlatformCheck.objects.get_or_create(account=accounts.current())
    PlatformCheck.objects.filter(pk=row.pk).update(asked_at=Now(), asked_by=actor, due_at=Now())
    queue.check_platform_soon()


def check_if_due() -> None:
    """Check what is due: everything where a person asked for it, else what is harmless to repeat every day."""
    if not platform.is_configured():
        return
    row = latest()
    due = PlatformCheck.objects.filter(pk=row.pk if row else None, due_at__lte=Now())
    if row and not is_under_way(row) and balance.is_silent():  # that has an alert of its own, and tells nothing new
        due.update(due_at=from_now(LOOKED_AGAIN_AFTER))
    elif row and due.update(due_at=from_now(CLAIMED_FOR), began_at=Now()):
        row.refresh_from_db()
        _check(row, thorough=is_under_way(row))


def check_now() -> list[Finding]:
    """Check everything, at the command line; kept only where the portal knows the account of the settings already.

    Whoever only tries what a setting would do must not leave an account behind: the very first one is believed.
    """
    account = Account.objects.filter(fingerprint=accounts.fingerprint()).first()
    if account is None or not platform.is_configured():
        return contact.check()
    row, _ = PlatformCheck.objects.get_or_create(account=account)
    PlatformCheck.objects.filter(pk=row.pk).update(asked_at=Now(), asked_by=None, began_at=Now())
    row.refresh_from_db()
    return _check(row, thorough=True)


def _check(row: PlatformCheck, *, thorough: bool) -> list[Finding]:
    began = now()
    found = contact.check(thorough=thorough)
    kept = {} if thorough else {one.step: one for one in findings(row)}
    kept |= {one.step: one for one in found}
    expected = {} if thorough else row.expected
    told = [one for one in found if one.cause not in UNTRIED]  # what was not come to is neither better nor worse
    expected |= {one.step.value: one.result.value for one in told if not _is_worse(one, expected)}
    is_worse = any(_is_worse(one, expected) for one in found)
    changes = {
        "findings": [kept[step].as_row() for step in Step if step in kept],
        "expected": expected,
        "ran_at": Now(),
        "worse_since": (row.worse_since or began) if is_worse else None,
    }
    if thorough:
        changes["thorough_at"] = Now()
    next_one = from_now(LOOKED_AGAIN_AFTER if is_worse else REPEATED_AFTER)
    mine = PlatformCheck.objects.filter(pk=row.pk)
    mine.update(**changes)
    mine.filter(asked_at=row.asked_at).update(due_at=next_one)  # who asked meanwhile is not put off till tomorrow
    return found


def _is_worse(found: Finding, expected: dict[str, str]) -> bool:
    before = expected.get(found.step.value)
    if before is None or found.step in OTHERS_RING:
        return False
    return SEVERITY[found.result] > SEVERITY[Result(before)]
