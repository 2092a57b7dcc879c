"""Rows of a list; on a telephone every row becomes a card, see portal.css."""

from typing import Any

import django_tables2 as tables

LOOK = {"class": "table table-vcenter table-hover mb-0"}


def column(label: Any, **kwargs: Any) -> tables.Column:
    """Make a column that is rendered for every row, and carries its label along for telephones."""
    return tables.Column(
        verbose_name=label, orderable=False, empty_values=(), attrs={"td": {"data-label": label}}, **kwargs
    )
