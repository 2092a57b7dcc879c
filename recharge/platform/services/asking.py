"""Questions to the platform that spend nothing: never a push, never what changes anything there.

Calls that cancel or forbid are not tried, not even with a number that was made up: nobody knows how it reads one.
"""

import datetime as dt
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import combinations
from typing import Generic, TypeVar

from django.conf import settings
from django.utils import timezone

from portal import platform
from portal.gateway import (
    Account,
    GatewayError,
    OrderReport,
    OrderType,
    OutcomeUnknown,
    Rejected,
    Speed,
    means_no_such_call,
)
from portal.gateway.calls import OPTIONAL
from portal.gateway.heuristics import Complaint, complaint
from portal.kit.database import release_connection
from recharge.choices import Product, Submission
from recharge.core.wording import why_unanswered
from recharge.limits.services import accounts, pacing
from recharge.models import Order
from recharge.platform.choices import Cause, Result, Step
from recharge.readings import services as readings

from .findings import Finding, finding, holds_secret

EXAMPLE_MOBILE = "13800138000"
"""The carriers' own number for recharges: it belongs to nobody."""
MAX_VALUES = 12
CONTROLS_LOOKED_AT = 200
"""Latest accepted orders among which one of this account is looked for."""

CAUSES: dict[Complaint | None, Cause] = {
    Complaint.SIGNATURE: Cause.SECRET_WRONG,
    Complaint.TIME: Cause.TIME_REFUSED,
    Complaint.KEY: Cause.KEY_UNKNOWN,
    Complaint.CALLER: Cause.CALLER_REFUSED,
}

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Told(Generic[Answer]):
    """What came of a call: an answer, or why there is none. `at` is when it came, in unix seconds by our clock."""

    answer: Answer | None
    error: GatewayError | None
    raw: str
    at: float

    @property
    def refusal(self) -> Rejected | None:
        return self.error if isinstance(self.error, Rejected) else None

    @property
    def words(self) -> str:
        """What the platform said, or in our words why it said nothing."""
        if self.refusal:
            return self.refusal.message
        return f"HTTP {self.status}" if self.status else why_unanswered(self.error) if self.error else ""

    @property
    def status(self) -> int:
        """That of HTTP, where it is why there is no answer; else 0."""
        return self.error.status if isinstance(self.error, OutcomeUnknown) else 0


def ask(call: Callable[[], Answer]) -> Told[Answer]:
    """Make a call in its turn, with no connection held."""
    pacing.wait_for_turn()
    release_connection()
    began = time.time()
    answer, error = None, None
    try:
        answer = call()
    except GatewayError as failure:
        error = failure
    raw = getattr(error or answer, "raw", "")
    return Told(answer, error, raw, (began + time.time()) / 2)


def ask_for_account() -> Told[Account]:
    """Ask for the account as the settings have it; this is the question that all the others depend on."""
    client = platform.trial_client()
    return ask(client.account)


def judge_signature(told: Told[Account]) -> Finding:
    """Say whether the platform takes key and signature, and if not, which parameters or which setting it is about."""
    if told.answer:
        return finding(Step.SIGNATURE, Result.OK, Cause.SIGNATURE_TAKEN, told.raw)
    if told.refusal is None:
        is_redirect = HTTPStatus.MULTIPLE_CHOICES <= told.status < HTTPStatus.BAD_REQUEST
        cause = Cause.REDIRECTED if is_redirect else Cause.NO_ANSWER
        return finding(Step.SIGNATURE, Result.FAILED, cause, told.raw, why=told.words)
    about = complaint(told.refusal)
    if about not in (Complaint.TIME, Complaint.KEY):
        for left_out in _other_sets():
            other = ask(platform.trial_client(leave_out=left_out).account)
            if other.answer:
                cause = Cause.OTHER_PARAMETERS if left_out else Cause.ALL_PARAMETERS
                return finding(Step.SIGNATURE, Result.FAILED, cause, told.raw, names=",".join(left_out))
    cause = CAUSES.get(about, Cause.REFUSED)
    return finding(Step.SIGNATURE, Result.FAILED, cause, told.raw, words=told.words)


