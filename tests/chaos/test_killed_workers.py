"""`kill -9` at every point between claim and record, with real processes; afterwards both books are compared."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection

from recharge.choices import Product, Submission
from recharge.core import queue
from recharge.fulfilment.services import checking, submission
from recharge.models import DEAD_SUBMISSIONS, Order
from tests.oil_cards import place
from tests.processes import (
    Processes,
    answer_everything,
    books,
    database_url,
    sandbox_settings,
    spoken_to,
    wait_until_quiet,
)

from .dying_worker import POINTS

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    with sandbox_settings(tmp_path, callbacks=False) as (root, environment), spoken_to(environment):
        yield root, environment


@pytest.fixture
def root(platform: tuple[str, dict[str, str]]) -> str:
    return platform[0]


@pytest.fixture
def processes(platform: tuple[str, dict[str, str]]) -> Iterator[Processes]:
    processes = Processes({**platform[1], "DATABASE_URL": database_url()})
    yield processes
    processes.end()


def do_everything_due(messages: list[tuple[str, int]]) -> None:
    while messages:
        task, order_id = messages.pop()
        if task == queue.SUBMIT:
            submission.submit_order(order_id=order_id)
        else:
            checking.check_order(order_id=order_id)


@pytest.mark.parametrize("product", Product)
@pytest.mark.parametrize("point", POINTS)
def test_nothing_is_pushed_twice_and_the_books_agree(
    point: str, product: Product, root: str, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[tuple[str, int]] = []
    monkeypatch.setattr(queue, "send", lambda task, order_id: messages.append((task, order_id)))
    clerk = User.objects.create_user("clerk")
    known = place(product, placed_by=clerk, number=1)  # by which the platform proves that it finds what it has
    submission.submit_order(order_id=known.pk)
    order = place(product, placed_by=clerk, number=2)
    connection.close()

    assert processes.run("-m", "tests.chaos.dying_worker", point, str(order.pk)) == -signal.SIGKILL

    order.refresh_from_db()
    reached = {"before_claim": "QUEUED", "in_claim": "QUEUED", "after_record": "ACCEPTED"}
    assert order.submission == reached.get(point, Submission.SUBMITTING)
    submission.submit_order(order_id=order.pk)  # whoever is told of it next
    wait_until_quiet(root)
    answer_everything(lambda: do_everything_due(messages))

    order.refresh_from_db()
    booked = books(root)
    assert {theirs["product"].upper() for theirs in booked.values()} <= {product}
    if point == "before_send":
        assert set(booked) == {known.order_no}
        assert order.submission in DEAD_SUBMISSIONS
    else:
        assert booked[order.order_no]["pushes"] == 1
        assert order.submission == Submission.ACCEPTED
        assert order.gateway_order_no == booked[order.order_no]["order_number"]
        assert order.status == booked[order.order_no]["status"]
        assert order.confirmed_at
    assert Order.objects.count() == 2
