"""`ronda check`: each row of its table, on each kind of source where they could differ."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from ronda.check import check, check_live, newest_night
from ronda.check_row import Check, Row
from ronda.check_table import as_text
from services.window import Night, night_of
from store.references import ReferenceRow, add_reference
from store.state import writing
from store.watch import Watch, open_watch

Watched = Callable[..., Watch]
Write = Callable[[Any], str]
NOW = datetime(2024, 5, 7, 9, 0, tzinfo=UTC)


def found(checked: Check, what: str) -> list[Row]:
    return [row for row in checked.rows if row.what == what]


def one(checked: Check, what: str) -> Row:
    rows = found(checked, what)
    assert len(rows) == 1, rows
    return rows[0]


def verdicts(checked: Check) -> dict[str, str]:
    return {row.what: row.verdict for row in checked.rows}


def test_a_good_service_is_all_well_but_for_its_reference(
    in_source: Write, good: Any, watched: Watched, night: Night
) -> None:
    """Every row there is, with the same words from Parquet, DuckDB and PostgreSQL; nothing fails."""
    source = in_source(good)
    checked = check(watched(source, training="SELECT * FROM requests"), night)

    assert [(row.what, row.verdict, row.found) for row in checked.rows[1:]] == [
        ("requests query", "ok", "sql/eta/requests.sql yields 7 columns"),
        ("rows of 2024-05-06", "ok", "60 read, all kept"),
        ("ids", "ok", "none occurs twice"),
        ("rows without a time", "ok", "none"),
        ("features", "ok", "2: `city`, `minutes`"),
        ("personal data, requests", "ok", "none seen in 7 columns, by name or in the rows looked at"),
        ("reference", "warning", "none of model version v1"),
        ("feedback query", "ok", "sql/eta/feedback.sql yields 6 columns"),
        ("feedback events", "ok", "2024-05-05 to 2024-05-06: `thumb` 60"),
        ("outcome", "ok", "`value == down` can be asked of all values"),
        ("feedback join", "ok", "2024-05-05: 50.0\xa0% of 60 requests have a `thumb` in time"),
        ("personal data, feedback", "ok", "none seen in 6 columns, by name or in the rows looked at"),
        ("training query", "ok", "sql/eta/training.sql yields 7 columns"),
        ("training join", "ok", "2024-05-06: 100.0\xa0% of 60 requests have a row"),
        ("personal data, training", "ok", "none seen in 7 columns, by name or in the rows looked at"),
    ]
    assert not checked.failed
    assert one(checked, "reference").to_do.endswith(
        "ronda reference eta --model-version v1 --from DATE --to DATE"
    )
    taken = {
        column.name: (column.engine, column.taken_for)
        for column in checked.columns
        if column.view == "requests"
    }
    assert taken == {
        "request_id": ("category", "id"),
        "time": ("time", "time"),
        "city": ("category", "category feature"),
        "minutes": ("number", "number feature"),
        "prediction": ("number", "operation (number)"),
        "model_version": ("category", "deployment"),
        "status": ("category", "operation (category)"),
    }


def test_a_reference_of_the_version_is_found(
    in_parquet: Write, good: Any, watched: Watched, night: Night
) -> None:
    """The one of the version that was seen is named with its last day; one of another version is no substitute."""
    watch = watched(in_parquet(good))
    row = ReferenceRow("eta", "v0", "a" * 64, "training", night.start, night.end, 1, 1, "p", "{}", NOW)
    with writing(watch.state) as connection:
        add_reference(connection, row)
    other = one(check(watch, night), "reference")
    with writing(watch.state) as connection:
        add_reference(connection, ReferenceRow(**{**vars(row), "model_version": "v1"}))
    own = one(check(watch, night), "reference")

    assert (other.verdict, other.found) == (
        "warning", "none of model version v1; nights are compared with that of v0",
    )  # fmt: skip
    assert (own.verdict, own.found) == ("ok", "model version v1: 2024-05-06 to 2024-05-06, frozen")


@pytest.mark.parametrize(
    ("requests", "what", "told", "advice"),
    [
        ("SELECT * FROM request", "requests query", "request", "Mend it"),
        ("SELECT *, nope FROM requests", "requests query", "nope", "Mend it"),
        ("SELECT time, city FROM requests", "columns, requests", "yields no `request_id`", "AS request_id"),
        (
            "SELECT request_id, city, CAST(time AS TEXT) AS time FROM requests",
            "columns, requests",
            "`time` is a category, not a time",
            "CAST(time AS TIMESTAMPTZ)",
        ),
        (
            "SELECT request_id, time, minutes AS citty FROM requests",
            "columns, requests",
            "`slices` names `city`, which is no column",
            "Did you mean `citty`?",
        ),
    ],
)
def test_what_is_missing_is_a_failed_row(
    in_source: Write,
    good: Any,
    watched: Watched,
    night: Night,
    requests: str,
    what: str,
    told: str,
    advice: str,
) -> None:
    """A missing table or column, or a wrong type, is a row with what to do and not a traceback."""
    checked = check(watched(in_source(good), requests=requests), night)

    row = one(checked, what) if what != "requests query" else found(checked, what)[-1]
    assert row.verdict == "failed"
    assert told in row.found
    assert advice in row.to_do
    assert checked.failed


def test_an_unreachable_source_hides_its_password(watched: Watched, night: Night) -> None:
    """The table says where the source should be, and never the password."""
    checked = check_live(watched("postgresql://ronda:hunter2@127.0.0.1:1/log"), NOW)

    assert checked.rows[0].found == "PostgreSQL, postgresql://ronda:***@127.0.0.1:1/log"
    assert checked.rows[1].verdict == "failed"
    assert "127.0.0.1:1/log" in checked.rows[1].found
    assert "cannot be reached" in checked.rows[1].found
    assert "hunter2" not in as_text(checked, 200)


def test_rows_are_read_as_a_night_reads_them(
    in_source: Write, good: Any, watched: Watched, night: Night
) -> None:
    """Duplicates, rows without a time, and rows a rule sets aside are counted, small counts as <10."""
    table = good["requests"]
    untimed = table.slice(0, 3).set_column(1, "time", pa.array([None] * 3, pa.timestamp("us", "UTC")))
    tables = {**good, "requests": pa.concat_tables([table, table.slice(60, 12), untimed])}
    rules = "features: {rules: {minutes: {max: 45}, city: {type: category}}}\n"
    watch = watched(in_source(tables))
    with (watch.home.services / "eta.yaml").open("a") as file:
        file.write(rules)
    checked = check(open_watch("eta", watch.home), night)

    assert one(checked, "rows of 2024-05-06").found == (
        "about 70 read; set aside: minutes above its greatest value <10, id seen more than once 12"
    )
    assert one(checked, "ids").found == "12 rows repeat an id"
    assert one(checked, "rows without a time").found == "<10"
    assert {verdicts(checked)[what] for what in ("rows of 2024-05-06", "ids", "rows without a time")} == {
        "warning"
    }


def test_declared_types_are_held_against_the_source(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched, night: Night
) -> None:
    """Text declared a number sets its words aside; a time declared a number fails."""
    tables = with_column(good, "weight", ["1.5", "heavy"] * 60)
    watch = watched(in_parquet(tables), requests="SELECT *, time AS at FROM requests")
    rules = "features: {rules: {weight: {type: number}, at: {type: number}, wait: {min: 0}}}\n"
    with (watch.home.services / "eta.yaml").open("a") as file:
        file.write(rules)
    checked = check(open_watch("eta", watch.home), night)
    with (watch.home.services / "eta.yaml").open("r+") as file:
        text = file.read().replace("at: {type: number}, ", "")
        file.seek(0)
        file.truncate()
        file.write(text)
    mended = check(open_watch("eta", watch.home), night)

    assert one(checked, "types").found == "`at` is declared a number; the source has a time"
    assert one(checked, "columns, requests").found == "`features.rules` names `wait`, which is no column"
    assert checked.failed
    assert not mended.failed
    assert "weight is of the wrong type 30" in one(mended, "rows of 2024-05-06").found


def test_an_empty_night_is_no_crash(in_source: Write, good: Any, watched: Watched) -> None:
    """A night without rows is told; it need not be the configuration's fault."""
    checked = check(watched(in_source(good)), night_of(date(2020, 1, 1), "UTC"))

    assert (one(checked, "rows of 2020-01-01").found, checked.failed) == ("none", False)
    assert one(checked, "feedback events").verdict == "warning"


