"""Plant each bug in turn, and print who found it; ends with status 1 where one survives."""

import argparse
import signal
import sys

from .hunting import Budget, CouldNotLook, Find, hunt
from .patches import Patch, patches


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.planted", description=__doc__)
    parser.add_argument("words", nargs="*", help="of the names of those to plant; all of them without any")
    parser.add_argument("--histories", type=int, default=Budget.histories)
    parser.add_argument("--seconds", type=float, default=Budget.seconds, help="of the histories, and of the storm")
    parser.add_argument("--quick", action="store_true", help="don't look through the project as it is first")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("stopped"))
    budget = Budget(options.histories, options.seconds)
    if not options.quick:
        refuse_to_hunt_where_all_is_wrong(budget)
    print("| planted | what it breaks | found by | seconds |\n| --- | --- | --- | ---: |", flush=True)
    survived = [patch for patch in patches(*options.words) if not is_found(patch, budget)]
    sys.exit(1 if survived else 0)


def refuse_to_hunt_where_all_is_wrong(budget: Budget) -> None:
    """Make sure that the histories hold without any planted bug, or finding one would prove nothing."""
    find = hunt(None, budget)
    if find.by:
        sys.exit(f"The {find.by} fail with nothing planted:\n{find.told}")


def is_found(patch: Patch, budget: Budget) -> bool:
    """Plant a bug, print its line of the table, and say whether it was found."""
    try:
        find = hunt(patch, budget)
    except CouldNotLook as error:
        print(f"| {patch.title} | {patch.breaks} | **{error}** | |", flush=True)
        return False
    print(line(patch, find), flush=True)
    return bool(find.by)


def line(patch: Patch, find: Find) -> str:
    return f"| {patch.title} | {patch.breaks} | {find.by or '**survived**'} | {find.seconds:.0f} |"


if __name__ == "__main__":
    main()
