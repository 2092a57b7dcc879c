"""The places beside the database: real brokers keep tokens, and forget them when they are emptied."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from kombu.connection import Connection

from portal import generations
from portal.celery import app
from portal.generations import AmqpPlace, Place, RedisPlace

pytestmark = pytest.mark.servers
BROKERS: dict[str, tuple[str, Callable[[], Place]]] = {
    "redis": ("redis://127.0.0.1:6379/12", RedisPlace),
    "amqp": ("amqp://guest:guest@127.0.0.1:5672//", AmqpPlace),
}


@pytest.fixture(params=BROKERS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place of this test's own: others run at the same moment, and RabbitMQ is one for all."""
    address, kind = BROKERS[request.param]
    monkeypatch.setattr(generations, "KEY", f"portal.generation.test.{uuid.uuid4()}")

    def connect(**options: object) -> Connection:
        return Connection(address, connect_timeout=3)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(app, "connection_for_write", connect)
    beside = kind()
    beside.keep_only("first")
    yield beside
    empty(beside)


def empty(place: Place) -> None:
    with app.connection_for_write() as broker:
        if isinstance(place, RedisPlace):
            broker.default_channel.client.delete(generations.KEY)
        else:
            broker.default_channel.queue_delete(queue=generations.KEY)


def test_tokens_are_kept_and_go(place: Place) -> None:
    assert place.tokens() == {"first"}
    place.add("second")
    place.add("third")
    assert place.tokens() == {"first", "second", "third"}
    place.drop("second")
    assert place.tokens() == {"first", "third"}
    place.keep_only("fourth")
    assert [place.tokens() for _ in range(3)] == [{"fourth"}] * 3, "looking takes nothing away"


def test_an_emptied_broker_knows_nothing(place: Place) -> None:
    empty(place)
    assert place.tokens() == set()
    place.add("again")
    assert place.tokens() == {"again"}
