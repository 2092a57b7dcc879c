"""What a service may refuse. Each message is meant for the person who asked, and holds nothing personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from oilcards.models import OilCard


class ServiceError(Exception):
    """A request that was refused; nothing has changed."""


class NotConfigured(ServiceError):
    def __init__(self) -> None:
        super().__init__(_("The platform's credentials are not set: cards can't be managed yet."))


class InvalidCard(ServiceError):
    """Values that no card may have. `errors` has a message for each field that is wrong."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


class Doubtful(ServiceError):
    """Values that are unusual; accepting the warnings makes them go through."""

    def __init__(self, warnings: Mapping[str, Sequence[str]]) -> None:
        super().__init__(" ".join(text for texts in warnings.values() for text in texts))
        self.warnings = warnings


class DuplicateCard(ServiceError):
    """The number is in the book already, on `card`."""

    def __init__(self, card: OilCard) -> None:
        super().__init__(_("This number is in the card book already."))
        self.card = card


class PlatformIdTaken(ServiceError):
    """Another card of the book, `card`, has that id at the platform."""

    def __init__(self, card: OilCard) -> None:
        super().__init__(_("Another card of the book has this id at the platform."))
        self.card = card


class AnotherCard(ServiceError):
    """The platform's card with that id isn't this card, or nothing says that it is."""


class NoAnswer(ServiceError):
    """The platform could not be asked, or did not say. The attempt is in the card's history."""


class OpenOrders(ServiceError):
    """Orders of the card are under way."""

    def __init__(self) -> None:
        super().__init__(_("Orders of this card are still open."))


class HasOrders(ServiceError):
    """Orders of the card, open or not, show its number and type."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This card has orders, which show its number and type: both stay. If the platform's are wrong, send "
                "ours; if ours are, withdraw what waits, have this card deleted and add the right one."
            )
        )


class ReasonMissing(ServiceError):
    def __init__(self) -> None:
        super().__init__(_("Give a reason."))


class NotAllowed(ServiceError):
    def __init__(self) -> None:
        super().__init__(_("You may not do this."))


class TooLate(ServiceError):
    """The card isn't in a state in which this can be done any more, or somebody else has changed it."""


class NotRechargeable(ServiceError):
    """Only active cards can be recharged."""

    def __init__(self, card: OilCard) -> None:
        super().__init__(_("This card can't be recharged: %(state)s.") % {"state": card.get_state_display()})
        self.card = card
