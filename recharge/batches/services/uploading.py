"""Taking a list: what is small is read at once, what is larger is left to a worker."""

import hashlib
from pathlib import PurePath

from django.contrib.auth.models import User
from django.db import transaction

from portal.sheets import ColumnsUnsure, Layout
from portal.sheets.kinds import kind_of
from recharge.choices import Product
from recharge.core.errors import Outdated
from recharge.models import BatchDraft, BatchMaking

from . import judging, number_checks
from .columns.memory import said_before
from .list_reading import ReadList, is_short, open_list, written
from .reading import open_draft, packed

READ_AT_ONCE = 2_000
"""Orders that may come of a list that is read and judged while the person waits."""

BYTES_READ_AT_ONCE = 512 * 1024
"""Of a larger file, even counting its lines may take longer than that."""

NAME_LIMIT = 200


def keep_upload(
    *,
    content: bytes,
    file_name: str,
    product: Product,
    uploaded_by: User,
    value_for_all: int | None = None,
    purpose_for_all: str = "",
    reference_for_all: str = "",
) -> BatchDraft:
    """Keep a list for looking at it. A small one has been found to be readable from its first to its last line.

    A larger one is read by a worker, who tells where it can't be read, see `judging`. Where a person has to say which
    of its columns is which, it is kept as it is; opening it asks.

    Args:
        content: the file, or a pasted text in UTF-8.
        file_name: its name, "" for a pasted text.
        product: what its lines are about.
        uploaded_by: the person, who alone may look at it.
        value_for_all: the value, in yuan, of lines that have none; None for none.
        purpose_for_all: the purpose of slow lines that have none.
        reference_for_all: the customer's reference of slow lines that have none.

    Raises:
        UnreadableSheet: it can't be read.
    """
    kind_of(content, file_name)
    chosen: Layout | None = None
    is_small = len(content) <= BYTES_READ_AT_ONCE
    if is_small:
        try:
            found, chosen = open_remembered(content, file_name=file_name, product=product, value_for_all=value_for_all)
        except ColumnsUnsure:
            pass
        else:
            is_small = is_short(found, READ_AT_ONCE)
    with transaction.atomic():
        draft = BatchDraft.objects.create(
            product=product,
            file_name=_shortened(file_name),
            digest=hashlib.sha256(content).hexdigest(),
            content=packed(content),
            value_for_all=value_for_all,
            purpose_for_all=purpose_for_all,
            reference_for_all=reference_for_all,
            columns=written(chosen) if chosen else None,
            uploaded_by=uploaded_by,
        )
        if not is_small:
            judging.begin(draft)
        number_checks.begin(draft)
    return draft


def open_remembered(
    content: bytes, *, file_name: str, product: str, value_for_all: int | None
) -> tuple[ReadList, Layout | None]:
    """Open a list as `open_list` does, by the columns that a person named in the last one of its shape.

    Returns:
        The list, and its layout where that was remembered.

    Raises:
        ColumnsUnsure: a person has to tell the layout.
        UnreadableSheet: it can't be read; this may come after entries have come.
    """
    try:
        return open_list(content, file_name=file_name, product=product, value_for_all=value_for_all), None
    except ColumnsUnsure as question:
        chosen = said_before(question, product=product, value_for_all=value_for_all)
        if chosen is None:
            raise
    opened = open_list(content, file_name=file_name, product=product, value_for_all=value_for_all, chosen=chosen)
    return opened, chosen


def use_quantities(*, draft: BatchDraft, wanted: bool) -> None:
    """Let a line of a list become as many orders as its quantity says, or let more than one be a problem again.

    Args:
        draft: the list; a large one is judged anew by a worker.
        wanted: whether.

    Raises:
        Outdated: a batch is being made of it, or has been.
        UnreadableSheet: a small one can't be read.
    """
    draft.quantities = wanted
    is_large = needs_worker(draft)
    with transaction.atomic():
        read_otherwise(draft, quantities=wanted)
        if is_large:
            judging.begin(draft)
        number_checks.begin(draft)


def read_otherwise(draft: BatchDraft, **columns: object) -> None:
    """Write down how a list is to be read, in the caller's transaction, while no batch is being made of it.

    Args:
        draft: the list.
        columns: what changes in its row.

    Raises:
        Outdated: a batch is being made of it, or has been.
    """
    kept = BatchDraft.objects.filter(pk=draft.pk)
    kept.select_for_update().first()  # whoever begins a batch of it locks it, too: what follows sees that batch
    if BatchMaking.objects.filter(draft=draft).exists() or not kept.update(**columns):
        raise Outdated


def needs_worker(draft: BatchDraft) -> bool:
    """Say whether a list is too large to be judged while a person waits.

    Raises:
        UnreadableSheet: a small one can't be read from its first to its last line.
    """
    return judging.reading_of(draft) is not None or not is_short(open_draft(draft), READ_AT_ONCE)


def _shortened(file_name: str) -> str:
    """Shorten a name to what a column holds; it keeps its end, by which the sheet is read again."""
    path = PurePath(file_name)
    stem = path.stem[: max(0, NAME_LIMIT - len(path.suffix))]
    return (stem + path.suffix)[:NAME_LIMIT] if file_name else ""
