"""Where the generation of the database stands beside it: in a file, in the broker, or in both.

Each place holds tokens. A backup that is restored brings back a token that the places hold no more.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import connection
from kombu.entity import Queue

from .celery import app

KEY = "portal.generation"
TRIES, PAUSE = 5, 0.05
"""How often, and after how many seconds, RabbitMQ is asked again while another process holds the one message."""


class Place(Protocol):
    """Something that outlives a restored database. Its methods raise OSError, or the broker's errors."""

    def tokens(self) -> set[str]: ...

    def add(self, token: str) -> None: ...

    def drop(self, token: str) -> None: ...

    def keep_only(self, token: str) -> None: ...


class FilePlace:
    """A file of tokens, a line each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tokens(self) -> set[str]:
        with suppress(FileNotFoundError):
            return set(self._path.read_text(encoding="ascii").split())
        return set()

    def add(self, token: str) -> None:
        self._write(self.tokens() | {token})

    def drop(self, token: str) -> None:
        self._write(self.tokens() - {token})

    def keep_only(self, token: str) -> None:
        self._write({token})

    def _write(self, tokens: set[str]) -> None:
        """Replace the file as a whole, so that a crash leaves the old one or the new one."""
        with tempfile.NamedTemporaryFile("w", dir=self._path.parent, encoding="ascii", delete=False) as file:
            file.write("".join(f"{token}\n" for token in sorted(tokens)))
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, self._path)


class RedisPlace:
    """A set in the database of the broker."""

    def tokens(self) -> set[str]:
        with _client() as client:
            return {token.decode() for token in client.smembers(KEY)}

    def add(self, token: str) -> None:
        with _client() as client:
            client.sadd(KEY, token)

    def drop(self, token: str) -> None:
        with _client() as client:
            client.srem(KEY, token)

    def keep_only(self, token: str) -> None:
        with _client() as client, client.pipeline(transaction=True) as pipeline:
            pipeline.delete(KEY).sadd(KEY, token).execute()


class AmqpPlace:
    """A durable queue that holds one message: RabbitMQ keeps nothing else. Each new message replaces the last one."""

    def tokens(self) -> set[str]:
        with _broker() as broker:
            queue = self._declared(broker)
            for attempt in range(TRIES):
                if attempt:
                    time.sleep(PAUSE)
                message = queue.get(no_ack=False)
                if message is not None:
                    message.requeue()
                    return set(json.loads(message.body))
            return set()

    def add(self, token: str) -> None:
        self._put(self.tokens() | {token})

    def drop(self, token: str) -> None:
        self._put(self.tokens() - {token})

    def keep_only(self, token: str) -> None:
        self._put({token})

    def _put(self, tokens: set[str]) -> None:
        with _broker() as broker:
            self._declared(broker)
            with broker.Producer() as producer:
                producer.publish(
                    json.dumps(sorted(tokens)), routing_key=KEY, delivery_mode=2, content_type="text/plain"
                )

    def _declared(self, broker: Any) -> Any:
        newest_alone = {"x-max-length": 1, "x-overflow": "drop-head"}
        named: Any = Queue(  # type: ignore[no-untyped-call]  # kombu has no types
            KEY, durable=True, auto_delete=False, queue_arguments=newest_alone
        )
        queue = named(broker.default_channel)
        queue.declare()
        return queue


def places() -> list[Place]:
    """Return the places beside this database; none for one in memory, which no backup brings back."""
    beside: list[Place] = []
    if not settings.EMBEDDED:
        beside.append(AmqpPlace() if settings.CELERY_BROKER_URL.startswith("amqp") else RedisPlace())
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        if "memory" not in name:
            beside.append(FilePlace(Path(f"{name}.generation")))
    elif settings.EMBEDDED:
        beside.append(FilePlace(settings.GENERATION_FILE))
    return beside


@contextmanager
def _broker() -> Iterator[Any]:
    """Connect anew with a short timeout: the caller has an order to claim."""
    options = {} if settings.CELERY_BROKER_URL.startswith("amqp") else {"socket_timeout": 3}
    with app.connection_for_write(transport_options=options) as broker:
        yield broker


@contextmanager
def _client() -> Iterator[Any]:
    with _broker() as broker:
        yield broker.default_channel.client
