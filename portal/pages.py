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
    """Some rows, newest first, and the keys from which the neighbouring pages go on; None where there is none."""

    rows: list[Row]
    newer: int | None
    older: int | None


def page_of(rows: "QuerySet[Row]", request: HttpRequest) -> Page[Row]:
    """Return the page that ?before= or ?after= names, the newest one without them.

    Raises:
        BadRequest: one of them is no key.
    """
    before, after = _key(request, "before"), _key(request, "after")
    if after is not None:
        found = list(rows.filter(pk__gt=after).order_by("id")[: ROWS + 1])
        if len(found) > ROWS:
            found = found[:ROWS][::-1]
            return Page(found, newer=found[0].pk, older=found[-1].pk)
        before = None  # fewer than a page are newer: that is the first page
    older_than: Any = rows if before is None else rows.filter(pk__lt=before)
    found = list(older_than.order_by("-id")[: ROWS + 1])
    page, more = found[:ROWS], len(found) > ROWS
    newer = None if before is None else (page[0].pk if page else before - 1)
    return Page(page, newer=newer, older=page[-1].pk if more else None)


def _key(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_KEY):
        raise BadRequest(f"{name} is no key")
    return int(text)
