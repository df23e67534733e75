"""Personal data that `ronda check` must see, and never show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ronda.check import check
from ronda.check_row import Check, Row
from ronda.check_table import as_text
from services.window import Night
from store.watch import Watch, open_watch

Watched = Callable[..., Watch]
Write = Callable[[Any], str]
CPF, MAIL, PHONE = "529.982.247-25", "ana@example.com", "(81) 98765-4321"


def found(checked: Check, what: str) -> list[Row]:
    return [row for row in checked.rows if row.what == what]


def one(checked: Check, what: str) -> Row:
    rows = found(checked, what)
    assert len(rows) == 1, rows
    return rows[0]


@pytest.mark.parametrize("place", ["category", "slice", "text", "metadata"])
@pytest.mark.parametrize(("kind", "value"), [("CPF", CPF), ("e-mail", MAIL), ("phone", PHONE)])
def test_planted_personal_data_is_found(
    in_parquet: Write,
    good: Any,
    with_column: Any,
    watched: Watched,
    night: Night,
    place: str,
    kind: str,
    value: str,
) -> None:
    """One value in one row: a category or slice fails, text and metadata that are left out warn; it is never shown."""
    rows = good["requests"].num_rows
    many = [f"note number {n} of many, all different" for n in range(rows)]
    planted = {
        "category": ["home"] * (rows - 1) + ["call " + value],
        "slice": ["home"] * (rows - 1) + [value],
        "text": [*many[:-1], "please " + value],
        "metadata": ['{"a": 1}'] * (rows - 1) + ['{"note": "' + value + '"}'],
    }[place]
    service = {
        "category": "",
        "slice": "",
        "text": "features: {rules: {extra: {type: text}}}\n",
        "metadata": "features: {not: [extra]}\n",
    }[place]
    watch = watched(in_parquet(with_column(good, "extra", planted)))
    file = watch.home.services / "eta.yaml"
    text = file.read_text().replace(
        "slices: [city]", f"slices: [city{', extra' if place == 'slice' else ''}]"
    )
    file.write_text(text + service)
    checked = check(open_watch("eta", watch.home), night)

    row = one(checked, "personal data, requests")
    assert row.found == f"`extra` looks like {kind} (in its values)"
    assert row.verdict == ("failed" if place in {"category", "slice"} else "warning")
    assert ("features: {not: [extra]}" in row.to_do) == checked.failed
    assert value not in as_text(checked, 200)


@pytest.mark.parametrize("name", ["customer_email", "cpf", "user_phone"])
def test_a_personal_name_is_refused_unless_left_out(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched, night: Night, name: str
) -> None:
    """A name is enough to fail; a column the service file leaves out is only told of."""
    watch = watched(in_parquet(with_column(good, name, "x")))
    refused = check(watch, night)
    with (watch.home.services / "eta.yaml").open("a") as file:
        file.write(f"features: {{not: [{name}]}}\n")
    left_out = check(open_watch("eta", watch.home), night)

    assert one(refused, "personal data, requests").verdict == "failed"
    assert one(left_out, "personal data, requests").verdict == "warning"
    assert not left_out.failed


def test_numbers_and_single_bare_values_are_looked_at(
    in_source: Write, good: Any, with_column: Any, watched: Watched, night: Night
) -> None:
    """A column of CPFs kept as numbers fails; one bare CPF in a category, which may be chance, is a warning."""
    rows = good["requests"].num_rows
    tables = with_column(good, "doc", [[52998224725, 11144477735, 12345678909][n % 3] for n in range(rows)])
    tables = with_column(tables, "code", ["a"] * (rows - 1) + ["52998224725"])
    checked = check(watched(in_source(tables)), night)

    assert [(row.found, row.verdict) for row in found(checked, "personal data, requests")] == [
        ("`doc` looks like CPF (in its values)", "failed"),
        ("`code` has values that could be CPF", "warning"),
    ]
    assert "52998224725" not in as_text(checked, 200)


def test_ids_that_are_personal_fail_and_user_ids_do_not(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched, night: Night
) -> None:
    """Ids of quarantined rows are kept, so they must not be e-mails; user ids are hashed."""
    rows = good["requests"].num_rows
    tables = with_column(good, "request_id", [f"user{n}@example.com" for n in range(rows)])
    tables = with_column(tables, "user_id", [f"user{n}@example.com" for n in range(rows)])
    rows_found = found(check(watched(in_parquet(tables)), night), "personal data, requests")

    assert [(row.found, row.verdict) for row in rows_found] == [
        ("`request_id` looks like e-mail (in its values)", "failed")
    ]


def test_feedback_values_are_looked_at(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched, night: Night
) -> None:
    """A comment with a phone number in it is told of; feedback values are never stored, so it does not fail."""
    tables = with_column(good, "value", f"call me {PHONE}", table="feedback")
    row = one(check(watched(in_parquet(tables)), night), "personal data, feedback")

    assert (row.found, row.verdict) == ("`value` looks like phone (in its values)", "warning")


def test_event_types_that_are_personal_are_not_listed(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched, night: Night
) -> None:
    """Someone wrote e-mails where types should be: they are counted, and neither listed nor suggested."""
    watch = watched(in_parquet(with_column(good, "type", "thumb@example.com", table="feedback")))
    checked = check(watch, night)

    assert one(checked, "feedback events").found == "2024-05-05 to 2024-05-06: 60 events of 1 types or more"
    assert one(checked, "personal data, feedback").verdict == "failed"
    assert "thumb@" not in as_text(checked, 200)


def test_a_column_of_too_many_values_is_no_category(
    in_parquet: Write,
    good: Any,
    with_column: Any,
    watched: Watched,
    monkeypatch: pytest.MonkeyPatch,
    night: Night,
) -> None:
    """It is shown as ignored, and e-mails in it are a warning since its values are never kept."""
    monkeypatch.setattr("ronda.check_requests.MOST_VALUES", 20)
    tables = with_column(good, "note", [f"a{n}@example.com" for n in range(120)])
    checked = check(watched(in_parquet(tables)), night)

    note = next(column for column in checked.columns if column.name == "note")
    assert (note.taken_for, note.why) == ("ignored", "too many different values")
    assert one(checked, "personal data, requests").verdict == "warning"


def test_a_slice_is_kept_though_it_is_no_feature(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched, night: Night
) -> None:
    """Leaving a column out of the features does not help while it is a slice: its values stand on pages."""
    watch = watched(in_parquet(with_column(good, "contact", MAIL)))
    file = watch.home.services / "eta.yaml"
    text = file.read_text().replace("slices: [city]", "slices: [city, contact]")
    file.write_text(text + "features: {not: [contact]}\n")
    row = one(check(open_watch("eta", watch.home), night), "personal data, requests")

    assert (row.verdict, row.found) == ("failed", "`contact` looks like e-mail (in its values)")
