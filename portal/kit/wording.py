"""How a state is shown, whatever it is a state of."""

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Wording:
    """What a state is called, what it means, one of Tabler's colours, and an icon of `portal/web/icons.py`."""

    label: str | Promise
    explanation: str | Promise
    colour: str
    icon: str
