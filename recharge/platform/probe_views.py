"""Where the portal calls itself by its public address, below that of callbacks: a web server treats both alike."""

from csp.decorators import csp_exempt
from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .services import callbacks


@csp_exempt()  # type: ignore[arg-type]  # it is typed for views without arguments
@csrf_exempt
@login_not_required
@require_POST
def callback_probe(request: HttpRequest, token: str) -> HttpResponse:
    """Answer the portal's own probe, and nobody else's; nothing is read or kept."""
    try:
        answer = callbacks.answer_to_probe(token)
    except BadSignature:
        raise Http404 from None
    return HttpResponse(answer, content_type="text/plain; charset=utf-8")
