"""Pages of a long list by key: an old page costs as little as the first one, and nothing is ever counted."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import BadRequest
from django.db.models import Model, QuerySet
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


def page_of(rows: "QuerySet[Row]", request: HttpRequest, *, oldest_first: bool = False) -> Page[Row]:
    """Return the page that ?before= or ?after= names, the first one without them.

    Args:
        rows: of any order.
        request: for the address.
        oldest_first: whether the list goes from the oldest row to the newest; else the other way round.

    Raises:
        BadRequest: one of them is no key.
    """
    before, after = _key(request, "before"), _key(request, "after")
    if oldest_first:
        page, previous, following = _page(rows, after, before, ("gt", "id"), ("lt", "-id"))
        return Page(page, newer=following, older=previous, oldest_first=True)
    page, previous, following = _page(rows, before, after, ("lt", "-id"), ("gt", "id"))
    return Page(page, newer=previous, older=following)


def _page(
    rows: "QuerySet[Row]", onward: int | None, back: int | None, way_on: tuple[str, str], way_back: tuple[str, str]
) -> tuple[list[Row], int | None, int | None]:
    """Return a page of a list in the order of `way_on`, and the keys of the previous and of the following one."""
    if back is not None:
        found = list(rows.filter(**{f"pk__{way_back[0]}": back}).order_by(way_back[1])[: ROWS + 1])
        if len(found) > ROWS:
            found = found[:ROWS][::-1]
            return found, found[0].pk, found[-1].pk
        onward = None  # fewer than a page stand before: that is the first page
    beyond: Any = rows if onward is None else rows.filter(**{f"pk__{way_on[0]}": onward})
    found = list(beyond.order_by(way_on[1])[: ROWS + 1])
    page, more = found[:ROWS], len(found) > ROWS
    previous = None
    if onward is not None:
        nearest = onward + 1 if way_on[0] == "gt" else onward - 1
        previous = page[0].pk if page else nearest
    return page, previous, page[-1].pk if more else None


def _key(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_KEY):
        raise BadRequest(f"{name} is no key")
    return int(text)
