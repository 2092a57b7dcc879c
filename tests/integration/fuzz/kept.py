"""Inputs that once failed: they are played first, every time."""

from typing import Any

from .answers import Answer

CALLBACKS: list[Any] = []
ANSWERS: list[Any] = [
    # A field beside `data` is noise: the judge took it for the order's.
    [
        Answer(
            "query",
            "accepted",
            b'{"mobile": 0, "code": "0000", "msg": "ok", "time": "1764400000", "data": {"order_number": "{number}", '
            b'"order_no": "{order_no}", "status": 0}}',
        )
    ],
]
LISTS: list[Any] = []
FORMS: list[Any] = []