def judge_balance(account: Account) -> Finding:
    """Say whether there is money to spend."""
    amount = f"{account.balance:,.2f}"
    if account.balance <= 0:
        return finding(Step.BALANCE, Result.WARNING, Cause.BALANCE_EMPTY, account.raw, amount=amount)
    if account.balance < settings.BALANCE_FLOOR:
        floor = settings.BALANCE_FLOOR
        return finding(Step.BALANCE, Result.WARNING, Cause.BALANCE_LOW, account.raw, amount=amount, floor=floor)
    return finding(Step.BALANCE, Result.OK, Cause.BALANCE_TOLD, account.raw, amount=amount)


def look_for_store() -> Finding:
    """Ask for the list of orders, which names the store [pub]; a platform without that call doesn't tell."""
    store = {"store": settings.WIKEYUN_STORE_ID}
    if _accepted_order():
        return finding(Step.STORE, Result.OK, Cause.STORE_KNOWN, **store)
    told = ask(_list_orders)
    if told.answer:
        return finding(Step.STORE, Result.OK, Cause.STORE_KNOWN, told.raw, **store)
    if told.refusal and complaint(told.refusal) == Complaint.STORE:
        return finding(Step.STORE, Result.FAILED, Cause.STORE_UNKNOWN, told.raw, words=told.words, **store)
    return finding(Step.STORE, Result.NOT_TRIED, Cause.STORE_UNTOLD, told.raw)


def learn_words() -> Finding:
    """Ask for an order that can't exist, by the platform's number [doc]: its words decide what never arrived."""
    told = ask(lambda: platform.trial_client().query_mobile_order(gateway_order_no=_made_up()))
    if told.answer:
        return finding(Step.NO_SUCH_ORDER, Result.FAILED, Cause.FOUND_ANYWAY)
    if told.refusal is None:
        return finding(Step.NO_SUCH_ORDER, Result.WARNING, Cause.WORDS_MISSING, told.raw, why=told.words)
    if _means_no_such_order(told.refusal):
        return finding(Step.NO_SUCH_ORDER, Result.OK, Cause.WORDS_UNDERSTOOD, told.raw, words=told.words)
    place = None if holds_secret(told.words) else readings.place_of(told.refusal)
    code, key = place or ("", "")
    facts = {"words": told.words, "words_code": code, "words_key": key}
    return finding(Step.NO_SUCH_ORDER, Result.WARNING, Cause.WORDS_STRANGE, told.raw, **facts)


def try_our_number() -> Finding:
    """Ask by our own number [pub] for an order that the platform took, or where there is none for one made up."""
    known = _accepted_order()
    if known is None:
        return _try_made_up_number()
    told = ask(lambda: platform.trial_client().query_mobile_order(order_no=known.order_no))
    named = {"order_no": known.order_no}
    if told.answer:
        same = known.order_no == told.answer.order_no or known.gateway_order_no == told.answer.gateway_order_no
        cause = Cause.OUR_NUMBER_FINDS if same else Cause.FOUND_ANYWAY
        return finding(Step.OUR_NUMBER, Result.OK if same else Result.FAILED, cause, **named)
    if told.refusal and not _means_no_such_order(told.refusal):
        return finding(Step.OUR_NUMBER, Result.FAILED, Cause.OUR_NUMBER_REFUSED, told.raw, words=told.words)
    if told.refusal and _by_their_number(known).answer:
        return finding(Step.OUR_NUMBER, Result.FAILED, Cause.OUR_NUMBER_BLIND, told.raw, **named)
    return finding(Step.OUR_NUMBER, Result.WARNING, Cause.OUR_NUMBER_UNTRIED, told.raw)


def look_for_calls() -> Finding:
    """Say which of the calls exist that the document doesn't have, and that only ask."""
    client, value = platform.trial_client(), (settings.FACE_VALUES or [50])[0]
    questions: dict[str, Callable[[], object]] = {
        "Recharge/verify": lambda: client.verify_mobile(mobile=EXAMPLE_MOBILE, face_value=value, speed=Speed.FAST),
        "Recharge/mobileInfo": lambda: client.mobile_info(mobile=EXAMPLE_MOBILE),
        "Oil/query": lambda: client.query_oil_order(order_no=_made_up()),
        "Order/orderList": _list_orders,
    }
    there = {name: _exists(ask(question)) for name, question in questions.items()}
    missing = [name for name, exists in there.items() if exists is False]
    untold = [name for name, exists in there.items() if exists is None]
    lists = {"there": ", ".join(name for name, exists in there.items() if exists) or "–", "missing": ", ".join(missing)}
    if untold:
        return finding(Step.CALLS, Result.WARNING, Cause.CALLS_UNTOLD, **lists, untold=", ".join(untold))
    if not missing:
        return finding(Step.CALLS, Result.OK, Cause.CALLS_THERE, **lists)
    if there["Oil/query"]:
        return finding(Step.CALLS, Result.OK, Cause.CALLS_MISSING, **lists)
    return finding(Step.CALLS, Result.WARNING, Cause.OIL_QUERY_MISSING, **lists)


