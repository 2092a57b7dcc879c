"""Pages of a long list by key: an old page costs as little as the first one, and nothing is ever counted."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.core.exceptions import BadRequest
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

ROWS = 50
_LONGEST_KEY = 18  # digits; every longer number is beyond a bigint

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the keys from which the neighbouring pages go on; None where there is none."""

    rows: list[Row]
    newer: int | None
    older: int | None
    oldest_first: bool = False


def page_of(rows: "QuerySet[Row]", request: HttpRequest, *, oldest_first: bool = False, by: str = "id") -> Page[Row]:
    """Return the page that ?before= or ?after= names, the first one without them.

    Args:
        rows: of any order.
        request: for the address.
        oldest_first: whether the list goes from the oldest row to the newest; else the other way round.
        by: the column by which the list is sorted, and by the key where it is the same; an index must have both. No row
            of the list is without a value in it.

    Raises:
        BadRequest: one of them is no key.
    """
    before, after = _key(request, "before"), _key(request, "after")
    if oldest_first:
        page, previous, following = _page(rows, after, before, by, "gt")
        return Page(page, newer=following, older=previous, oldest_first=True)
    page, previous, following = _page(rows, before, after, by, "lt")
    return Page(page, newer=previous, older=following)


def _page(
    rows: "QuerySet[Row]", onward: int | None, back: int | None, by: str, way: str
) -> tuple[list[Row], int | None, int | None]:
    """Return a page of a list that goes on at greater ("gt") or lower ("lt") rows, and its neighbours' keys.

    These are the keys of the previous page and of the following one.
    """
    way_back = {"gt": "lt", "lt": "gt"}[way]
    if back is not None:
        found = list(_beyond(rows, back, by, way_back)[: ROWS + 1])
        if len(found) > ROWS:
            found = found[:ROWS][::-1]
            return found, found[0].pk, found[-1].pk
        onward = None  # fewer than a page stand before: that is the first page
    found = list(_beyond(rows, onward, by, way)[: ROWS + 1])
    page, more = found[:ROWS], len(found) > ROWS
    previous = None
    if onward is not None:
        nearest = onward if by != "id" else onward + 1 if way == "gt" else onward - 1
        previous = page[0].pk if page else nearest
    return page, previous, page[-1].pk if more else None


def _beyond(rows: "QuerySet[Row]", key: int | None, by: str, way: str) -> "QuerySet[Row]":
    """Return the rows beyond the one that has a key, all of them where it is None, in the order of the way."""
    sign = "-" if way == "lt" else ""
    if by == "id":
        beyond = rows if key is None else rows.filter(**{f"pk__{way}": key})
        return beyond.order_by(f"{sign}id")
    if key is not None:
        value = rows.model._default_manager.filter(pk=key).values_list(by, flat=True).first()
        if value is None:
            return rows.none()
        # The first condition alone bounds the index, the second sets apart what has the same value.
        rows = rows.filter(**{f"{by}__{way}e": value}).filter(Q(**{f"{by}__{way}": value}) | Q(**{f"pk__{way}": key}))
    return rows.order_by(f"{sign}{by}", f"{sign}id")


def _key(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_KEY):
        raise BadRequest(f"{name} is no key")
    return int(text)
