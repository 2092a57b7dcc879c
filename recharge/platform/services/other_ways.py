"""Orders that don't come from this portal: forbidden or allowed at the platform, by two persons. [pub]

The platform tells nobody which of the two holds, so the portal knows only what it had done last.
"""

from http import HTTPStatus

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from portal import platform
from portal.gateway import NotSent, OutcomeUnknown, Rejected, means_no_such_call
from portal.kit.database import release_connection
from portal.kit.wording import person
from recharge.choices import PortalEventKind, SwitchOutcome
from recharge.core.errors import NotConfigured, NotYours, TooLate
from recharge.core.events import clean, record_of_portal
from recharge.core.wording import why_unanswered
from recharge.limits.services import accounts
from recharge.limits.services.approval import require_another
from recharge.models import OtherWays

REASON_LIMIT = 200
WORDS_LIMIT = 300


def last_done() -> OtherWays | None:
    """Return what the platform did last under the account of the settings, None where it never did anything."""
    return _of_account().filter(outcome=SwitchOutcome.DONE).last()


def last_tried() -> OtherWays | None:
    """Return the last wish with which a second person agreed, None where there is none."""
    return _of_account().filter(agreed=True).last()


def waiting() -> OtherWays | None:
    """Return the wish about which a second person still has to decide."""
    return _of_account().filter(decided_at=None).last()


def ask(*, forbid: bool, reason: str, actor: User) -> OtherWays:
    """Ask for orders by other ways to be forbidden or allowed; nothing changes before a second person agrees.

    Args:
        forbid: whether they are to be forbidden.
        reason: why.
        actor: the person.

    Raises:
        NotConfigured: there is no account to do that for.
        TooLate: somebody asked before, and nobody has decided yet.
    """
    if not platform.is_configured():
        raise NotConfigured
    said = clean(reason.strip(), REASON_LIMIT)
    try:
        with transaction.atomic(durable=True):
            return OtherWays.objects.create(account=accounts.current(), forbid=forbid, reason=said, asked_by=actor)
    except IntegrityError:
        raise TooLate(_("Somebody has asked for that already; a second person has to decide.")) from None


def decide(*, wish_id: int, agrees: bool, actor: User) -> OtherWays:
    """Agree with a wish, and so have the platform do it, or disagree. The call spends nothing and may be repeated.

    Args:
        wish_id: the wish that the person was shown.
        agrees: whether the person agrees.
        actor: anybody but who asked for it.

    Returns:
        The wish, with its outcome where the person agreed.

    Raises:
        NotYours: the person asked for it, or may be able to sign in as who did.
        TooLate: it is decided already, or belongs to another account.
    """
    asked = _of_account().filter(pk=wish_id).first()
    if asked is None:
        raise TooLate(_("This is decided already."))
    if asked.asked_by_id == actor.pk:
        raise NotYours(_("You asked for this yourself: another person has to agree."))
    require_another(asked.asked_by, actor)
    # Of the wish's own columns alone: of another table an UPDATE that had to wait sees what was there before.
    open_one = OtherWays.objects.filter(pk=wish_id, decided_at=None)
    # Committed before anything is sent: whoever dies in between leaves a wish whose outcome nobody knows.
    outcome = SwitchOutcome.UNKNOWN if agrees else ""
    decided = {"decided_by": actor, "decided_at": Now(), "agreed": agrees, "outcome": outcome}
    if not open_one.update(**decided):
        raise TooLate(_("This is decided already."))
    wish = OtherWays.objects.select_related("asked_by").get(pk=wish_id)
    if agrees:
        release_connection()
        wish.outcome, wish.words = _switch(forbid=wish.forbid)
        OtherWays.objects.filter(pk=wish_id).update(outcome=wish.outcome, words=wish.words)
    record_of_portal(PortalEventKind.OTHER_WAYS, actor=actor, note=_note(wish))
    return wish


def _of_account() -> QuerySet[OtherWays]:
    return OtherWays.objects.filter(account__fingerprint=accounts.fingerprint()).select_related("asked_by")


def _switch(*, forbid: bool) -> tuple[SwitchOutcome, str]:
    try:
        platform.trial_client().forbid_other_ways(forbid=forbid)
    except Rejected as refusal:
        outcome = SwitchOutcome.NO_SUCH_CALL if means_no_such_call(refusal) else SwitchOutcome.REFUSED
        return outcome, clean(f"{refusal.code} {refusal.message}", WORDS_LIMIT)
    except NotSent as error:
        return SwitchOutcome.NOT_SENT, why_unanswered(error)
    except OutcomeUnknown as error:
        if error.status == HTTPStatus.NOT_FOUND:  # what a platform without the call may show is a page that isn't found
            return SwitchOutcome.NO_SUCH_CALL, f"HTTP {error.status}"
        return SwitchOutcome.UNKNOWN, f"HTTP {error.status}" if error.status else why_unanswered(error)
    return SwitchOutcome.DONE, ""


def _note(wish: OtherWays) -> str:
    wanted = _("Forbid orders by other ways") if wish.forbid else _("Allow orders by other ways")
    ended = wish.get_outcome_display() if wish.agreed else _("the second person disagreed")
    return f"{wanted}: {ended} · {person(wish.asked_by)}: {wish.reason}"
