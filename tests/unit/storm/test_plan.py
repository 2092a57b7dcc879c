"""The plan of a storm: all of it from the seed, and as much as was asked for."""

from collections import Counter

import pytest

from tests.chaos.storm.faults import KINDS
from tests.chaos.storm.plan import LEASE_SECONDS, PLACING, Act, Blow, draw


@pytest.mark.parametrize(("orders", "kills"), [(300, 6), (5000, 30)])
def test_it_has_as_much_as_was_asked_for(orders: int, kills: int) -> None:
    plan = draw(seed=7, orders=orders, kills=kills)
    assert sum(len(action.lines) for action in plan.actions if action.act in PLACING) == orders
    blows = Counter(strike.blow for strike in plan.strikes)
    assert blows[Blow.KILL] == kills
    assert min(blows[blow] for blow in Blow) >= 1
    assert any(strike.target == "worker" and strike.seconds > LEASE_SECONDS for strike in plan.strikes)
    assert {action.act for action in plan.actions} == set(Act)


def test_the_same_seed_gives_the_same_plan_and_another_one_another() -> None:
    assert draw(seed=7, orders=500, kills=8) == draw(seed=7, orders=500, kills=8)
    assert draw(seed=7, orders=500, kills=8) != draw(seed=8, orders=500, kills=8)


def test_a_random_half_of_the_faults_is_off_and_each_is_on_now_and_then() -> None:
    plans = [draw(seed=seed, orders=100, kills=2) for seed in range(30)]
    assert {len(plan.kinds) for plan in plans} == {len(KINDS) // 2}
    assert {kind for plan in plans for kind in plan.kinds} == set(KINDS)
    for plan in plans:
        assert {kind for phase in plan.phases for kind in phase.kinds} <= set(plan.kinds)


def test_nothing_happens_after_the_last_order() -> None:
    plan = draw(seed=7, orders=500, kills=8)
    moments = [strike.at for strike in plan.strikes]
    assert moments == sorted(moments)
    assert moments[0] > 0
    assert moments[-1] < 500


def test_a_kind_that_is_wanted_is_on_all_the_time() -> None:
    plan = draw(seed=7, orders=500, kills=8, wanted=["slow lives", "lying callbacks"])
    assert {"slow lives", "lying callbacks"} <= set(plan.kinds)
    assert all(phase.settings["pace"] > 1 for phase in plan.phases)
    assert plan.lies
