"""`ronda check` on guards: what each query gives for the night, in one row each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from ronda.check import check
from ronda.check_row import Row
from services.window import Night, night_of
from store.watch import Watch, open_watch

Watched = Callable[..., Watch]
Write = Callable[[Any], str]
INSIDE = "FROM requests WHERE time >= {start} AND time < {end}"
SHARE = f"SELECT count(*) FILTER (WHERE city = 'Recife') AS numerator, count(*) AS denominator {INSIDE}"


@pytest.fixture
def guarded(in_source: Write, good: Any, watched: Watched) -> Callable[..., Watch]:
    """The good service with guards: name -> (query, further keys)."""

    def watch(**guards: tuple[str, str]) -> Watch:
        home = watched(in_source(good)).home
        lines = []
        for name, (text, keys) in guards.items():
            (home.root / "sql" / "eta" / f"{name}.sql").write_text(text)
            lines.append(f"  {name}: {{query: sql/eta/{name}.sql{keys}}}\n")
        with (home.services / "eta.yaml").open("a") as file:
            file.write("guards:\n" + "".join(lines))
        return open_watch("eta", home)

    return watch


def rows_of(watch: Watch, night: Night) -> list[Row]:
    return [row for row in check(watch, night).rows if row.what.startswith("guard ")]


def test_each_guard_says_what_it_gives(guarded: Callable[..., Watch], night: Night) -> None:
    """A share with its whole, an amount as a number, and which way is worse; from every kind of source."""
    amount = (f"SELECT sum(minutes) AS value {INSIDE}", ", worse: up")

    assert rows_of(guarded(recife=(SHARE, ", worse: either"), minutes=amount), night) == [
        Row("guard recife", "2024-05-06: 33.3\xa0% of 60; worse either way"),
        Row("guard minutes", "2024-05-06: 1,270; worse when higher"),
    ]


def test_a_guard_that_fails_hides_no_other(guarded: Callable[..., Watch], night: Night) -> None:
    """What the source refuses and what is no row of a guard are failed rows; the next is still asked."""
    watch = guarded(
        broken=(f"SELECT count(nope) AS value {INSIDE}", ""),
        negative=(f"SELECT -4 AS value {INSIDE} LIMIT 1", ""),
        recife=(SHARE, ""),
    )
    broken, negative, recife = rows_of(watch, night)

    assert (broken.verdict, negative.verdict, recife.verdict) == ("failed", "failed", "ok")
    assert "sql/eta/broken.sql (guard broken)" in broken.found
    assert "Run `ronda check" not in broken.found
    assert "guard `negative`: sql/eta/negative.sql yields -4 as `value`" in negative.found
    assert check(watch, night).failed


def test_small_counts_are_not_written(guarded: Callable[..., Watch], night: Night) -> None:
    """A share of few, and an amount that may be a count of people."""
    few = f"SELECT count(*) AS value {INSIDE} AND minutes < 3"
    part = f"SELECT count(*) FILTER (WHERE minutes < 3) AS numerator, count(*) AS denominator {INSIDE}"
    share, amount = rows_of(guarded(few=(part, ""), people=(few, "")), night)

    assert share.found == "2024-05-06: <16.7\xa0% of 60; worse when lower"
    assert amount.found == "2024-05-06: <10; worse when lower"


def test_a_night_with_nothing_to_count(guarded: Callable[..., Watch]) -> None:
    """No share is a warning and no failure; the night may be empty."""
    [row] = rows_of(guarded(recife=(SHARE, "")), night_of(date(2020, 1, 1), "UTC"))

    assert (row.verdict, row.found) == ("warning", "2020-01-01: no share, as `denominator` is 0")


def test_a_floor_no_share_can_pass(guarded: Callable[..., Watch], night: Night) -> None:
    """Two points written as `2` would silence the guard for ever."""
    [row] = rows_of(guarded(recife=(SHARE, ", floor: 2")), night)

    assert row.verdict == "warning"
    assert "No share moves by 2: write points, such as 0.02 for two, in `guards.recife.floor`." in row.to_do


def test_a_log_without_nights_asks_no_guard(guarded: Callable[..., Watch]) -> None:
    """There is no night to ask about, which is said already."""
    rows = check(guarded(recife=(SHARE, "")), None).rows

    assert [row.what for row in rows if row.what.startswith("guard ")] == []
    assert "log" in {row.what for row in rows}
