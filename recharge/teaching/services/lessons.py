"""Teaching a meaning, and taking it back: one administrator asks, another one decides."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from recharge.choices import PortalEventKind, RefusalMeaning
from recharge.core import queue
from recharge.core.errors import NotYours, Outdated, ServiceError, TooLate
from recharge.core.events import clean, record_of_portal
from recharge.limits.services.approval import require_another
from recharge.models import Reading
from recharge.readings import services as readings
from recharge.status import Status

from .effects import effect_of, effect_of_removal

REASON_LIMIT = 200


class InvalidReading(ServiceError):
    """What can't be taught, or has been."""


def made(*, code: int | None, words: str, refusal_code: str, meaning: str) -> Reading:
    """Return the same as `propose` without saving it, to look at its effect.

    Raises:
        InvalidReading: it can't mean that.
    """
    if code is not None and meaning.isdecimal() and int(meaning) in Status.values:
        return Reading(code=code, means_status=int(meaning), refusal_code="", exact=True)
    if code is None and words and meaning in RefusalMeaning.values:
        dead = meaning in (RefusalMeaning.DEFINITE_NO, RefusalMeaning.NO_SUCH_ORDER)
        if dead and readings.default_meaning(words) == RefusalMeaning.DUPLICATE:
            raise InvalidReading(_("These words may say that the order exists already: nothing is dead by them."))
        return Reading(words=words, refusal_code=refusal_code, means=meaning, exact=True)
    raise InvalidReading(_("Choose what it means."))


def propose(*, code: int | None, words: str, refusal_code: str, meaning: str, reason: str, actor: User) -> Reading:
    """Propose what an unknown code, or the words of a refusal, mean; nothing holds before another one has agreed.

    Args:
        code: one that nobody knows; None where it is about words.
        words: as `readings.key_of` makes them; "" where it is about a code.
        refusal_code: the code beside the words, "" for whatever code.
        meaning: the number of a Status, or one of RefusalMeaning.
        reason: how one knows.
        actor: the administrator.

    Raises:
        InvalidReading: it has a meaning already, or one is proposed.
    """
    reading = made(code=code, words=words, refusal_code=refusal_code, meaning=meaning)
    reading.reason, reading.proposed_by = clean(reason, REASON_LIMIT), actor
    if code is not None and code in Status.values:
        raise InvalidReading(_("This code is known; it can't be taught."))
    try:
        with transaction.atomic(durable=True):
            reading.save(force_insert=True)
            _tell(reading, actor, _("proposed"), reading.reason)
    except IntegrityError:
        raise InvalidReading(_("Something is taught or proposed about it already: take that back first.")) from None
    return reading


def decide(*, reading_id: int, actor: User, agrees: bool, orders_seen: int, reason: str = "") -> Reading:
    """Agree with what another administrator proposed, so that it holds from now on and for what is stored; or not.

    Args:
        reading_id: its primary key.
        actor: anybody but who proposed it.
        agrees: whether the person agrees.
        orders_seen: how many orders the person was shown that it would change at most.
        reason: what there is to say about it.

    Raises:
        NotYours: the person proposed it, or may be able to sign in as who did.
        TooLate: it is decided.
        Outdated: it would change more orders than were shown.
    """
    if agrees and effect_of(Reading.objects.get(pk=reading_id)).changing > orders_seen:
        raise Outdated
    with transaction.atomic(durable=True):
        reading = _locked(reading_id)
        if reading.agreed is not None:
            raise TooLate(_("It is decided already."))
        require_decider(reading, actor)
        if agrees and reading.is_void:
            raise TooLate(_("It was proposed when any number stood for all: refuse it, and teach the exact words."))
        Reading.objects.filter(pk=reading_id).update(decided_by=actor, decided_at=Now(), agreed=agrees)
        _tell(reading, actor, _("agreed") if agrees else _("refused"), clean(reason, REASON_LIMIT))
    if agrees:
        queue.replay_soon()
    return reading


def ask_for_removal(*, reading_id: int, actor: User, reason: str) -> None:
    """Ask that something taught is taken back; it holds until another administrator agrees.

    Raises:
        TooLate: it doesn't hold (any more), or that is asked for already.
    """
    with transaction.atomic(durable=True):
        reading = _locked(reading_id)
        if not reading.agreed or reading.removed_at or reading.removal_asked_by_id:
            raise TooLate(_("It doesn't hold any more, or its removal is asked for already."))
        reading.removal_asked_by, reading.removal_reason = actor, clean(reason, REASON_LIMIT)
        reading.save(update_fields=["removal_asked_by", "removal_reason"])
        _tell(reading, actor, _("removal asked for"), reading.removal_reason)


def decide_removal(*, reading_id: int, actor: User, agrees: bool, orders_seen: int, reason: str = "") -> None:
    """Take something back that was taught, or leave it. What rests on a code comes into doubt, nothing is undone.

    Args:
        reading_id: its primary key.
        actor: anybody but who asked for it.
        agrees: whether the person agrees.
        orders_seen: how many orders the person was shown that it would bring into doubt at most.
        reason: what there is to say about it.

    Raises:
        NotYours: the person asked for it, or may be able to sign in as who did.
        TooLate: nobody asks for it (any more).
        Outdated: it would bring more orders into doubt than were shown.
    """
    if agrees and effect_of_removal(Reading.objects.get(pk=reading_id)).changing > orders_seen:
        raise Outdated
    with transaction.atomic(durable=True):
        reading = _locked(reading_id)
        if reading.removal_asked_by_id is None or reading.removed_at:
            raise TooLate(_("It is decided already."))
        require_decider(reading, actor)
        this = Reading.objects.filter(pk=reading_id)
        if agrees:
            this.update(removed_by=actor, removed_at=Now(), rounds=0, applied_to=0)
        else:
            this.update(removal_asked_by=None, removal_reason="")
        said = _("removed") if agrees else _("removal refused")
        _tell(reading, actor, said, clean(reason, REASON_LIMIT))
    if agrees:
        queue.replay_soon()


def require_decider(reading: Reading, actor: User) -> None:
    """Make sure that somebody may decide about a reading that is proposed, or that is to be taken back.

    Raises:
        NotYours: he asked for it, or may be able to sign in as who did.
    """
    if reading.agreed is None:
        asked_by, words = reading.proposed_by, _("You proposed this yourself: another administrator has to agree.")
    else:
        assert reading.removal_asked_by
        asked_by = reading.removal_asked_by
        words = _("You asked for this yourself: another administrator has to agree.")
    if asked_by.pk == actor.pk:
        raise NotYours(words)
    require_another(asked_by, actor)


def _locked(reading_id: int) -> Reading:
    return Reading.objects.select_for_update(of=("self",)).get(pk=reading_id)


def _tell(reading: Reading, actor: User, what: str, why: str) -> None:
    record_of_portal(PortalEventKind.READING, actor=actor, note=" · ".join(filter(None, [str(reading), what, why])))
