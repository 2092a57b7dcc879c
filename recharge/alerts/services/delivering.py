"""Sending what is owed to the channels: from a queue of its own, so that a slow channel holds up no order.

What is due for a channel at the same time goes out as one letter, so that a hundred alerts, or a channel that was down
for a night, make one. It is written down before it goes out: where a worker dies meanwhile, or no answer comes, nobody
knows whether it has arrived, and the very same letter is sent again.
"""

import datetime as dt
import hashlib
import threading
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from portal.kit.crypto import WrongKey
from portal.kit.database import from_now, release_connection
from recharge.alerts import wording
from recharge.choices import AlertPhase
from recharge.models import AlertChannel, AlertLetter, AlertMessage

from .sending import Letter, Undeliverable, kind_of, send

AT_ONCE = 200
"""Messages that one digest stands for; the others make the next one."""
CLAIMED_FOR = dt.timedelta(minutes=2)
"""A message is another worker's again after this time: longer than any channel may take."""
GIVEN_UP_AFTER = 200
"""Attempts: a channel that is down for a week catches up."""
MAX_DELAY = dt.timedelta(hours=1)

log = structlog.get_logger(__name__)
_at_it = threading.Lock()


def read_channels() -> None:
    """Keep a row for each channel that ALERT_URLS names, and send to no other of that origin."""
    field: Any = AlertChannel._meta.get_field("address_index")
    named = {address: field.indexes(address) for address in settings.ALERT_URLS}  # by the older keys, too
    ours = AlertChannel.objects.filter(on=True, from_settings=True)
    known = set(ours.values_list("address_index", flat=True))
    for address, indexes in named.items():
        same = AlertChannel.objects.filter(address_index__in=indexes)
        if known.isdisjoint(indexes):
            first = same.order_by("pk").values("pk")[:1]
            if not AlertChannel.objects.filter(pk__in=first).update(on=True, from_settings=True):
                _add(indexes[0], address)
        same.filter(kind="").update(kind=kind_of(address))
    ours.exclude(address_index__in=[index for indexes in named.values() for index in indexes]).update(on=False)


def deliver(*, after_each: Callable[[], object] = lambda: None) -> None:
    """Send what is due, channel by channel; what fails is tried again after a growing delay.

    Args:
        after_each: what is done after each channel: several that hang take longer than a worker may be silent.
    """
    if _at_it.acquire(blocking=False):
        try:
            for channel in list(
                AlertMessage.objects.due().order_by("channel").values_list("channel", flat=True).distinct()
            ):
                _deliver(channel)
                after_each()
        finally:
            _at_it.release()


def _add(index: str, address: str) -> None:
    channel = AlertChannel(address=address, address_index=index, kind=kind_of(address), from_settings=True)
    try:
        AlertChannel.objects.bulk_create([channel], ignore_conflicts=True)
    except IntegrityError:  # pragma: no cover  (another process was faster)
        log.info("alert_channel_known")


def _deliver(channel_id: int) -> None:
    with transaction.atomic():
        letter = _claim(channel_id)
    if letter is None:
        return
    channel = AlertChannel.objects.filter(pk=channel_id)
    try:
        missed = _send(channel_id, Letter(letter.heading, letter.text, letter.number, letter.data))
    except Undeliverable as error:
        log.warning("alert_not_delivered", channel=channel_id, messages=len(letter.messages), why=str(error))
        _put_off(letter, forget=not error.perhaps_arrived)
        channel.update(failed_at=Now(), failure=str(error)[:300])
    else:
        _note_sent(letter)
        channel.update(succeeded_at=Now())
        if missed:
            channel.update(failed_at=Now(), failure=missed[:300])
        # It is up again: what waits for another attempt needn't wait any longer. What others are at is due earlier.
        waiting = AlertMessage.objects.filter(channel=channel_id, attempts__gt=0, due_at__gt=from_now(CLAIMED_FOR))
        waiting.update(due_at=Now())


def _send(channel_id: int, letter: Letter) -> str:
    try:
        address = AlertChannel.objects.filter(pk=channel_id).values_list("address", flat=True).first()
    except WrongKey:
        raise Undeliverable(_("Its address can't be decrypted: enter it anew.")) from None
    release_connection()
    return send(address, letter) if address else ""  # somebody has just removed it


