"""The callback door against a bare view on the same PostgreSQL: `python -m tests.benchmarks.callback`.

Both stand behind a gunicorn of their own with one process and 8 threads, and take turns.
"""

import argparse
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from . import rig

CONNECTIONS = THREADS = 8
WARM_UP = 200
HOST = {"Host": "127.0.0.1"}
DOOR = "the door"
YARDSTICK = "bare, ORM, slim tables"
PATHS = {
    YARDSTICK: "/slim-tables/{}/",
    "bare, ORM, our tables": "/our-tables/{}/",
    "bare, cursor, slim tables": "/cursor/{}/",
}
WANTED = 0.60
MAX_STATEMENTS = 5

ORDERS = {
    "order_no": "'26' || lpad(n::text, 18, '0')",
    "product": "'MOBILE'",
    "mobile": "'13' || lpad(n::text, 9, '0')",
    "face_value": "50",
    "placed_by_id": "(SELECT id FROM auth_user)",
    "submission": "'ACCEPTED'",
    "claims": "1",
    "submitted_at": "now()",
    "gateway_order_no": "'W' || n",
    "status": "1",
    "status_at": "now()",
    "next_check_at": "now() + interval '1 day'",
}
SLIM_ORDERS = "INSERT INTO bare_order (order_no, status) SELECT order_no, status FROM recharge_order ORDER BY id"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=1500, help="in a round, of each variant")
    options = parser.parse_args()
    rig.begin("callback")
    with ExitStack() as stack:
        database = stack.enter_context(rig.postgresql("callback"))
        environment = {"DATABASE_URL": database, "CELERY_BROKER_URL": stack.enter_context(rig.redis_database())}
        rig.enter(environment)
        numbers = fill(WARM_UP + options.rounds * options.requests + 10)
        count_statements(numbers[-10:])
        bare = environment | {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.bare_settings"}
        ports = {DOOR: stack.enter_context(serving(environment))}
        ports |= dict.fromkeys(PATHS, stack.enter_context(serving(bare)))
        for variant, port in ports.items():
            send(port, variant, numbers[:WARM_UP])
        rates: dict[str, list[float]] = defaultdict(list)
        for number in range(options.rounds):
            rig.wait_for_quiet()
            start = WARM_UP + number * options.requests
            for variant in list(ports)[number % len(ports) :] + list(ports)[: number % len(ports)]:
                seconds = send(ports[variant], variant, numbers[start : start + options.requests])
                rates[variant].append(options.requests / seconds)
    for variant, measured in rates.items():
        print(f"  {variant:28} {rig.spread(measured, '.0f')}/s")
    for variant in PATHS:
        ratios = [door / bare for door, bare in zip(rates[DOOR], rates[variant], strict=True)]
        wanted = f", wanted {WANTED}" if variant == YARDSTICK else ""
        print(f"  door : {variant:26} {rig.spread(ratios)}{wanted}")


def fill(orders: int) -> list[str]:
    """Make so many accepted orders that recharge, in both sets of tables, and return their numbers."""
    from django.contrib.auth.models import User
    from django.db import connection

    from recharge.models import Order

    from .bare import SLIM_TABLES
    from .orders import insert_orders

    User.objects.create_user("clerk")
    with connection.cursor() as cursor:
        cursor.execute(insert_orders(ORDERS, f"generate_series(1, {orders}) n"))
        cursor.execute(SLIM_TABLES)
        cursor.execute(SLIM_ORDERS)
        cursor.execute("VACUUM ANALYZE")
    return list(Order.objects.order_by("id").values_list("order_no", flat=True))


def count_statements(numbers: list[str]) -> None:
    """Print the statements of the door for a callback that is applied, and one that comes before the push's answer."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from recharge.models import Order

    Order.objects.filter(order_no=numbers[1]).update(submission="UNKNOWN", gateway_order_no=None, status=None)
    for number, what in ((numbers[0], "accepted order"), (numbers[1], "order not known to be accepted")):
        with CaptureQueriesContext(connection) as captured:
            path, body = _line(DOOR, number).split()
            answer = Client().post(path, body, "application/x-www-form-urlencoded", secure=True, headers=HOST)
        assert answer.content == b"success", answer
        words = [query["sql"].split()[0] for query in captured.captured_queries]
        statements = [word for word in words if word not in ("BEGIN", "COMMIT")]
        print(f"  {len(statements)} statements for an {what}: {' '.join(words)}")
        assert len(statements) <= MAX_STATEMENTS, words


def send(port: int, variant: str, numbers: list[str]) -> float:
    """Send a callback for each order and return the seconds that took."""
    lines = "\n".join(_line(variant, number) for number in numbers)
    load = [sys.executable, "-m", "tests.benchmarks.load", str(port), str(CONNECTIONS)]
    done = subprocess.run(load, cwd=rig.ROOT, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def _line(variant: str, order_no: str) -> str:
    from recharge.fulfilment.services.products import CALLBACK_SIGNER

    body = (
        f"order_no={order_no}&order_number=W{int(order_no[2:])}&status=2&amount=50&fanli=0.5000&cost_price=49.2500"
        "&arrived_amount=50.0000&failReason=&sign=0123456789ABCDEF0123456789ABCDEF"
    )
    path = f"/callback/{CALLBACK_SIGNER.sign(order_no)}/" if variant == DOOR else PATHS[variant].format(order_no)
    return f"{path} {body}"


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[int]:
    """Run a gunicorn with one process and some threads, and give its port."""
    port = rig.free_port()
    command = ("-m", "gunicorn", "portal.wsgi", "--worker-class=gthread", "--workers=1", f"--threads={THREADS}")
    options = (f"--bind=127.0.0.1:{port}", "--keep-alive=60", "--no-control-socket", "--log-level=warning")
    with rig.process(*command, *options, environment=environment, ready=lambda: rig.speaks_http(port)):
        yield port


if __name__ == "__main__":
    main()
