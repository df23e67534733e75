"""`ronda init` goes the whole way: files, a reference of the last nights, and their backtest, in one command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.backtest import LEAST_WORK
from ronda import cli
from services.home import home_from
from services.read import read_service
from services.window import night_of
from store.backtests import backtest_of
from store.references import ReferenceRow, reference_for, references_of
from store.state import open_state, reading

NEWEST = date(2026, 5, 12)
NIGHTS = 10
SPAN = ("--from", "2026-05-02", "--to", "2026-05-11")
Ronda = Callable[..., tuple[int, str, str]]


def log(folder: Path, nights: int = NIGHTS + 1, rows: int = 60) -> Path:
    """Calm nights of an ETA model up to the newest one, partitioned as logs are."""
    for day in (NEWEST - timedelta(days=n) for n in range(nights)):
        rng = np.random.default_rng(day.toordinal())
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        table = pa.table({
            "request_id": [f"{day}/{n}" for n in range(rows)],
            "time": [midnight + timedelta(minutes=n) for n in range(rows)],
            "city": rng.choice(["Recife", "Natal"], rows),
            "distance_km": rng.gamma(2, 3, rows),
            "prediction": rng.gamma(9, 3, rows),
            "model_version": ["v1"] * rows,
        })  # fmt: skip
        (folder / "requests" / f"night={day}").mkdir(parents=True)
        pq.write_table(table, folder / "requests" / f"night={day}" / "part-0.parquet")
    return folder


@pytest.fixture
def ronda(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Ronda:
    """The command line in an empty home; ten nights are enough, and one change is looked for."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("RONDA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("ronda.first_reference.REFERENCE_NIGHTS", NIGHTS)
    monkeypatch.setattr("monitoring.backtest.WORK", 30 * LEAST_WORK)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ronda", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def stored() -> tuple[list[ReferenceRow], Any]:
    """References and the backtest in the state."""
    with reading(open_state(home_from().state_url)) as connection:
        return references_of(connection, "eta"), backtest_of(connection, "eta")


def in_force(version: str) -> ReferenceRow:
    """What a night of a model version is compared with."""
    with reading(open_state(home_from().state_url)) as connection:
        found = reference_for(connection, "eta", version, datetime(2026, 5, 13, tzinfo=UTC))
    assert found is not None
    return found


def test_init_freezes_and_replays_the_last_nights(ronda: Ronda, tmp_path: Path) -> None:
    """One command: the newest night is left out, the summary is printed, the backtest recorded, what comes next said."""
    code, out, _ = ronda("init", "eta", "--from", str(log(tmp_path / "log")))
    (row,), backtest = stored()

    assert code == 0
    assert (row.model_version, row.kind, row.rows_kept) == ("init", "own_traffic", NIGHTS * 60)
    assert f"{row.window_start:%Y-%m-%d} {row.window_end:%Y-%m-%d}" == "2026-05-02 2026-05-12"
    assert (backtest.reference_sha, backtest.nights) == (row.content_sha, NIGHTS - 7)
    for said in ("  backtest   3 nights replayed, 2026-05-09 to 2026-05-11: ", "\n  unnoticed  1 floor: ",
                 "\n  seen from  ", "\n  floors     ", "\nNext\n  ronda check eta\n  ronda check eta --backtest\n"):  # fmt: skip
        assert said in out
    assert out.index("Wrote") < out.index("Reference of eta") < out.index("Next")


def test_what_is_frozen_by_hand_takes_its_place(ronda: Ronda, tmp_path: Path) -> None:
    """After the file was edited, without a reason, whatever version is named: it is new, with cells of its own."""
    ronda("init", "eta", "--from", str(log(tmp_path / "log")))
    file = tmp_path / "home" / "services" / "eta.yaml"
    file.write_text(file.read_text().replace("slices: [city]", "features: {not: [city]}"))
    code, out, err = ronda(
        "reference", "eta", "--model-version", "2026-04-01", "--from", "2026-05-03", "--to", "2026-05-11"
    )
    (first, mine), backtest = stored()

    assert (code, err) == (0, "")
    assert "model version 2026-04-01, revision 1: frozen." in out
    assert mine.content_sha != first.content_sha
    assert (in_force("v1").id, in_force("").id, in_force("2026-04-01").id) == (mine.id, mine.id, mine.id)
    assert backtest.reference_sha == mine.content_sha


