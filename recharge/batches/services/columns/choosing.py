"""A person says which column of a list is which, once for all lists of the same shape."""

from collections.abc import Mapping
from dataclasses import replace

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from portal.kit.lists import listed
from portal.sheets import Column, ColumnsUnsure
from recharge.models import BatchDraft

from .. import number_checks
from ..judging import begin
from ..list_reading import layout_of, open_list, written
from ..reading import unpacked
from ..uploading import needs_worker, read_otherwise
from .memory import remember
from .names import wanted


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
        Outdated: a batch is being made of the list, or has been.
        UnreadableSheet: a small list can't be read from its first to its last line; a large one is left to a worker.
    """
    question = question_of(draft)
    if question is None:
        return
    missing = [column.title for column in choices(draft) if column.required and column.name not in positions]
    if missing:
        raise BadColumns(_("Say which column is %(missing)s.") % {"missing": listed(missing)})
    layout = replace(question.proposed, positions=dict(positions))
    draft.columns = written(layout)
    is_large = needs_worker(draft)
    with transaction.atomic():
        read_otherwise(draft, columns=draft.columns)
        if is_large:
            begin(draft)
        number_checks.begin(draft)
        remember(question, product=draft.product, positions=layout.positions, chosen_by=chosen_by)
