"""A platform in memory that keeps a card book: what was asked of it, and what it made of that."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from oilcards.choices import CardType
from oilcards.details import CardDetails
from portal.gateway import Acknowledgement, NotSent, OilCard, OilCardReceipt, OutcomeUnknown, Rejected
from portal.gateway import CardType as WireCardType
from tests.fake_platform import WorkerKilled

NUMBER = "1000111234567894321"
NAME = "欧阳震华"
PHONE = "13800138765"
NATIONAL_ID = "11010519491231002X"
SECRETS = (NUMBER, NAME, PHONE, NATIONAL_ID)


def details(**changes: Any) -> CardDetails:
    """Make the values of a card that nothing is wrong with."""
    return replace(CardDetails(NUMBER, CardType.SINOPEC, NAME, PHONE, NATIONAL_ID), **changes)


@dataclass
class FakeCardPlatform:
    """Has the methods of `portal.gateway.Client` that cards use. `behaviour` says how the next call goes."""

    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    behaviour: str = "accept"
    next_id: str = ""
    refusal: tuple[str, str] = ("1003", "参数错误")
    answer: dict[str, Any] = field(default_factory=dict)
    """What cardInfo says otherwise than the book."""
    during: Callable[[], None] = lambda: None
    """Runs while the next call is under way."""

    def add_oil_card(self, **values: Any) -> OilCardReceipt:
        def add() -> str:
            card_id = self.next_id or f"P{len(self.cards) + 1}"
            self.cards[card_id] = values
            return card_id

        card_id = self._perform("add", add, values)
        return OilCardReceipt(card_id, self._raw({"id": card_id, "name": values["holder_name"]}))

    def edit_oil_card(self, *, card_id: str, **values: Any) -> Acknowledgement:
        self._perform("edit", lambda: self._there(card_id).update(values), values)
        return Acknowledgement("修改成功", self._raw(None))

    def delete_oil_card(self, *, card_id: str) -> Acknowledgement:
        def delete() -> None:
            self._there(card_id)
            del self.cards[card_id]

        self._perform("delete", delete, {})
        return Acknowledgement("删除成功", self._raw(None))

    def oil_card_info(self, *, card_id: str) -> OilCard:
        card = self._perform("info", lambda: self._there(card_id), {})
        told = {"card_id": card_id, **card, **self.answer}
        told["card_type"] = None if told["card_type"] is None else WireCardType(told["card_type"])
        return OilCard(**told, raw=self._raw({"id": card_id, "name": told["holder_name"], "x": told["national_id"]}))

    def _there(self, card_id: str) -> dict[str, Any]:
        if card_id not in self.cards:
            raise Rejected("3001", "油卡不存在", '{"code": "3001", "msg": "油卡不存在", "data": null}')
        return self.cards[card_id]

    def _perform(self, name: str, act: Callable[[], Any], values: dict[str, Any]) -> Any:
        self.calls.append(name)
        behaviour, self.behaviour = self.behaviour, "accept"
        during, self.during = self.during, lambda: None
        during()
        echo = " ".join(str(value) for value in values.values())
        match behaviour:
            case "killed_before":
                raise WorkerKilled
            case "not_sent":
                raise NotSent("refused")
            case "reject":
                code, message = self.refusal
                message = f"{message} {echo}".strip()
                raise Rejected(code, message, json.dumps({"code": code, "msg": message, "data": values or None}))
            case "lost":
                raise OutcomeUnknown("reset", f"<html>502 while handling {echo}</html>")
        result = act()
        if behaviour == "killed_after":
            raise WorkerKilled
        if behaviour == "hang":
            raise OutcomeUnknown("timeout", f'{{"broken": "{echo}')
        return result

    @staticmethod
    def _raw(data: object) -> str:
        return json.dumps({"code": "0000", "msg": "ok", "time": "1624868000", "data": data})
