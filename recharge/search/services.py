"""Finding orders by whatever people have of them: numbers of any kind and words, pasted a thousand at a time."""

import re
import unicodedata
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Count, Max
from django.db.models.functions import Right
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oilcards.models import OilCard
from recharge.models import Batch, Order, OrderQuerySet

MAX_ENTRIES = 1000
MAX_WORDS = 20
"""Entries of words: each costs a look through the latest notes."""

NOTES_LOOKED_AT = 20_000
CARDS_LOOKED_FOR = 2000
BATCHES_LOOKED_AT = 50
REFERENCE_LIMIT = 64
BIGGEST_KEY = 2**63 - 1

_BETWEEN = re.compile(r"[\n\r\t,，;；、|]+")
_WITHIN = re.compile(r"[\s\-‐-―().·]+")
_MOBILE = re.compile(r"(?:\+|00)?(?:86)?(1[0-9]{10})")
_ORDER_NO = re.compile(r"[0-9]{20}")
_PLATFORM_NO = re.compile(r"(?=.*[0-9])[0-9A-Za-z_]{5,64}")
_BATCH = re.compile(r"[0-9]{1,10}")
_LAST_FOUR = re.compile(r"[0-9]{4}")
_AMID_WORDS = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:\+|00)?86[ -]?)?1[0-9]{2}[ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9A-Za-z])"  # a mobile number
    r"|(?<![0-9A-Za-z])[0-9]{20}(?![0-9A-Za-z])"  # an order's
    r"|(?:(?<=尾号)|(?<=尾号[:： ])|(?<=[后末]四位)|(?<=[后末]四位[:： ]))[0-9]{4}(?![0-9A-Za-z])"
)
"""What is sure to be a number, also where words stand around it or touch it."""


class Kind(StrEnum):
    """What an entry may be."""

    ORDER_NO = "order_no"
    PLATFORM_NO = "platform_no"
    MOBILE = "mobile"
    LAST_FOUR = "last_four"
    BATCH = "batch"
    REFERENCE = "reference"
    WORDS = "words"


SOUGHT: dict[Kind, str | Promise] = {
    Kind.ORDER_NO: _("order number"),
    Kind.PLATFORM_NO: _("platform number"),
    Kind.MOBILE: _("mobile number"),
    Kind.LAST_FOUR: _("last four digits of a phone or card"),
    Kind.BATCH: _("number of a batch"),
    Kind.REFERENCE: _("customer's reference"),
    Kind.WORDS: _("words in names of files and in the latest notes"),
}


@dataclass(slots=True)
class Entry:
    """One thing that is looked for.

    `text` is as it was typed, `keys` what it may be. `order` is the newest order that it finds, None where it finds
    none, and `orders` how many there are.
    """

    text: str
    keys: dict[Kind, str]
    order: Order | None = None
    orders: int = 0
    not_sought: bool = False
    """Whether nothing was looked for, since there were too many entries like it."""

    @property
    def sought(self) -> list[str | Promise]:
        """What it was taken for, in words."""
        return [SOUGHT[kind] for kind in self.keys]

    @property
    def more(self) -> int:
        return max(0, self.orders - 1)


@dataclass(slots=True)
class Answer:
    """What a search came to: every entry is in one of the two."""

    found: list[Entry] = field(default_factory=list)
    missing: list[Entry] = field(default_factory=list)
    left_out: int = 0
    """Entries beyond MAX_ENTRIES, which were not looked for."""


def look_up(text: str) -> Answer:
    """Find the newest order of each entry of a text.

    Args:
        text: lines, or anything between commas and the like; numbers may be grouped as people group them.

    Returns:
        Every entry once, in the order in which they were typed.
    """
    entries = {entry.text: entry for entry in _entries(text)}
    chosen = list(entries.values())[:MAX_ENTRIES]
    for number, entry in enumerate(entry for entry in chosen if Kind.WORDS in entry.keys):
        entry.not_sought = number >= MAX_WORDS
    sought = [entry for entry in chosen if not entry.not_sought]
    newest: dict[int, list[Entry]] = {}
    for kind in Kind:
        keys = {entry.keys[kind] for entry in sought if kind in entry.keys}
        rows = _SEARCHES[kind](keys) if keys else {}
        for entry in sought:
            last, count = rows.get(entry.keys.get(kind, ""), (0, 0))
            entry.orders += count
            if last:
                newest.setdefault(last, []).append(entry)
    for order in Order.objects.with_people_and_cards().filter(pk__in=newest):
        for entry in newest[order.pk]:
            if entry.order is None or entry.order.pk < order.pk:
                entry.order = copy(order)
    return Answer(
        [entry for entry in chosen if entry.order],
        [entry for entry in chosen if not entry.order],
        max(0, len(entries) - MAX_ENTRIES),
    )


