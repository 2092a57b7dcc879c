"""Write everything encrypted anew with the newest key, so that older keys can be thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, models, transaction
from django.db.models import F, TextField
from django.db.models.functions import Cast

from portal.kit import crypto
from portal.kit.fields import BlindIndexField, EncryptedField

PAGE = 1000
SECRETS_OF_FACTORS = ("secret", "seed")


class Command(BaseCommand):
    help = (
        "Encrypts all stored personal data with the newest of FIELD_ENCRYPTION_KEYS and renews the indexes. "
        "Put the new key first, restart the portal and its workers, run this, then remove the older keys. "
        "It works while the portal runs, and may be interrupted and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        written, failed = 0, []
        for model in _models_with_secrets():
            for pk in _primary_keys(model):
                try:
                    written += _rotate(model, pk)
                except (crypto.WrongKey, IntegrityError) as error:
                    failed.append(f"{model._meta.label} {pk}: {_reason(error)}")
        for pk in _primary_keys(Authenticator):
            try:
                written += _rotate_factor(pk)
            except crypto.WrongKey as error:
                failed.append(f"{Authenticator._meta.label} {pk}: {_reason(error)}")
        self.stdout.write(f"{written} rows were written with the newest key.")
        if failed:
            raise CommandError("Keep the older keys! These rows could not be written:\n" + "\n".join(failed))
        self.stdout.write("Everything is written with the newest key: the older keys are no longer needed.")


def _models_with_secrets() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if any(isinstance(field, EncryptedField) for field in model._meta.local_fields)
    ]


def _primary_keys(model: type[models.Model]) -> Iterator[Any]:
    """Give the keys of all rows, page by page, so that no cursor is open while rows are written."""
    keys = model._base_manager.order_by("pk").values_list("pk", flat=True)
    page = list(keys[:PAGE])
    while page:
        yield from page
        page = list(keys.filter(pk__gt=page[-1])[:PAGE])


def _rotate(model: type[models.Model], pk: Any) -> bool:
    """Write one row anew, locked from the first look on; say whether there was anything to do."""
    encrypted = [field.name for field in model._meta.local_fields if isinstance(field, EncryptedField)]
    indexes = [field for field in model._meta.local_fields if isinstance(field, BlindIndexField)]
    with transaction.atomic():
        rows = model._base_manager.select_for_update().filter(pk=pk)
        stored = rows.values(
            *(field.name for field in indexes),
            **{f"stored_{name}": Cast(F(name), TextField()) for name in encrypted},
        ).first()
        if stored is None:
            return False
        tokens = {name: stored[f"stored_{name}"] for name in encrypted if stored[f"stored_{name}"] is not None}
        texts = {name: crypto.decrypt(token) for name, token in tokens.items()}
        changes = {name: texts[name] for name, token in tokens.items() if not crypto.is_current(token)}
        for field in indexes:
            if field.of in texts and stored[field.name] != field.index(texts[field.of]):
                changes[field.name] = field.index(texts[field.of])
        return bool(changes) and bool(model._base_manager.filter(pk=pk).update(**changes))


def _rotate_factor(pk: Any) -> bool:
    """Write the secrets of a second factor anew, which allauth keeps within a column of JSON."""
    with transaction.atomic():
        factor = Authenticator.objects.select_for_update().filter(pk=pk).first()
        if factor is None:
            return False
        old = {name: factor.data[name] for name in SECRETS_OF_FACTORS if name in factor.data}
        outdated = [name for name, token in old.items() if not crypto.is_current(token)]
        factor.data |= {name: crypto.encrypt(crypto.decrypt(old[name])) for name in outdated}
        factor.save(update_fields=["data"])
        return bool(outdated)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, crypto.WrongKey) else "another row has the same value"
