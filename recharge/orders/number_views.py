"""What is said of a number while it is typed: by its first digits at once, and by the platform where it is asked."""

from contextlib import suppress

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from portal.web.request import Request
from recharge.choices import NumberVerdict, Speed
from recharge.core import phone_numbers
from recharge.limits.services import number_asking
from recharge.numbers.services import judging as numbers
from recharge.numbers.services import known

from .forms import MobileForm


@require_POST
@permission_required("recharge.add_order", raise_exception=True)
def mobile_hint(request: Request) -> HttpResponse:
    """Say whose number it is while it is typed; a POST, so that no number gets into an address or a log."""
    typed = _typed(MobileForm(request.POST))
    context: dict[str, object] = {}
    try:
        number = phone_numbers.normalize(typed)
    except phone_numbers.InvalidMobile as error:
        # An incomplete number is no error yet.
        if len([character for character in typed if character.isdigit()]) >= 11:
            context["error"] = str(error)
    else:
        judged = numbers.judge(number)
        key = "error" if judged.verdict == NumberVerdict.REFUSE else "warning"
        context = {"mobile": phone_numbers.grouped(number), "hint": phone_numbers.hint(number), key: judged.message}
        context["asks"] = number_asking.is_on()
    return render(request, "recharge/orders/_mobile_hint.html", context)


@require_POST
@permission_required("recharge.add_order", raise_exception=True)
def mobile_answer(request: Request) -> HttpResponse:
    """Say what the platform knows of a number that is typed, within a second; also a POST."""
    form = MobileForm(request.POST)
    context: dict[str, object] = {}
    with suppress(phone_numbers.InvalidMobile):  # the hint says so
        number = phone_numbers.normalize(_typed(form))
        if number_asking.is_on():
            wanted = (form.cleaned_data.get("face_value"), _speed(form.cleaned_data.get("speed")))
            heard = number_asking.ask_at_once(number, *wanted)
            context = {"heard": heard, "doubt": known.doubt_of(heard.info, heard.offer)}
    return render(request, "recharge/orders/_mobile_answer.html", context)


def _speed(chosen: int | str | None) -> int:
    return int(Speed.FAST if chosen in (None, "") else chosen)


def _typed(form: MobileForm) -> str:
    form.full_clean()
    return str(form.cleaned_data.get("mobile", ""))