Rows = dict[str, tuple[int, int]]
"""By key: the newest order's primary key, and how many orders there are."""


def _entries(text: str) -> Iterator[Entry]:
    for piece in _BETWEEN.split(unicodedata.normalize("NFKC", _sayable(text))):
        piece = piece.strip()
        if not piece:
            continue
        keys = _keys_of_number(piece)
        sure = _AMID_WORDS.findall(piece)
        if len(sure) > 1 or (sure and not keys):
            numbers = sure
        else:
            numbers = [] if keys else [word for word in piece.split() if _keys_of_number(word)]
        if numbers:
            for number in numbers:
                yield Entry(number, _keys_of_number(number))
        else:
            yield Entry(piece, (keys or {Kind.WORDS: piece}) | _key_of_reference(piece))


def _sayable(text: str) -> str:
    """Leave out what no database takes."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _keys_of_number(text: str) -> dict[Kind, str]:
    """Say what a number may be; nothing where it can be none."""
    compact = _WITHIN.sub("", text)
    keys = {}
    if _ORDER_NO.fullmatch(compact):
        keys[Kind.ORDER_NO] = compact
    if mobile := _MOBILE.fullmatch(compact):
        keys[Kind.MOBILE] = mobile[1]
    if _LAST_FOUR.fullmatch(compact):
        keys[Kind.LAST_FOUR] = compact
    if _BATCH.fullmatch(compact):
        keys[Kind.BATCH] = str(int(compact))
    if _PLATFORM_NO.fullmatch(text):
        keys[Kind.PLATFORM_NO] = text
    return keys


def _key_of_reference(text: str) -> dict[Kind, str]:
    return {Kind.REFERENCE: text} if len(text) <= REFERENCE_LIMIT else {}


def _grouped(orders: OrderQuerySet, by: str) -> Rows:
    rows = orders.order_by().values_list(by).annotate(last=Max("pk"), count=Count("pk"))
    return {str(key): (last, count) for key, last, count in rows}


def _by_order_no(keys: set[str]) -> Rows:
    return _grouped(Order.objects.filter(order_no__in=keys), "order_no")


def _by_platform_no(keys: set[str]) -> Rows:
    return _grouped(Order.objects.filter(gateway_order_no__in=keys), "gateway_order_no")


def _by_mobile(keys: set[str]) -> Rows:
    return _grouped(Order.objects.filter(mobile__in=keys), "mobile")


def _by_batch(keys: set[str]) -> Rows:
    return _grouped(Order.objects.filter(batch__in=[int(key) for key in keys if int(key) <= BIGGEST_KEY]), "batch")


def _by_reference(keys: set[str]) -> Rows:
    return _grouped(Order.objects.exclude(reference="").filter(reference__in=keys), "reference")


def _by_last_four(keys: set[str]) -> Rows:
    phones = Order.objects.exclude(mobile="").annotate(end=Right("mobile", 4)).filter(end__in=keys)
    cards = dict(OilCard.objects.filter(last_four__in=keys).values_list("pk", "last_four")[:CARDS_LOOKED_FOR])
    rows = _grouped(phones, "end")
    for card, found in _grouped(Order.objects.filter(oil_card__in=cards), "oil_card").items():
        end = cards[int(card)]
        rows[end] = _sum(rows.get(end, (0, 0)), found)
    return rows


def _by_words(keys: set[str]) -> Rows:
    noted = Order.objects.exclude(note="").order_by("-pk").values("pk")[:NOTES_LOOKED_AT]
    rows = {}
    for key in keys:
        batches = list(Batch.objects.filter(file_name__icontains=key).order_by("-pk").values("pk")[:BATCHES_LOOKED_AT])
        of_files = Order.objects.filter(batch__in=[batch["pk"] for batch in batches])
        noting = Order.objects.filter(
            pk__in=list(Order.objects.filter(pk__in=noted, note__icontains=key).values_list("pk", flat=True))
        )
        others = (of_files | noting).exclude(reference=key)  # which counts already
        found = others.aggregate(last=Max("pk"), count=Count("pk"))
        rows[key] = (found["last"] or 0, found["count"])
    return rows


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), one[1] + other[1]


_SEARCHES = {
    Kind.ORDER_NO: _by_order_no,
    Kind.PLATFORM_NO: _by_platform_no,
    Kind.MOBILE: _by_mobile,
    Kind.LAST_FOUR: _by_last_four,
    Kind.BATCH: _by_batch,
    Kind.REFERENCE: _by_reference,
    Kind.WORDS: _by_words,
}
