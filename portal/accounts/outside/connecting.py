"""Calls to providers: short ones, few at a time, and none that anybody waits for endlessly."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from jwt import PyJWTError

WAIT = 5.0
"""Seconds for connecting, and for each piece of an answer."""
IN_ALL = 10.0
"""Seconds after which nobody waits any more for all the calls of one step."""
AT_ONCE = 4
"""So many steps may be under way in one process: a provider that hangs holds up half of the web server's threads."""
LONGEST_ANSWER = 256 * 1024

Answer = TypeVar("Answer")
_free = threading.BoundedSemaphore(AT_ONCE)


class Unreachable(Exception):
    """The provider could not be reached, or did not answer in time."""


class Unclear(Exception):
    """The provider answered, but with nothing that says who somebody is. The error holds no word of the answer."""


class Session(requests.Session):
    """A session without redirects and settings from the environment, that reads no more than an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def request(self, method: str | bytes, url: str | bytes, *arguments: Any, **options: Any) -> requests.Response:
        asked = {**options, "timeout": WAIT, "allow_redirects": False, "stream": True}
        response = super().request(method, url, *arguments, **asked)
        content = b"".join(_pieces(response))
        response._content = content  # what `json` and `text` read
        if response.status_code >= 500:
            raise requests.ConnectionError("the provider failed")
        return response


def _pieces(response: requests.Response) -> Any:
    size = 0
    for piece in response.iter_content(4096):
        size += len(piece)
        if size > LONGEST_ANSWER:
            raise requests.exceptions.InvalidJSONError("more than an answer")
        yield piece


def within_time(ask: Callable[[], Answer]) -> Answer:
    """Return what `ask` returns, which calls a provider and touches no database: it runs in a thread of its own.

    Raises:
        Unreachable: there was no answer, or none in time, or too many others wait for one.
        Unclear: the answer makes no sense.
    """
    if not _free.acquire(blocking=False):
        raise Unreachable("too many at once")
    outcome: list[Answer | Exception] = []

    def run() -> None:
        try:
            outcome.append(ask())
        except Exception as error:  # whatever a hostile answer makes the libraries raise, it has one meaning
            outcome.append(_meaning(error))
        finally:
            _free.release()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(IN_ALL)
    if not outcome:
        raise Unreachable("not in time")
    # Raised out here, the failure has no __context__: the one within shows answers and tokens.
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _meaning(error: Exception) -> Unreachable | Unclear:
    """Say what a failure means; its class is kept, for the log, and none of its words."""
    name = type(error).__name__
    if isinstance(error, requests.RequestException) and not isinstance(error, requests.exceptions.InvalidJSONError):
        answered = isinstance(error, requests.HTTPError)
        return Unclear(name) if answered else Unreachable(name)
    if isinstance(error, OAuth2Error | PyJWTError):
        return Unclear(name)
    return error if isinstance(error, Unclear) else Unclear(name)
