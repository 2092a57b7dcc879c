"""Somebody whom no administrator has put into a group yet."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from portal.kit import wording
from tests.people import person

pytestmark = pytest.mark.django_db


def page(client: Client, name: str, address: str = "/") -> str:
    client.force_login(person(name))
    response = client.get(address)
    assert response.status_code == 403
    return response.content.decode()


def test_he_reads_whom_to_ask(client: Client) -> None:
    administrator = person("administrator")
    administrator.first_name, administrator.last_name = "小芳", "欧阳"
    administrator.save()
    User.objects.create_superuser("gone", is_active=False)
    shown = page(client, "outsider")
    assert "请联系：欧阳小芳" in shown
    assert "gone" not in shown


def test_he_reads_it_where_there_is_nobody_to_ask(client: Client) -> None:
    assert "请联系：" not in page(client, "outsider")


def test_who_is_in_a_group_is_told_what_he_lacks(client: Client) -> None:
    assert "没有开通权限" not in page(client, "clerk", "/approvals/")


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [("小芳", "欧阳", "欧阳小芳"), ("操作员", "", "操作员"), ("Ada", "Lovelace", "Ada Lovelace"), ("", "", "login")],
)
def test_people_are_called_by_their_names(first: str, last: str, expected: str) -> None:
    assert wording.person(User(username="login", first_name=first, last_name=last)) == expected
