"""What the results of claimed orders are called."""

from django.utils.translation import gettext_lazy as _

from portal.kit.wording import Wording
from recharge.choices import ClaimOutcome

OUTCOMES: dict[ClaimOutcome, Wording] = {
    ClaimOutcome.OPEN: Wording(
        ClaimOutcome.OPEN.label, _("The vendor has not given the money back so far."), "orange", "hourglass"
    ),
    ClaimOutcome.REFUNDED: Wording(
        ClaimOutcome.REFUNDED.label, _("The platform's own answer confirms the refund."), "green", "circle-check"
    ),
    ClaimOutcome.ARRIVED: Wording(
        ClaimOutcome.ARRIVED.label, _("The money has reached the customer; nothing is owed."), "green", "check"
    ),
    ClaimOutcome.REFUSED: Wording(
        ClaimOutcome.REFUSED.label, _("It is still owed, and can be claimed again."), "red", "ban"
    ),
    ClaimOutcome.WITHDRAWN: Wording(
        ClaimOutcome.WITHDRAWN.label, _("It is no longer claimed here."), "secondary", "arrow-back-up"
    ),
}
