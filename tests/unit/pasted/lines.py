"""Texts as people paste them, for the tests."""

from recharge.batches.services.list_reading import SPEEDS
from recharge.batches.services.pasted import Kind, Reading, read_text
from recharge.choices import Product

OFFERED = (50, 100, 200)


def readings(text: str, for_all: int | None = None, product: Product = Product.MOBILE) -> list[Reading]:
    return list(read_text(text, product=product, offered=OFFERED, speeds=SPEEDS, for_all=for_all))


def placed(text: str, for_all: int | None = None) -> list[tuple[str, str]]:
    """Return number and value of what could be ordered, whose number and value other rules may still refuse."""
    return [
        (reading.target, reading.value)
        for reading in readings(text, for_all)
        if reading.kind is Kind.ORDER and not reading.problem
    ]


def refused(text: str, for_all: int | None = None) -> dict[int, str]:
    """Return why lines are refused, by their numbers."""
    return {reading.line: reading.problem for reading in readings(text, for_all) if reading.problem}
