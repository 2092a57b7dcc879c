"""Reads lines as people type or copy them: a chat, a note, a list without a header.

    for reading in read_text("张三 138 0013 8000 充50", product=Product.MOBILE):
        reading.line, reading.target, reading.value, reading.problem

A line is read as a person would read it, or is refused: a number is never put together from two things that stand side
by side, and a value is never anything but one that is offered.
"""

from .figures import asks_for_several, value_of
from .readings import Kind, Reading
from .text import read_text

__all__ = ["Kind", "Reading", "asks_for_several", "read_text", "value_of"]
