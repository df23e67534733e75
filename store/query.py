"""A user's extraction query: its text with the window filled in, and whether it keeps to the window."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from services.window import Window

REQUESTS, FEEDBACK, TRAINING, STAGED = "ronda_requests", "ronda_feedback", "ronda_training", "ronda_staged"
"""Names of the canonical views, and of the relation that a single pass reads."""
GUARD = "ronda_guard"
"""Name of the view over a guard's query. A source holds one: the names of two may be alike in their first 50 signs."""

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class Query:
    """One extraction query, ready to run in its source's own dialect.

    Attributes:
        text: the SQL with its placeholders filled in.
        window: the nights it was filled in for.
        bounded: it names a placeholder and so promises to return these nights only: a row outside is
            quarantined. Without one, its rows are cut to the window by their time.
        file: where the query stands, for messages.
    """

    text: str
    window: Window
    bounded: bool
    file: str


def filled(template: str, window: Window, file: str) -> Query:
    """Fill `{start}`, `{end}`, `{first_night}` and `{last_night}` with typed UTC literals.

    Nothing else in the query is touched, so braces of JSON paths stay as they are.

    >>> from services.window import night_of
    >>> night = night_of(date(2013, 6, 24), "America/New_York")
    >>> filled("SELECT 1 WHERE t >= {start} AND d = {first_night};", night, "q.sql").text
    "SELECT 1 WHERE t >= TIMESTAMPTZ '2013-06-24 04:00:00+00:00' AND d = DATE '2013-06-24'"
    """
    literals = {
        "{start}": _instant(window.start),
        "{end}": _instant(window.end),
        "{first_night}": _day(window.first),
        "{last_night}": _day(window.last),
    }
    text = template
    for token, literal in literals.items():
        text = text.replace(token, literal)
    bounded = any(token in _COMMENT.sub("", template) for token in literals)  # a remark promises nothing
    return Query(text.strip().rstrip("; \t\r\n"), window, bounded=bounded, file=file)


def first_rows(view: str, columns: Sequence[str], most: int) -> sa.Select[Any]:
    """The first rows of a view that should have fewer, its columns as doubles: an engine's decimals would be text."""
    table = sa.table(view, *[sa.column(name) for name in columns])
    doubles: list[Any] = [sa.cast(table.c[name], sa.Double()).label(name) for name in columns]
    return sa.select(*doubles).limit(most)


def _instant(moment: datetime) -> str:
    return f"TIMESTAMPTZ '{moment.isoformat(sep=' ')}'"


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"
