"""The platform hangs, refuses, talks nonsense or loses what it was sent, at every step of an oil card's life.

After each step the page says what is true, offers the way out, and nothing is lost or done twice.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import sign_in
from tests.e2e.conftest import time_passes
from tests.e2e.steps import CARD_PAGE, ORDER_PAGE, add, follow, send
from tests.processes import report, set_fault

pytestmark = pytest.mark.e2e
WIDE, NARROW = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
HANGING, REFUSING, NONSENSE, LOSING = "accept_hang", "reject", "garbage_json", "refuse_html"
NO_CLEAR_ANSWER = "平台没有明确答复"
ITS_WORDS = "9001 通道维护中"


@dataclass
class Walk:
    """One card on its way through its life, at a platform with one fault."""

    page: Page
    portal: str
    root: str
    database: Path
    fault: str
    number: str
    card_page: str = ""

    def trouble(self, call: str) -> None:
        """Let the next call about this card go wrong."""
        set_fault(self.root, fault=self.fault, endpoint=call, suffix=self.number[-8:], times=1)

    @property
    def state(self) -> Locator:
        return self.page.locator(".state").first

    @property
    def body(self) -> Locator:
        return self.page.locator("body")

    def cards(self) -> list[dict[str, Any]]:
        """What the platform has of this number."""
        return [card for card in report(self.root)["cards"] if card["card_num"] == self.number and not card["deleted"]]

    def orders(self) -> list[dict[str, Any]]:
        return [order for order in report(self.root)["orders"] if order["target"] == self.number]

    def offers(self, *deeds: str) -> None:
        """The page offers these actions and no other that would tell the platform something."""
        telling = {"edit", "compare", "send-ours", "enter-id", "never-arrived", "delete", "gone"}
        links = self.page.locator(".card-footer a").evaluate_all("links => links.map(link => link.pathname)")
        assert {link.rstrip("/").rsplit("/", 1)[1] for link in links} & telling == set(deeds)


def is_unknown(walk: Walk) -> None:
    expect(walk.state).to_contain_text("不知是否送达")
    expect(walk.body).to_contain_text(NO_CLEAR_ANSWER)
    expect(walk.page.locator(".card-footer").get_by_role("link", name="充值", exact=True)).to_have_count(0)


def is_active(walk: Walk) -> None:
    expect(walk.state).to_contain_text("可用")


# --- adding --------------------------------------------------------------------------------------------------
def enter_id(walk: Walk) -> None:
    is_unknown(walk)
    walk.offers("enter-id", "never-arrived")
    follow(walk.page, "填写平台卡 ID")
    walk.page.fill("[name=platform_card_id]", str(walk.cards()[0]["id"]))
    send(walk.page)


def declare_never_arrived_and_add_again(walk: Walk) -> None:
    is_unknown(walk)
    walk.offers("enter-id", "never-arrived")
    assert not walk.cards()
    follow(walk.page, "从未送达")
    walk.page.fill("[name=reason]", "后台查不到")
    send(walk.page)
    add_again(walk)


def add_again(walk: Walk) -> None:
    expect(walk.state).to_contain_text("未添加")
    walk.offers("enter-id", "edit", "delete")
    assert not walk.cards()
    follow(walk.page, "更正后重新添加")
    send(walk.page)  # nothing that was typed has to be typed again


# --- changing ------------------------------------------------------------------------------------------------
def compare_and_agree(walk: Walk) -> None:
    is_unknown(walk)
    walk.offers("edit", "compare", "send-ours", "delete")
    compare(walk)
    expect(walk.body).to_contain_text("本地与平台一致")


def send_ours(walk: Walk) -> None:
    expect(walk.state).to_contain_text("与平台不一致")
    expect(walk.body).to_contain_text(ITS_WORDS)
    follow(walk.page, "以本地为准")
    send(walk.page)


def compare_and_send_ours(walk: Walk) -> None:
    is_unknown(walk)
    compare(walk)
    expect(walk.body).to_contain_text("138****8765")
    expect(walk.body).to_contain_text("139****9000")
    walk.page.get_by_role("button", name="以本地为准，更新平台").click()


def compare(walk: Walk) -> None:
    follow(walk.page, "与平台核对")
    send(walk.page)


# --- recharging ----------------------------------------------------------------------------------------------
def wait(walk: Walk) -> None:
    """The order was taken; the platform's report or answer says so, and no person has to do anything."""


def place_again(walk: Walk) -> None:
    expect(walk.state).to_contain_text("平台拒单")
    expect(walk.body).to_contain_text(ITS_WORDS)
    follow(walk.page, "重新下单")
    send(walk.page)


def wait_for_proof_and_place_again(walk: Walk) -> None:
    expect(walk.state).to_contain_text("不知是否送达")
    order_page = walk.page.url
    refused_while_open(walk)
    another_succeeds(walk)
    walk.page.goto(order_page)
    expect(walk.page.locator(".card-footer").get_by_role("link", name="重新下单")).to_have_count(0)
    for _ in range(4):
        expect(walk.body).to_contain_text("下次向平台查询")
        queries = walk.page.locator("li", has_text="向平台查询").count()
        time_passes(walk.database, order_page.rstrip("/").rsplit("/", 1)[1], minutes=11)
        expect(walk.page.locator("li", has_text="向平台查询")).not_to_have_count(queries, timeout=20_000)
    expect(walk.state).to_contain_text("平台从未收到", timeout=20_000)
    follow(walk.page, "重新下单")
    send(walk.page)


