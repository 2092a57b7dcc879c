"""What a person said of the columns of a list, remembered for the next one of the same shape."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from django.contrib.auth.models import User

from portal.sheets import ColumnsUnsure, Layout
from recharge.models import ColumnChoice

from .names import wanted


def remember(question: ColumnsUnsure, *, product: str, positions: Mapping[str, int], chosen_by: User) -> None:
    """Remember where the columns of such lists are, from 0, in the place of what was said before."""
    ColumnChoice.objects.update_or_create(
        product=product,
        shape=_hashed(question.shape),
        defaults={"positions": dict(positions), "chosen_by": chosen_by},
    )


def said_before(question: ColumnsUnsure, *, product: str, value_for_all: int | None) -> Layout | None:
    """Return the layout of a list by what was said of the last one like it; None where that doesn't answer."""
    choice = ColumnChoice.objects.filter(product=product, shape=_hashed(question.shape)).first()
    needed = {column.name for column in wanted(product, value_for_all) if column.required}
    if choice is None or not needed <= set(choice.positions):
        return None
    return replace(question.proposed, positions=choice.positions)


def _hashed(shape: str) -> str:
    return hashlib.sha256(shape.encode()).hexdigest()
