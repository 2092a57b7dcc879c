"""What was read in a line."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a line is."""

    ORDER = "order"  # has a number; it may lack a value, or have a problem
    BAD = "bad"  # was to become an order, or says something about one, but has no number that could be read
    CHATTER = "chatter"  # the head of a message, or chatter


@dataclass(slots=True)
class Reading:
    """A number in a line of a text, or a line without one.

    `line` counts the lines of the text from 1. `target` and `value` are as they are typed, "" where there is none or
    more than one. `problem` says in words why nothing may come of it, "" if something may. `read_freely` tells lines
    that took some reading from those in the plain form: number, value, speed and note in that order.
    """

    line: int
    typed: str
    kind: Kind
    target: str = ""
    value: str = ""
    has_own_value: bool = True
    speed: str = ""
    note: str = ""
    problem: str = ""
    read_freely: bool = True
    numbers: tuple[str, ...] = ()
    """All numbers in the line that could be recharged, where it is no plain one."""
    takes_back: bool = False
    """The line may take back, or correct, what other lines say."""
    is_value_alone: bool = False
    names_other_value: bool = False
    """The line has no number, but a value that is not the one for all."""