def another_succeeds(walk: Walk) -> None:
    """That the platform doesn't find an order proves nothing before it has found another."""
    walk.page.goto(f"{walk.portal}/oil-cards/?last_four=4567")
    walk.page.locator("td a").first.click()
    walk.page.get_by_role("link", name="充值").last.click()
    send(walk.page)
    walk.page.fill("[name=duplicate_reason]", "再充一次")  # one of its invented orders is of today
    send(walk.page)
    walk.page.wait_for_url(ORDER_PAGE)
    is_confirmed_success(walk)


def is_confirmed_success(walk: Walk) -> None:
    expect(walk.state).to_contain_text("充值成功", timeout=20_000)
    expect(walk.body).to_contain_text(re.compile("(?<!未)核实"), timeout=20_000)


def refused_while_open(walk: Walk) -> None:
    """A card with an open order is not deleted, nor sold another one without a reason."""
    walk.page.goto(walk.card_page)
    follow(walk.page, "删除")
    send(walk.page)
    expect(walk.body).to_contain_text("这张卡还有未完结的订单")
    is_active(walk)
    assert len(walk.cards()) == 1
    follow(walk.page, "充值")
    send(walk.page)
    expect(walk.page.locator("[name=duplicate_reason]")).to_be_visible()
    assert not walk.orders()


# --- deleting ------------------------------------------------------------------------------------------------
def compare_and_find_it_gone(walk: Walk) -> None:
    is_unknown(walk)
    walk.offers("compare", "delete", "gone")
    compare(walk)
    expect(walk.body).to_contain_text("没有这张卡")


def delete_again(walk: Walk) -> None:
    is_active(walk)
    expect(walk.body).to_contain_text(ITS_WORDS)
    delete(walk)


def delete_what_is_unknown(walk: Walk) -> None:
    is_unknown(walk)
    assert len(walk.cards()) == 1
    delete(walk)


def delete(walk: Walk) -> None:
    follow(walk.page, "删除")
    send(walk.page)
    walk.page.wait_for_url(CARD_PAGE)


Cure = Callable[[Walk], None]
CURES: dict[str, tuple[Cure, Cure, Cure, Cure]] = {
    HANGING: (enter_id, compare_and_agree, wait, compare_and_find_it_gone),
    REFUSING: (add_again, send_ours, place_again, delete_again),
    NONSENSE: (enter_id, compare_and_agree, wait, compare_and_find_it_gone),
    LOSING: (
        declare_never_arrived_and_add_again,
        compare_and_send_ours,
        wait_for_proof_and_place_again,
        delete_what_is_unknown,
    ),
}


@pytest.mark.parametrize(
    ("fault", "context", "number"),
    [
        (HANGING, NARROW, "1000111234567817766"),
        (REFUSING, WIDE, "1000111234567827766"),
        (NONSENSE, WIDE, "1000111234567837766"),
        (LOSING, NARROW, "1000111234567847766"),
    ],
    ids=["hanging", "refusing", "nonsense", "losing"],
    indirect=["context"],
)
def test_every_step_of_a_cards_life_has_a_way_out(
    page: Page, portal: str, sandbox: tuple[str, dict[str, str]], database: Path, fault: str, number: str
) -> None:
    walk = Walk(page, portal, sandbox[0], database, fault, number)
    cure_addition, cure_change, cure_recharge, cure_deletion = CURES[fault]
    page.context.clear_cookies()
    sign_in(page, portal, "admin", "admin-demo")

    walk.trouble("addCard")
    add(page, portal, number)
    page.wait_for_url(CARD_PAGE)
    walk.card_page = page.url
    cure_addition(walk)
    page.goto(walk.card_page)
    is_active(walk)
    assert len(walk.cards()) == 1

    walk.trouble("editCard")
    follow(page, "编辑")
    page.fill("[name=holder_phone]", "13900139000")
    send(page)
    page.wait_for_url(CARD_PAGE)
    expect(walk.body).to_contain_text("139****9000")
    cure_change(walk)
    page.goto(walk.card_page)
    is_active(walk)
    assert [card["phone"] for card in walk.cards()] == ["13900139000"]

    walk.trouble("cardInfo")
    compare(walk)
    expect(walk.body).to_contain_text(ITS_WORDS if fault == REFUSING else NO_CLEAR_ANSWER)
    expect(walk.body).not_to_contain_text("本地与平台一致")
    is_active(walk)
    page.get_by_role("button", name="再核对一次").click()
    expect(walk.body).to_contain_text("本地与平台一致")

    page.goto(walk.card_page)
    walk.trouble("pushOrder")
    follow(page, "充值")
    send(page)
    page.wait_for_url(ORDER_PAGE)
    cure_recharge(walk)
    is_confirmed_success(walk)
    expect(walk.body).to_contain_text("圈存")
    assert [(order["pushes"], order["amount"], order["status"]) for order in walk.orders()] == [(1, 500, 2)]

    page.goto(walk.card_page)
    walk.trouble("delCard")
    delete(walk)
    cure_deletion(walk)
    page.goto(walk.card_page)
    expect(walk.state).to_contain_text("已删除")
    walk.offers()
    assert not walk.cards()
    expect(walk.body).to_contain_text("¥ 500")
    for secret in ("欧阳震华", "13800138765", "13900139000", "11010519491231002", number):
        assert secret not in page.content()
