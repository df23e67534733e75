"""`ronda check` and `ronda reference` name the crosses of a service, and say what one of them lacks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from monitoring.freeze import freeze
from ronda import chosen
from ronda.check import check, check_live
from services.window import Night, window_between
from store.watch import Watch, open_watch

Watched = Callable[..., Watch]
Write = Callable[[Any], str]
NOW = datetime(2024, 5, 7, 9, 0, tzinfo=UTC)


def crossed(watch: Watch, slices: str = "[city, model_version, city*model_version]") -> Watch:
    """The service with other slices."""
    file = watch.home.services / "eta.yaml"
    file.write_text(file.read_text().replace("slices: [city]", f"slices: {slices}"))
    return open_watch("eta", watch.home)


def test_a_cross_is_named(in_source: Write, good: Any, watched: Watched, night: Night) -> None:
    """It is a slice beside the columns of the view, on every kind of source, and nothing fails."""
    checked = check(crossed(watched(in_source(good))), night)
    own = [column for column in checked.columns if column.name == "city × model_version"]

    assert not checked.failed
    assert [(each.view, each.taken_for, each.why) for each in own] == [
        ("requests", "slice", "cross of `city`, `model_version`; at most its 100 commonest cells")
    ]


def test_a_cross_that_lacks_a_part(in_parquet: Write, good: Any, watched: Watched, night: Night) -> None:
    """The column that is missing fails, and so does each cross of it, with what to do."""
    checked = check(crossed(watched(in_parquet(good)), "[city, app, city*app]"), night)
    rows = [(row.found, row.verdict, row.to_do) for row in checked.rows if row.what == "columns, requests"]

    assert rows[0][:2] == ("`slices` names `app`, which is no column", "failed")
    assert rows[1:] == [
        (
            "`city × app` of `slices` lacks `app`",
            "failed",
            "Add what it lacks to sql/eta/requests.sql, or take it out of `slices`.",
        )
    ]


def test_a_training_view_lists_no_cross(in_parquet: Write, good: Any, watched: Watched) -> None:
    """A cross is of the log: it is named once."""
    watch = crossed(watched(in_parquet(good), training="SELECT request_id, time, minutes FROM requests"))
    checked = check_live(watch, NOW)

    assert [column.view for column in checked.columns if "×" in column.name] == ["requests"]


def test_a_reference_says_what_its_crosses_are(
    in_parquet: Write, good: Any, with_column: Any, watched: Watched
) -> None:
    """With how many cells each has; one of a personal column is left out, and why is said."""
    mail = [f"ana{n % 7}@example.com" for n in range(120)]
    text = "[city, model_version, contact, city*model_version, city*contact]"
    watch = crossed(watched(in_parquet(with_column(good, "contact", mail))), text)
    file = watch.home.services / "eta.yaml"
    file.write_text(file.read_text() + "enough: {rows: 10}\n")
    watch = open_watch("eta", watch.home)
    night = datetime(2024, 5, 5, tzinfo=UTC).date(), datetime(2024, 5, 6, tzinfo=UTC).date()
    made = freeze(watch, "v1", window_between(*night, "UTC"), NOW)
    lines = [line.strip() for line in chosen.text(made, "UTC").splitlines()]

    assert chosen.plain(made)["slices"] == {"city": 3, "model_version": 1, "city × model_version": 3}
    assert "slices     city (3), city × model_version (3), model_version (1)" in lines
    assert "left out   city × contact: personal data e mail" in lines
