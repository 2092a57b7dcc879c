"""What people may do about a case: none of it changes what is true of the order."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.kit.wording import day, person
from portal.web.actions import Button, Confirmation, Said
from recharge.choices import Product, Speed
from recharge.models import Order

from .actions import ROOM
from .forms import CaseNoteForm, ChangeNoteForm, HandOverForm, PutOffForm
from .services import cases, placing


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("Look after this order?"),
        _("Your colleagues see that you are at it. It can be handed over at any time."),
        Button(_("I look after it"), autofocus=True),
    ),
)
def take(order: Order, said: Said, actor: User) -> str:
    """Assign the case to oneself."""
    cases.take(order_id=order.pk, actor=actor)
    return gettext("You look after this order now.")


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("Hand it over to a colleague"),
        _("The colleague finds it among his own cases, with your words."),
        Button(_("Hand over")),
    ),
    form=lambda data, order: HandOverForm(data),
)
def hand_over(order: Order, said: Said, actor: User) -> str:
    """Assign the case to somebody else."""
    cases.hand_over(order_id=order.pk, actor=actor, to=said["to"], note=said["note"])
    return gettext("%(person)s looks after it now.") % {"person": person(said["to"])}


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("Write a note about the case"),
        _("It stays in the history; the latest one is shown on the desk."),
        Button(_("Save the note")),
    ),
    form=lambda data, order: CaseNoteForm(data),
)
def add_note(order: Order, said: Said, actor: User) -> str:
    """Record what was found."""
    cases.add_note(order_id=order.pk, actor=actor, note=said["note"])
    return gettext("Noted.")


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("Look at it again later"),
        _("Until then it isn't shown on the desk. It comes back by itself."),
        Button(_("Put off")),
    ),
    form=lambda data, order: PutOffForm(data),
)
def put_off(order: Order, said: Said, actor: User) -> str:
    """Keep the case off the desk for a while."""
    until = timezone.now() + dt.timedelta(hours=said["hours"])
    cases.put_off(order_id=order.pk, actor=actor, until=until, note=said["note"])
    local = timezone.localtime(until)
    shown = f"{day(local, with_year=False)} {local:%H:%M}"
    return gettext("It is shown again at %(moment)s.") % {"moment": shown}


def _note_form(data: Any, order: Order) -> forms.Form:
    return ChangeNoteForm(data, initial={"note": order.note, "seen_note": order.note})


@ROOM.action(
    "recharge.change_order",
    Confirmation(
        _("Change the customer's note"),
        _("What it said before stays in the history."),
        Button(_("Save the note")),
    ),
    form=_note_form,
)
def change_note(order: Order, said: Said, actor: User) -> str:
    """Change the note that the order was placed with."""
    cases.change_note(order_id=order.pk, actor=actor, note=said["note"], seen=said["seen_note"])
    return gettext("The note was changed.")


@ROOM.action(
    "recharge.add_order",
    Confirmation(
        _("Place this order again?"),
        _("The same value for the same number: this spends money once more."),
        Button(_("Place again")),
    ),
)
def again(order: Order, said: Said, actor: User) -> str:
    """Place what is proven to have spent nothing once more, with the same number, value, speed and note."""
    # The same order placed again twice is one order: its own number makes the form's.
    nonce = uuid.uuid5(uuid.NAMESPACE_OID, f"again {order.order_no}")
    same: dict[str, Any] = {"face_value": order.face_value, "speed": Speed(order.speed), "replaces": order}
    same |= {"purpose": order.purpose, "reference": order.reference}
    if order.product == Product.OIL and order.oil_card:
        made = placing.place_oil_order(placed_by=actor, oil_card=order.oil_card, nonce=nonce, **same)
    else:
        same |= {"mobile": order.mobile, "switch_channel": order.switch_channel, "channel": order.channel}
        made = placing.place_mobile_order(placed_by=actor, nonce=nonce, **same)
    return gettext("Placed again as order %(number)s.") % {"number": made.order_no}
