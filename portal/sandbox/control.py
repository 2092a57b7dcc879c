"""The sandbox's own addresses, /sandbox/…: its books as JSON, orders driven by hand, faults and settings.

Bodies are JSON or forms. A form with `back` is answered with a redirect there, everything else with JSON.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from .books import Books
from .faults import Fault, Faults
from .reports import full_report, summary
from .settings import InvalidSetting, Settings, switch

LARGEST_DEPOSIT = 10**14
"""In fen."""


@dataclass(frozen=True)
class Response:
    body: bytes
    status: int = HTTPStatus.OK
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def json_response(value: object, status: int = HTTPStatus.OK) -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), status)


class NoSuchThing(Exception):
    """Nothing has that address."""


class Control:
    def __init__(self, settings: Settings, books: Books, faults: Faults, wake: Callable[[], None]) -> None:
        """`wake` is called when something may be due earlier than before."""
        self._settings = settings
        self._books = books
        self._faults = faults
        self._wake = wake

    def answer(self, method: str, path: str, query: str, body: bytes, content_type: str) -> Response:
        """`path` is what follows /sandbox/, still encoded."""
        try:
            values = _parse_body(body, content_type)
            result = self._route(method, path.strip("/").split("/"), dict(parse_qsl(query)), values)
        except NoSuchThing:
            return json_response({"error": "没有这个地址或订单"}, HTTPStatus.NOT_FOUND)
        except InvalidSetting as error:
            return json_response({"error": str(error)}, HTTPStatus.BAD_REQUEST)
        if isinstance(values, dict) and "back" in values:
            return Response(b"", HTTPStatus.SEE_OTHER, headers={"Location": "/"})
        return json_response(result)

    def _route(self, method: str, path: list[str], query: dict[str, str], body: Any) -> object:
        values = {name: value for name, value in body.items() if name != "back"} if isinstance(body, dict) else {}
        match method, path:
            case "GET", ["books.json"]:
                with self._books.snapshot() as books:
                    since = _integer(query.get("since", 0), "since")
                    return full_report(books, since=since, order_no=query.get("order_no", ""))
            case "GET", ["summary.json"]:
                with self._books.snapshot() as books:
                    return summary(books)
            case "POST", ["orders", order_no, "status"]:
                return self._drive(unquote(order_no), values)
            case "GET", ["faults"]:
                return {"faults": self._faults.listed()}
            case "POST", ["faults"]:
                rules = [Fault.parse(rule) for rule in (body if isinstance(body, list) else [values])]
                return {"faults": [asdict(self._faults.add(rule)) for rule in rules]}
            case ("DELETE", ["faults"]) | ("POST", ["faults", "clear"]):
                self._faults.clear()
                return {"faults": []}
            case ("DELETE", ["faults", number]) | ("POST", ["faults", number, "clear"]):
                self._faults.clear(_integer(number, "fault"))
                return {"faults": self._faults.listed()}
            case "GET", ["settings"]:
                return self._settings.changeable()
            case "POST", ["settings"]:
                return self._change_settings(values)
        raise NoSuchThing

    def _drive(self, name: str, values: Mapping[str, Any]) -> object:
        """Put an order (by either number) into any status, whatever it was. By hand means by hand: its life ends there.

        times: how often the callback is sent. callback=0: not at all. books=0: only the callback, so that the
        platform says something other than what it knows.
        """
        order = self._books.order(order_no=name) or self._books.order(order_number=name)
        if order is None:
            raise NoSuchThing
        if unknown := values.keys() - {"status", "times", "callback", "books"}:
            raise InvalidSetting(f"unknown: {', '.join(sorted(unknown))}")
        status = _integer(values.get("status"), "status")
        times = _integer(values.get("times", 1), "times", largest=100)
        now = time.time()
        with self._books.transaction() as books:
            if switch(values.get("books", 1)):
                self._books.set_status(books, order, status, now=now)
                self._books.set_life(books, order, (), due=now)
            for _ in range(times if switch(values.get("callback", 1)) else 0):
                self._books.notify(books, order, status, due=now)
        self._wake()
        with self._books.snapshot() as snapshot:
            return full_report(snapshot, order_no=order.order_no)["orders"][0]

    def _change_settings(self, values: dict[str, Any]) -> object:
        deposit = _fen(values.pop("deposit", "") or "0")
        changed = self._settings.changed({name: value for name, value in values.items() if value != ""})
        now = time.time()
        if deposit:
            try:
                self._books.deposit(deposit, now=now)
            except sqlite3.IntegrityError:
                raise InvalidSetting("there is not that much to take out") from None
        self._settings.adopt(changed)
        self._books.keep_pace(self._settings.pace, now=now)
        self._wake()
        return self._settings.changeable()


def _parse_body(body: bytes, content_type: str) -> Any:
    try:
        if content_type.startswith("application/json"):
            return json.loads(body or b"{}")
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError as error:
        raise InvalidSetting(f"unreadable body: {error}") from None


def _integer(value: Any, name: str, *, largest: int = 2**31) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise InvalidSetting(f"{name} cannot be {value!r}") from None
    if not 0 <= number <= largest:
        raise InvalidSetting(f"{name} is from 0 to {largest}")
    return number


def _fen(yuan: Any) -> int:
    try:
        fen = Decimal(str(yuan)) * 100
        if fen != int(fen):
            raise InvalidSetting("there is nothing smaller than a fen")
    except (InvalidOperation, ValueError, OverflowError):
        raise InvalidSetting(f"{yuan!r} is no amount of money") from None
    if abs(fen) > LARGEST_DEPOSIT:
        raise InvalidSetting("that is too much at once")
    return int(fen)
