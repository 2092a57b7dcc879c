"""What is said of a sign-in by an account elsewhere that came to nothing."""

from enum import Enum
from http import HTTPStatus

from django.utils.translation import gettext_lazy as _


class Outcome(Enum):
    """How it ended; the value is what the history keeps."""

    CANCELLED = "cancelled"
    STALE = "stale"
    UNREACHABLE = "unreachable"
    UNCLEAR = "unclear"
    UNMATCHED = "unmatched"


TITLES = {
    Outcome.CANCELLED: _("You broke off the sign-in"),
    Outcome.STALE: _("This sign-in is over"),
    Outcome.UNREACHABLE: _("%(provider)s can't be reached"),
    Outcome.UNCLEAR: _("%(provider)s did not say who you are"),
    Outcome.UNMATCHED: _("This account is not matched with anybody here"),
}
TEXTS = {
    Outcome.CANCELLED: _("Nobody was signed in."),
    Outcome.STALE: _("It was begun too long ago, in another browser, or is used up. Begin anew."),
    Outcome.UNREACHABLE: _("There was no answer in time. Try again in a while, or sign in with your password."),
    Outcome.UNCLEAR: _("The answer could not be relied on, so nobody was signed in. Try again, or use your password."),
    Outcome.UNMATCHED: _(
        "%(provider)s has said who you are, but nobody who may sign in here has this account. "
        "An administrator can match it with your user: tell the administrator this code."
    ),
}
REASONS = {
    Outcome.STALE.value: _("it was not begun in this browser, or too long ago"),
    Outcome.UNREACHABLE.value: _("the provider could not be reached"),
    Outcome.UNCLEAR.value: _("the provider's answer could not be relied on"),
    Outcome.UNMATCHED.value: _("the account is matched with nobody"),
    "inactive": _("the user may not sign in"),
}
"""Why one failed, in the words of the history."""
STATUS = {
    Outcome.CANCELLED: HTTPStatus.OK,
    Outcome.STALE: HTTPStatus.BAD_REQUEST,
    Outcome.UNREACHABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Outcome.UNCLEAR: HTTPStatus.SERVICE_UNAVAILABLE,
    Outcome.UNMATCHED: HTTPStatus.FORBIDDEN,
}
