"""How long a clerk waits while a batch of 100,000 is made: `python -m tests.benchmarks.waiting`.

One worker makes the batch, in a process of its own, and 50 single orders are placed one after the other from this one,
spread over the whole making: on PostgreSQL, then on SQLite in a file. Measured is the call that places an order, from
before its first statement to its commit.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import rig

WAITS, WANTED_SECONDS, PAUSE = 50, 0.5, 0.3
MAKER = "import django; django.setup(); from recharge.tasks import assemble_batches; assemble_batches()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--database", choices=["postgresql", "sqlite"])
    options = parser.parse_args()
    if options.database:
        return _of_one(options.database, options.orders)
    rig.begin("waiting while a batch is made")
    for database in ("postgresql", "sqlite"):  # a process each: settings are read once
        command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.waiting", "--database", database]
        subprocess.run([*command, "--orders", str(options.orders)], check=True)
    return None


def _of_one(database: str, orders: int) -> None:
    with ExitStack() as stack:
        if database == "postgresql":
            url = stack.enter_context(rig.postgresql("waiting"))
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{Path(folder) / 'portal.sqlite3'}"
            rig.migrate(url)
        rig.enter({"DATABASE_URL": url, "CELERY_BROKER_URL": stack.enter_context(rig.redis_database())})
        _measure(database, orders)


def _measure(database: str, orders: int) -> None:
    from django.contrib.auth.models import User

    from recharge.models import BatchMaking
    from recharge.orders.services import placing

    clerk = User.objects.create_user("clerk")
    placing.place_mobile_order(placed_by=clerk, mobile="13900000000", face_value=50)  # until everything is warm
    alone = [_place(clerk, number) for number in range(1, WAITS + 1)]
    batch, judged = _begin(clerk, orders)
    begun = time.perf_counter()
    waits: list[float] = []
    maker = subprocess.Popen([sys.executable, "-c", MAKER], env=os.environ)
    while not BatchMaking.objects.filter(orders__gt=0).exists():
        time.sleep(0.01)
    while maker.poll() is None:
        waits.append(_place(clerk, WAITS + len(waits) + 1))
    made = time.perf_counter() - begun
    batch.refresh_from_db()
    assert batch.orders.count() == batch.size == orders
    assert len(waits) >= WAITS or orders < 100_000, len(waits)
    print(f"  {database:10} {orders:,} judged in {judged:.1f} s, made in {made:.1f} s; ", end="")
    print(f"{len(waits)} single orders waited {rig.spread(waits, '.3f')} s, wanted {WANTED_SECONDS}; ", end="")
    print(f"{WAITS} before that {rig.spread(alone, '.3f')} s", flush=True)


def _place(clerk: Any, number: int) -> float:
    """Return the seconds that a single order took to place, a while after the last one."""
    from recharge.orders.services import placing

    time.sleep(PAUSE)
    started = time.perf_counter()
    placing.place_mobile_order(placed_by=clerk, mobile=f"139{number:08d}", face_value=50)
    return time.perf_counter() - started


def _begin(clerk: Any, orders: int) -> tuple[Any, float]:
    """Return a batch that is to be made, and the seconds from the form until the clerk sees it."""
    from recharge.batches.services import judging, making, uploading
    from recharge.choices import Product

    lines = "".join(f"13{number:09d},50,快,\r\n" for number in range(orders))
    content = f"手机号,面值,快慢,备注\r\n{lines}".encode("gb18030")
    draft = uploading.keep_upload(content=content, file_name="sheet.csv", product=Product.MOBILE, uploaded_by=clerk)
    judging.judge_waiting()
    started = time.perf_counter()
    batch = making.make_batch(draft=draft, made_by=clerk)
    return batch, time.perf_counter() - started


if __name__ == "__main__":
    main()
