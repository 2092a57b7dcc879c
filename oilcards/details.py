"""What belongs to a card, as one value: it travels whole, and nothing of it shows in a repr, a log or a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from django.utils.translation import gettext_lazy as _

from .choices import CardType

LABELS = {
    "card_number": _("Card number"),
    "card_type": _("Card type"),
    "holder_name": _("Holder's name"),
    "holder_phone": _("Holder's phone"),
    "national_id": _("ID number"),
}


@dataclass(frozen=True, slots=True, repr=False)
class CardDetails:
    """The five things that the platform wants to know of a card."""

    card_number: str
    card_type: CardType
    holder_name: str
    holder_phone: str
    national_id: str

    def __repr__(self) -> str:
        return "<CardDetails>"

    def values(self) -> Mapping[str, str | CardType]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def secrets(self) -> list[str]:
        """Everything of it that must not be seen."""
        return [self.card_number, self.holder_name, self.holder_phone, self.national_id]

    def changed_fields(self, other: CardDetails) -> list[str]:
        """Return the names of the fields in which the two differ."""
        return [name for name, value in self.values().items() if getattr(other, name) != value]
