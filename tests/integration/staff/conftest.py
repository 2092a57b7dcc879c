import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.administrators import browser
from tests.people import person


@pytest.fixture
def administrator() -> Client:
    return browser(person("administrator"))


@pytest.fixture
def owner() -> Client:
    return browser(User.objects.create_superuser("owner"))
