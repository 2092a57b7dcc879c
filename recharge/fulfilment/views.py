"""The only address that the platform calls; one that is not signed by us is answered with 404."""

import structlog
from csp.decorators import csp_exempt
from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from portal.gateway import MalformedCallback, parse_callback
from portal.kit.secrecy import personal
from recharge.fulfilment.services.products import CALLBACK_SIGNER
from recharge.fulfilment.services.reports import keep_unreadable_callback, receive_callback
from recharge.models import Order

BODY_LIMIT = 16 * 1024
log = structlog.get_logger(__name__)


@csp_exempt()
@csrf_exempt
@login_not_required
@require_POST
@personal
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """Take in one report of the platform.

    Answers the bare text `success` [doc] once the evidence is committed, whatever it did to the order; 404 to an
    address that we did not make, 413 to a body over 16 KiB, 400 to one that can't be read, which is kept, too, and 503
    while the database is away, so that the platform sends it again.
    """
    try:
        order_no = CALLBACK_SIGNER.unsign(token)
    except BadSignature:
        raise Http404 from None
    body = _read(request)
    if len(body) > BODY_LIMIT:
        return _plain("too large", 413)
    if len(body) < int(request.META.get("CONTENT_LENGTH") or 0):
        return _plain("cut short", 400)  # part of a number is a different number
    structlog.contextvars.bind_contextvars(order_no=order_no)
    try:
        try:
            report = parse_callback(body, request.headers.get("Content-Type", ""))
        except MalformedCallback as malformed:
            log.warning("callback_malformed", size=len(body), why=str(malformed))
            keep_unreadable_callback(order_no=order_no, raw=malformed.raw)
            return _plain("malformed", 400)
        verdict = receive_callback(order_no=order_no, report=report)
    except Order.DoesNotExist:
        raise Http404 from None
    except (DatabaseError, InterfaceError):
        log.exception("callback_not_stored")
        return _plain("try again", 503)
    structlog.contextvars.bind_contextvars(verdict=str(verdict), status=report.status)  # in the request's own line
    return _plain("success", 200)


def _read(request: HttpRequest) -> bytes:
    """Read the body, also one sent in chunks, of which Django under gunicorn would read nothing."""
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        return bytes(request.META["wsgi.input"].read(BODY_LIMIT + 1))
    return request.read(BODY_LIMIT + 1)


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
