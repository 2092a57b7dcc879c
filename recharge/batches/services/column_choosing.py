"""A person says which column of a list is which, once for all lists of the same shape."""

from collections.abc import Mapping
from dataclasses import replace

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from portal.sheets import Column, ColumnsUnsure
from recharge.models import BatchDraft

from .column_memory import remember
from .list_columns import wanted
from .list_reading import layout_of, open_list, written
from .reading import open_draft, unpacked


class BadColumns(ValueError):
    """The columns can't be what a person said they are. The text says why."""


def question_of(draft: BatchDraft) -> ColumnsUnsure | None:
    """Return what a person has to say about the columns of a draft, with what was said before; None if they are sure.

    Raises:
        UnreadableSheet: it can't be read.
    """
    try:
        open_list(
            unpacked(draft.content),
            file_name=draft.file_name,
            product=draft.product,
            value_for_all=draft.value_for_all,
        )
    except ColumnsUnsure as question:
        if draft.columns:
            positions = layout_of(draft.columns).positions
            question.proposed = replace(question.proposed, positions=positions)
        return question
    return None


def choices(draft: BatchDraft) -> tuple[Column, ...]:
    """Return what the columns of a draft can be."""
    return wanted(draft.product, draft.value_for_all)


def choose_columns(*, draft: BatchDraft, positions: Mapping[str, int], chosen_by: User) -> None:
    """Read a draft by the columns that a person has named, and later lists of the same shape as well.

    Args:
        draft: the list, whose columns are not sure.
        positions: from 0, by the names of our columns.
        chosen_by: the person.

    Raises:
        BadColumns: one that is needed is missing.
        UnreadableSheet: the list can't be read from its first to its last line.
    """
    question = question_of(draft)
    if question is None:
        return
    missing = [column.title for column in choices(draft) if column.required and column.name not in positions]
    if missing:
        raise BadColumns(_("Say which column is %(missing)s.") % {"missing": ", ".join(missing)})
    layout = replace(question.proposed, positions=dict(positions))
    draft.columns = written(layout)
    for _entry in open_draft(draft).entries:
        pass
    with transaction.atomic():
        draft.save(update_fields=["columns"])
        remember(question, product=draft.product, positions=layout.positions, chosen_by=chosen_by)
