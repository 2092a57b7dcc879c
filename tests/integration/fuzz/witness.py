"""What evidence permits, judged a second time: by the document and the table of test_status.py, by no code of ours.

It reads leniently, and takes a change for permitted where any reading of what came carries it. Whether the portal takes
over what is plainly said, the tests ask for beside that.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from tests.unit.test_status import EXPECTED

Row = Mapping[str, Any]
Said = Mapping[str, set[str]]

DEAD = {"REJECTED", "NOT_RECEIVED", "WITHDRAWN"}
WAITING = {"QUEUED", "AWAITING_APPROVAL"}
NEVER = {
    *("id", "order_no", "product", "mobile", "oil_card_id", "face_value", "speed", "switch_channel", "channel"),
    *("batch_id", "line", "note", "placed_by_id", "placed_at", "nonce", "duplicate_reason", "replaces_id"),
    *("first_attempt_id", "approved_by_id", "proof_id", "claims", "submitted_at", "account_id", "declared_at"),
}
"""Columns that nothing that the platform says may change, once an order was handed over."""
_PART = re.compile(rb'name="?([^"\r\n;]*)"?[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n(.*?)(?=\r?\n?--|\Z)', re.DOTALL)


class Unpermitted(AssertionError):
    """Something changed that the evidence doesn't carry."""


def said_by(body: bytes) -> Said:
    """Return all that a body can be read to say of each field, by any encoding."""
    found: dict[str, set[str]] = defaultdict(set)
    text = body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    for name, value in _pairs_of_json(text):
        found[name].add(value)
    try:
        for name, value in parse_qsl(text, keep_blank_values=True):
            found[name].add(value.strip())
    except ValueError:
        pass
    for part, content in _PART.findall(body):
        found[part.decode("utf-8", "replace")].add(content.decode("utf-8", "replace").strip())
    return found


