"""A real worker process that kills itself with SIGKILL at a given point of handing one order over.

python -m tests.chaos.dying_worker POINT ORDER_ID
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

import django

POINTS = ["before_claim", "in_claim", "before_send", "after_send", "in_record", "after_record"]


def die(*arguments: Any, **options: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **options: Any) -> Any:
        function(*arguments, **options)
        die()

    return wrapped


def main(point: str, order_id: int) -> None:
    django.setup()
    from recharge.fulfilment.services import answers, products, submission, transitions

    if point == "before_claim":
        submission.claim = die
    elif point == "in_claim":
        mock.patch.object(transitions, "record", die).start()  # the row is changed, the transaction is not committed
    elif point == "before_send":
        products.push = die
    elif point == "after_send":
        products.push = then_die(products.push)
    elif point == "in_record":
        mock.patch.object(answers, "accept_undisturbed", die).start()
    submission.submit_order(order_id=order_id)
    if point == "after_record":
        die()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
