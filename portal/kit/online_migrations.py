"""Operations for migrations of large tables: on PostgreSQL others go on reading and writing meanwhile.

A migration that uses them is not atomic. Elsewhere they do what Django's own do.
"""

from typing import Any

from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint, AddIndex
from django.db.migrations.state import ProjectState


class AddIndexOnline(AddIndex):
    """Add an index without a lock against writing."""

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, before: ProjectState, after: ProjectState
    ) -> None:
        kind: Any = AddIndexConcurrently if editor.connection.vendor == "postgresql" else AddIndex
        kind(self.model_name, self.index).database_forwards(app_label, editor, before, after)

    def database_backwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, before: ProjectState, after: ProjectState
    ) -> None:
        kind: Any = AddIndexConcurrently if editor.connection.vendor == "postgresql" else AddIndex
        kind(self.model_name, self.index).database_backwards(app_label, editor, before, after)


class AddCheckOnline(AddConstraint):
    """Add a check that holds for new rows at once; the old ones are looked at without a lock against writing."""

    def database_forwards(
        self, app_label: str, editor: BaseDatabaseSchemaEditor, before: ProjectState, after: ProjectState
    ) -> None:
        if editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, editor, before, after)
            return
        add = AddConstraintNotValid(self.model_name, self.constraint)
        add.database_forwards(app_label, editor, before, after)
        validate = ValidateConstraint(self.model_name, self.constraint.name)
        validate.database_forwards(app_label, editor, before, after)
