"""What people do after a confirmation: an object that describes each action; one view and one template for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from .request import Request

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Subject = TypeVar("Subject")
View = Callable[..., HttpResponseBase]
Said = dict[str, Any]
"""What a person said in the form, cleaned."""


@dataclass(frozen=True)
class Button:
    text: StrOrPromise
    style: str = "primary"
    icon: str = ""
    autofocus: bool = False


@dataclass(frozen=True)
class Confirmation:
    """What is shown before anything is done."""

    heading: StrOrPromise
    consequence: StrOrPromise
    button: Button | None
    """None where nothing is left to do."""
    details: str = ""
    """A template for what a sentence can't say."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What `details` needs beside the subject."""
    seen: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the form that name what the person was shown, with what is shown now; never what was sent before."""


@dataclass(frozen=True)
class Answer:
    """A page that shows, once, what came of an action."""

    template: str
    context: Mapping[str, Any]


Outcome = str | Answer | HttpResponse
"""What came of an action: words for the subject's own page ("": it shows enough), a page, or the way to another one."""


def _plain(data: Any, subject: Any) -> forms.Form:
    return forms.Form(data)


@dataclass(frozen=True, eq=False)  # compared by identity: addresses are looked up by their views
class Action(Generic[Subject]):
    """Something that may be done to a subject; as a view it shows the confirmation, and does it by a POST."""

    room: Room[Subject]
    permission: str
    confirmation: Confirmation | Callable[[Subject], Confirmation]
    form: Callable[[Any, Subject], forms.Form]
    damaged: StrOrPromise
    run: Callable[[Subject, Said, User], Outcome]
    protect: Callable[[View], View]

    def __call__(self, request: Request, **key: Any) -> HttpResponseBase:
        """Answer a request; `key` holds the parts of the address that name the subject."""
        allowed = permission_required(self.permission, raise_exception=True)(self.protect(_confirm_or_do))
        return require_http_methods(["GET", "HEAD", "POST"])(self.room.protect(allowed))(request, self, key)


@dataclass(frozen=True)
class Room(Generic[Subject]):
    """What all actions on subjects of one kind have in common."""

    noun: str
    """What templates call the subject."""
    template: str
    """Extends includes/confirm.html by a title, and a line that shows the subject."""
    find: Callable[..., Subject | None]
    """Returns the subject that the parts of an address name; None where there is none (any more)."""
    unknown: Callable[[Request], HttpResponse]
    """Answers where there is none."""
    address: Callable[[Subject], str]
    """Returns the address of the subject's own page."""
    refusals: tuple[type[Exception], ...]
    """What an action may raise that is meant for the person."""
    on_form: Callable[[forms.Form, Any], bool]
    """Says whether the form is shown again, with the refusal; else the subject's own page tells it."""
    in_words: Callable[[Any, Subject, User], str] = lambda error, subject, actor: str(error)
    """Returns what that page tells."""
    protect: Callable[[View], View] = lambda view: view
    """Decorates every view of the room."""

    def action(
        self,
        permission: str,
        confirmation: Confirmation | Callable[[Subject], Confirmation],
        *,
        form: Callable[[Any, Subject], forms.Form] = _plain,
        damaged: StrOrPromise = "",
        protect: Callable[[View], View] = lambda view: view,
    ) -> Callable[[Callable[[Subject, Said, User], Outcome]], Action[Subject]]:
        """Make an action of the function that does it, for a person, with what the form says.

        Args:
            permission: whoever lacks it is refused.
            confirmation: what is shown before; a function where that depends on the subject.
            form: makes the form of what was sent, None where nothing was.
            damaged: what to say about a form that can't be used, before a fresh one is shown; "": it is shown again.
            protect: decorates the view of this action, for those who have the permission.
        """
        return lambda run: Action(self, permission, confirmation, form, damaged, run, protect)


def _confirm_or_do(request: Request, action: Action[Subject], key: dict[str, Any]) -> HttpResponse:
    """Do it where a usable form was sent, and tell what came of it; else show what would be done."""
    room = action.room
    subject = room.find(**key)
    if subject is None:
        return room.unknown(request)
    form = action.form(request.POST if request.method == "POST" else None, subject)
    if not form.is_valid():
        if form.is_bound and action.damaged:
            messages.error(request, str(action.damaged))
            form = action.form(None, subject)
        return _ask(request, action, subject, form)
    try:
        outcome = action.run(subject, form.cleaned_data, request.user)
    except room.refusals as error:
        if room.on_form(form, error):
            _refuse(form, error)
            return _ask(request, action, room.find(**key), form)
        messages.error(request, room.in_words(error, subject, request.user))
        return redirect(room.address(subject))
    if isinstance(outcome, HttpResponse):
        return outcome
    if isinstance(outcome, Answer):
        return render(request, outcome.template, {room.noun: subject, **outcome.context})
    if outcome:
        messages.success(request, outcome)
    return redirect(room.address(subject))


def _ask(request: Request, action: Action[Subject], subject: Subject | None, form: forms.Form) -> HttpResponse:
    room, shown = action.room, action.confirmation
    if subject is None:
        return room.unknown(request)
    if not isinstance(shown, Confirmation):
        shown = shown(subject)
    context = {
        room.noun: subject,
        "form": form,
        "fields": [field for field in form if field.name not in shown.seen],
        "confirmation": shown,
        "back": room.address(subject),
    }
    return render(request, room.template, {**context, **shown.context})


def _refuse(form: forms.Form, error: Exception) -> None:
    if hasattr(form, "refuse"):
        form.refuse(error)
    else:
        form.add_error(None, str(error))
