"""10,000 orders of one sheet, on PostgreSQL: `python -m tests.benchmarks.batch_making`.

In turns: a batch as the portal makes it (read, judged line by line, checked for duplicates, orders and history, in
pieces, by a worker that is there at once); a bare `bulk_create` of the same orders without anything of that; and
django-import-export with a tenth of the rows, because it takes so long. Then the batch once more with 100,000 rows, by
itself.
"""

import argparse
import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from . import rig

ROUNDS = 5
WANTED_OF_BULK_CREATE, WANTED_OF_IMPORT_EXPORT, WANTED_SECONDS = 0.5, 10.0, 2.0
_numbers = itertools.count(13_000_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    rig.begin("making a batch")
    with ExitStack() as stack:
        database = stack.enter_context(rig.postgresql("making"))
        rig.enter({"DATABASE_URL": database, "CELERY_BROKER_URL": stack.enter_context(rig.redis_database())})
        _measure(options.orders, options.rounds)


def _measure(orders: int, rounds: int) -> None:
    from django.contrib.auth.models import User

    clerk = User.objects.create_user("clerk")
    ours, bulk, imported = [], [], []
    for _ in range(rounds):
        rig.wait_for_quiet()
        ours.append(orders / _make_batch(clerk, orders))
        bulk.append(orders / _bulk_create(clerk, orders))
        imported.append(orders / 10 / _import_export(clerk, orders // 10))
    print(f"  a batch of {orders:,}        {rig.spread(ours, ',.0f')} orders/s, ", end="")
    print(f"{rig.spread([orders / rate for rate in ours])} s, wanted {WANTED_SECONDS}")
    print(f"  bare bulk_create         {rig.spread(bulk, ',.0f')} orders/s; ", end="")
    print(f"batch : bulk_create {rig.spread(_ratios(ours, bulk))}, wanted {WANTED_OF_BULK_CREATE}")
    print(f"  django-import-export     {rig.spread(imported, ',.0f')} orders/s; ", end="")
    print(f"batch : import-export {rig.spread(_ratios(ours, imported), '.0f')}, wanted {WANTED_OF_IMPORT_EXPORT:.0f}")
    rig.wait_for_quiet()
    print(f"  a batch of {orders * 10:,}       {_make_batch(clerk, orders * 10):.1f} s")


def _ratios(some: list[float], others: list[float]) -> list[float]:
    return [one / other for one, other in zip(some, others, strict=True)]


def _make_batch(clerk: Any, orders: int) -> float:
    """Return the seconds from the form to the commit; the sheet was uploaded before."""
    from recharge.batches.services import assembling, judging, uploading
    from recharge.batches.services import making as batch_making
    from recharge.choices import Product

    lines = "".join(f"{_mobile()},50,快,\r\n" for _ in range(orders))
    content = f"手机号,面值,快慢,备注\r\n{lines}".encode("gb18030")
    draft = uploading.keep_upload(content=content, file_name="sheet.csv", product=Product.MOBILE, uploaded_by=clerk)
    judging.judge_waiting()
    with _clock() as seconds:
        batch = batch_making.make_batch(draft=draft, made_by=clerk)
        assembling.assemble_waiting()
    assert batch.orders.count() == orders == batch.size
    return seconds[0]


def _bulk_create(clerk: Any, orders: int) -> float:
    from django.utils import timezone

    from recharge.models import Order
    from recharge.orders.services import placing

    now = timezone.now()
    with _clock() as seconds:
        Order.objects.bulk_create(
            [
                Order(
                    order_no=placing.new_order_no(),
                    product="MOBILE",
                    mobile=_mobile(),
                    face_value=50,
                    placed_by=clerk,
                    next_push_at=now,
                )
                for _ in range(orders)
            ],
            batch_size=1000,
        )
    return seconds[0]


def _import_export(clerk: Any, orders: int) -> float:
    import tablib
    from django.utils import timezone
    from import_export.resources import ModelResource

    from recharge.models import Order
    from recharge.orders.services import placing

    class OrderResource(ModelResource):  # type: ignore[misc]  # it has no types
        class Meta:
            model = Order
            fields = ("order_no", "product", "mobile", "face_value", "placed_by", "next_push_at")
            import_id_fields = ("order_no",)
            use_bulk = True

    now = f"{timezone.localtime():%Y-%m-%d %H:%M:%S}"
    rows = [(placing.new_order_no(), "MOBILE", _mobile(), 50, clerk.pk, now) for _ in range(orders)]
    dataset = tablib.Dataset(*rows, headers=OrderResource.Meta.fields)
    with _clock() as seconds:
        result = OrderResource().import_data(dataset, raise_errors=True)
    assert result.totals["new"] == orders
    return seconds[0]


def _mobile() -> str:
    return str(next(_numbers))


@contextmanager
def _clock() -> Iterator[list[float]]:
    seconds: list[float] = []
    started = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - started)


if __name__ == "__main__":
    main()
