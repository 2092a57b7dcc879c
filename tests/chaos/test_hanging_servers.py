"""A broker or a database that hangs instead of refusing: a proxy before it takes everything and gives nothing."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, Permission, User
from django.db import connection

from recharge.choices import Submission
from recharge.fulfilment.services.products import CALLBACK_SIGNER
from recharge.models import Order
from tests.processes import Processes, answers, books, database_url, free_port, report, sandbox_settings, wait_for
from tests.proxies import Proxy

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long enough one"
BROKERS = {"redis": ("redis://127.0.0.1:{port}/9", 6379), "amqp": ("amqp://guest:guest@127.0.0.1:{port}//", 5672)}


class Staff:
    """A clerk who works by HTTP."""

    def __init__(self, root: str) -> None:
        self.root, self.session = root, requests.Session()
        self._post("/accounts/login/", username="clerk", password=PASSWORD)

    def place(self, number: int) -> float:
        """Place a top-up; return how many seconds it took."""
        began = time.monotonic()
        response = self._post("/orders/new/", mobile=f"1380013800{number}", face_value="50")
        assert "/orders/2" in response.url, response.text[:500]
        return time.monotonic() - began

    def _post(self, path: str, **data: str) -> requests.Response:
        self.session.get(self.root + path, timeout=20)
        token = self.session.cookies["csrftoken"]
        headers = {"Referer": self.root + path}
        return self.session.post(
            self.root + path, data={**data, "csrfmiddlewaretoken": token}, headers=headers, timeout=20
        )


@pytest.fixture
def clerk(db: None) -> User:
    # The portal's own processes don't know the quick hasher of the tests.
    user = User.objects.create(username="clerk", password=PBKDF2PasswordHasher().encode(PASSWORD, "salt", 1000))
    user.groups.add(Group.objects.get_or_create(name="Operators")[0])
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="recharge"))
    return user


@pytest.fixture
def processes() -> Iterator[Processes]:
    started = Processes({"SECRET_KEY": settings.SECRET_KEY, "DEBUG": "True", "MFA_REQUIRED": "none"})
    yield started
    started.end()


def get(url: str, within: float) -> requests.Response:
    began = time.monotonic()
    response = requests.get(url, timeout=within)
    assert time.monotonic() - began < within
    return response


def state(number: int) -> str:
    return Order.objects.filter(mobile=f"1380013800{number}").values_list("submission", flat=True).get()


def is_accepted(number: int) -> bool:
    return state(number) == Submission.ACCEPTED


@pytest.mark.parametrize("kind", BROKERS)
def test_while_the_broker_hangs_everything_but_messages_goes_on(
    clerk: User, processes: Processes, tmp_path: Path, kind: str
) -> None:
    address, port_of_broker = BROKERS[kind]
    with sandbox_settings(tmp_path, callbacks=False) as (sandbox, environment), Proxy(port_of_broker) as broker:
        port = free_port()
        processes.environment |= {
            **environment,
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": address.format(port=broker.port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        root = f"http://127.0.0.1:{port}"
        processes.serve(port)
        processes.start("-m", "celery", "-A", "portal", "worker", "-P", "threads", "-c", "8", "--without-mingle")
        processes.start("-m", "celery", "-A", "portal", "beat", "-s", str(tmp_path / "beat"))
        staff = Staff(root)
        staff.place(0)
        wait_for(lambda: state(0) == Submission.ACCEPTED, "an order goes its way")

        broker.freeze()
        with ThreadPoolExecutor(8) as clerks:
            took = list(clerks.map(staff.place, range(1, 9)))
        assert max(took) < 10, took
        assert get(f"{root}/healthz", within=2).text == "ok"
        ready = get(f"{root}/readyz", within=5)
        assert (ready.status_code, ready.text) == (503, "not reachable: broker")
        token = CALLBACK_SIGNER.sign(Order.objects.get(mobile="13800138000").order_no)
        order_number = Order.objects.get(mobile="13800138000").gateway_order_no
        told = requests.post(f"{root}/callback/{token}/", data={"order_number": order_number, "status": "6"}, timeout=5)
        assert told.text in ("success", "malformed")
        assert {state(number) for number in range(1, 9)} <= {Submission.QUEUED, Submission.ACCEPTED}

        broker.thaw()
        for number in range(1, 9):
            wait_for(partial(is_accepted, number), "what waited goes out", patience=90)
        assert get(f"{root}/readyz", within=5).status_code == 200
        assert report(sandbox)["calls"]["Recharge/pushOrder"] == len(books(sandbox)) == 9, "each was pushed once"


def test_while_the_database_hangs_the_pages_say_so_and_come_back(
    clerk: User, processes: Processes, tmp_path: Path
) -> None:
    port = free_port()
    with Proxy(int(connection.settings_dict["PORT"] or 5432)) as database:
        address = database_url().replace(f":{connection.settings_dict['PORT']}/", f":{database.port}/")
        processes.environment |= {"DATABASE_URL": address, "DATABASE_TIMEOUT": "2", "CELERY_BROKER_URL": "memory://"}
        root = f"http://127.0.0.1:{port}"
        processes.serve(port)
        assert get(f"{root}/readyz", within=5).text == "ok"
        database.freeze()
        ready = get(f"{root}/readyz", within=5)
        assert (ready.status_code, ready.text) == (503, "not reachable: database")
        with ThreadPoolExecutor(4) as visitors:
            list(visitors.map(lambda _: requests.get(f"{root}/accounts/login/", timeout=20), range(4)))
        assert get(f"{root}/healthz", within=3).text == "ok"
        database.thaw()
        wait_for(lambda: answers(f"{root}/readyz"), "the database is back", patience=60)
        assert Staff(root).session.cookies