def said_in_data(body: bytes) -> Said:
    """Return what a body says in `data` alone, where the document puts the fields of an order: all else is noise."""
    try:
        whole = json.loads(body.decode("utf-8", "replace").lstrip("\ufeff"), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return {}
    data = whole.get("data") if isinstance(whole, dict) else None
    return {name: {_text(value)} for name, value in data.items()} if isinstance(data, dict) else {}


def _text(value: object) -> str:
    """Return what a value says; null says nothing."""
    return "" if value is None else str(value).strip()


def _pairs_of_json(text: str) -> Iterable[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found.extend((name, _text(value)) for name, value in pairs if not isinstance(value, dict | list))
        return dict(pairs)

    try:
        json.loads(text, object_pairs_hook=note, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return []
    return found


def seen(text: str) -> str:
    """Return what a person sees of a text: a control character within a word is nothing."""
    return "".join(letter for letter in text if letter.isprintable() and not letter.isspace())


def amounts(texts: set[str]) -> set[Decimal]:
    """Return which of some texts are amounts."""
    found = set()
    for text in texts:
        try:
            found.add(Decimal(text.replace(",", "")))
        except InvalidOperation:
            continue
    return found


def codes(texts: set[str]) -> set[int]:
    """Return which of some texts are codes."""
    return {int(text) for text in texts if re.fullmatch("[0-9]{1,4}", text)}


@dataclass(frozen=True)
class Case:
    """One order before and after something was said of it."""

    before: Row
    after: Row
    said: Said
    card_id: str = ""
    is_taken: Callable[[str], bool] = lambda number: False
    """Whether another order has a number of the platform's."""
    data: Said = field(default_factory=dict)
    """What was said in `data` alone; empty in a callback, which has none."""

    def changed(self) -> set[str]:
        return {name for name, value in self.before.items() if self.after[name] != value}

    def require(self, holds: object, why: str) -> None:
        if not holds:
            changes = {name: (self.before[name], self.after[name]) for name in self.changed()}
            raise Unpermitted(f"{why}: {changes}; said: {dict(self.said)}")

    def is_about_it(self) -> bool:
        """Whether what was said can be about this order, by all of it, or by `data` alone."""
        return self._can_mean_it(self.said) or (bool(self.data) and self._can_mean_it(self.data))

    def _can_mean_it(self, said: Said) -> bool:
        order = self.before
        numbers = said.get("order_number", set()) - {""}
        values = amounts(said.get("amount", set()))
        by_our_number = order["order_no"] in said.get("order_no", set())
        return (
            (by_our_number or (not said.get("order_no", set()) - {""} and order["gateway_order_no"] in numbers))
            and (not order["gateway_order_no"] or not numbers or order["gateway_order_no"] in numbers)
            and (not order["mobile"] or not said.get("mobile", set()) - {""} or order["mobile"] in said["mobile"])
            and (not said.get("card_id", set()) - {""} or not self.card_id or self.card_id in said["card_id"])
            and (not values or order["face_value"] in values)
        )

    def judge_report(self, *, first_hand: bool, proves_missing: bool = False) -> None:
        """Judge what became of an order of which the platform said something, by callback or in its own answer."""
        changed = self.changed()
        self.require(not changed & NEVER, "what nobody said anything of")
        if not first_hand and self.before["submission"] not in WAITING:
            self.require("one_witness" not in changed, "a callback tells nothing of queries")
        if "submission" in changed:
            self._judge_step(first_hand=first_hand, proves_missing=proves_missing)
        if "gateway_order_no" in changed:
            self.require("submission" in changed, "a number for an order that had one, or was not taken")
        if "status" in changed:
            self._judge_status()
        if "confirmed_at" in changed and self.after["confirmed_at"]:
            self.require(first_hand and self.is_about_it(), "confirmed by hearsay")
            self.require(self.after["status"] in codes(self.said.get("status", set())), "confirmed without a word")
        if "settled_at" in changed and self.after["settled_at"]:
            over = self.after["status"] in (2, 4) and self.after["confirmed_at"]
            self.require(over or self.after["submission"] == "NOT_RECEIVED", "settled without an end")
        if "part_arrived" in changed:
            self.require(self.after["part_arrived"], "a part that had arrived is forgotten")
        for column, name in (("cost_price", "cost_price"), ("rebate", "fanli"), ("credited_amount", "arrived_amount")):
            if column in changed:
                told = amounts(self.said.get(name, set()))
                self.require(self.after[column] in told, f"{column} that nobody named")
        if "reason" in changed:
            given = self.said.get("reason") or self.said.get("failReason")
            gone = "status" in changed and self.after["status"] != 4  # with the code that it was about
            self.require(given or (gone and not self.after["reason"]), "a reason that nobody gave")

    def _judge_step(self, *, first_hand: bool, proves_missing: bool) -> None:
        was, became = self.before["submission"], self.after["submission"]
        if became == "ACCEPTED":
            number = self.after["gateway_order_no"]
            self.require(number in self.said.get("order_number", set()), "accepted under a number that nobody named")
            self.require(not self.is_taken(number), "accepted under the number of another order")
            self.require(self.is_about_it(), "accepted by what is about another order")
            alive = was in {"SUBMITTING", "UNKNOWN"} or (was in DEAD and first_hand)
            self.require(alive, "accepted although it was never sent, or on hearsay")
        elif became == "UNKNOWN":
            self.require(was in WAITING, "unknown although it was handed over")
        elif became == "NOT_RECEIVED":
            self.require(was == "UNKNOWN" and proves_missing, "missing without proof")
        else:
            self.require(False, "a step that nothing that the platform says permits")

    def _judge_status(self) -> None:
        was, became = self.before["status"], self.after["status"]
        self.require(self.after["submission"] == "ACCEPTED", "a status of what the platform has not")
        self.require(became in codes(self.said.get("status", set())), "a status that nobody named")
        self.require(self.is_about_it(), "a status of another order")
        self.require(EXPECTED[was][became] == "A", "a status that may not follow")
