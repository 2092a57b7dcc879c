"""Several words in a sentence, as the reader's language lists them."""

from collections.abc import Iterable

from django.utils.translation import pgettext


def listed(words: Iterable[object]) -> str:
    """Write words one after the other: a、b、c in Chinese, a, b, c in any other language; "" for none."""
    return pgettext("between the words of a list", ", ").join(str(word) for word in words)