def try_face_values() -> Finding:
    """Ask whether the face values of the settings may be ordered [pub], for a number that belongs to nobody."""
    client = platform.trial_client()
    refused: dict[int, Told[object]] = {}
    asked: Sequence[int] = settings.FACE_VALUES[:MAX_VALUES]
    for value in asked:
        told: Told[object] = ask(
            lambda value=value: client.verify_mobile(mobile=EXAMPLE_MOBILE, face_value=value, speed=Speed.FAST)  # type: ignore[misc]
        )
        exists = _exists(told)
        if exists is None:
            return finding(Step.FACE_VALUES, Result.WARNING, Cause.VALUE_UNANSWERED, told.raw, value=value)
        if not exists:
            return finding(Step.FACE_VALUES, Result.OK, Cause.VALUES_UNTOLD, told.raw)
        if told.refusal:
            refused[value] = told
    if not refused:
        return finding(Step.FACE_VALUES, Result.OK, Cause.VALUES_TAKEN, values=_joined(asked))
    first = next(iter(refused.values()))
    values = _joined(list(refused))
    return finding(Step.FACE_VALUES, Result.WARNING, Cause.VALUES_REFUSED, first.raw, values=values, words=first.words)


def _try_made_up_number() -> Finding:
    told = ask(lambda: platform.trial_client().query_mobile_order(order_no=_made_up()))
    if told.answer:
        return finding(Step.OUR_NUMBER, Result.FAILED, Cause.FOUND_ANYWAY)
    if told.refusal and not _means_no_such_order(told.refusal):
        return finding(Step.OUR_NUMBER, Result.FAILED, Cause.OUR_NUMBER_REFUSED, told.raw, words=told.words)
    return finding(Step.OUR_NUMBER, Result.WARNING, Cause.OUR_NUMBER_UNTRIED, told.raw)


def _by_their_number(order: Order) -> Told[OrderReport]:
    number = order.gateway_order_no
    return ask(lambda: platform.trial_client().query_mobile_order(gateway_order_no=number))


def _means_no_such_order(refusal: Rejected) -> bool:
    """Read the words as those of a query about an order are read, by what was taught, too."""
    return readings.in_force().means_no_such_order(refusal)


def _accepted_order() -> Order | None:
    """Return the latest order of a phone that the platform took under this account, if there is one lately."""
    taken = Order.objects.filter(submission=Submission.ACCEPTED).order_by("-id")
    latest = list(taken.values_list("pk", flat=True)[:CONTROLS_LOOKED_AT])
    ours = Order.objects.filter(accounts.of_current(), pk__in=latest, product=Product.MOBILE)
    return ours.order_by("-id").first()


def _list_orders() -> object:
    end = timezone.localtime()
    start = end - dt.timedelta(hours=1)
    return platform.trial_client().list_orders(order_type=OrderType.MOBILE, start=start, end=end)


def _exists(told: Told[object]) -> bool | None:
    """Say whether a call is there; None where nothing tells. One that isn't may be answered by a page not found."""
    if told.answer:
        return True
    if told.refusal:
        return not means_no_such_call(told.refusal)
    return False if told.status == HTTPStatus.NOT_FOUND else None


def _other_sets() -> list[tuple[str, ...]]:
    """Return which parameters may be left out, but for what the settings leave out already."""
    sets = [names for count in range(len(OPTIONAL) + 1) for names in combinations(OPTIONAL, count)]
    return [names for names in sets if set(names) != set(settings.WIKEYUN_LEAVE_OUT)]


def _made_up() -> str:
    return f"CHECK{secrets.randbelow(10**15):015d}"


def _joined(values: Sequence[int]) -> str:
    return ", ".join(str(value) for value in values)
