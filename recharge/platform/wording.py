"""What a finding of the check says, and what follows from it for the settings."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .choices import Cause, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLLOWS: dict[Cause, Promise] = {
    Cause.WENT_WRONG: _("The log of the portal tells more."),
    Cause.ADDRESS_UNUSABLE: _("Correct WIKEYUN_BASE_URL, such as https://router.wikeyun.cn/rest/."),
    Cause.NAME_UNKNOWN: _("Look for a typing error in WIKEYUN_BASE_URL, and whether this machine has a name server."),
    Cause.CONNECTION_REFUSED: _("Look at address and port in WIKEYUN_BASE_URL."),
    Cause.CONNECTION_SILENT: _("A firewall may be in between: this machine must be allowed to connect to this port."),
    Cause.CERTIFICATE_ENDS: _("Ask the vendor whether it is renewed in time; afterwards nothing can be sent."),
    Cause.CERTIFICATE_WRONG: _("Somebody may be in between. Ask whoever runs the network, then the vendor."),
    Cause.TLS_NOT_SPOKEN: _("Look at the port in WIKEYUN_BASE_URL. Nothing is sent unencrypted instead."),
    Cause.TLS_FAILED: _("The portal speaks TLS 1.2 and 1.3. Show the vendor these words."),
    Cause.TLS_EXPECTED: _("WIKEYUN_BASE_URL must begin with https://."),
    Cause.NOT_ENCRYPTED: _("WIKEYUN_BASE_URL should begin with https://."),
    Cause.CLOCK_BEHIND: _("Let this machine set its clock by the network (NTP): timedatectl set-ntp true."),
    Cause.CLOCK_AHEAD: _("Let this machine set its clock by the network (NTP): timedatectl set-ntp true."),
    Cause.NOT_CONFIGURED: _("Set WIKEYUN_APP_KEY, WIKEYUN_APP_SECRET and WIKEYUN_STORE_ID."),
    Cause.OTHER_PARAMETERS: _("Set WIKEYUN_LEAVE_OUT=%(names)s and start the portal again."),
    Cause.ALL_PARAMETERS: _("Set WIKEYUN_LEAVE_OUT= (nothing) and start the portal again."),
    Cause.SECRET_WRONG: _("Copy WIKEYUN_APP_SECRET once more from what the vendor gave, without blanks."),
    Cause.KEY_UNKNOWN: _("Copy WIKEYUN_APP_KEY once more from what the vendor gave."),
    Cause.TIME_REFUSED: _("Set this machine's clock; see the step “Clock”."),
    Cause.CALLER_REFUSED: _("Let the vendor allow this machine's public address, and name it in WIKEYUN_CLIENT_IP."),
    Cause.REFUSED: _("Show the vendor these words."),
    Cause.REDIRECTED: _("WIKEYUN_BASE_URL must be the final address, such as https://router.wikeyun.cn/rest/."),
    Cause.NO_ANSWER: _("Look at the path in WIKEYUN_BASE_URL, which ends in /rest/; otherwise try again later."),
    Cause.STORE_UNKNOWN: _("Copy WIKEYUN_STORE_ID once more from the vendor's console."),
    Cause.BALANCE_EMPTY: _("Pay in at the vendor's console."),
    Cause.BALANCE_LOW: _("Batches stop there. Pay in at the vendor's console."),
    Cause.WORDS_STRANGE: _(
        "An order whose fate is unknown stays so until a person settles it. If the vendor says that these words mean "
        "that there is no such order, administrators teach it on the page of the platform (/platform/)."
    ),
    Cause.WORDS_MISSING: _(
        "An order whose fate is unknown stays so until a person settles it. Send these words to whoever maintains the "
        "portal."
    ),
    Cause.FOUND_ANYWAY: _("Place no orders, and ask the vendor: answers of this platform can't be relied on."),
    Cause.OUR_NUMBER_BLIND: _(
        "An order whose answer got lost can't be asked for: find it in the vendor's console and enter its number."
    ),
    Cause.OUR_NUMBER_REFUSED: _(
        "An order whose answer got lost can't be asked for: find it in the vendor's console and enter its number."
    ),
    Cause.OUR_NUMBER_UNTRIED: _("Repeat the check after the first order."),
    Cause.CALLS_MISSING: _("The portal does without them: numbers aren't checked ahead, carriers aren't shown."),
    Cause.OIL_QUERY_MISSING: _("Callbacks are the only witness of oil orders: look after the address for callbacks."),
    Cause.CALLS_UNTOLD: _("Check again later; the portal can do without them."),
    Cause.VALUE_UNANSWERED: _("Check again later."),
    Cause.VALUES_REFUSED: _("Take them out of FACE_VALUES, or ask the vendor to allow them."),
    Cause.ADDRESS_REACHED_INSIDE: _("Try it from outside: on a phone without Wi-Fi, open %(page)s."),
    Cause.ADDRESS_LOCAL: _("Set PUBLIC_URL to the portal's address on the internet, with https."),
    Cause.ADDRESS_NAME_UNKNOWN: _("Look for a typing error in PUBLIC_URL, and at the records of the domain."),
    Cause.ADDRESS_SILENT: _(
        "If the portal isn't running, start it and check again. Else try it from outside: on a phone without Wi-Fi, "
        "open %(page)s. If it shows nothing, let firewall and web server pass requests on to the portal; if it does, "
        "only the way from inside is missing."
    ),
    Cause.ADDRESS_CERTIFICATE: _("Renew the certificate of the web server before the portal."),
    Cause.ADDRESS_REDIRECTS: _("PUBLIC_URL must be the final address: the platform follows no redirect."),
    Cause.ADDRESS_OTHER: _(
        "The web server must pass /callback/ on to the portal unchanged, and ALLOWED_HOSTS must name the host."
    ),
    Cause.CALLBACKS_SILENT: _("See “Address for callbacks”. If that is in order, ask the vendor why none are sent."),
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a result appears: colour and icon."""

    colour: str
    icon: str


LOOKS = {
    Result.OK: Look("green", "circle-check"),
    Result.WARNING: Look("orange", "alert-triangle"),
    Result.FAILED: Look("red", "circle-x"),
    Result.NOT_TRIED: Look("secondary", "clock"),
}


def found(cause: str, facts: "Mapping[str, str]") -> str:
    """Return in words what a step found."""
    return str(Cause(cause).label) % facts


def follows(cause: str, facts: "Mapping[str, str]") -> str:
    """Return what to do about it; "" where nothing needs to be done."""
    text = FOLLOWS.get(Cause(cause))
    return str(text) % facts if text else ""
