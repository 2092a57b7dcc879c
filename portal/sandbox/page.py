"""The page at /: books to look at, orders to drive by hand, faults and settings to switch."""

from __future__ import annotations

import sqlite3
import time
from html import escape
from typing import Any

from .books import Books
from .faults import FAULTS, Faults
from .lives import CANCELLED, FAILED, LIVES, MIX, PARTLY_ARRIVED, REFUNDED, REVERSED, SPECIALS, SUCCEEDED, WORDS
from .reports import order_entries, summary
from .settings import CALLBACK_FORMATS, DUPLICATE_POLICIES, Settings

SHOWN = 100
COLOURS = {SUCCEEDED: "good", FAILED: "bad", REFUNDED: "quiet", CANCELLED: "quiet"}
COLOURS |= dict.fromkeys((5, REVERSED, PARTLY_ARRIVED), "odd")

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#dfe3e8, #343b44); --soft: light-dark(#f6f7f9, #1d2229);
  --text: light-dark(#1c2430, #dde3ea); --faint: light-dark(#667382, #8e99a6); --accent: light-dark(#0b63c5, #6db0ff);
  --good: light-dark(#17803d, #5fd38a); --bad: light-dark(#c02626, #ff8a80); --odd: light-dark(#a15c00, #f0b45b); }
* { box-sizing: border-box; }
body { margin: 0; font: 14px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; color: var(--text);
  background: light-dark(#fff, #14181d); }
main, header { max-width: 1180px; margin: 0 auto; padding: 0 16px; }
header { padding-top: 20px; } h1 { font-size: 20px; margin: 0; } h2 { font-size: 16px; margin: 28px 0 8px; }
p { margin: 4px 0; } .faint, th, dt { color: var(--faint); font-weight: normal; font-size: 12px; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 1px; margin: 16px 0 0;
  background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
dl div { background: var(--soft); padding: 10px 12px; } dd { margin: 0; font-size: 18px;
  font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
main > form + form { margin-top: 8px; }
.orders th:nth-child(9) { min-width: 100px; }
th, td { text-align: left; padding: 7px 10px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.money, th.money { text-align: right; padding-right: 16px; } .nowrap { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .odd { color: var(--odd); } .quiet { color: var(--faint); }
.warning { color: var(--bad); font-weight: 600; }
summary { cursor: pointer; color: var(--accent); }
form { display: flex; flex-wrap: wrap; gap: 8px; align-items: end; }
details form { padding: 8px 0; align-items: center; max-width: 340px; }
label { font-size: 12px; color: var(--faint); max-width: 100%; }
label input:not([type=checkbox]), label select { display: block; }
button, select, input { font: inherit; color: inherit; padding: 4px 8px; border: 1px solid var(--line);
  border-radius: 6px; background: var(--soft); max-width: 100%; }
input:not([type=checkbox]) { width: 7.5em; } button { cursor: pointer; } button:hover { border-color: var(--accent); }
code { font-size: 12px; }
@media (max-width: 640px) {
  .orders thead { display: none; } .orders tr { display: block;
    padding: 10px 0; border-bottom: 1px solid var(--line); }
  .orders td { display: flex; justify-content: space-between; gap: 12px; border: 0; padding: 2px 0; text-align: right; }
  .orders td.money { padding-right: 0; }
  .orders td::before { content: attr(data-label); color: var(--faint); font-size: 12px; flex: none; }
  .orders td.hand { display: block; text-align: left; } .orders td.hand::before { content: none; } }
"""

# Refreshed in place, but not while somebody has a form or a row open.
SCRIPT = """
setInterval(async () => {
  const books = document.getElementById("books");
  if (document.hidden || books.querySelector("details[open]") || books.contains(document.activeElement)) return;
  const answer = await fetch("/").catch(() => null);
  if (!answer) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  books.replaceWith(page.getElementById("books"));
}, 2000);
"""


def render(settings: Settings, books: Books, faults: Faults) -> str:
    """The whole page."""
    with books.snapshot() as snapshot:
        numbers = summary(snapshot)
        orders = order_entries(
            snapshot,
            "order_no IN (SELECT order_no FROM orders ORDER BY id DESC LIMIT ?)",
            (SHOWN,),
        )
        cards = snapshot.execute("SELECT * FROM cards ORDER BY id DESC LIMIT ?", (SHOWN,)).fetchall()
    orders.sort(key=lambda order: -int(order["id"]))
    return (
        '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>微客云沙箱</title>'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head><body>'
        "<header><h1>微客云沙箱</h1>"
        '<p class="faint">平台的替身：账目独立，钱是假的，号码不会真的充值。</p></header>'
        f'<main><div id="books">{_totals(numbers)}<h2>订单（最近 {SHOWN} 笔）</h2>{_orders(orders)}'
        f"<h2>油卡（最近 {SHOWN} 张）</h2>{_cards(cards)}</div>"
        f"<h2>故障</h2>{_faults(faults)}<h2>设置</h2>{_settings(settings)}<h2>尾号</h2>{_specials()}</main>"
        f"<script>{SCRIPT}</script></body></html>"
    )


def _totals(numbers: dict[str, Any]) -> str:
    agrees = numbers["balance"] == numbers["ledger_total"]
    cells = {
        "余额（元）": numbers["balance"],
        "流水合计（元）": numbers["ledger_total"] if agrees else f"{numbers['ledger_total']} ≠ 余额",
        "订单": numbers["orders"],
        "受理次数": numbers["pushes"],
        "进行中": numbers["lives_under_way"],
        "待发回调": numbers["callbacks_waiting"],
    }
    boxes = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in cells.items())
    doubles = numbers["double_spent"]
    more = " …" if len(doubles) > 10 else ""
    listed = escape("、".join(doubles[:10])) + more
    warning = f'<p class="warning">重复扣款的订单号（{len(doubles)}）：{listed}</p>' if doubles else ""
    return f"<dl>{boxes}</dl>{warning}<p class='faint'>更新于 {time.strftime('%H:%M:%S')}</p>"


def _orders(orders: list[dict[str, Any]]) -> str:
    if not orders:
        return "<p>还没有订单。向 <code>/rest/Recharge/pushOrder</code> 推送第一笔，它就会出现在这里。</p>"
    rows = "".join(map(_order, orders))
    return (
        '<div class="scroll"><table class="orders"><thead><tr><th>商户订单号<th>手机号/卡号<th class="money">面值'
        '<th class="money">扣款<th class="money">退款<th>状态<th>经过<th>回调<th>手动</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _order(order: dict[str, Any]) -> str:
    product = "手机" if order["product"] == "mobile" else "油卡"
    pushes = f' <span class="warning">×{order["pushes"]}</span>' if order["pushes"] > 1 else ""
    fault = f'<br><span class="odd">{order["fault"]}</span>' if order["fault"] else ""
    callbacks = order["callbacks"]
    delivered = sum(callback["answer"] == "success" for callback in callbacks)
    last = f'<br><span class="bad">{escape(callbacks[-1]["answer"][:40])}</span>' if callbacks else ""
    numbers = f'{escape(order["order_no"])}{pushes}<br><span class="faint">{order["order_number"]}</span>'
    cells = [
        ("商户订单号", "", f"<span>{numbers}</span>"),
        (
            "手机号/卡号",
            "nowrap",
            f"<span>{escape(order['target'])}<br><span class='faint'>{product}</span>{fault}</span>",
        ),
        ("面值", "money", str(order["amount"])),
        ("扣款", "money", order["spent"]),
        ("退款", "money", order["returned"]),
        ("状态", "nowrap", _status(order["status"])),
        ("经过", "", f"<span>{' → '.join(map(str, order['history']))}</span>"),
        ("回调", "", f"<span>{delivered} / {len(callbacks)}{'' if delivered == len(callbacks) else last}</span>"),
        ("手动", "hand", _hand(order)),
    ]
    columns = (f'<td class="{kind}" data-label="{label}">{value}</td>' for label, kind, value in cells)
    return f"<tr>{''.join(columns)}</tr>"


def _cards(cards: list[sqlite3.Row]) -> str:
    """What somebody looks up here who got no answer to addCard: the number, and the id that it got."""
    if not cards:
        return "<p>还没有油卡。</p>"
    rows = "".join(
        f"<tr><td>{card['id']}<td>{escape(card['card_num'])}<td>{'中石油' if card['card_type'] else '中石化'}"
        f"<td class='faint'>{'已删除' if card['deleted'] else ''}"
        for card in cards
    )
    return f'<div class="scroll"><table><thead><tr><th>编号<th>卡号<th>类型<th></tr></thead>{rows}</table></div>'


def _status(status: int) -> str:
    return f'<span class="{COLOURS.get(status, "")}">{status} {WORDS.get(status, "未知状态")}</span>'


def _hand(order: dict[str, Any]) -> str:
    """Every status, once or twice, in the books or only said."""
    buttons = "".join(f'<button name="status" value="{code}">{code} {word}</button>' for code, word in WORDS.items())
    action = f"/sandbox/orders/{order['order_number']}/status"
    return (
        f'<details><summary>改状态</summary><form method="post" action="{action}">'
        f'<input type="hidden" name="back" value="1">{buttons}<button name="status" value="99">99 未知</button>'
        '<label><input type="checkbox" name="times" value="2"> 回调发两次</label>'
        '<label><input type="checkbox" name="callback" value="0"> 不发回调</label>'
        '<label><input type="checkbox" name="books" value="0"> 只发回调，不改账</label></form></details>'
    )


def _faults(faults: Faults) -> str:
    options = "".join(f'<option value="{name}">{name}：{words}</option>' for name, words in FAULTS.items())
    active = "".join(map(_active_fault, faults.listed()))
    return (
        f'{active or "<p>没有打开的故障。</p>"}<form method="post" action="/sandbox/faults">'
        f'<input type="hidden" name="back" value="1"><label>故障<select name="fault">{options}</select></label>'
        '<label>次数（空：一直）<input name="times" inputmode="numeric" value="1"></label>'
        '<label>概率<input name="probability" inputmode="decimal" placeholder="1.0"></label>'
        '<label>接口<input name="endpoint" value="pushOrder"></label>'
        '<label>号码结尾<input name="suffix" placeholder="任意"></label>'
        '<label>秒数<input name="seconds" inputmode="decimal" placeholder="默认"></label><button>打开</button></form>'
    )


def _active_fault(rule: dict[str, Any]) -> str:
    times = "一直" if rule["times"] is None else f"{rule['used']} / {rule['times']} 次"
    where = f"{escape(rule['endpoint'])} {'…' + escape(rule['suffix']) if rule['suffix'] else ''}"
    return (
        f'<form method="post" action="/sandbox/faults/{rule["id"]}/clear">'
        '<input type="hidden" name="back" value="1">'
        f"<p><code>{rule['fault']}</code> {where} · {times} · 概率 {rule['probability']}</p>"
        "<button>关闭</button></form>"
    )


def _settings(settings: Settings) -> str:
    policies = {"refuse": "拒绝", "accept": "再受理（重复扣款）", "same": "返回原订单号"}
    on_off = {"1": "开", "0": "关"}
    selects = [
        ("订单经历", "life", {name: name for name in (*LIVES, MIX)}, settings.life),
        ("重复订单号", "duplicates", {name: policies[name] for name in DUPLICATE_POLICIES}, settings.duplicates),
        ("回调", "callbacks", on_off, str(int(settings.callbacks))),
        ("回调格式", "callback_format", {name: name for name in CALLBACK_FORMATS}, settings.callback_format),
        ("文档外字段", "extras", on_off, str(int(settings.extras))),
        ("尾号规则", "suffixes", on_off, str(int(settings.suffixes))),
    ]
    return (
        '<form method="post" action="/sandbox/settings"><input type="hidden" name="back" value="1">'
        f'<label>节奏（秒/步）<input name="pace" inputmode="decimal" value="{settings.pace:g}"></label>'
        f'<label>延迟（秒）<input name="latency" inputmode="decimal" value="{settings.latency:g}"></label>'
        f"{''.join(_select(*select) for select in selects)}"
        '<label>充入余额（元）<input name="deposit" inputmode="decimal" placeholder="0.00"></label>'
        "<button>保存</button></form>"
    )


def _select(label: str, name: str, choices: dict[str, str], chosen: str) -> str:
    options = "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{words}</option>'
        for value, words in choices.items()
    )
    return f'<label>{label}<select name="{name}">{options}</select></label>'


def _specials() -> str:
    rows = "".join(
        f"<tr><td><code>…{suffix}</code><td>{special.words}<td class='faint'>{special.life or special.fault or ''}"
        for suffix, special in SPECIALS.items()
    )
    return (
        '<p class="faint">手机号或油卡号的最后三位决定这笔订单的遭遇，其余号码按“订单经历”。</p>'
        f'<div class="scroll"><table><tbody>{rows}</tbody></table></div>'
    )
