"""Requests that say something odd about their length."""

import pytest
from django.test import Client

from tests.people import person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("length", "status"), [("²", 413), ("abc", 413), ("-1", 413), ("9" * 30, 413), ("9" * 5000, 413), ("0", 200)]
)
@pytest.mark.parametrize("address", ["/accounts/login/", "/orders/new/"])
def test_a_length_that_is_none_is_refused_and_no_fault(client: Client, address: str, length: str, status: int) -> None:
    client.force_login(person("clerk"))
    response = client.post(address, {"mobile": "13800138000"}, CONTENT_LENGTH=length)
    assert response.status_code == status
