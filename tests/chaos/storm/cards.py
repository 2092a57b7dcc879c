"""The oil cards of a run, put into the card book by a clerk before the storm begins."""

from .people import Person
from .plan import CARDS

FORM = "/oil-cards/new/"


def add_cards(clerk: Person) -> None:
    """Add all cards, which the platform must take at once: nothing is wrong with it yet."""
    for number in range(CARDS):
        place = clerk.fill(
            FORM,
            "card_number",
            card_type="0",
            card_number=f"100011{1_000_000_000_000 + number}",
            holder_name="持卡人",
            holder_phone=f"1380013800{number}",
            national_id="11010519491231002X",
        )
        assert place, "a card was refused"
