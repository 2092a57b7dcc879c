"""Template tags about oil cards."""

from django import template

from oilcards import wording
from oilcards.details import LABELS
from portal.kit.lists import listed

register = template.Library()


register.inclusion_tag("includes/state.html", name="card_state")(wording.badge)


@register.filter
def card_fields(names: str) -> str:
    """Return the labels of a card's fields from their names, as its history has them."""
    return listed(LABELS.get(name, name) for name in names.split(",") if name)
