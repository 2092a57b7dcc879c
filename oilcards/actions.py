"""What a person may do with a card: each action is shown for confirmation first, and done by a POST."""

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oilcards.services.errors import ServiceError
from portal.accounts import factors
from portal.kit.secrecy import personal
from portal.web.actions import Answer, Button, Confirmation, Room, Said
from portal.web.forms import ReasonForm

from .choices import State
from .forms import PlatformIdForm, VersionForm
from .models import OilCard
from .services import changing, comparing, deleting, resolving, revealing
from .views import find, unknown

ROOM = Room[OilCard](
    noun="card",
    template="oilcards/confirm.html",
    find=find,
    unknown=unknown,
    address=lambda card: reverse("card_detail", args=[card.pk]),
    refusals=(ServiceError,),
    on_form=lambda form, error: isinstance(form, ReasonForm | PlatformIdForm),  # what was typed isn't lost
    protect=personal,
)


@ROOM.action(
    "oilcards.change_oilcard",
    Confirmation(
        _("Compare with the platform?"),
        _(
            "The platform is asked what it has of this card. Nothing is changed there. Where it differs, the card "
            "can't be recharged until you have decided what is right."
        ),
        Button(_("Compare"), autofocus=True),
    ),
)
def compare(card: OilCard, said: Said, actor: User) -> Answer:
    """Ask the platform for the card, and show the differences field by field."""
    comparison = comparing.compare(card_id=card.pk, actor=actor)
    return Answer("oilcards/comparison.html", {"card": comparison.card, "comparison": comparison})


@ROOM.action(
    "oilcards.change_oilcard",
    lambda card: Confirmation(
        _("Send our values to the platform?"),
        _("The platform gets all values of the card as they stand in the book, whatever it has now."),
        Button(_("Send our values"), autofocus=True),
        seen={"version": card.version},
    ),
    form=lambda data, card: VersionForm(data),
)
def send_ours(card: OilCard, said: Said, actor: User) -> str:
    """Give the platform our values, all of them."""
    changed = changing.adopt_ours(card_id=card.pk, version=said["version"], actor=actor)
    return gettext("The platform has our values now.") if changed.state == State.ACTIVE else ""


@ROOM.action(
    "oilcards.change_oilcard",
    Confirmation(_("Enter the platform's id"), "", Button(_("Take this id")), details="oilcards/_enter_id.html"),
    form=lambda data, card: PlatformIdForm(data),
)
def enter_id(card: OilCard, said: Said, actor: User) -> str:
    """Give a card the id that the vendor's console shows for it."""
    number = said["platform_card_id"]
    card = resolving.enter_platform_id(card_id=card.pk, platform_card_id=number, actor=actor)
    return gettext("The platform has the card; it can be recharged.") if card.state == State.ACTIVE else ""


@ROOM.action(
    "oilcards.change_oilcard",
    Confirmation(
        _("It never arrived?"),
        _(
            "Only if you have looked in the vendor's console and the card isn't there. Then it can be added again; if "
            "you are wrong, the platform may get the card twice. Your reason and your name stay in the card's history."
        ),
        Button(_("It never arrived"), "danger"),
    ),
    form=lambda data, card: ReasonForm(data, label=_("How do you know?")),
)
def never_arrived(card: OilCard, said: Said, actor: User) -> str:
    """Declare that the platform never received the addition."""
    resolving.declare_never_arrived(card_id=card.pk, reason=said["reason"], actor=actor)
    return gettext("Noted. The card can be added again now.")


def _deletion(card: OilCard) -> Confirmation:
    if card.state == State.ADD_FAILED:
        return Confirmation(
            _("Discard this card?"),
            _("The platform doesn't have it; it only leaves the book. Its history stays."),
            Button(_("Discard"), "danger"),
        )
    return Confirmation(
        _("Delete this card?"),
        _("It is deleted at the platform too and can't be recharged any more. Its history and its orders stay."),
        Button(_("Delete the card"), "danger"),
    )


@ROOM.action("oilcards.delete_oilcard", _deletion)
def delete(card: OilCard, said: Said, actor: User) -> str:
    """Delete the card at the platform and take it out of the book; its row and its orders stay."""
    gone = deleting.delete_card(card_id=card.pk, actor=actor)
    return gettext("The card is deleted.") if gone.state == State.DELETED else ""


@ROOM.action(
    "oilcards.delete_oilcard",
    Confirmation(
        _("The platform doesn't have it any more?"),
        _(
            "Only if you have looked in the vendor's console and the card isn't there. It leaves the book; its history "
            "and its orders stay. Your reason and your name stay in the card's history."
        ),
        Button(_("The platform doesn't have it"), "danger"),
    ),
    form=lambda data, card: ReasonForm(data, label=_("How do you know?")),
)
def gone(card: OilCard, said: Said, actor: User) -> str:
    """Declare that the platform doesn't have the card any more."""
    deleting.declare_deleted(card_id=card.pk, reason=said["reason"], actor=actor)
    return gettext("The card is deleted.")


@ROOM.action(
    revealing.PERMISSION,
    Confirmation(
        _("Show the card's data in full?"),
        _(
            "Your name, the time and your reason go into the card's history. The data is shown once; when you leave "
            "the page it is hidden again."
        ),
        Button(_("Show it")),
    ),
    form=lambda data, card: ReasonForm(data, label=_("Why do you need to see it?")),
    protect=factors.after_fresh_factor(),
)
def reveal(card: OilCard, said: Said, actor: User) -> Answer:
    """Show the card's data in clear, in the answer to this very POST and nowhere else."""
    details = revealing.reveal(card_id=card.pk, reason=said["reason"], actor=actor)
    return Answer("oilcards/revealed.html", {"card": card, "details": details})
