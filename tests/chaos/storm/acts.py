"""What a clerk does at the pages, one function an act. Each chooses among what is there at that moment."""

from collections.abc import Callable

from . import forms
from .books import Portal, Row
from .people import Person
from .plan import Act, Action

REASON = "同一客户再充一次"
NOTE = "已与平台核对"
SHOWN_AGAIN = 3
"""How often a form that is shown again is filled in and sent once more."""

REFUNDED = 4
SENT_AND_DEAD = f"(submission IN ('REJECTED', 'NOT_RECEIVED') OR status = {REFUNDED})"
NOT_REPLACED = "NOT EXISTS (SELECT 1 FROM recharge_order r WHERE r.replaces_id = o.id)"


def do(action: Action, person: Person, portal: Portal) -> None:
    """Let somebody do what the plan says, and count what came of it.

    Raises:
        GivenUp: the portal gave no page.
    """
    done = ACTS[action.act](action, person, portal)
    person.outcomes.count(f"{action.act}: {'done' if done else 'refused, or nothing to do'}")


def _place(action: Action, person: Person, portal: Portal) -> bool:
    ((mobile, value),) = action.lines
    speed = str(action.pick % 2)
    return _order(
        person, "/orders/new/", "mobile", twice=action.twice, mobile=mobile, face_value=str(value), speed=speed
    )


def _place_oil(action: Action, person: Person, portal: Portal) -> bool:
    ((number, value),) = action.lines
    cards = _cards(portal)
    if not cards:
        return False
    card = str(cards[int(number) % len(cards)]["id"])
    return _order(
        person, f"/orders/new/oil/?card={card}", "oil_card", twice=action.twice, oil_card=card, face_value=str(value)
    )


def _order(person: Person, path: str, *names: str, twice: bool = False, **typed: str) -> bool:
    """Place an order; give the reason where the form comes back and asks for one."""
    form = forms.find(person.open(path), *names)
    for _ in range(SHOWN_AGAIN):
        if form is None:
            return False
        answer = person.answer(path, form, twice=twice, duplicate_reason=REASON, **typed)
        place = answer.headers.get("Location", "")
        if place.startswith("/orders/"):
            person.outcomes.show(place.strip("/").rpartition("/")[2])
            return True
        form = forms.find(answer.text, *names)
    return False


def _upload(action: Action, person: Person, portal: Portal) -> bool:
    rows = "".join(f"{number},{value},{'快慢'[value % 3 // 2]}\n" for number, value in action.lines)
    sheet = f"手机号,面值,快慢\n{rows}".encode("gb18030" if action.pick % 2 else "utf-8")
    file = (f"名单{action.pick}.csv", sheet, "text/csv")
    preview = person.fill("/batches/new/", "file", files={"file": file}, product="MOBILE")
    if not preview:
        return False
    made = person.fill(preview, "doubts_seen", leave_out_bad="on", reason=REASON, twice=action.twice)
    return bool(made and made.startswith("/batches/"))


def _replace(action: Action, person: Person, portal: Portal) -> bool:
    """Place a dead order anew; whoever is careless tries it with any order."""
    condition = "submission = 'ACCEPTED'" if action.careless else SENT_AND_DEAD
    order = _chosen(action, portal.some(f"{condition} AND {NOT_REPLACED}"))
    if order is None:
        return False
    product, target = ("oil/", "oil_card") if order["oil_card_id"] else ("", "mobile")
    return _order(
        person,
        f"/orders/new/{product}?replaces={order['order_no']}",
        "replaces",
        target,
        mobile=order["mobile"],
        oil_card=str(order["oil_card_id"]),
        face_value=str(order["face_value"]),
    )


def _again(action: Action, person: Person, portal: Portal) -> bool:
    failed = f"SELECT 1 FROM recharge_order o WHERE o.batch_id = b.id AND {SENT_AND_DEAD} AND {NOT_REPLACED}"
    batch = _picked(action, portal.batches(f"EXISTS ({failed})"))
    return batch is not None and bool(person.fill(f"/batches/{batch}/again/", "orders_seen", twice=action.twice))


def _withdraw(action: Action, person: Person, portal: Portal) -> bool:
    return _intervene("withdraw", "submission IN ('QUEUED', 'AWAITING_APPROVAL')", action, person, portal)


def _cancel(action: Action, person: Person, portal: Portal) -> bool:
    in_progress = "submission = 'ACCEPTED' AND (status IS NULL OR status IN (0, 1, 5, 6, 7, 8))"
    return _intervene("cancel", in_progress, action, person, portal)


def _ask(action: Action, person: Person, portal: Portal) -> bool:
    return _intervene("ask", "submission NOT IN ('QUEUED', 'AWAITING_APPROVAL')", action, person, portal)


def _acknowledge(action: Action, person: Person, portal: Portal) -> bool:
    return _intervene("acknowledge", portal.marked, action, person, portal, ticked="marks", note=NOTE)


def _intervene(
    what: str, condition: str, action: Action, person: Person, portal: Portal, ticked: str = "", **typed: str
) -> bool:
    order = _chosen(action, portal.some("true" if action.careless else condition))
    if order is None:
        return False
    path = f"/orders/{order['order_no']}/{what}/"
    return bool(person.fill(path, *typed, twice=action.twice, ticked=ticked, **typed))


def _withdraw_rest(action: Action, person: Person, portal: Portal) -> bool:
    return _to_a_batch("withdraw", "state NOT IN ('HANDED_OVER', 'WITHDRAWN', 'DISAPPROVED')", action, person, portal)


def _pause(action: Action, person: Person, portal: Portal) -> bool:
    return _to_a_batch("pause", "state IN ('CANARY', 'RUNNING')", action, person, portal)


def _to_a_batch(what: str, condition: str, action: Action, person: Person, portal: Portal) -> bool:
    batch = _picked(action, portal.batches("true" if action.careless else condition))
    return batch is not None and bool(person.fill(f"/batches/{batch}/{what}/", "reason", reason=NOTE))


def _stop(action: Action, person: Person, portal: Portal) -> bool:
    return bool(person.fill("/stop/", "reason", reason="有些不对劲"))


def _cards(portal: Portal) -> list[Row]:
    return portal.rows("SELECT id FROM oilcards_oilcard WHERE state = 'ACTIVE' ORDER BY id")


def _chosen(action: Action, orders: list[Row]) -> Row | None:
    return orders[action.pick % len(orders)] if orders else None


def _picked(action: Action, batches: list[int]) -> int | None:
    return batches[action.pick % len(batches)] if batches else None


ACTS: dict[Act, Callable[[Action, Person, Portal], bool]] = {
    Act.PLACE: _place,
    Act.PLACE_OIL: _place_oil,
    Act.UPLOAD: _upload,
    Act.REPLACE: _replace,
    Act.AGAIN: _again,
    Act.WITHDRAW: _withdraw,
    Act.WITHDRAW_REST: _withdraw_rest,
    Act.CANCEL: _cancel,
    Act.ASK: _ask,
    Act.ACKNOWLEDGE: _acknowledge,
    Act.PAUSE: _pause,
    Act.STOP: _stop,
}
