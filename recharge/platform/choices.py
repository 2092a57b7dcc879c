"""What the check of the platform tries, how it ends, and what each ending is called."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Step(TextChoices):
    """What is tried, in this order."""

    NAME = "name", _("Name of the platform")
    CONNECTION = "connection", _("Connection")
    TLS = "tls", _("Encryption")
    CLOCK = "clock", _("Clock")
    SIGNATURE = "signature", _("Key and signature")
    STORE = "store", _("Store number")
    BALANCE = "balance", _("Balance")
    NO_SUCH_ORDER = "no_such_order", _("Words for “no such order”")
    OUR_NUMBER = "our_number", _("Queries by our own number")
    CALLS = "calls", _("Calls beyond the document")
    FACE_VALUES = "face_values", _("Face values")
    PUBLIC_ADDRESS = "public_address", _("Address for callbacks")
    CALLBACKS = "callbacks", _("Callbacks received")


SELDOM = (Step.CALLS, Step.FACE_VALUES)
"""Tried only when a person asks for it: what they find hardly changes, and orders don't depend on it."""


class Result(TextChoices):
    """How a step ended."""

    OK = "ok", _("in order")
    WARNING = "warning", _("look at it")
    FAILED = "failed", _("wrong")
    NOT_TRIED = "not_tried", _("not tried")


