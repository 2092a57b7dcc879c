"""The environment that settings come from. A secret may stand in a file, as containers and systemd hand it over."""

import math
import os
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping

NUMBERS = {int: "a whole number", float: "a number"}


class _Files(FileAwareMapping):
    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        return value.strip() if self.env.get(f"{key}_FILE") else value


class Environment(FileAwareEnv):
    """Reads NAME, or the file that NAME_FILE names, which goes before it.

    The line break at the end of a file, which editors and `echo` leave there, is no part of the value. A name with
    nothing behind it, as examples and compose files leave it, is the same as no name; but a switch is off by it, so
    that DEBUG= is never on.
    """

    ENVIRON = _Files()

    def names(self, name: str) -> bool:
        """Say whether there is a value for a setting."""
        return bool(self.ENVIRON.get(name, "").strip())

    def get_value(self, var: str, cast: Any = None, default: Any = FileAwareEnv.NOTSET,
                  parse_default: bool = False) -> Any:  # fmt: skip
        """Return the value of a setting.

        Args:
            var: its name.
            cast: its type, or a list of one type.
            default: what it is where there is no value.
            parse_default: whether the default is cast, too.

        Raises:
            ImproperlyConfigured: it is no number, and should be one, or there is neither value nor default.
        """
        if cast is not bool and default is not self.NOTSET and not self.names(var):
            return default
        try:
            return super().get_value(var, _number if cast is float else cast, default, parse_default)
        except ValueError:
            if wanted := _wanted(cast):
                raise ImproperlyConfigured(f"{var} must be {wanted}.") from None
            raise


def _number(text: str) -> float:
    """Read a number as Python does; the library's own way makes 10 of 10,000, 14 of 1e4 and 5 of 5m."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def forget_if_empty(name: str) -> None:
    """Take a variable away that says nothing, since a library asks only whether it is there."""
    if not os.environ.get(name, "").strip():
        os.environ.pop(name, None)


def _wanted(cast: Any) -> str:
    if isinstance(cast, list):
        return f"{NUMBERS[cast[0]]}, or several separated by commas" if cast[0] in NUMBERS else ""
    return NUMBERS.get(cast, "")
