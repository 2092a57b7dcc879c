"""Passwords that are tried at the same moment, in as many connections."""

import threading

import pytest
from django.db import connection

from portal.accounts import tries
from portal.accounts.models import FailedTry

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
GUESSERS = 15


@pytest.mark.parametrize("written_first", [True, False])
def test_tries_at_the_same_moment_see_each_other(written_first: bool) -> None:
    """Its twin looks first and writes afterwards: then all of them pass."""
    start = threading.Barrier(GUESSERS)
    passed = []

    def looks_first(kind: FailedTry.Kind, name: str, address: str) -> None:
        wait = tries._wait(FailedTry.objects.filter(kind=kind), tries.FREE_BY_NAME)
        start.wait()
        FailedTry.objects.create(kind=kind, who=name, address=address)
        if wait > 0:
            raise tries.Slowed(wait)

    def guess(number: int) -> None:
        try:
            if written_first:
                start.wait()
            (tries.begin if written_first else looks_first)(FailedTry.Kind.PASSWORD, "clerk", "")
            passed.append(number)
        except tries.Slowed:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=[number]) for number in range(GUESSERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(passed) <= tries.FREE_BY_NAME) is written_first
