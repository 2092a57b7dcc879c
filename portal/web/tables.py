"""Rows of a list; on a telephone every row becomes a card, see portal.css."""

from collections.abc import Iterator
from typing import Any

import django_tables2 as tables

LOOK = {"class": "table table-vcenter table-hover mb-0"}


class Rows(tables.Table):
    """A table of columns made by `column`; each has its `render_<name>(record)`.

    django_tables2 would find out anew for every cell what that method and its attributes are to be given, which took
    most of the time of a page.
    """

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, template_name="includes/rows.html", **kwargs)

    def cells(self) -> Iterator[list[tuple[str, Any]]]:
        """Yield each row's cells, with the labels that they carry along."""
        columns = [(str(column.header), getattr(self, f"render_{column.name}")) for column in self.columns]
        for record in self.data:
            yield [(label, render(record=record)) for label, render in columns]


def column(label: Any, **kwargs: Any) -> tables.Column:
    """Make a column that is rendered for every row, and carries its label along for telephones."""
    return tables.Column(
        verbose_name=label, orderable=False, empty_values=(), attrs={"td": {"data-label": label}}, **kwargs
    )
