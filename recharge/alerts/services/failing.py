"""What is said of a message that did not reach its channel: our words and the other side's, without secrets."""

import re
import smtplib
import ssl
from urllib.parse import unquote

import requests
from django.utils.translation import gettext as _
from urllib3.exceptions import MaxRetryError

from . import carrying

VERDICTS = {
    "wecombot": ("errcode", "errmsg"),
    "dingtalk": ("errcode", "errmsg"),
    "feishu": ("code", "msg"),
    "lark": ("code", "msg"),
}
"""Where a robot's answer, which comes with 200 in any case, says whether it took the message, and why not."""
MARKS = re.compile(r"[/@:?&=#,]")
"""What stands between the parts of an address."""
SHORTEST_SECRET = 6


def why_not_sent() -> str:
    """Say in our words what a service of apprise tells in those of its log alone."""
    response, told = carrying.answer(), carrying.told()
    if response is not None:
        return _("It answered with %(status)s.") % {"status": response.status_code}
    if told.refusal:
        code, words = told.refusal
        return _("It refused the message: %(code)s %(words)s") % {"code": code, "words": words}
    return why(told.failure) if told.failure else _("The channel did not take it.")


def refusal(scheme: str) -> str:
    """Return why a robot did not take a message although it answered with 200; "" where it took it, or said nothing."""
    response = carrying.answer()
    if scheme not in VERDICTS or response is None or response.status_code != requests.codes.ok:
        return ""
    code, words = VERDICTS[scheme]
    try:
        said = response.json()
        verdict = said.get(code, said.get("StatusCode"))
    except (ValueError, AttributeError):
        verdict, said = None, {}
    if verdict is None:
        return _("Its answer can't be understood.")
    if verdict == 0:
        return ""
    return _("It refused the message: %(code)s %(words)s") % {"code": verdict, "words": said.get(words, "")}


def why(error: Exception) -> str:
    """Say why nobody answered."""
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError):
        return _("Its certificate isn't valid.")
    if isinstance(error, requests.Timeout | TimeoutError):
        return _("It did not answer in time.")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return _("It doesn't encrypt the connection.")
    return _("It can't be reached.")


def perhaps_arrived(error: requests.RequestException) -> bool:
    """Say whether a message went out although no answer came: the connection stood."""
    never = requests.exceptions.ConnectTimeout, requests.exceptions.SSLError
    return not isinstance(error, never) and not (error.args and isinstance(error.args[0], MaxRetryError))


def without_secrets(words: str, held: str) -> str:
    """Hide in what the other side said whatever it repeats of our address, which is nobody's to read.

    Args:
        words: what was said.
        held: the part of the address that holds secrets.
    """
    for secret in sorted({*MARKS.split(held), *MARKS.split(unquote(held))}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            words = words.replace(secret, "***")
    return words