def _claim(channel_id: int) -> AlertLetter | None:
    """Take what is due for a channel, in the caller's transaction: a letter that may have arrived, or a new one."""
    due = AlertMessage.objects.due().filter(channel=channel_id)
    kept = list(AlertLetter.objects.filter(channel=channel_id).order_by("pk"))
    for letter in kept:
        if _take(due.filter(pk__in=letter.messages)):
            return letter
    taken = _take(due.exclude(pk__in=[key for letter in kept for key in letter.messages]))
    return _written(channel_id, taken) if taken else None


def _take(due: QuerySet[AlertMessage]) -> list[AlertMessage]:
    """Take messages, those only that nobody else has taken meanwhile."""
    # Of the messages' own columns alone: what an UPDATE reads of another table it doesn't read again after waiting.
    still = AlertMessage.objects.filter(due_at__lte=Now())
    taken = [
        key
        for key in list(due.order_by("id").values_list("pk", flat=True)[:AT_ONCE])
        if still.filter(pk=key).update(due_at=from_now(CLAIMED_FOR), attempts=F("attempts") + 1)
    ]
    return list(AlertMessage.objects.filter(pk__in=taken).select_related("alert").order_by("id"))


def _note_sent(letter: AlertLetter) -> None:
    """Note that a letter was sent; what was still to be said of its alerts before it is overtaken, and never said."""
    with transaction.atomic():
        AlertMessage.objects.filter(pk__in=letter.messages).update(due_at=None, sent_at=Now())
        AlertLetter.objects.filter(pk=letter.pk).delete()
        owed = AlertMessage.objects.filter(channel=letter.channel_id, due_at__isnull=False)
        later = AlertMessage.objects.filter(pk__in=letter.messages, alert=OuterRef("alert"), pk__gt=OuterRef("pk"))
        overtaken = list(owed.filter(Exists(later)).values_list("pk", flat=True))
        if owed.filter(pk__in=overtaken).update(due_at=None):
            for other in AlertLetter.objects.filter(channel=letter.channel_id):
                if not owed.filter(pk__in=other.messages).exists():
                    other.delete()


def _put_off(letter: AlertLetter, *, forget: bool) -> None:
    """Put messages off by a delay that grows with every attempt. Whoever tests a channel looks at it now: no retry.

    Args:
        letter: the one that could not be sent.
        forget: whether it certainly did not arrive, so that its messages may make another one with later ones.
    """
    messages = AlertMessage.objects.filter(pk__in=letter.messages, sent_at=None)
    attempts = messages.aggregate(most=Max("attempts"))["most"] or 0
    delay = min(MAX_DELAY, dt.timedelta(seconds=10) * 2 ** min(attempts, 16))
    with transaction.atomic():
        messages.filter(phase=AlertPhase.TEST).update(due_at=None)
        messages.exclude(phase=AlertPhase.TEST).update(due_at=from_now(delay))
        messages.filter(attempts__gte=GIVEN_UP_AFTER).update(due_at=None)
        if forget or not messages.filter(due_at__isnull=False).exists():
            AlertLetter.objects.filter(pk=letter.pk).delete()


def _written(channel_id: int, messages: list[AlertMessage]) -> AlertLetter:
    """Make one letter of all that is due for a channel; of each alert, the last thing that is to be said of it."""
    last = list({message.alert_id or -message.pk: message for message in messages}.values())
    return AlertLetter.objects.create(
        channel_id=channel_id,
        number=_number(messages),
        messages=[message.pk for message in messages],
        heading=wording.heading(last),
        text=wording.text(last),
        data={"alerts": [wording.data(one) for one in last if one.alert]},
    )


def _number(messages: list[AlertMessage]) -> str:
    """Name a letter so that a receiver knows it again when it comes twice; no other portal's has the same."""
    keys = ",".join(str(message.pk) for message in messages)
    return "msg_" + hashlib.sha256(f"{settings.PUBLIC_URL} {keys}".encode()).hexdigest()[:32]
