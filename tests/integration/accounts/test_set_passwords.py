"""A password that another person has set is changed before anything else is done."""

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.test import Client

from portal.accounts.models import DuePassword
from recharge.staff.services import changes
from tests.people import app_of, person

pytestmark = pytest.mark.django_db
SET = "set by an administrator"
OWN = "known to nobody else"
CHANGE = "/accounts/password_change/"


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", password=OWN))
    return client


def sign_in(name: str, password: str) -> Client:
    client = Client()
    assert client.post("/accounts/login/", {"username": name, "password": password}).status_code == 302
    return client


def change(client: Client, old: str, new: str) -> int:
    return client.post(CHANGE, {"old_password": old, "new_password1": new, "new_password2": new}).status_code


def set_password(administrator: Client, user: User, password: str = SET) -> None:
    answer = administrator.post(f"/admin/auth/user/{user.pk}/password/", {"password1": password, "password2": password})
    assert answer.status_code == 302


def test_a_new_colleague_chooses_a_password_first(administrator: Client) -> None:
    group = Group.objects.get(name="Operators").pk
    form = {"username": "lin", "first_name": "林娜", "password1": SET, "password2": SET, "groups": [group]}
    assert administrator.post("/admin/auth/user/add/", form).status_code == 302
    lin = sign_in("lin", SET)
    for path in ("/", "/orders/new/", "/sessions/", "/accounts/factors/", "/no/such/page/"):
        assert lin.get(path)["Location"].startswith(CHANGE), path
        assert lin.post(path)["Location"].startswith(CHANGE), path
    page = lin.get(CHANGE).content.decode()
    assert "别人设置的" in page
    assert "<header" not in page
    assert change(lin, SET, SET) == 200, "the same one again is no change"
    assert lin.get("/")["Location"].startswith(CHANGE)
    assert change(lin, SET, OWN) == 302
    assert lin.get("/").status_code == 200
    assert sign_in("lin", OWN).get("/").status_code == 200


def test_so_does_who_gets_a_new_one_and_his_sign_ins_end(administrator: Client) -> None:
    clerk = person("clerk")
    clerk.set_password(OWN)
    clerk.save()
    before = sign_in("clerk", OWN)
    set_password(administrator, clerk)
    assert before.get("/")["Location"].startswith("/accounts/login/")
    after = sign_in("clerk", SET)
    assert after.get("/")["Location"].startswith(CHANGE)
    change(after, SET, OWN + "!")
    assert after.get("/").status_code == 200
    assert not DuePassword.objects.exists()


def test_what_an_administrator_refused_requires_nothing(administrator: Client) -> None:
    clerk = person("clerk")
    form = {"password1": "one", "password2": "another"}
    assert administrator.post(f"/admin/auth/user/{clerk.pk}/password/", form).status_code == 200
    administrator.post(f"/admin/auth/user/{clerk.pk}/change/", {"username": "clerk", "first_name": "x"})
    assert not DuePassword.objects.exists()


@pytest.mark.usefixtures("factors_required")
def test_a_factor_that_there_is_comes_before_the_new_password() -> None:
    approver = person("approver")
    app = app_of(approver)
    owner = User.objects.create_superuser("root")
    asked = changes.ask_for_password(user=approver, password=make_password(SET), reason="忘记密码", actor=owner)
    changes.confirm(change_id=asked.pk, was_seen=changes.seen(asked), actor=None)
    them = sign_in("approver", SET)
    assert them.get(CHANGE)["Location"].startswith("/accounts/factor/")
    assert change(them, SET, OWN) == 302
    approver.refresh_from_db()
    assert approver.check_password(SET), "the password alone changes nothing"
    them.post("/accounts/factor/", {"code": app.code()})
    assert them.get("/")["Location"].startswith(CHANGE)
    assert change(them, SET, OWN) == 302
    assert them.get("/approvals/").status_code == 200
