"""What the outcomes of reading evidence anew are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recharge.fulfilment.services.replaying import Outcome

OUTCOMES: dict[Outcome, str | Promise] = {
    Outcome.APPLIED: _("take over the status, not confirmed yet, and are asked about"),
    Outcome.CONFLICT: _("contradict what is known: a person is called"),
    Outcome.EXPLAINED: _("stay as they are; the mark about the unknown code is closed"),
    Outcome.REFUSED: _("count as refused: nothing was spent, they can be placed again"),
    Outcome.DOUBTED: _("count as unknown again, and are asked about"),
    Outcome.COUNTED: _("get their earlier answers counted as denials, and are asked about"),
    Outcome.ASKED: _("are asked about once more"),
    Outcome.UNFOUNDED: _("are marked as of an unknown code, can't be placed again, and are asked about"),
    Outcome.LEFT: _("stay as they are: something tells of life, or they were placed again already"),
}
"""What becomes of so many orders."""
