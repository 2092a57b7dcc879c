"""Saying that a number was suspended after its money had arrived."""

from django.contrib.auth.models import User
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.web.actions import Button, Confirmation, Said
from recharge.models import Order

from .actions import ROOM
from .forms import SuspendedForm
from .services import suspending


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("The number was suspended after the money had arrived"),
        _(
            "The order stays as it is and goes to the desk, with your words in its history. Holding slow top-ups keeps "
            "every further one from being placed and from going out, until an approver or administrator releases them."
        ),
        Button(_("Report it")),
    ),
    form=lambda data, order: SuspendedForm(data, may_hold=suspending.may_hold(order)),
)
def suspended(order: Order, said: Said, actor: User) -> str:
    """Report a suspended number, and hold slow top-ups where the person says so."""
    hold = said.get("hold_slow", False)
    suspending.report(order_id=order.pk, actor=actor, note=said["note"], hold_slow=hold)
    if hold:
        return gettext("Reported: the order is on the desk, and slow top-ups are held.")
    return gettext("Reported: the order is on the desk.")
