"""A real worker process that kills itself with SIGKILL at a given point of making a large batch.

python -m tests.chaos.dying_maker POINT
"""

import sys
from typing import Any
from unittest import mock

import django

from .dying_worker import die, then_die

POINTS = ["before_piece", "in_piece", "after_piece", "before_whole", "in_whole", "after_whole"]
PIECES_BEFORE = 2


def main(point: str) -> None:
    django.setup()
    from recharge.batches.services import assembling, making

    making.MADE_AT_ONCE, assembling.PLACED_AT_ONCE = 1, 5
    name = {
        "before_piece": "_place",
        "in_piece": "record_placed",
        "after_piece": "_place",
        "before_whole": "finish",
        "in_whole": "record_of_batch",
        "after_whole": "_take_up",
    }[point]
    original, calls = getattr(assembling, name), 0
    wait_for = {"_place": PIECES_BEFORE, "record_placed": PIECES_BEFORE, "_take_up": 1}.get(name, 0)

    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= wait_for:
            return original(*arguments, **options)
        return (then_die(original) if point == "after_piece" else die)(*arguments, **options)

    mock.patch.object(assembling, name, dying).start()
    assembling.assemble_waiting()


if __name__ == "__main__":
    main(sys.argv[1])
