"""`python -m tests.chaos.storm --orders 5000 --kills 30 --seed 7`; ends with status 1 where anything doesn't hold."""

import argparse
import random
import signal
import sys

from .faults import KINDS
from .plan import Plan, draw
from .run import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.storm", description=__doc__)
    parser.add_argument("--orders", type=int, default=5000, help="placed by people, replacements not counted")
    parser.add_argument("--kills", type=int, default=30, help="with -9; freezes, flushes and restarts come on top")
    parser.add_argument("--seed", type=int, help="replays a plan; without it, one is drawn and printed")
    parser.add_argument("--with", dest="wanted", default="", metavar="KINDS", help="of faults, on all the time")
    parser.add_argument("--plan", action="store_true", help="print the plan and end")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="copy logs and the platform's books there")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"SEED={seed} ORDERS={options.orders} KILLS={options.kills}", flush=True)
    wanted = [kind for kind in options.wanted.split(",") if kind]
    if unknown := set(wanted) - KINDS.keys():
        parser.error(f"there is no {', '.join(unknown)}; there are: {', '.join(KINDS)}")
    plan = draw(seed=seed, orders=options.orders, kills=options.kills, wanted=wanted)
    if options.plan:
        show(plan)
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    sys.exit(0 if run(plan, keep=options.keep) else 1)


def stop(number: int, frame: object) -> None:
    """End all that was started, and once only: whoever asks again would leave processes behind."""
    for again in (signal.SIGTERM, signal.SIGINT):
        signal.signal(again, signal.SIG_IGN)
    sys.exit("stopped")


def show(plan: Plan) -> None:
    print("kinds of faults:", ", ".join(plan.kinds))
    print("seeds of people:", plan.seeds, "lies:", plan.lies)
    for happening in (*plan.phases, *plan.strikes, *plan.actions):
        print(happening)


if __name__ == "__main__":
    main()
