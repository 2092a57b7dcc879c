"""Which actions may be done to many orders at once; each is the action of the single one."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.web.actions import Action
from portal.web.forms import MarkedForm
from recharge.models import Order

from . import actions, case_actions
from .forms import CaseNoteForm, FindingForm, HandOverForm, PutOffForm
from .services import interventions


class NothingForm(MarkedForm):
    """An action that asks for no input."""


@dataclass(frozen=True, slots=True)
class BulkAction:
    """An action that may be done to many orders at once."""

    action: Action[Order]
    heading: str | Promise
    consequence: str | Promise
    button: str | Promise
    may: Callable[[Order], bool]
    why_not: str | Promise
    form: type[MarkedForm] = NothingForm


BULK = {
    "ask": BulkAction(
        actions.ask,
        _("Ask the platform about these orders?"),
        _("A query costs nothing. The platform is asked about an order at most once a minute."),
        _("Ask the platform now"),
        interventions.can_ask,
        _("has not been handed to the platform"),
    ),
    "withdraw": BulkAction(
        actions.withdraw,
        _("Withdraw these orders?"),
        _("They have not been sent yet. Once withdrawn they never will be, and nothing is spent."),
        _("Withdraw"),
        interventions.can_withdraw,
        _("is no longer queued"),
    ),
    "acknowledge": BulkAction(
        actions.acknowledge,
        _("Mark all of these as dealt with?"),
        _("This only closes their current marks. It is no proof, so it doesn't allow any order to be placed again."),
        _("Mark as dealt with"),
        lambda order: bool(order.open_marks),
        _("needs no attention"),
        FindingForm,
    ),
    "take": BulkAction(
        case_actions.take,
        _("Look after these orders?"),
        _("Your colleagues see that you are at it. What somebody else looks after stays his."),
        _("I look after them"),
        lambda order: order.needs_a_person,
        _("needs no attention"),
    ),
    "hand_over": BulkAction(
        case_actions.hand_over,
        _("Hand these orders over to a colleague?"),
        _("The colleague finds them among his own cases, with your words."),
        _("Hand over"),
        lambda order: order.needs_a_person,
        _("needs no attention"),
        HandOverForm,
    ),
    "note": BulkAction(
        case_actions.add_note,
        _("Write the same note about these orders?"),
        _("It stays in the history; the latest one is shown on the desk."),
        _("Save the note"),
        lambda order: order.needs_a_person,
        _("needs no attention"),
        CaseNoteForm,
    ),
    "put_off": BulkAction(
        case_actions.put_off,
        _("Look at these orders again later?"),
        _("Until then they aren't shown on the desk. They come back by themselves."),
        _("Put off"),
        lambda order: order.needs_a_person,
        _("needs no attention"),
        PutOffForm,
    ),
    "again": BulkAction(
        case_actions.again,
        _("Place these orders again?"),
        _(
            "Each one for the same number and value, by your name: this spends money once more. Limits, duplicates and "
            "approvals are looked at as always; an order is placed again only once."
        ),
        _("Place again"),
        lambda order: order.is_provably_unspent and not hasattr(order, "replaced_by"),
        _("isn't proven to have spent nothing, or was placed again already"),
    ),
}
