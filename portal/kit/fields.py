"""Model fields for what must not be readable in a dump of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from django.core.exceptions import FieldError, ValidationError
from django.db import models

from . import crypto

if TYPE_CHECKING:
    TextField = models.TextField[str, str]
    CharField = models.CharField[str, str]
else:
    TextField, CharField = models.TextField, models.CharField

SERIALIZED = "encrypted:"
"""Marks a value in the output of `dumpdata`, which is as encrypted as the database is."""


class EncryptedField(TextField):
    """A text that is encrypted on its way into the database and decrypted on its way out.

    Nothing can be looked up by it: the same text is never stored twice in the same way. Use a `BlindIndexField`.
    Reading raises `portal.kit.crypto.WrongKey` where the key is wrong; what is stored never gets out as it is.
    """

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else crypto.encrypt(str(value))

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return None if value is None else crypto.decrypt(value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(SERIALIZED):
            try:
                return crypto.decrypt(value.removeprefix(SERIALIZED))
            except crypto.WrongKey as error:
                raise ValidationError(str(error)) from None
        return super().to_python(value)

    def value_to_string(self, obj: models.Model) -> str:
        return SERIALIZED + crypto.encrypt(self.value_from_object(obj))

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        return self._refuse(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        return self._refuse(lookup_name)

    def _refuse(self, lookup_name: str) -> NoReturn:
        raise FieldError(f"{self.name} is encrypted: {lookup_name} can't be answered.")


class BlindIndexField(CharField):
    """The blind index of an encrypted field, see `portal.kit.crypto.blind_index`. `of` names that field."""

    def __init__(self, *args: Any, of: str, **options: Any) -> None:
        self.of = of
        super().__init__(*args, **{"max_length": 64, "editable": False, **options})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}

    @property
    def purpose(self) -> str:
        return f"{self.model._meta.label_lower}.{self.of}"

    def index(self, text: str) -> str:
        """Return what to store for the clear `text`."""
        return crypto.blind_index(text, purpose=self.purpose)

    def indexes(self, text: str) -> list[str]:
        """Return what may be stored for the clear `text`: one index for every key."""
        return crypto.blind_indexes(text, purpose=self.purpose)
