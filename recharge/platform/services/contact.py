"""The check of the platform: every step from the name to the callbacks, each with what it found. It spends nothing."""

import http.client
import math
import time
from collections.abc import Callable, Iterator

import structlog

from portal import platform
from portal.gateway import Account, platform_time, reaching
from portal.gateway.reaching import Place
from recharge.platform.choices import SELDOM, Cause, Result, Step

from . import asking, callbacks, way
from .asking import Told
from .findings import Finding, finding

ASKED_FOR = 90.0
"""Seconds after which no further question is put to the platform."""
CLOCK_TOLERANCE = 30
"""Seconds. How much a platform lets pass is documented nowhere; five minutes are usual."""

HOUR = 3600

log = structlog.get_logger(__name__)


def check(*, thorough: bool = True) -> list[Finding]:
    """Try all steps and return what was found, one finding each, in the order of `Step`.

    Args:
        thorough: whether the steps in SELDOM are tried, too.
    """
    steps = [step for step in Step if thorough or step not in SELDOM]
    found = {one.step: one for one in _findings(steps)}
    return [found.get(step) or finding(step, Result.NOT_TRIED, Cause.EARLIER_STEP) for step in steps]


def _findings(steps: list[Step]) -> Iterator[Finding]:
    """Yield findings; a later one about the same step knows better."""
    place, passable = way.place(), True
    for one in way.look_at_way(place):
        yield one
        passable = one.result != Result.FAILED
    if place and passable:
        yield from _ask(place, steps)
    heard = callbacks.listen()
    listened = callbacks.judge_callbacks(heard)
    yield listened
    here = place is not None and way.is_loopback(place.host)
    come = listened.result == Result.OK
    yield _guarded(
        Step.PUBLIC_ADDRESS, lambda: callbacks.try_public_address(callbacks_come=come, platform_is_here=here)
    )


def _ask(place: Place, steps: list[Step]) -> Iterator[Finding]:
    until = time.monotonic() + ASKED_FOR
    if not platform.is_configured():
        yield finding(Step.SIGNATURE, Result.FAILED, Cause.NOT_CONFIGURED)
        return
    try:
        told = asking.ask_for_account()
    except ValueError:  # unencrypted, although this is not for trying out
        yield finding(Step.SIGNATURE, Result.FAILED, Cause.ADDRESS_UNUSABLE)
        return
    if told.error and not told.refusal and not place.tls and way.speaks_tls(place):
        yield finding(Step.TLS, Result.FAILED, Cause.TLS_EXPECTED)
        return
    yield _guarded(Step.CLOCK, lambda: _compare_clocks(place, told))
    yield _guarded(Step.SIGNATURE, lambda: asking.judge_signature(told))
    account = told.answer
    if account is None:
        return
    looks: dict[Step, Callable[[], Finding]] = {
        Step.BALANCE: lambda: asking.judge_balance(account),
        Step.STORE: asking.look_for_store,
        Step.NO_SUCH_ORDER: asking.learn_words,
        Step.OUR_NUMBER: asking.try_our_number,
        Step.CALLS: asking.look_for_calls,
        Step.FACE_VALUES: asking.try_face_values,
    }
    for step, look in looks.items():
        if time.monotonic() > until:
            yield finding(step, Result.NOT_TRIED, Cause.TOOK_TOO_LONG)
        elif step in steps:
            yield _guarded(step, look)


def _guarded(step: Step, look: Callable[[], Finding]) -> Finding:
    """Take one step; whatever it fails of, the others are taken."""
    try:
        return look()
    except Exception as error:
        log.exception("platform_check_failed", step=step.value)
        return finding(step, Result.FAILED, Cause.WENT_WRONG, why=type(error).__name__)


def _compare_clocks(place: Place, told: Told[Account]) -> Finding:
    """Compare with the `time` of the answer [doc], or where it has none with that of the web server."""
    theirs: float | None = platform_time(told.raw)
    ours = told.at
    if theirs is None:
        ours, theirs = time.time(), _web_clock(place)
    if theirs is None:
        return finding(Step.CLOCK, Result.NOT_TRIED, Cause.CLOCK_UNTOLD, told.raw)
    ahead = ours - theirs
    if abs(ahead) <= CLOCK_TOLERANCE:
        return finding(Step.CLOCK, Result.OK, Cause.CLOCK_RIGHT, told.raw, seconds=max(1, math.ceil(abs(ahead))))
    if told.answer and _is_another_zone(place, ahead):
        return finding(Step.CLOCK, Result.OK, Cause.CLOCK_ELSEWHERE, told.raw, hours=f"{-ahead / HOUR:+.0f}")
    result = Result.WARNING if told.answer else Result.FAILED
    cause = Cause.CLOCK_AHEAD if ahead > 0 else Cause.CLOCK_BEHIND
    return finding(Step.CLOCK, result, cause, told.raw, seconds=round(abs(ahead)))


def _is_another_zone(place: Place, ahead: float) -> bool:
    """Say whether a difference is one of whole hours that the platform's web server knows nothing of."""
    if abs(ahead - round(ahead / HOUR) * HOUR) > CLOCK_TOLERANCE:
        return False
    theirs = _web_clock(place)
    return theirs is not None and abs(time.time() - theirs) <= CLOCK_TOLERANCE


def _web_clock(place: Place) -> float | None:
    try:
        moment = reaching.web_clock(place, timeout=way.CONNECT_TIMEOUT)
    except (OSError, http.client.HTTPException):
        return None
    return moment.timestamp() if moment else None
