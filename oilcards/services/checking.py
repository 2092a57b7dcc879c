"""Bringing the values of a card into their one written form, or saying what is wrong with them."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from oilcards import numbers
from oilcards.choices import CardType
from oilcards.details import CardDetails
from oilcards.models import OilCard

from .errors import Doubtful, DuplicateCard, InvalidCard, ReasonMissing

_NORMALIZERS: dict[str, Callable[[str], str]] = {
    "card_number": numbers.card_number,
    "holder_name": numbers.holder_name,
    "holder_phone": numbers.phone,
    "national_id": numbers.national_id,
}


def checked(details: CardDetails, *, accept_warnings: bool) -> CardDetails:
    """Return the values in their one written form.

    Args:
        details: the values as a person typed them.
        accept_warnings: the person has seen what is unusual about them, and means it.

    Raises:
        InvalidCard: some can't be right.
        Doubtful: some are unusual, and the warnings were not accepted.
    """
    errors, values = {}, {}
    for name, normalize in _NORMALIZERS.items():
        try:
            values[name] = normalize(getattr(details, name))
        except numbers.InvalidValue as error:
            errors[name] = str(error)
    if details.card_type not in CardType.values:
        errors["card_type"] = _("Choose the card's type.")
    if errors:
        raise InvalidCard(errors)
    result = CardDetails(card_type=CardType(details.card_type), **values)
    warnings = doubts(result)
    if warnings and not accept_warnings:
        raise Doubtful(warnings)
    return result


def doubts(details: CardDetails) -> dict[str, list[str]]:
    """Return what is unusual about valid values, by field."""
    found = {
        "card_number": numbers.card_number_doubts(details.card_number, details.card_type),
        "national_id": numbers.national_id_doubts(details.national_id),
    }
    return {name: texts for name, texts in found.items() if texts}


def refuse_duplicate(card_number: str, *, but: int = 0) -> None:
    """Refuse a number that a card of the book has; a deleted card's number may be added anew.

    Args:
        card_number: in its one written form.
        but: the primary key of the card that may have it, 0 for none.

    Raises:
        DuplicateCard: it shows the card that has it.
    """
    other = OilCard.objects.in_the_book().with_number(card_number).exclude(pk=but).first()
    if other is not None:
        raise DuplicateCard(other)


def given_reason(reason: str) -> str:
    """Return the reason that a person gave.

    Raises:
        ReasonMissing: it says nothing.
    """
    if not reason.strip():
        raise ReasonMissing
    return reason.strip()
