"""Extraction queries: what is filled in, what is left alone, and when a query promises its window."""

from __future__ import annotations

from datetime import date

import pytest

from services.window import night_of, window_between
from store.query import filled

NIGHT = night_of(date(2013, 3, 10), "America/New_York")  # 23 hours


def test_every_placeholder_becomes_a_typed_utc_literal() -> None:
    """Instants are the night's bounds in UTC, dates the local ones; each place is filled."""
    query = filled("{start} {end} {start} {first_night} {last_night}", NIGHT, "q.sql")
    assert query.text == (
        "TIMESTAMPTZ '2013-03-10 05:00:00+00:00' TIMESTAMPTZ '2013-03-11 04:00:00+00:00' "
        "TIMESTAMPTZ '2013-03-10 05:00:00+00:00' DATE '2013-03-10' DATE '2013-03-10'"
    )
    assert (query.bounded, query.file, query.window) == (True, "q.sql", NIGHT)


def test_a_window_names_its_first_and_last_night() -> None:
    """A reference's query reads from its first to its last night, both included."""
    window = window_between(date(2013, 1, 1), date(2013, 3, 31), "America/New_York")
    assert filled("{first_night}{last_night}", window, "q").text == "DATE '2013-01-01'DATE '2013-03-31'"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '{\"a\": 1}'",
        "SELECT x ->> '{b,c}' FROM t",
        "SELECT '%s' || '$1' || :x, {}, {Start}",
        "SELECT 'a;b'",
    ],
)
def test_the_rest_of_a_query_is_not_touched(text: str) -> None:
    """Braces of JSON, percent signs and dollars are the user's own, and without a placeholder nothing is promised."""
    query = filled(text, NIGHT, "q.sql")
    assert (query.text, query.bounded) == (text, False)


@pytest.mark.parametrize("end", [";", ";\n", " ; ;", "\n\n;  \n"])
def test_a_closing_semicolon_goes(end: str) -> None:
    """The query becomes a view, where a semicolon would end it too early."""
    assert filled(f"SELECT 1{end}", NIGHT, "q.sql").text == "SELECT 1"


@pytest.mark.parametrize(
    ("text", "bounded"),
    [
        ("SELECT 1 -- WHERE t >= {start}", False),
        ("SELECT 1 /* between\n{start} and {end} */ FROM t", False),
        ("SELECT 1 -- all of it\nWHERE t >= {start}", True),
    ],
)
def test_a_remark_promises_nothing(text: str, bounded: bool) -> None:
    """A placeholder in a comment bounds no rows: otherwise the whole log would be outside the night."""
    assert filled(text, NIGHT, "q.sql").bounded is bounded
