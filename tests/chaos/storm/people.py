"""Staff with a browser: they sign in, open pages, fill in forms, and press the button again where nothing came back."""

import threading
import time
from collections import Counter
from typing import Any

import requests

from . import forms
from .forms import Form

TRIES = 8
PAUSE = 1.0
PATIENCE = 15.0
"""Seconds that somebody waits for a page before loading it again."""


class GivenUp(Exception):
    """The portal gave no page, however often it was tried."""


class Outcomes:
    """How often what came of what people did; safe among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counted: Counter[str] = Counter()
        self.shown_orders: set[str] = set()
        """Numbers of orders whose pages people were sent to: these were committed."""

    def count(self, outcome: str) -> None:
        with self._lock:
            self.counted[outcome] += 1

    def show(self, order_no: str) -> None:
        with self._lock:
            self.shown_orders.add(order_no)


class Person:
    """Somebody who is signed in, in one browser; not to be shared among threads."""

    def __init__(self, root: str, username: str, password: str, outcomes: Outcomes) -> None:
        self.username, self.outcomes = username, outcomes
        self._root, self._password = root, password
        self._session = requests.Session()

    def open(self, path: str) -> str:
        """Return a page, signing in where the portal asks for it.

        Raises:
            GivenUp: there was none.
        """
        page = self._page("GET", path)
        if "/accounts/login/" in page.url:
            self._sign_in(page.text)
            page = self._page("GET", path)
        return page.text

    def fill(
        self, path: str, *names: str, files: Any = None, twice: bool = False, ticked: str = "", **typed: str
    ) -> str | None:
        """Open a page, fill in its form that has these fields, and send it.

        Args:
            path: of the page.
            names: fields by which its form is known.
            files: to be uploaded.
            twice: whether the button is pressed once more.
            ticked: the name of checkboxes that are all ticked, where the form has them.
            typed: what is typed; a field that the form doesn't have is left out.

        Returns:
            Where it led to; None where there is no such form, or it was shown again.

        Raises:
            GivenUp: there was no page.
        """
        form = forms.find(self.open(path), *names)
        if form is None:
            return None
        boxes = {ticked: form.boxes.get(ticked, [])} if ticked else {}
        return self.answer(path, form, files=files, twice=twice, **typed, **boxes).headers.get("Location")

    def answer(
        self, path: str, form: Form, *, files: Any = None, twice: bool = False, **typed: Any
    ) -> requests.Response:
        """Send a form; return the answer, which is a redirect where the form was taken."""
        if "password" in form.names:
            typed["password"] = self._password
        values = {**form.fields, **{name: text for name, text in typed.items() if name in form.names}}
        answer = self._page("POST", path, data=values, files=files)
        if twice:
            answer = self._page("POST", path, data=values, files=files)
        return answer

    def _sign_in(self, page: str) -> None:
        form = forms.find(page, "username", "password")
        if form:
            self.answer("/accounts/login/", form, username=self.username)

    def _page(self, method: str, path: str, **sent: Any) -> requests.Response:
        """Ask for a page; again where the connection breaks, it takes too long, or the portal says 5xx."""
        for attempt in range(TRIES):
            if attempt:
                self.outcomes.count("pages asked for again")
                time.sleep(PAUSE)
            try:
                answer = self._session.request(
                    method, self._root + path, timeout=PATIENCE, allow_redirects=method == "GET", **sent
                )
            except requests.RequestException:
                continue
            if answer.status_code < 500:
                return answer
        self.outcomes.count("pages given up")
        raise GivenUp(path)
