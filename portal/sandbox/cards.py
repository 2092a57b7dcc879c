"""The platform's book of oil cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .books import Books
from .protocol import CARD_NUMBER, MOBILE, NATIONAL_ID, Reason, one_of, refusal, require_match

REQUIRED = ("card_num", "name", "phone", "user_num")
COLUMNS = (*REQUIRED, "card_type")
LARGEST_ID = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Card:
    id: int
    card_num: str
    name: str
    phone: str
    user_num: str
    card_type: int
    deleted: int


def find(books: Books, card_id: str) -> Card | None:
    """A card that was not deleted."""
    if not LARGEST_ID.fullmatch(card_id):
        return None
    rows = books.read("SELECT * FROM cards WHERE id = ? AND NOT deleted", (int(card_id),))
    return Card(**rows[0]) if rows else None


def get(books: Books, card_id: str) -> Card:
    """Raises Refusal if there is none."""
    card = find(books, card_id)
    if card is None:
        raise refusal(Reason.UNKNOWN_CARD)
    return card


def add(books: Books, parameters: Mapping[str, str]) -> int:
    """The new card's id. The same number twice makes two cards: the document promises nothing else."""
    values = _checked(parameters)
    with books.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO cards (card_num, name, phone, user_num, card_type) VALUES (?, ?, ?, ?, ?)", values
        )
        return int(cursor.lastrowid or 0)


def edit(books: Books, card_id: str, parameters: Mapping[str, str]) -> None:
    card = get(books, card_id)
    values = _checked({"card_type": str(card.card_type), **parameters})
    with books.transaction() as connection:
        connection.execute(
            "UPDATE cards SET card_num = ?, name = ?, phone = ?, user_num = ?, card_type = ? WHERE id = ?",
            (*values, card.id),
        )


def delete(books: Books, card_id: str) -> None:
    card = get(books, card_id)
    with books.transaction() as connection:
        connection.execute("UPDATE cards SET deleted = 1 WHERE id = ?", (card.id,))


def _checked(parameters: Mapping[str, str]) -> tuple[str | int, ...]:
    require_match(CARD_NUMBER, parameters["card_num"], Reason.CARD_NUMBER)
    require_match(MOBILE, parameters["phone"], Reason.MOBILE)
    require_match(NATIONAL_ID, parameters["user_num"], Reason.NATIONAL_ID)
    card_type = one_of({"card_type": parameters.get("card_type") or "0"}, "card_type", (0, 1), Reason.PARAMETER)
    return (*(parameters[name] for name in REQUIRED), card_type)
