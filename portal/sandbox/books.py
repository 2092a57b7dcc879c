"""The platform's books: one SQLite file, and every movement of money in it.

WAL with synchronous=NORMAL: what has been answered survives a crash of the sandbox. One connection writes, under a lock
that is never held while anything waits; whoever reads a lot takes a snapshot of its own.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from .lives import REASONS, REFUNDED, lateness
from .protocol import Reason, refusal
from .schema import SCHEMA


@dataclass(frozen=True)
class NewOrder:
    order_no: str
    product: str
    target: str
    card_id: int | None
    amount: int
    """Face value in yuan; all other money is in fen."""
    recharge_type: int
    store_id: str
    notify_url: str
    cost_price: int
    fanli: int
    callbacks: str
    """'' as the settings say, 'json', or 'lost'."""
    fault: str


@dataclass(frozen=True)
class Order(NewOrder):
    id: int
    order_number: str
    status: int
    reason: str
    ahead: str
    """The statuses still to come, as in "7 1 2"."""
    due: float | None
    returned: int
    created: float

    def reason_at(self, status: int) -> str:
        """What the platform says about a bad status; a refund keeps the reason that led to it."""
        return REASONS.get(status, self.reason if status == REFUNDED else "")


LATEST = 20
"""In paces: how much later than it should a late callback may be sent."""

ORDER_COLUMNS = ", ".join(f"orders.{field.name}" for field in fields(Order))
SELECT_ORDERS = f"SELECT {ORDER_COLUMNS} FROM orders"  # noqa: S608 - names of our own
INSERT_ORDER = (
    f"INSERT INTO orders ({', '.join(field.name for field in fields(Order))})"  # noqa: S608 - names of our own
    f" VALUES ({', '.join(f':{field.name}' for field in fields(Order))})"
)


class Books:
    """Every method is safe to call from any thread."""

    def __init__(self, path: str | Path, *, opening_balance: int, now: float, fresh: bool = False) -> None:
        """Open the books, or start them with a balance in fen. ":memory:" is a temporary file, gone on close."""
        self._directory = tempfile.TemporaryDirectory(prefix="sandbox-") if str(path) == ":memory:" else None
        self.path = Path(self._directory.name, "books.sqlite3") if self._directory else Path(path)
        if fresh:
            for ending in ("", "-wal", "-shm"):
                Path(f"{self.path}{ending}").unlink(missing_ok=True)
        self._lock = threading.Lock()
        self._connection = _connect(self.path)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
        self._last_number = int(
            self._connection.execute("SELECT ifnull(max(order_number), 0) FROM orders").fetchone()[0]
        )
        with self.transaction() as books:
            # What the last process was sending is due again: that process is gone.
            books.execute("UPDATE notifications SET claimed = 0 WHERE claimed = 1")
            is_new = books.execute("SELECT NOT EXISTS (SELECT 1 FROM ledger)").fetchone()[0]
        if is_new and opening_balance:
            self.deposit(opening_balance, now=now)

    def close(self) -> None:
        with self._lock:
            self._connection.close()
        if self._directory:
            self._directory.cleanup()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Keep it short and never wait inside: everyone else does."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A consistent view for reading much, which keeps nobody from writing."""
        connection = _connect(self.path)
        try:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, parameters).fetchall()

    def count_call(self, endpoint: str) -> None:
        with self.transaction() as books:
            books.execute(
                "INSERT INTO calls VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                (endpoint,),
            )

    def count_push(self, order_no: str) -> None:
        with self.transaction() as books:
            books.execute(
                "INSERT INTO received VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1",
                (order_no,),
            )

    def balance(self) -> int:
        return _balance(self.read("SELECT balance FROM ledger ORDER BY id DESC LIMIT 1"))

    def deposit(self, amount: int, *, now: float) -> None:
        """Put money in, in fen; a negative amount takes it out, down to nothing left."""
        with self.transaction() as books:
            _enter(books, None, "deposit", amount, now)

    def order(self, *, product: str | None = None, order_number: str = "", order_no: str = "") -> Order | None:
        """By the platform's number if given, else the first that was booked under the merchant's."""
        number = "order_number" if order_number else "order_no"
        found = self.read(
            f"{SELECT_ORDERS} WHERE {number} = ? AND product = ifnull(?, product) ORDER BY id LIMIT 1",
            (order_number or order_no, product),
        )
        return Order(**found[0]) if found else None

    def push(self, new: NewOrder, life: Sequence[int], *, duplicates: str, pace: float, now: float) -> Order:
        """Book an order and spend its price. The first status of its life is its status at once.

        An order_no that exists is refused, booked again, or answered with the first order, as `duplicates` says.
        Raises Refusal, and books nothing then.
        """
        with self.transaction() as books:
            if duplicates != "accept":
                first = _orders(books, "WHERE order_no = ? ORDER BY id LIMIT 1", (new.order_no,))
                if first and duplicates == "same":
                    return first[0]
                if first:
                    raise refusal(Reason.DUPLICATE_ORDER)
            last_entry = books.execute("SELECT balance FROM ledger ORDER BY id DESC LIMIT 1").fetchall()
            if _balance(last_entry) < new.cost_price:
                raise refusal(Reason.BALANCE)
            # Microseconds: 16 digits, exact even as a JSON number, and never used before, not even by emptied books.
            self._last_number = max(self._last_number + 1, int(now * 1_000_000))
            order = Order(
                **vars(new),
                id=books.execute("SELECT ifnull(max(id), 0) + 1 FROM orders").fetchone()[0],
                order_number=str(self._last_number),
                status=life[0],
                reason=REASONS.get(life[0], ""),
                ahead=" ".join(map(str, life[1:])),
                due=now + pace if life[1:] else None,
                returned=0,
                created=now,
            )
            books.execute(INSERT_ORDER, vars(order))
            _enter(books, order.id, "spend", -order.cost_price, now)
            _record_status(books, order, order.status, now)
            # The answer to the push should have a head start.
            self.notify(books, order, order.status, due=now + 0.2 * min(pace, 1.0), pace=pace)
            return order

    def set_status(self, books: sqlite3.Connection, order: Order, status: int, *, now: float) -> None:
        """Move an order, and give its money back if that is what the status says: once, however often it is said."""
        books.execute(
            "UPDATE orders SET status = ?, reason = ? WHERE id = ?",
            (status, order.reason_at(status), order.id),
        )
        _record_status(books, order, status, now)
        if status == REFUNDED and not order.returned:
            _enter(books, order.id, "return", order.cost_price, now)
            books.execute("UPDATE orders SET returned = ? WHERE id = ?", (order.cost_price, order.id))

    def notify(self, books: sqlite3.Connection, order: Order, status: int, *, due: float, pace: float = 0.0) -> None:
        """Note down that a callback is to be sent; later, or twice, if that is the order's fault."""
        if order.fault == "late_callbacks":
            due += LATEST * pace * lateness(order.order_no, status)
        for _ in range(2 if order.fault == "double_callbacks" else 1):
            books.execute("INSERT INTO notifications (order_id, status, due) VALUES (?, ?, ?)", (order.id, status, due))

    def live(self, *, pace: float, now: float, limit: int = 200) -> float | None:
        """Take the steps that are due, some at a time. Returns when to come again (epoch seconds), None if never."""
        with self.transaction() as books:
            for order in _orders(books, "WHERE due <= ? ORDER BY due, id LIMIT ?", (now, limit)):
                status, *ahead = order.ahead.split()
                self.set_status(books, order, int(status), now=now)
                self.notify(books, order, int(status), due=now, pace=pace)
                self.set_life(books, order, ahead, due=now + pace)
            next_due: float | None = books.execute("SELECT min(due) FROM orders WHERE due IS NOT NULL").fetchone()[0]
            return next_due

    def set_life(self, books: sqlite3.Connection, order: Order, ahead: Iterable[int | str], *, due: float) -> None:
        text = " ".join(map(str, ahead))
        books.execute("UPDATE orders SET ahead = ?, due = ? WHERE id = ?", (text, due if text else None, order.id))

    def keep_pace(self, pace: float, *, now: float) -> None:
        """Bring all that is waiting nearer, or move it away, where it was planned at another pace.

        The books remember at which: a process that starts with the usual one finds what the last one had planned.
        """
        with self.transaction() as books:
            row = books.execute("SELECT seconds FROM pace").fetchone()
            before = row["seconds"] if row else pace
            books.execute(
                "INSERT INTO pace VALUES (1, :pace) ON CONFLICT DO UPDATE SET seconds = :pace", {"pace": pace}
            )
            if before not in (0, pace):
                numbers = {"now": now, "factor": pace / before}
                books.execute("UPDATE orders SET due = :now + (due - :now) * :factor WHERE due > :now", numbers)
                books.execute("UPDATE notifications SET due = :now + (due - :now) * :factor WHERE due > :now", numbers)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.row_factory = sqlite3.Row
    return connection


def _orders(books: sqlite3.Connection, condition: str, parameters: Sequence[object]) -> list[Order]:
    return [Order(**row) for row in books.execute(f"{SELECT_ORDERS} {condition}", parameters)]


def _record_status(books: sqlite3.Connection, order: Order, status: int, now: float) -> None:
    books.execute("INSERT INTO history (order_id, status, at) VALUES (?, ?, ?)", (order.id, status, now))


def _enter(books: sqlite3.Connection, order_id: int | None, kind: str, amount: int, now: float) -> None:
    balance = _balance(books.execute("SELECT balance FROM ledger ORDER BY id DESC LIMIT 1").fetchall())
    books.execute(
        "INSERT INTO ledger (order_id, kind, amount, balance, at) VALUES (?, ?, ?, ?, ?)",
        (order_id, kind, amount, balance + amount, now),
    )


def _balance(last_entry: list[sqlite3.Row]) -> int:
    return int(last_entry[0]["balance"]) if last_entry else 0
