"""Encryption of single values, and blind indexes to find them by.

The keys come from FIELD_ENCRYPTION_KEYS, the newest first. The newest encrypts and indexes; all of them decrypt and
look up, so that everything is found while `rotate_field_keys` is at work, and nothing old is needed after it. The key
of an index is derived from the encryption key: a key that leaked is worth nothing after the rotation, for neither.
"""

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
TRIAL_PURPOSE = "field encryption while trying out"


class WrongKey(Exception):
    """A stored value was written with a key that FIELD_ENCRYPTION_KEYS doesn't have, or was tampered with."""

    def __init__(self) -> None:
        super().__init__("A stored value can't be decrypted: FIELD_ENCRYPTION_KEYS lacks the key it was written with.")


def encrypt(text: str) -> str:
    """Return `text` encrypted with the newest key; twice the same text gives two different results."""
    return _fernet(_keys()).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the text that `encrypt` made `token` of.

    Raises:
        WrongKey: none of the keys fits. The error shows neither text nor token.
    """
    try:
        return _fernet(_keys()).decrypt(token).decode()
    except (InvalidToken, UnicodeDecodeError):
        raise WrongKey from None


def is_current(token: str) -> bool:
    """Say whether `token` was made with the newest key."""
    try:
        _fernet(_keys()[:1]).decrypt(token)
    except InvalidToken:
        return False
    return True


def blind_index(text: str, *, purpose: str) -> str:
    """Return what to store beside an encrypted value to find it by: 64 hex digits that only the newest key can make.

    Args:
        text: the clear value, in its one written form.
        purpose: where it is stored; the same text has another index there than elsewhere.
    """
    return _index(_keys()[0], text, purpose)


def blind_indexes(text: str, *, purpose: str) -> list[str]:
    """Return every index that `text` may be stored under, the newest key's first."""
    return [_index(key, text, purpose) for key in _keys()]


def _index(key: bytes, text: str, purpose: str) -> str:
    return hmac.new(_derived(key, f"blind index of {purpose}"), text.encode(), hashlib.sha256).hexdigest()


def _keys() -> tuple[bytes, ...]:
    given = [key.strip() for key in settings.FIELD_ENCRYPTION_KEYS if key.strip()]
    if given:
        return tuple(_decoded(number, key) for number, key in enumerate(given, start=1))
    if not (settings.DEBUG or settings.TESTING):
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS must be set.")
    return tuple(_derived(key.encode(), TRIAL_PURPOSE) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=64)
def _decoded(number: int, key: str) -> bytes:
    try:
        decoded = base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != KEY_BYTES:
        raise ImproperlyConfigured(
            f"FIELD_ENCRYPTION_KEYS: key {number} must be {KEY_BYTES} random bytes in URL-safe base64."
        )
    return decoded


@lru_cache(maxsize=64)
def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(key)


@lru_cache(maxsize=64)
def _fernet(keys: tuple[bytes, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