def test_cells_of_an_unused_reference_are_not_kept(ronda: Ronda, tmp_path: Path) -> None:
    """They were chosen from other nights; once a night was compared with them they are kept, as scores must be."""
    source = log(tmp_path / "log")
    ronda("init", "eta", "--from", str(source))
    code, out, _ = ronda(
        "reference", "eta", "--model-version", "v1", "--from", "2026-05-07", "--to", "2026-05-11"
    )
    assert code == 0
    fresh = stored()[0][-1]
    shutil.rmtree(tmp_path / "home" / "var")
    ronda("reference", "eta", "--model-version", "v1", "--from", "2026-05-07", "--to", "2026-05-11")
    assert stored()[0][-1].content_sha == fresh.content_sha

    shutil.rmtree(tmp_path / "home" / "var")
    for path in ("services", "sql"):
        shutil.rmtree(tmp_path / "home" / path)
    ronda("init", "eta", "--from", str(source))
    code, out, _ = ronda("night", "eta", "--date", str(NEWEST), "--no-messages")
    assert code == 0, out
    ronda("reference", "eta", "--model-version", "v1", "--from", "2026-05-07", "--to", "2026-05-11")
    assert stored()[0][-1].content_sha != fresh.content_sha


def test_a_reference_without_history_leaves_no_backtest_of_another(ronda: Ronda, tmp_path: Path) -> None:
    """Its first nights are told in the morning, as the command says: no page rests on a replay of something else."""
    ronda("init", "eta", "--from", str(log(tmp_path / "log")))
    assert stored()[1] is not None
    _, out, _ = ronda(
        "reference", "eta", "--model-version", "v1", "--from", "2026-05-07", "--to", "2026-05-11"
    )

    assert "backtest   none yet" in out
    assert stored()[1] is None


@pytest.mark.parametrize(
    ("nights", "constant", "value", "told"),
    [
        (NIGHTS, "REFERENCE_NIGHTS", NIGHTS, "10 nights with requests in the 56 days before the newest one, and the log has 9."),
        (1, "REFERENCE_NIGHTS", NIGHTS, "and the log has 0."),
        (NIGHTS + 1, "MOST_VALUES", 60 * NIGHTS, "10 nights hold 600 requests of 7 columns, and to read them takes more than"),
    ],
)  # fmt: skip
def test_a_log_that_does_not_allow_it(
    ronda: Ronda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nights: int, constant: str, value: int, told: str
) -> None:  # fmt: skip
    """One sentence and the command for later; the files are made, nothing is frozen, and it ends well."""
    monkeypatch.setattr(f"ronda.first_reference.{constant}", value)
    code, out, err = ronda("init", "eta", "--from", str(log(tmp_path / "log", nights)))
    (said,) = [line for line in out.splitlines() if line.startswith("No reference was made: ")]

    assert (code, err) == (0, "")
    assert told in said
    first, last = (
        f"2026-05-{13 - nights:02}",
        "2026-05-12" if nights == 1 else "2026-05-11",
    )  # all the log has
    assert said.endswith(f"Later: ronda reference eta --model-version v1 --from {first} --to {last}")
    assert read_service("eta", home_from()).service == "eta"
    assert stored() == ([], None)
    assert "ronda check eta --backtest" not in out


def test_it_can_be_left_out(ronda: Ronda, tmp_path: Path) -> None:
    """With --no-reference only the files are written: not even the state is opened."""
    code, out, _ = ronda("init", "eta", "--from", str(log(tmp_path / "log")), "--no-reference")

    assert code == 0
    assert "eference of eta" not in out
    assert "No reference" not in out
    assert not (tmp_path / "home" / "var" / "ronda.db").exists()


