"""Messages that are quoted in a reply: who answers one doesn't order it once more."""

import re

from django.utils.translation import gettext as _

from .line import folded
from .readings import Kind, Reading
from .targets import targets

MAX_QUOTED_LINES = 50

# 「name: …」 as WeChat copies it, over several lines; [引用 name: …], 回复 name: … and > … stand on one.
_BEGINS = re.compile(r"\s*[「『](?![^:」]*[0-9]{7})[^:「」]{1,40}:")
_MAY_QUOTE = re.compile(r"[「『>＞]|引用|回复")
_ENDS = re.compile(r"[」』]")
_WHOLE = re.compile(r"\s*(?:[\[(【「]?(?:引用|回复)[^0-9]{1,40}:|>)|[^:0-9]{1,20}[\s:]\s?(?:引用|回复)\s[^0-9]{1,40}:")


def doubt_quoted(found: list[list[Reading]], product: str) -> None:
    """Give a problem to the orders of a text that only quote a message.

    Args:
        found: what was read in its lines, in their order.
        product: what its numbers are.
    """
    if not any(_MAY_QUOTE.search(readings[0].typed) for readings in found):
        return
    texts = [folded(readings[0].typed)[0] for readings in found]
    quoted_until = 0
    for place, (text, readings) in enumerate(zip(texts, found, strict=True)):
        if place >= quoted_until and _BEGINS.match(text):
            last = min(place + MAX_QUOTED_LINES, len(texts))
            quoted_until = next((other + 1 for other in range(place, last) if _ENDS.search(texts[other])), place + 1)
        is_quoted = place < quoted_until and _quotes_number(text, product)
        if readings[0].kind is Kind.ORDER and (is_quoted or _WHOLE.match(text)):
            for reading in readings:
                words = _("This quotes another message: if it is to be placed, write it on a line of its own.")
                reading.problem = reading.problem or words


def _quotes_number(text: str, product: str) -> bool:
    """Say whether a line of a quotation has a number before the quotation ends."""
    end = _ENDS.search(text)
    return end is None or any(target.end <= end.start() for target in targets(text, product))
