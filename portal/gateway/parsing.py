"""Strict reading of untrusted text. Numbers are kept as they were written, so money never meets a float."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, NoReturn

IDENTIFIER_LIMIT = 64
TEXT_LIMIT = 500
NESTING_LIMIT = 64

_MONEY = re.compile(r"-?[0-9]{1,8}(?:\.[0-9]{1,4}0{0,16})?", re.ASCII)
_GROUPED_MONEY = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,4})?", re.ASCII)
_STATUS = re.compile(r"[0-9]{1,4}", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


class Malformed(ValueError):
    """What came in cannot be used. The text says which part, never its content."""


class Number(str):
    """A JSON number, digit for digit as it was written."""


def decode(body: bytes) -> str:
    """Return `body` as text; raise `Malformed` if it is not UTF-8."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None


def printable_raw(body: bytes, limit: int) -> str:
    """Return `body` as text that any database can store, cut to `limit` characters."""
    return body.decode("utf-8", "replace").replace("\0", "\ufffd")[:limit]


def load_json(text: str, **hooks: Any) -> Any:
    """Return the JSON value that `text` is, read with the `hooks` of `json.loads`; raise `ValueError` if it is none.

    So is what is nested more than `NESTING_LIMIT` deep. Left to the parser it would use up the stack, and what is
    cleared away meanwhile, a connection for one, would find none left.
    """
    if text.count("[") + text.count("{") > NESTING_LIMIT and _nesting(text) > NESTING_LIMIT:
        raise Malformed("nested too deep")
    return json.loads(text, **hooks)


def load_object(text: str) -> dict[str, object]:
    """Return the JSON object that `text` is, its numbers as `Number`.

    Raises `Malformed` for anything else: other JSON values, duplicate keys anywhere, NaN and infinities.
    """
    try:
        loaded = load_json(
            text,
            object_pairs_hook=unique,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse,
        )
    except ValueError:
        raise Malformed("not valid JSON, or a key twice") from None
    if not isinstance(loaded, dict):
        raise Malformed("not a JSON object")
    return loaded


def multipart_fields(body: bytes, content_type: str) -> Iterator[tuple[str, object]]:
    """Give name and text of each field of a multipart form; raise `Malformed` if it is none."""
    try:
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        parts = list(message.iter_parts()) if message.is_multipart() else []
        for part in parts:
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if not isinstance(name, str) or not isinstance(content, bytes):
                raise Malformed("not a form")
            yield name, decode(content)
    except Malformed:
        raise
    except Exception:  # the e-mail parser documents no particular exception for malformed input
        raise Malformed("not a form") from None


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return `pairs` as a dictionary; raise `Malformed` if a name comes twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a name comes twice")
    return found


def _nesting(text: str) -> int:
    """Count how deep the brackets outside of strings are nested."""
    depth = deepest = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in "]}":
            depth -= 1
    return deepest


def _refuse(constant: str) -> NoReturn:
    raise Malformed("NaN or infinity")


def _scalar(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{name} is neither text nor a number")
    return value if isinstance(value, Number) else value.strip()


def read_text(fields: Mapping[str, object], name: str) -> str:
    """Return a text for people, one line of at most 500 printable characters; "" if absent or null."""
    value = _scalar(fields, name)[:TEXT_LIMIT]
    return "".join(character if character.isprintable() else " " for character in value).strip()


def read_identifier(fields: Mapping[str, object], name: str) -> str:
    """Return an id given as text or integer, at most 64 printable characters; "" if absent or null."""
    value = _scalar(fields, name)
    if len(value) > IDENTIFIER_LIMIT or not value.isprintable():
        raise Malformed(f"{name} is not a usable id")
    if isinstance(value, Number) and not _INTEGER.fullmatch(value):
        raise Malformed(f"{name} is a fraction")
    return str(value)


def read_money(fields: Mapping[str, object], name: str) -> Decimal | None:
    """Return an amount in yuan; None if absent, null or empty.

    Raises `Malformed` for more than 8 digits before or 4 digits other than trailing zeros after the point.
    """
    value = _scalar(fields, name)
    if not value:
        return None
    if not _MONEY.fullmatch(value):
        raise Malformed(f"{name} is not an amount of money")
    return Decimal(value)


def read_grouped_money(fields: Mapping[str, object], name: str) -> Decimal | None:
    """Do the same as `read_money`, for an amount that may be grouped as by PHP's number_format, such as "1,234.50".

    Only for what decides about no order: where groups are odd it is no amount at all.
    """
    value = _scalar(fields, name)
    if _GROUPED_MONEY.fullmatch(value):
        return read_money({name: value.replace(",", "")}, name)
    return read_money(fields, name)


def read_status(fields: Mapping[str, object], name: str) -> int | None:
    """Return a status code of one to four digits, known or not; None if absent, null or empty."""
    value = _scalar(fields, name)
    if not value:
        return None
    if not _STATUS.fullmatch(value):
        raise Malformed(f"{name} is not a status code")
    return int(value)
