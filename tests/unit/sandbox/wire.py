"""A merchant for the tests, written by hand against the document: it must not borrow the sandbox's own signature."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import requests

SECRET = "sandbox-secret"
numbers = itertools.count(1)


CARD = {
    "store_id": "1",
    "card_num": "1000111100001234567",
    "name": "张三",
    "phone": "13800138000",
    "user_num": "11010119900307123X",
}


def sign(parameters: dict[str, str], secret: str = SECRET) -> str:
    text = secret + "".join(name + parameters[name] for name in sorted(parameters)) + secret
    return hashlib.md5(text.encode()).hexdigest().upper()


def post(sandbox: Any, endpoint: str, body: dict[str, str], *, timeout: float = 5, **system: str) -> requests.Response:
    """A call as the document wants it. `system` overrides system parameters; an empty one is left out."""
    query = {
        "app_key": "sandbox",
        "timestamp": str(int(time.time())),
        "client": "127.0.0.1",
        "v": "1.0",
        "format": "json",
    }
    query = {name: value for name, value in {**query, **system}.items() if value and name != "sign"}
    query["sign"] = system.get("sign", sign({**query, **body}))
    # The connection is closed with the answer: nothing is left open for the collector to complain about.
    return requests.post(
        sandbox.base_url + endpoint, params=query, data=body, timeout=timeout, headers={"Connection": "close"}
    )


def call(sandbox: Any, endpoint: str, body: dict[str, str] | None = None, **system: str) -> dict[str, Any]:
    answer: dict[str, Any] = post(sandbox, endpoint, body or {}, timeout=5, **system).json()
    return answer


def mobile_order(**changes: str) -> dict[str, str]:
    order = {
        "store_id": "1",
        "mobile": "13800138000",
        "order_no": f"N{next(numbers)}",
        "money": "50",
        "recharge_type": "1",
        "notify_url": "http://127.0.0.1:9/",
    }
    return {**order, **changes}


def push(sandbox: Any, **changes: str) -> dict[str, Any]:
    return call(sandbox, "Recharge/pushOrder", mobile_order(**changes))


def control(sandbox: Any, path: str, body: Any = None, *, method: str = "POST") -> Any:
    answer = requests.request(
        method, f"{sandbox.root_url}sandbox/{path}", json=body, timeout=5, headers={"Connection": "close"}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def books(sandbox: Any, query: str = "") -> dict[str, Any]:
    report: dict[str, Any] = control(sandbox, f"books.json{query}", method="GET")
    return report


def order_in_books(sandbox: Any, order_no: str) -> dict[str, Any]:
    (entry,) = books(sandbox, f"?order_no={order_no}")["orders"]
    assert isinstance(entry, dict)
    return entry


def money_and_orders(sandbox: Any) -> tuple[Any, ...]:
    """All of the books that a refusal must leave alone: everything but the count of calls."""
    report = books(sandbox)
    return report["balance"], report["ledger_total"], report["orders"], report["cards"]


def until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """The first true value of the condition, which must come in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s")


@dataclass
class Merchant:
    """Receives callbacks and answers as told."""

    url: str = ""
    answers: list[tuple[int, str]] = field(default_factory=list)
    """Given in turn; after the last one, `success`."""
    received: list[dict[str, Any]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)

    def statuses(self) -> list[int]:
        return [int(callback["status"]) for callback in self.received]


@contextmanager
def merchant(*answers: tuple[int, str]) -> Iterator[Merchant]:
    state = Merchant(answers=list(answers))
    lock = threading.Lock()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            kind = self.headers["Content-Type"]
            with lock:
                state.types.append(kind)
                state.received.append(json.loads(body) if kind == "application/json" else dict(parse_qsl(body, True)))
                code, text = state.answers.pop(0) if state.answers else (200, "success")
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    state.url = f"http://127.0.0.1:{server.server_port}/callback/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