class Cause(TextChoices):
    """What a step found. The placeholders are filled with the facts of the finding."""

    EARLIER_STEP = "EARLIER_STEP", _("An earlier step failed.")
    TOOK_TOO_LONG = "TOOK_TOO_LONG", _("The check took too long before it came to this.")
    WENT_WRONG = "WENT_WRONG", _("The portal itself failed at this step (%(why)s).")

    ADDRESS_UNUSABLE = "ADDRESS_UNUSABLE", _("The address of the platform in the settings can't be used.")
    NAME_FOUND = "NAME_FOUND", _("%(host)s is at %(addresses)s.")
    NAME_UNKNOWN = "NAME_UNKNOWN", _("The name %(host)s is not known.")

    CONNECTED = "CONNECTED", _("Port %(port)s took the connection after %(milliseconds)s ms.")
    CONNECTION_REFUSED = "CONNECTION_REFUSED", _("Nothing listens at %(host)s, port %(port)s.")
    CONNECTION_SILENT = "CONNECTION_SILENT", _("%(host)s, port %(port)s doesn't answer.")

    ENCRYPTED = "ENCRYPTED", _("%(version)s; the certificate is valid until %(until)s.")
    CERTIFICATE_ENDS = "CERTIFICATE_ENDS", _("The platform's certificate is valid until %(until)s only.")
    CERTIFICATE_WRONG = "CERTIFICATE_WRONG", _("The certificate is not to be trusted: %(why)s.")
    TLS_NOT_SPOKEN = "TLS_NOT_SPOKEN", _("The address begins with https, but nothing is encrypted there.")
    TLS_FAILED = "TLS_FAILED", _("No common way to encrypt was found (%(why)s).")
    TLS_EXPECTED = "TLS_EXPECTED", _("The address begins with http, but the platform takes encrypted connections only.")
    NOT_ENCRYPTED = "NOT_ENCRYPTED", _("Nothing is encrypted: everybody on the way can read along.")
    NOT_ENCRYPTED_HERE = "NOT_ENCRYPTED_HERE", _("Not encrypted; it never leaves this machine.")

    CLOCK_RIGHT = "CLOCK_RIGHT", _("This machine and the platform agree, to within %(seconds)s s.")
    CLOCK_BEHIND = "CLOCK_BEHIND", _("This machine's clock is %(seconds)s s behind the platform's.")
    CLOCK_AHEAD = "CLOCK_AHEAD", _("This machine's clock is %(seconds)s s ahead of the platform's.")
    CLOCK_ELSEWHERE = (
        "CLOCK_ELSEWHERE",
        _("The platform's answers tell the time of another zone (%(hours)s h off); its web server's clock agrees."),
    )
    CLOCK_UNTOLD = "CLOCK_UNTOLD", _("The platform doesn't say what time it is there.")

    SIGNATURE_TAKEN = "SIGNATURE_TAKEN", _("The platform takes the key and the signature.")
    NOT_CONFIGURED = "NOT_CONFIGURED", _("Key, secret or store number are not set.")
    OTHER_PARAMETERS = "OTHER_PARAMETERS", _("The platform takes the signature only without %(names)s.")
    ALL_PARAMETERS = "ALL_PARAMETERS", _("The platform takes the signature only with all parameters.")
    SECRET_WRONG = (
        "SECRET_WRONG",
        _("The signature is wrong in every form; most likely app_secret is: “%(words)s”."),
    )
    KEY_UNKNOWN = "KEY_UNKNOWN", _("The platform doesn't take the key: “%(words)s”.")
    TIME_REFUSED = "TIME_REFUSED", _("The platform doesn't take the time of the request: “%(words)s”.")
    CALLER_REFUSED = "CALLER_REFUSED", _("The platform doesn't take requests from this address: “%(words)s”.")
    REFUSED = "REFUSED", _("The platform refuses: “%(words)s”.")
    REDIRECTED = "REDIRECTED", _("The address answers with a redirect (%(why)s), which is never followed.")
    NO_ANSWER = "NO_ANSWER", _("No answer that could be the platform's (%(why)s).")

    STORE_KNOWN = "STORE_KNOWN", _("The platform knows store %(store)s.")
    STORE_UNKNOWN = "STORE_UNKNOWN", _("The platform doesn't know store %(store)s: “%(words)s”.")
    STORE_UNTOLD = "STORE_UNTOLD", _("No call that spends nothing tells; the first order will.")

    BALANCE_TOLD = "BALANCE_TOLD", _("%(amount)s yuan.")
    BALANCE_EMPTY = "BALANCE_EMPTY", _("%(amount)s yuan: no order can go out.")
    BALANCE_LOW = "BALANCE_LOW", _("%(amount)s yuan, less than BALANCE_FLOOR (%(floor)s).")

    WORDS_UNDERSTOOD = "WORDS_UNDERSTOOD", _("“%(words)s”: understood.")
    WORDS_STRANGE = "WORDS_STRANGE", _("“%(words)s”: the portal doesn't take that for “no such order”.")
    WORDS_MISSING = (
        "WORDS_MISSING",
        _("A made-up number is neither refused nor answered with an order (%(why)s)."),
    )
    FOUND_ANYWAY = "FOUND_ANYWAY", _("The platform shows an order under a number that was made up.")

    OUR_NUMBER_FINDS = "OUR_NUMBER_FINDS", _("Order %(order_no)s is found by our number.")
    OUR_NUMBER_BLIND = "OUR_NUMBER_BLIND", _("The platform has order %(order_no)s, but not by our number.")
    OUR_NUMBER_REFUSED = "OUR_NUMBER_REFUSED", _("The platform doesn't take our number in a query: “%(words)s”.")
    OUR_NUMBER_UNTRIED = (
        "OUR_NUMBER_UNTRIED",
        _("Our number is taken in a query; an order will tell if it finds."),
    )

    CALLS_THERE = "CALLS_THERE", _("There are: %(there)s.")
    CALLS_MISSING = "CALLS_MISSING", _("Missing: %(missing)s. There are: %(there)s.")
    CALLS_UNTOLD = "CALLS_UNTOLD", _("No clear answer to: %(untold)s. There are: %(there)s.")
    OIL_QUERY_MISSING = (
        "OIL_QUERY_MISSING",
        _("Missing: %(missing)s; there are: %(there)s. Oil orders can't be asked for."),
    )

    VALUES_TAKEN = "VALUES_TAKEN", _("The platform takes %(values)s yuan.")
    VALUES_REFUSED = "VALUES_REFUSED", _("The platform refuses %(values)s yuan: “%(words)s”.")
    VALUE_UNANSWERED = "VALUE_UNANSWERED", _("No clear answer about %(value)s yuan.")
    VALUES_UNTOLD = "VALUES_UNTOLD", _("The platform has no call that tells; it will say so to an order.")

    ADDRESS_REACHED = "ADDRESS_REACHED", _("%(url)s reaches the portal.")
    ADDRESS_REACHED_INSIDE = (
        "ADDRESS_REACHED_INSIDE",
        _("%(host)s reaches the portal, but in the internal network only."),
    )
    ADDRESS_LOCAL = "ADDRESS_LOCAL", _("%(host)s means this machine alone: the platform can't reach it.")
    ADDRESS_NAME_UNKNOWN = "ADDRESS_NAME_UNKNOWN", _("The name %(host)s in PUBLIC_URL is not known.")
    ADDRESS_SILENT = "ADDRESS_SILENT", _("%(url)s can't be reached from here: callbacks don't arrive, either.")
    ADDRESS_SILENT_HERE = "ADDRESS_SILENT_HERE", _("%(url)s can't be reached from here, but callbacks arrive.")
    ADDRESS_CERTIFICATE = (
        "ADDRESS_CERTIFICATE",
        _("Nobody trusts the certificate of %(host)s: callbacks don't arrive."),
    )
    ADDRESS_REDIRECTS = "ADDRESS_REDIRECTS", _("%(url)s answers with a redirect: callbacks get lost there.")
    ADDRESS_OTHER = "ADDRESS_OTHER", _("Something else than this portal answers at %(url)s (HTTP %(status)s).")

    CALLBACKS_COME = (
        "CALLBACKS_COME",
        _("Callbacks told of %(heard)s of the last %(orders)s finished orders."),
    )
    CALLBACKS_SILENT = (
        "CALLBACKS_SILENT",
        _("%(silent)s of the last %(orders)s finished orders ended without a callback: only queries told of them."),
    )
    CALLBACKS_UNTRIED = "CALLBACKS_UNTRIED", _("No order has ended yet that could tell.")


class Witness(TextChoices):
    """Who tells what became of an order."""

    ANSWER = "answer", _("Answer to the push")
    CALLBACK = "callback", _("Callback")
    QUERY = "query", _("Answer to a query")
