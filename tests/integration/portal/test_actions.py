"""What all actions have in common: who may, what is shown before, that it is done once, how a refusal looks."""

from dataclasses import dataclass
from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.cache import never_cache

from portal.urls import urlpatterns as portal_urls
from portal.web.actions import Action, Answer, Button, Confirmation, Outcome, Room, Said
from tests.pages import Page, hidden_fields
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
ADDRESS = "/things/7/rename/"


class Refused(Exception):
    pass


class Stale(Refused):
    pass


@dataclass
class Thing:
    """What is acted upon. It knows what was done to it, and what comes of the next time."""

    version: int = 1
    ran: tuple[tuple[Any, ...], ...] = ()
    outcome: Outcome | Exception = "Renamed."
    is_lost: bool = False


class NameForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    token = forms.CharField(widget=forms.HiddenInput, initial="fresh")
    name = forms.CharField(max_length=9, label="New name")


THINGS: dict[int, Thing] = {}
ROOM = Room[Thing](
    noun="thing",
    template="includes/confirm.html",
    find=lambda thing_id: THINGS.get(thing_id),
    unknown=lambda request: HttpResponse("Unknown.", status=404),
    address=lambda thing: "/orders/",
    refusals=(Refused,),
    on_form=lambda form, error: isinstance(error, Stale),
    in_words=lambda error, thing, actor: f"{actor} was told: {error}",
    protect=never_cache,
)


def confirmation(thing: Thing) -> Confirmation:
    button = Button("Rename it", "danger", icon="trash", autofocus=True) if thing.version < 9 else None
    return Confirmation("Rename <it>?", "It's for ever.", button, seen={"version": thing.version})


def rename(thing: Thing, said: Said, actor: User) -> Outcome:
    thing.ran += ((said["version"], said["name"], actor.username),)
    if isinstance(thing.outcome, Exception):
        thing.version += 1
        if thing.is_lost:
            THINGS.clear()
        raise thing.outcome
    return thing.outcome


def an_action(damaged: str = "") -> Action[Thing]:
    make = ROOM.action("recharge.add_batch", confirmation, form=lambda data, thing: NameForm(data), damaged=damaged)
    return make(rename)


urlpatterns = [
    path("things/<int:thing_id>/rename/", an_action()),
    path("things/<int:thing_id>/rename/afresh/", an_action("Damaged.")),
    *portal_urls,
]


@pytest.fixture
def thing() -> Thing:
    THINGS[7] = Thing()
    return THINGS[7]


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


def send(client: Client, address: str = ADDRESS, **changes: str) -> Page:
    return client.post(address, {**hidden_fields(client.get(address)), "name": "Ada", **changes})


def alerts(client: Client) -> str:
    return client.get("/orders/").content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_lacks_the_permission_neither_sees_nor_does_it(client: Client, thing: Thing, method: str) -> None:
    client.force_login(person("auditor"))
    assert getattr(client, method)(ADDRESS, {"version": 1, "token": "x", "name": "Ada"}).status_code == 403
    assert thing.ran == ()


def test_confirmation_is_shown_and_nothing_done(clerk: Client, thing: Thing) -> None:
    response = clerk.get(ADDRESS)
    page = response.content.decode()
    assert response.status_code == clerk.head(ADDRESS).status_code == 200
    for shown in ("Rename &lt;it&gt;?", "It&#x27;s for ever.", "New name", 'href="/orders/"', "#trash"):
        assert shown in page
    assert '<button class="btn btn-danger" type="submit" autofocus>' in page
    assert hidden_fields(response) | {"version": "1", "token": "fresh"} == hidden_fields(response)
    assert "no-store" in response["Cache-Control"]
    assert thing.ran == ()


def test_button_is_absent_where_nothing_is_left_to_do(clerk: Client, thing: Thing) -> None:
    thing.version = 9
    assert "btn-danger" not in clerk.get(ADDRESS).content.decode()


def test_post_does_it_once_and_tells(clerk: Client, thing: Thing) -> None:
    response = send(clerk)
    assert (response.status_code, response["Location"]) == (302, "/orders/")
    assert thing.ran == ((1, "Ada", "clerk"),)
    assert "Renamed." in alerts(clerk)


def test_nothing_is_told_where_the_page_shows_enough(clerk: Client, thing: Thing) -> None:
    thing.outcome = ""
    assert send(clerk)["Location"] == "/orders/"
    assert "alert-success" not in alerts(clerk)


def test_what_came_of_it_may_be_a_page_or_the_way_to_one(clerk: Client, thing: Thing) -> None:
    thing.outcome = Answer("recharge/orders/order_unknown.html", {})
    assert send(clerk).status_code == 200
    thing.outcome = HttpResponse(status=204)
    assert send(clerk).status_code == 204
    assert len(thing.ran) == 2


@pytest.mark.parametrize("changes", [{"version": "x"}, {"token": ""}, {"name": ""}, {"name": "a" * 10}])
def test_damaged_form_does_nothing_and_is_shown_again(clerk: Client, thing: Thing, changes: dict[str, str]) -> None:
    response = send(clerk, **changes)
    assert response.status_code == 200
    assert hidden_fields(response)["version"] == "1"
    assert changes.get("name", "Ada") in response.content.decode()
    assert thing.ran == ()


def test_damaged_form_gives_way_to_a_fresh_one_where_the_action_says_so(clerk: Client, thing: Thing) -> None:
    assert "Damaged." not in clerk.get(f"{ADDRESS}afresh/").content.decode()
    response = send(clerk, f"{ADDRESS}afresh/", token="")
    assert "Damaged." in response.content.decode()
    assert hidden_fields(response)["token"] == "fresh"
    assert "Ada" not in response.content.decode()
    assert thing.ran == ()


def test_refusal_shows_the_form_again_with_what_was_typed_and_what_is_to_be_seen_now(
    clerk: Client, thing: Thing
) -> None:
    thing.outcome = Stale("Look again.")
    response = send(clerk)
    page = response.content.decode()
    assert response.status_code == 200
    assert "Look again." in page
    assert 'value="Ada"' in page
    assert hidden_fields(response)["version"] == "2"
    assert len(thing.ran) == 1


def test_other_refusals_are_told_by_the_page_of_the_subject(clerk: Client, thing: Thing) -> None:
    thing.outcome = Refused("Too late.")
    assert send(clerk)["Location"] == "/orders/"
    assert "clerk was told: Too late." in alerts(clerk)


def test_mistake_of_ours_is_no_refusal(clerk: Client, thing: Thing) -> None:
    thing.outcome = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        send(clerk)


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_there_is_said_to_be_unknown(clerk: Client, method: str) -> None:
    assert getattr(clerk, method)("/things/8/rename/").content == b"Unknown."


def test_subject_that_vanishes_meanwhile_is_unknown_too(clerk: Client, thing: Thing) -> None:
    thing.outcome = Stale("Look again.")
    thing.is_lost = True
    assert send(clerk).status_code == 404
    assert len(thing.ran) == 1


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(clerk: Client, thing: Thing, method: str) -> None:
    assert getattr(clerk, method)(ADDRESS).status_code == 405
    assert thing.ran == ()
