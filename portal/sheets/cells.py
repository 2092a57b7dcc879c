"""What a cell says, once the marks that spreadsheet programs leave on it are taken off."""

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from portal.kit.digits import FOLDED, INVISIBLE
from portal.sheets.limits import MAX_CELL_LENGTH

# The text, and what is wrong with it in words ("" if nothing is).
Cell = tuple[str, str]

EMPTY: Cell = ("", "")
LONG = 10**9  # a number of a phone or a card is never rounded to the next one
EXACT_BELOW = 10**15  # spreadsheet programs keep 15 digits of a number and fill up with zeros

_BLANK = " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_EDGES = _BLANK + "\u2028\u2029\u202f\u205f\u3000" + INVISIBLE
_WHOLE = re.compile(r"([+-]?[0-9]+)\.0+", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?\s?[eE]\s?[+-]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_TEXT_FORMULA = re.compile(r'=\s*"((?:[^"]|"")*)"')
_MARKED_NUMBER = re.compile(r"'+[0-9.]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def tidy(text: str) -> str:
    """Return what a person sees in a text: without blanks around it, full-width numbers as plain ones, 50.0 as 50.

    Texts that hold more than ASCII once they are folded keep their full-width punctuation.
    """
    if not text.isascii():
        folded = text.translate(FOLDED)
        text = folded if folded.isascii() else text
    text = text.strip(_EDGES)
    whole = _WHOLE.fullmatch(text) if ".0" in text else None
    return whole[1] if whole else text


def from_text(raw: str) -> Cell:
    """Read a cell of a text file, where only spelling tells numbers, formulas and texts apart.

    Understood as text: an apostrophe in front, and Excel's ="13800138000".
    """
    if not raw:
        return EMPTY
    if raw.isdigit() and raw.isascii() and len(raw) <= MAX_CELL_LENGTH:
        return raw, ""
    text = tidy(raw)
    if text.startswith("'"):
        return _checked(tidy(text[1:]))
    if text.startswith(("=", "＝")):
        literal = _TEXT_FORMULA.fullmatch(text)
        if literal is None:
            return _cut(text), _("This is a formula: enter its result instead.")
        return _checked(tidy(literal[1].replace('""', '"')))
    return _checked(text)


def from_string(raw: str) -> Cell:
    """Read a cell that its workbook says is text. An apostrophe goes where it only kept a number from being one."""
    text = tidy(raw)
    return _checked(tidy(text[1:]) if text.startswith("'") and is_marked_number(text) else text)


def is_marked_number(text: str) -> bool:
    """Say whether a text is a number behind an apostrophe, or behind several."""
    return _MARKED_NUMBER.fullmatch(text) is not None


def from_number(raw: str) -> Cell:
    """Read a cell that its workbook says is a number, never in scientific notation."""
    if raw.isdigit() and raw.isascii() and len(raw) <= 15 and raw[0] != "0":
        return raw, ""
    raw = raw.strip()
    if not _NUMBER.fullmatch(raw):
        return _cut(raw), _("This number can't be read.")
    # A double, as the program has it: 0.1 + 0.2 is stored with 17 digits and shown with 15.
    number = Decimal(f"{float(raw):.15g}") if abs(Decimal(raw)) < EXACT_BELOW else Decimal(raw)
    if abs(number) >= EXACT_BELOW:
        return _cut(raw), _digits_gone()
    if abs(number) >= LONG and number == number.to_integral() != Decimal(raw):
        return _cut(raw), _("This is no whole number: something was lost or added.")
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text), ""


def from_truth(value: bool) -> Cell:
    """Read a cell that holds true or false."""
    return str(value).upper(), _("This cell holds true or false, not text or a number.")


def _checked(text: str) -> Cell:
    if len(text) > MAX_CELL_LENGTH:
        return _cut(text), _("This text is too long: %(most)s characters at most.") % {"most": MAX_CELL_LENGTH}
    if _CONTROL.search(text):
        return _CONTROL.sub("\ufffd", text), _("There are unprintable characters in this cell: type it again.")
    if _SCIENTIFIC.fullmatch(text):
        return text, _digits_gone()
    return text, ""


def _cut(text: str) -> str:
    return _CONTROL.sub("\ufffd", text[:MAX_CELL_LENGTH])


def _digits_gone() -> str:
    return _(
        "The spreadsheet program has rounded this number, its digits are gone: format the column as text, "
        "then enter the number again."
    )
