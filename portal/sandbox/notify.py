"""Callbacks: sent when an order's status moves, and sent again, five times, until the merchant says `success`. [doc]"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import queue
import select
import socket
import threading
import time
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from .books import ORDER_COLUMNS, Books, Order
from .clockwork import Clockwork
from .lives import arrived_amount
from .protocol import Dialect, signature
from .settings import Settings

RESENDS = 5
RESEND_INTERVALS = (1, 2, 4, 8, 16)
"""In paces. That there are five is from the document, how far apart they are is not: our guess."""
TIMEOUT = 10.0
SENDERS = 16


@dataclass(frozen=True)
class Notification:
    id: int
    status: int
    attempts: int
    order: Order


class Notifier:
    """One clockwork takes what is due from the books, and a few senders post it.

    All callbacks of one order go through the same sender, one after the other: the first sending of each keeps the
    order in which things happened, at any pace.
    """

    def __init__(self, settings: Settings, books: Books) -> None:
        self._settings = settings
        self._books = books
        self._senders = [Sender(f"sandbox-sender-{number}", self) for number in range(SENDERS)]
        self._clockwork = Clockwork("sandbox-notifier", self._hand_out)
        self.wake = self._clockwork.wake

    def start(self) -> None:
        for thread in (*self._senders, self._clockwork):
            thread.start()

    def stop(self) -> None:
        self._clockwork.stop()
        for sender in self._senders:
            sender.stop()
        for sender in self._senders:
            sender.join(1.0)

    def _hand_out(self) -> float | None:
        now = time.time()
        with self._books.transaction() as books:
            rows = books.execute(
                f"SELECT notifications.id AS notification_id, notifications.status AS notified,"  # noqa: S608 - names of our own
                f" attempts, {ORDER_COLUMNS} FROM notifications JOIN orders ON orders.id = order_id"
                " WHERE notifications.due <= ? AND claimed = 0 ORDER BY notifications.due, notifications.id LIMIT 200",
                (now,),
            ).fetchall()
            books.executemany(
                "UPDATE notifications SET claimed = 1 WHERE id = ?", [(row["notification_id"],) for row in rows]
            )
            next_due: float | None = books.execute(
                "SELECT min(due) FROM notifications WHERE due IS NOT NULL AND claimed = 0"
            ).fetchone()[0]
        for row in rows:
            order = Order(**{field.name: row[field.name] for field in fields(Order)})
            notification = Notification(row["notification_id"], row["notified"], row["attempts"], order)
            self._senders[order.id % SENDERS].inbox.put(notification)
        return next_due

    def send(self, notification: Notification, sender: Sender) -> None:
        """One attempt, and a note of how it went."""
        order = notification.order
        address = loopback(order.notify_url)
        if order.callbacks == "lost" or not self._settings.callbacks:
            self._record(notification, "lost", again=False)
        elif address is None:
            self._record(notification, "refused: not a loopback address", again=False)
        else:
            as_json = order.callbacks == "json" or (not order.callbacks and self._settings.callback_format == "json")
            values = callback_values(order, notification.status, self._settings)
            answer = sender.post(address, *encode(values, order, as_json=as_json))
            if not sender.stopping:
                self._record(notification, answer, again=answer != "success")

    def _record(self, notification: Notification, answer: str, *, again: bool) -> None:
        attempt = notification.attempts + 1
        now = time.time()
        due = now + self._settings.pace * RESEND_INTERVALS[attempt - 1] if again and attempt <= RESENDS else None
        with self._books.transaction() as books:
            books.execute(
                "INSERT INTO attempts (order_id, status, attempt, answer, at) VALUES (?, ?, ?, ?, ?)",
                (notification.order.id, notification.status, attempt, answer, now),
            )
            books.execute(
                "UPDATE notifications SET attempts = ?, due = ?, claimed = 0 WHERE id = ?",
                (attempt, due, notification.id),
            )
        if due is not None:
            self.wake()


class Sender(threading.Thread):
    """Posts over a connection that is kept open, as long as the merchant lives at the same address."""

    def __init__(self, name: str, notifier: Notifier) -> None:
        super().__init__(name=name, daemon=True)
        self.inbox: queue.SimpleQueue[Notification | None] = queue.SimpleQueue()
        self.stopping = False
        self._notifier = notifier
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        while (notification := self.inbox.get()) is not None and not self.stopping:
            self._notifier.send(notification, self)
        self._close()

    def stop(self) -> None:
        """Give up what is under way: it is in the books, and due again after a restart."""
        self.stopping = True
        self.inbox.put(None)
        connection = self._connection
        sock = connection.sock if connection else None
        if sock:
            with contextlib.suppress(OSError):  # It may be closed in the same moment.
                sock.shutdown(socket.SHUT_RDWR)

    def post(self, address: SplitResult, body: bytes, content_type: str) -> str:
        """The merchant's answer if it was a 200, or else what went wrong, in a few words."""
        target = address._replace(scheme="", netloc="", fragment="").geturl() or "/"
        try:
            connection = self._connected(address)
            connection.request("POST", target, body, {"Content-Type": content_type})
            response = connection.getresponse()
            answer = response.read(65536).decode(errors="replace")[:200]
            if response.will_close or not response.isclosed():
                self._close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._close()
            return f"error: {type(error).__name__}"
        return answer if response.status == 200 else f"HTTP {response.status} {answer}".rstrip()

    def _connected(self, address: SplitResult) -> http.client.HTTPConnection:
        connection = self._connection
        host, port = address.hostname or "", address.port or 80
        connection = self._connection
        same = connection and (connection.host, connection.port) == (host, port)
        # Readable before we asked anything: the merchant has closed it, or talks out of turn.
        if connection and same and connection.sock and not is_readable(connection.sock):
            return connection
        self._close()
        self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        return self._connection

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


def is_readable(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def loopback(url: str) -> SplitResult | None:
    """The address, if a callback may go there. Names are not looked up: that would be talking, too."""
    try:
        address = urlsplit(url)
        host = address.hostname or ""
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return None
    return address if here and address.scheme == "http" else None


def callback_values(order: Order, status: int, settings: Settings) -> dict[str, Any]:
    """The three values of the document, and unless switched off those of the later ones."""
    dialect = Dialect.of(order.order_no)
    values: dict[str, Any] = {
        "order_no": order.order_no,
        "order_number": dialect.integer(order.order_number),
        "status": dialect.integer(status),
    }
    if settings.extras:
        values |= {
            "amount": dialect.integer(order.amount),
            "fanli": dialect.money(order.fanli),
            "cost_price": dialect.money(order.cost_price),
            "arrived_amount": dialect.money(arrived_amount(order.amount, status)),
            "failReason": order.reason_at(status),
        }
        if order.product == "mobile":
            values["mobile"] = dialect.integer(order.target)
        # How it is computed is not documented [guess]. Nobody should be able to rely on it.
        values["sign"] = signature({name: str(value) for name, value in values.items()}, settings.app_secret)
    return values


def encode(values: dict[str, Any], order: Order, *, as_json: bool) -> tuple[bytes, str]:
    """The body and its content type."""
    if as_json:
        ensure_ascii = Dialect.of(order.order_no).integers_as_text
        return json.dumps(values, ensure_ascii=ensure_ascii).encode(), "application/json"
    return urlencode(values).encode(), "application/x-www-form-urlencoded"
