"""Single values: encrypted, found by their index, and loudly refused where the key is wrong."""

import base64

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError

from oilcards.models import OilCard, number_index_field
from portal.kit import crypto
from portal.kit.crypto import WrongKey
from portal.kit.fields import BlindIndexField, EncryptedField

CLEAR = "11010519491231002X"


def key() -> str:
    return Fernet.generate_key().decode()


def test_encrypted_value_comes_back_and_never_looks_the_same_twice() -> None:
    first, second = crypto.encrypt(CLEAR), crypto.encrypt(CLEAR)
    assert crypto.decrypt(first) == crypto.decrypt(second) == CLEAR
    assert first != second
    assert CLEAR not in first
    assert CLEAR.encode() not in base64.urlsafe_b64decode(first)


def test_newest_key_encrypts_and_all_decrypt(settings: LazySettings) -> None:
    old, new = key(), key()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    written = crypto.encrypt(CLEAR)
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert crypto.decrypt(written) == CLEAR
    assert not crypto.is_current(written)
    rewritten = crypto.encrypt(CLEAR)
    assert crypto.is_current(rewritten)
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert crypto.decrypt(rewritten) == CLEAR
    with pytest.raises(WrongKey):
        crypto.decrypt(written)


def test_wrong_key_is_an_error_that_shows_nothing(settings: LazySettings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [key()]
    written = crypto.encrypt(CLEAR)
    settings.FIELD_ENCRYPTION_KEYS = [key()]
    with pytest.raises(WrongKey) as caught:
        EncryptedField().from_db_value(written, None, None)
    assert CLEAR not in repr(caught.value) + str(caught.value)
    assert written not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("stored", ["", CLEAR, "gAAAAA", "x" * 200])
def test_what_was_never_encrypted_is_an_error_too(stored: str) -> None:
    with pytest.raises(WrongKey):
        EncryptedField().from_db_value(stored, None, None)


def test_tampering_is_noticed() -> None:
    written = crypto.encrypt(CLEAR)
    with pytest.raises(WrongKey):
        crypto.decrypt(written[:-6] + ("AAAA==" if not written.endswith("AAAA==") else "BBBB=="))


def test_index_is_the_same_for_the_same_text_purpose_and_key_only(settings: LazySettings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [key()]
    index = crypto.blind_index(CLEAR, purpose="a")
    assert index == crypto.blind_index(CLEAR, purpose="a")
    assert len(index) == 64
    assert index != crypto.blind_index(CLEAR, purpose="b")
    assert index != crypto.blind_index(CLEAR[:-1] + "1", purpose="a")
    settings.FIELD_ENCRYPTION_KEYS = [key()]
    assert index != crypto.blind_index(CLEAR, purpose="a")


def test_values_are_found_under_every_key(settings: LazySettings) -> None:
    old, new = key(), key()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    stored = crypto.blind_index(CLEAR, purpose="a")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert stored in crypto.blind_indexes(CLEAR, purpose="a")
    assert stored != crypto.blind_index(CLEAR, purpose="a")


@pytest.mark.parametrize("wrong", ["short", "=", "not base64 at all!", base64.urlsafe_b64encode(b"x" * 31).decode()])
def test_unusable_key_is_named_by_its_place_and_not_shown(settings: LazySettings, wrong: str) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [key(), wrong]
    with pytest.raises(ImproperlyConfigured, match="key 2") as caught:
        crypto.encrypt(CLEAR)
    assert wrong == "=" or wrong not in str(caught.value)


def test_without_keys_they_are_derived_only_while_trying_out(settings: LazySettings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = []
    settings.TESTING, settings.DEBUG = False, True
    written = crypto.encrypt(CLEAR)
    assert crypto.decrypt(written) == CLEAR
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert crypto.decrypt(written) == CLEAR
    settings.DEBUG = False
    with pytest.raises(ImproperlyConfigured):
        crypto.decrypt(written)


def test_encrypted_field_can_not_be_looked_up() -> None:
    for lookup in ("national_id", "national_id__contains", "holder_name__in", "holder_name__lower", "card_number__gt"):
        with pytest.raises(FieldError, match="encrypted"):
            OilCard.objects.filter(**{lookup: "x"})
    OilCard.objects.filter(national_id__isnull=True)


def test_index_field_survives_a_migration() -> None:
    field = number_index_field()
    _, path, args, options = field.deconstruct()
    assert path == "portal.kit.fields.BlindIndexField"
    assert BlindIndexField(*args, **options).of == "card_number"
    assert field.purpose == "oilcards.oilcard.card_number"


def test_serialized_value_is_as_encrypted_as_the_stored_one() -> None:
    field = OilCard._meta.get_field("national_id")
    text = field.value_to_string(OilCard(national_id=CLEAR))
    assert CLEAR not in text
    assert field.to_python(text) == CLEAR
    with pytest.raises(ValidationError):
        field.to_python("encrypted:rubbish")
