"""A real night of flights, from log to page and dataset, through every kind of source."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from demo.flight_delay import write_duckdb, write_postgres
from feedback.night import mature
from monitoring.freeze import freeze
from monitoring.night import judge, run
from monitoring.records import ALL_ROWS
from ronda import released
from services.home import home_from
from services.window import night_of, window_between
from store.watch import Watch, open_watch

ROOT = Path(__file__).resolve().parents[2]
ZONE = "America/New_York"
NOW = datetime(2013, 8, 1, tzinfo=UTC)
JUNE_24 = night_of(date(2013, 6, 24), ZONE)


@pytest.fixture
def watch(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """The service as it is shipped, with a home of its own and the training quarter's reference."""
    for part in ("services", "sql"):
        shutil.copytree(
            ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "migrations", "*.py")
        )
    monkeypatch.setenv("RONDA_HOME", str(tmp_path))
    monkeypatch.setenv("FLIGHTS_URL", str(folder))
    made = open_watch("flight_delay", home_from())
    freeze(made, "2013-03-31", window_between(date(2013, 1, 1), date(2013, 3, 31), ZONE), NOW)
    return made


def test_identical_cells_from_parquet_duckdb_and_postgres(
    watch: Watch, june: Path, tmp_path: Path, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 June has the same cells, findings and numbers whichever source it is read from."""
    write_duckdb(june, tmp_path / "june.duckdb")
    write_postgres(june, postgres_database)
    expected = judge(watch, JUNE_24)
    assert expected.counted.reasons == {"kept": 994}
    for url in (str(tmp_path / "june.duckdb"), postgres_database):
        monkeypatch.setenv("FLIGHTS_URL", url)
        found = judge(open_watch("flight_delay", home_from()), JUNE_24)
        assert found.counted.cells.equals(expected.counted.cells)
        assert (found.findings, found.numbers) == (expected.findings, expected.numbers)


def test_a_night_in_june_is_warmer_than_the_winter_it_was_trained_on(watch: Watch) -> None:
    """The real night drifts where it must: temperature far beyond its floor, distance not at all, calendar never."""
    findings = {
        f.feature: f
        for f in judge(watch, JUNE_24).findings
        if f.measure == "distribution" and f.slice == ALL_ROWS
    }
    assert findings["temp"].verdict == "drifted"
    assert findings["temp"].current_value == pytest.approx(83.5, abs=0.3)
    assert findings["distance"].verdict == "stable"
    assert not {"sched_hour", "weekday", "month"} & findings.keys()


def test_outcomes_and_release_of_real_nights(watch: Watch) -> None:
    """13 June matures with the night of the 14th: 69.5 % late. Two nights make one release, the same when made again."""
    for day in (13, 14):
        assert mature(watch, night_of(date(2013, 6, day), ZONE), NOW) is not None
    written = run(watch, night_of(date(2013, 6, 14), ZONE), NOW)
    outcome = written.judged.past.outcome
    assert outcome is not None
    assert (outcome.night, round(outcome.positive / outcome.mature, 3)) == (date(2013, 6, 13), 0.695)

    window = window_between(date(2013, 6, 12), date(2013, 6, 13), ZONE)
    first, again = (released.make(watch, window, NOW) for _ in range(2))
    assert (first.is_new, again.is_new) == (True, False)
    assert (first.row.version, first.row.manifest_sha) == (again.row.version, again.row.manifest_sha)
    assert first.row.rows_read == sum(first.counts.values()) == 983 + 989
    assert first.row.rows_kept == first.counts["kept"]
