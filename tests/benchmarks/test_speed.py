"""The speed run on a few rows: what it prints, and that what it times is what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks import speed
from benchmarks.speed_log import CATEGORIES, COLUMNS, FEATURES, JUDGED, SERVICE, TRAINED, home_at, log_file

ROWS = 2000
KEYS = [
    "rows", "features", "ronda_seconds", "night_seconds", "parts", "ronda_with_evidently_seconds",
    "evidently_seconds", "scan_seconds", "ratio_to_evidently", "ratio_to_evidently_with_comparison", "ratio_to_scan",
    "peak_rss_mb", "peak_rss_without_evidently_mb", "evidently_peak_rss_mb", "import_seconds", "runs", "cores",
    "versions",
]  # fmt: skip


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """What the whole command prints as JSON, on few rows."""
    command = [sys.executable, "-m", "benchmarks.speed", "--rows", str(ROWS), "--runs", "1", "--json"]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=Path(speed.__file__).parents[1]
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the log of the speed run and its frozen reference."""
    from benchmarks.speed_flights import measure

    folder = tmp_path_factory.mktemp("speed")
    measure(folder, ROWS, 1)
    return folder


@pytest.fixture
def rows_of(log: Path) -> Callable[[Any], pa.Table]:
    """The rows of a night of the log."""
    return lambda night: pq.ParquetFile(log_file(log, night)).read()


def test_json_holds_every_number_that_is_asked_for(result: dict[str, Any]) -> None:
    """Standard output is one JSON object with these keys and no others; progress goes to standard error."""
    assert list(result) == KEYS
    assert (result["rows"], result["features"]) == (ROWS, 20)
    assert list(result["parts"]) == ["statement", "duplicates", "sample", "profile", "findings"]
    assert list(result["import_seconds"]) == ["ronda", "evidently"]
    assert list(result["versions"]) == [
        "python",
        "ronda",
        "evidently",
        "duckdb",
        "pandas",
        "numpy",
        "pyarrow",
    ]


def test_every_number_was_measured(result: dict[str, Any]) -> None:
    """No time, ratio or peak is zero; ratios are those of the seconds beside them."""
    numbers = [result[key] for key in KEYS if isinstance(result[key], float)]
    assert min([*numbers, *result["parts"].values(), *result["import_seconds"].values()]) > 0
    assert result["ratio_to_evidently"] == pytest.approx(
        result["evidently_seconds"] / result["ronda_seconds"]
    )
    assert result["ratio_to_evidently_with_comparison"] == pytest.approx(
        result["evidently_seconds"] / result["ronda_with_evidently_seconds"]
    )
    assert result["ratio_to_scan"] == pytest.approx(result["ronda_seconds"] / result["scan_seconds"])


def test_memory_is_of_the_part_alone(result: dict[str, Any]) -> None:
    """Evidently's import shows in ronda's peak only after it, so neither part inherits the other's."""
    assert 50 < result["peak_rss_without_evidently_mb"] < result["peak_rss_mb"] < 1000


def test_parent_imports_nothing_large() -> None:
    """A started program begins with its parent's peak of memory, so the parent may not have one."""
    code = "import sys, benchmarks.speed; print(sorted({'numpy', 'pandas', 'pyarrow', 'duckdb', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_table_names_rows_ratios_and_parts(result: dict[str, Any]) -> None:
    """Without --json the same numbers stand in a short table."""
    shown = speed.table(
        result | {"evidently_seconds": 63.4747, "peak_rss_mb": 812.4, "cores": 2}
    ).splitlines()
    assert shown[0] == "2,000 rows × 20 features on 2 cores, median of 1"
    assert shown[4] == "Evidently, DataDriftPreset on all rows                  63.47 s"
    assert shown[9] == "peak memory of ronda, Evidently's comparison in it        812 MB"
    assert shown[12].startswith("of the night, in s: statement 0.")
    assert len(shown) == 15


@pytest.mark.parametrize("wrong", [["--rows", "1999"], ["--runs", "0"], ["--row-count", "9000"]])
def test_wrong_call_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Too few rows, no run, an unknown flag: exit code 2 before anything is made."""
    with pytest.raises(SystemExit) as stopped:
        speed.main(wrong)
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_a_part_that_fails_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says that a part failed, and no numbers are printed."""
    monkeypatch.setattr(speed, "PARTS", {"nonsense": "nothing"})
    with pytest.raises(SystemExit, match="exit code 1 of one part"):
        speed.main(["--rows", str(ROWS)])


def test_log_has_the_rows_and_columns_asked_for(rows_of: Callable[[Any], pa.Table]) -> None:
    """Both nights have as many rows, all in their night, no id twice, and twenty features."""
    assert len(FEATURES) == len(set(FEATURES)) == 20
    for night in (TRAINED, JUDGED):
        rows = rows_of(night)
        assert (rows.num_rows, rows.column_names) == (ROWS, list(COLUMNS))
        assert pc.count_distinct(rows["request_id"]).as_py() == ROWS
        assert (pc.min(rows["time"]).as_py(), pc.max(rows["time"]).as_py() < night.end) == (night.start, True)


def test_log_is_the_flights_jittered(rows_of: Callable[[Any], pa.Table]) -> None:
    """Categories are the package's own, decimals hardly repeat, and nulls stay where they were."""
    rows = rows_of(JUDGED)
    assert set(rows["origin"].to_pylist()) == {"EWR", "JFK", "LGA"}
    assert pc.count_distinct(rows["temp"]).as_py() > 0.99 * (ROWS - rows["temp"].null_count)
    assert 0.8 < rows["wind_gust"].null_count / ROWS < 0.9
    assert {name for name in FEATURES if rows[name].type == pa.string()} == set(CATEGORIES)


def test_log_is_the_same_every_time(rows_of: Callable[[Any], pa.Table], tmp_path: Path) -> None:
    """Same rows asked for, same rows made."""
    from benchmarks.speed_flights import write_log

    write_log(tmp_path, ROWS)
    assert pq.ParquetFile(log_file(tmp_path, JUDGED)).read().equals(rows_of(JUDGED))


def test_what_is_timed_is_a_whole_night(log: Path) -> None:
    """The timed call keeps every row, compares all twenty features, and its sample is small and not empty."""
    from benchmarks.speed_ronda import _night, _sample, _selection
    from store.query import REQUESTS
    from store.watch import open_watch

    watch = open_watch(SERVICE, home_at(log))
    judged = _night(watch)
    compared = {f.feature for f in judged.findings if f.measure == "distribution" and f.effect is not None}
    assert dict(judged.counted.reasons) == {"kept": ROWS}
    assert set(FEATURES) <= compared
    with watch.source({REQUESTS: JUDGED}) as source:
        selection = _selection(watch, source)
        assert _sample(source, selection, ROWS) == ROWS  # a night smaller than the sample is taken whole
        assert 0.4 < _sample(source, selection, 10 * ROWS) / ROWS < 0.6