def test_a_state_that_cannot_be_written_is_said(
    ronda: Ronda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also a lake that cannot: the service file is good all the same."""
    source = log(tmp_path / "log")
    (tmp_path / "file").write_text("no folder")
    for name, variable in (("a", "RONDA_STATE"), ("b", "RONDA_LAKE")):
        with monkeypatch.context() as patch:
            place = tmp_path / "file" / "below"
            patch.setenv(variable, f"sqlite:///{place}" if variable == "RONDA_STATE" else str(place))
            code, out, err = ronda("init", name, "--from", str(source))
        assert (code, err) == (0, "")
        assert "No reference was made: " in out
        assert f"Later: ronda reference {name} --model-version v1" in out


def test_an_init_that_was_interrupted(ronda: Ronda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was written is shown before it; again it is refused with how to go on; and going on that way works."""
    source = log(tmp_path / "log")

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ronda.first_reference.freeze", interrupt)
        code, out, _ = ronda("init", "eta", "--from", str(source))
    assert code != 0
    assert "Wrote\n  services/eta.yaml" in out
    code, _, err = ronda("init", "eta", "--from", str(source))
    assert code == 2
    assert (
        "To go on with them, as after an init that was interrupted: ronda check eta, then ronda reference eta"
        in " ".join(err.split())
    )
    code, out, _ = ronda("reference", "eta", "--model-version", "v1", *SPAN)
    assert code == 0
    assert "revision 1: frozen." in out


def test_init_again_replaces_its_own_reference_and_no_other(ronda: Ronda, tmp_path: Path) -> None:
    """With its files moved away: another window takes the place of its own, what a person froze is left alone."""
    source = log(tmp_path / "log", NIGHTS + 2)

    def again() -> str:
        for path in ("services", "sql"):
            shutil.rmtree(tmp_path / "home" / path)
        code, out, err = ronda("init", "eta", "--from", str(source))
        assert (code, err) == (0, "")
        return out

    ronda("init", "eta", "--from", str(source))
    shutil.rmtree(source / "requests" / f"night={NEWEST}")
    assert "Reference of eta, model version init, revision 2: frozen." in again()
    ronda("reference", "eta", "--model-version", "v1", *SPAN)
    before = stored()
    assert "No reference was made: the state knows one of a service with this name already." in again()
    assert stored() == before


def test_a_folder_of_parquet_that_is_the_home(
    ronda: Ronda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it writes beside the log is no part of it: files, state and lake; a second service is begun as well."""
    folder = log(tmp_path / "log")
    monkeypatch.setenv("RONDA_HOME", str(folder))
    monkeypatch.chdir(folder)
    for name in ("eta", "second"):
        code, out, err = ronda("init", name, "--from", ".")
        assert (code, err) == (0, "")
        assert f"Reference of {name}, model version init, revision 1: frozen." in out


def test_a_source_in_a_variable(ronda: Ronda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is opened through the variable, and what that holds is not shown."""
    monkeypatch.setenv("ETA_LOG", str(log(tmp_path / "log")))
    code, out, _ = ronda("init", "eta", "--from", "${ETA_LOG}")

    assert code == 0
    assert "Reference of eta, model version init" in out
    assert str(tmp_path / "log") not in out


def test_a_database_whose_variable_is_not_set_yet(
    ronda: Ronda, postgres_database: str, tmp_path: Path
) -> None:
    """The file names a variable, so that no password is written; the log is read by the URL that was given."""
    import adbc_driver_postgresql.dbapi as adbc

    table = pa.concat_tables(pq.read_table(path) for path in sorted(log(tmp_path / "log").rglob("*.parquet")))
    with adbc.connect(postgres_database) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("requests", table, mode="create")
        connection.commit()
    code, out, _ = ronda(
        "init", "eta", "--from", postgres_database.replace("postgres:@", "postgres:hunter2@")
    )

    assert code == 0
    assert "${ETA_URL}" in (tmp_path / "home" / "services" / "eta.yaml").read_text()
    assert f"made of    {NIGHTS * 60} of {NIGHTS * 60} requests, 2026-05-02 to 2026-05-11" in out
    assert "hunter2" not in out


@pytest.mark.parametrize(
    ("zone", "first"), [("America/Recife", "2026-05-01"), ("Asia/Kolkata", "2026-05-02")]
)
def test_nights_are_those_of_the_time_zone(ronda: Ronda, tmp_path: Path, zone: str, first: str) -> None:
    """Requests in the first hour after midnight in London are of the evening before in Recife, and of the morning in India."""
    ronda("init", "eta", "--from", str(log(tmp_path / "log")), "--time-zone", zone)
    ((row,), backtest) = stored()

    assert row.window_start == night_of(date.fromisoformat(first), zone).start
    assert (row.rows_kept, backtest.nights) == (NIGHTS * 60, NIGHTS - 7)