def test_the_newest_night_that_is_over(in_source: Write, good: Any, watched: Watched) -> None:
    """By default the newest night whose end has come; found also when it is long past, and none in an empty log."""
    watch = watched(in_source(good))

    def newest(moment: str) -> date | None:
        night = newest_night(watch, datetime.fromisoformat(moment))
        return night.date if night else None

    assert newest("2024-05-07T00:00Z") == date(2024, 5, 6)
    assert newest("2024-05-06T23:59Z") == date(2024, 5, 5)
    assert newest("2026-01-01T00:00Z") == date(2024, 5, 6)
    assert newest("2024-05-05T00:00Z") is None
    assert check_live(watch, NOW).night == date(2024, 5, 6)


def test_a_log_without_nights_is_told(in_parquet: Write, good: Any, watched: Watched) -> None:
    """Columns are still looked at."""
    checked = check_live(watched(in_parquet(good)), datetime(2024, 5, 1, tzinfo=UTC))

    assert one(checked, "log").verdict == "warning"
    assert len([column for column in checked.columns if column.view == "requests"]) == 7


@pytest.mark.parametrize("width", [80, 120])
def test_hostile_names_are_shown_and_not_obeyed(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched, night: Night, width: int
) -> None:
    """Markup, quotes, new lines and control signs in a column's name stay text, and no line is too wide."""
    tables = with_column(good, "[red]x[/red]", 1.0)
    tables = with_column(tables, 'say "hi"; DROP TABLE\n\x1b[31m', "a")
    shown = as_text(check(watched(in_parquet(tables)), night), width)

    assert "[red]x[/red]" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= width
    assert "eta, 2024-05-06: 1 warning; nothing failed." in shown
