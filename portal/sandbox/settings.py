"""What can be set on the sandbox, before it starts and (most of it) while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from .lives import LIVES, MIX

DUPLICATE_POLICIES = ("refuse", "accept", "same")
CALLBACK_FORMATS = ("form", "json")
ORDER_NO_QUERIES = ("find", "refuse", "blind")


class InvalidSetting(ValueError):
    """A setting that does not exist, or a value that it cannot take."""


@dataclass
class Settings:
    """One live object, shared by every thread; single attributes are read and written, never a group of them."""

    app_key: str = "sandbox"
    app_secret: str = "sandbox-secret"  # noqa: S105 - it protects nothing
    store_id: str = "1"
    mobile_face_values: tuple[int, ...] = (50, 100, 200)
    oil_face_values: tuple[int, ...] = (500,)
    seed: str = "sandbox"
    """Fixes every choice that looks random."""
    pace: float = 1.0
    """Seconds between two steps of a life, and the unit of the intervals between resends. 0: no waiting."""
    latency: float = 0.05
    """Seconds before the platform acts on a call."""
    life: str = "success"
    """The life of an ordinary order: a name in LIVES, or "mix"."""
    duplicates: str = "refuse"
    """An order_no that exists: refuse it, accept it (and spend again), or answer with the same number as before."""
    callbacks: bool = True
    callback_format: str = "form"
    extras: bool = True
    """Whether answers and callbacks carry what only the later public documents know ([pub])."""
    suffixes: bool = True
    """Whether the last three digits of a target choose a life or a fault (see lives.SPECIALS)."""

    order_no_queries: str = "find"
    """A query by our number: find the order, refuse as if order_number were missing, or know none by it (blind)."""
    clock_offset: float = 0.0
    """Seconds by which the platform's clock is ahead."""
    unsigned: str = ""
    """System parameters, client or format, that its signature leaves out, separated by commas."""
    missing_calls: str = ""
    """Calls that it doesn't have, such as Recharge/verify, separated by commas."""
    quirks: bool = False
    """Whether answers begin with a byte order mark, and the balance is written as 1,234.50."""

    def __post_init__(self) -> None:
        _check(0 <= self.pace <= 86400, "pace is from 0 to 86400 seconds")
        _check(0 <= self.latency <= 86400, "latency is from 0 to 86400 seconds")
        _check(self.life == MIX or self.life in LIVES, f"no life is called {self.life!r}")
        _check(self.duplicates in DUPLICATE_POLICIES, f"duplicates is one of {DUPLICATE_POLICIES}")
        _check(self.order_no_queries in ORDER_NO_QUERIES, f"order_no_queries is one of {ORDER_NO_QUERIES}")
        _check(names_in(self.unsigned) <= {"client", "format"}, "unsigned names client and format only")
        _check(self.callback_format in CALLBACK_FORMATS, f"callback_format is one of {CALLBACK_FORMATS}")

    def changed(self, values: Mapping[str, Any]) -> Self:
        """A checked copy with some of the CHANGEABLE settings replaced; values may be text.

        Raises InvalidSetting.
        """
        changes: dict[str, Any] = {}
        for name, value in values.items():
            if name not in CHANGEABLE:
                raise InvalidSetting(f"no setting is called {name!r}")
            kind = type(getattr(type(self), name))  # of the default: 1 may have been given for 1.0
            changes[name] = switch(value) if kind is bool else _converted(name, kind, value)
        return replace(self, **changes)

    def adopt(self, other: Settings) -> None:
        """Take over the changeable settings of another."""
        for name in CHANGEABLE:
            setattr(self, name, getattr(other, name))

    def changeable(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in CHANGEABLE}


CHANGEABLE = (
    *("pace", "latency", "life", "duplicates", "callbacks", "callback_format", "extras", "suffixes"),
    *("order_no_queries", "clock_offset", "unsigned", "missing_calls", "quirks"),
)


def names_in(listed: str) -> set[str]:
    """The names in a list that is separated by commas."""
    return {name.strip() for name in listed.split(",") if name.strip()}


def switch(value: Any) -> bool:
    """True or False from what a form or JSON says. Raises InvalidSetting."""
    words = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
    try:
        return words[str(value).lower()]
    except KeyError:
        raise InvalidSetting(f"{value!r} is neither on nor off") from None


def _converted(name: str, kind: type, value: Any) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise InvalidSetting(f"{name} cannot be {value!r}") from None


def _check(condition: bool, complaint: str) -> None:
    if not condition:
        raise InvalidSetting(complaint)
