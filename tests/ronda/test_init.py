"""`ronda init`: from a log to a service file that can be read and checked, whatever its columns are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ronda.init import init
from ronda.init_text import as_text, next_as_text
from services.errors import RondaError, SourceError, UsageError
from services.home import Home
from services.read import read_service

Write = Callable[[Any], str]


def test_what_is_written_is_read_and_checked(in_source: Write, good: Any, home: Home, begun: Any) -> None:
    """From each kind of source: a service that reads, and a check in which nothing fails."""
    started, checked = begun(in_source(good), owner="@eta", slack="#eta")
    service = read_service("eta", home)

    assert [str(path) for path in started.files] == [
        "services/eta.yaml",
        "sql/eta/requests.sql",
        "sql/eta/feedback.sql",
    ]
    assert (service.owner, service.slack, service.slices) == ("@eta", "#eta", ("city",))
    assert [row for row in checked.rows if row.verdict == "failed"] == []
    assert {row.what: row.found for row in checked.rows}["features"] == "2: `city`, `minutes`"
    assert {row.what: row.found for row in checked.rows}["feedback events"].endswith("`thumb` 30")
    assert started.next == (
        "ronda check eta",
        "ronda reference eta --model-version v1 --from 2024-05-05 --to 2024-05-05",
        "ronda night eta --date 2024-05-06",
    )
    assert (
        "reference: the log begins on 2024-05-05, so the command below takes 1 of 28 nights"
        in started.assumed
    )


def test_nothing_is_overwritten(in_parquet: Write, good: Any, home: Home, begun: Any) -> None:
    """A second time is refused and changes no byte, also where only a query is there already."""
    source = in_parquet(good)
    begun(source)
    before = {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}
    with pytest.raises(
        UsageError, match=r"services/eta\.yaml and sql/eta/requests\.sql and sql/eta/feedback\.sql"
    ):
        init("eta", source, home)
    (home.services / "eta.yaml").unlink()
    with pytest.raises(
        UsageError, match=r"sql/eta/requests\.sql .*would be overwritten; nothing was written"
    ):
        init("eta", source, home)
    after = {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}

    assert after == {path: content for path, content in before.items() if path.name != "eta.yaml"}


def test_without_feedback_it_is_a_comment(in_parquet: Write, good: Any, home: Home, begun: Any) -> None:
    """The feedback section stands there switched off, and the closing words say how to switch it on."""
    started, _ = begun(in_parquet({"requests": good["requests"]}))

    assert "\n# feedback: sql/eta/feedback.sql" in (home.services / "eta.yaml").read_text()
    assert not (home.root / "sql" / "eta" / "feedback.sql").exists()
    assert started.off[0].startswith("feedback: no table of it was found; write sql/eta/feedback.sql")


def test_a_password_is_never_written(postgres_database: str, good: Any, home: Home, begun: Any) -> None:
    """A database URL given as it is goes into a variable; neither file nor closing words repeat it."""
    import adbc_driver_postgresql.dbapi as adbc

    with adbc.connect(postgres_database) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("requests", good["requests"], mode="create")
        connection.commit()
    started, _ = begun(postgres_database.replace("postgres:@", "postgres:hunter2@"))
    texts = [path.read_text() for path in home.root.rglob("*") if path.is_file()]

    assert "source: ${ETA_URL}" in (home.services / "eta.yaml").read_text()
    assert "hunter2" not in "".join(texts) + as_text(started) + next_as_text(
        started, has_reference=True
    ) + repr(started)
    assert any("set the environment variable ETA_URL" in line for line in started.assumed)


def test_a_variable_stays_a_variable(in_parquet: Write, good: Any, home: Home) -> None:
    """`${NAME}` is looked up, and written as it is."""
    init("eta", "${LOG}", home, environment={"LOG": in_parquet(good)})
    assert read_service("eta", home).source == "${LOG}"

    with pytest.raises(SourceError, match="LOG, which is not set"):
        init("other", "${LOG}", home, environment={})


@pytest.mark.parametrize(
    ("change", "named", "told"),
    [
        (
            lambda t: t,
            {"table": "request"},
            "--table request: there is no such table. Did you mean 'requests'",
        ),
        (lambda t: t, {"time_column": "tme"}, "--time-column tme: .*Did you mean 'time'"),
        (lambda t: t, {"time_zone": "America/Recif"}, "--time-zone: .*America/Recife"),
        (lambda t: t, {"feedback_table": "requests"}, "--feedback-table|there is no such table"),
        (
            lambda t: {"requests": t["requests"].drop_columns(["time"])},
            {},
            "no column that seems to hold when a request came. Name it with --time-column. Columns: request_id",
        ),
        (
            lambda t: {"requests": t["requests"].drop_columns(["request_id"])},
            {},
            "the id of a request. Name it with --id-column",
        ),
        (lambda t: {"requests": t["requests"].slice(0, 0)}, {}, "table requests has no rows"),
        (
            lambda t: {"a": t["requests"], "b": t["requests"]},
            {},
            "2 tables; say which holds the requests with --table: a, b",
        ),
    ],
)
def test_what_cannot_be_guessed_is_asked_for(
    in_parquet: Write, good: Any, home: Home, change: Any, named: Any, told: str
) -> None:
    """Each error says which flag to give, and nothing is half-written."""
    with pytest.raises(RondaError, match=told) as raised:
        init("eta", in_parquet(change(good)), home, **named)

    assert raised.value.exit_code == 2
    assert [path for path in home.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["Eta", "1eta", "../eta", "", "e" * 64, "eta\n"])
def test_a_name_must_be_a_name(in_parquet: Write, good: Any, home: Home, name: str) -> None:
    """A service's name becomes a file's: nothing climbs out of the home."""
    with pytest.raises(UsageError, match="cannot be the name of a service"):
        init(name, in_parquet(good), home)


@pytest.mark.parametrize("source", ["nowhere", "log.csv"])
def test_a_source_that_is_none(tmp_path: Path, home: Home, source: str) -> None:
    """A path that is not there, or a kind of file that is not read."""
    (tmp_path / "log.csv").write_text("a,b\n")
    with pytest.raises(UsageError, match="--from"):
        init("eta", str(tmp_path / source), home)


def test_a_thousand_columns(in_parquet: Write, good: Any, home: Home, begun: Any) -> None:
    """A wide table takes seconds, and its check is folded."""
    from ronda.check_table import as_text as table_text

    table = good["requests"]
    wide = pa.table({
        **{name: table[name] for name in table.column_names},
        **{f"x{n}": [float(n)] * table.num_rows for n in range(1000)},
    })  # fmt: skip
    _, checked = begun(in_parquet({"requests": wide}))

    assert not checked.failed
    assert sum(column.taken_for == "number feature" for column in checked.columns) == 1001
    assert len(table_text(checked).splitlines()) < 40


def test_nothing_is_left_when_a_file_cannot_be_written(
    in_parquet: Write, good: Any, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the second file fails the first is taken back."""
    source = in_parquet(good)
    opened = Path.open

    def refuse(path: Path, *how: Any, **more: Any) -> Any:
        if path == home.root / "sql" / "eta" / "requests.sql":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *how, **more)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match=r"requests\.sql cannot be written: Permission denied"):
        init("eta", source, home)

    assert [path for path in home.root.rglob("*") if path.is_file()] == []


def test_closing_words(in_parquet: Write, good: Any, begun: Any) -> None:
    """What it wrote, assumed and left off; then three commands, never folded, and what comes of the nights before."""
    started, _ = begun(in_parquet(good))
    shown, after = as_text(started, 60), next_as_text(started, has_reference=False, width=60)

    assert [line for line in shown.splitlines() if not line.startswith(" ")] == [
        "Looked at",
        "Wrote",
        "Assumed (change it in the files)",
        "Off, and how to switch it on",
    ]
    head, *lines = after.splitlines()
    assert (head, lines[:3]) == ("Next", [f"  {command}" for command in started.next])
    said = " ".join(line.strip() for line in lines[3:])
    assert said.startswith(
        "The second also replays those nights and says what would have been told (a backtest)."
    )
    assert "the first seven nights arrive in the morning's message, as what would have been said." in said


def test_closing_words_with_a_reference(in_parquet: Write, good: Any, begun: Any) -> None:
    """The backtest in full comes second, and it is said that another reference takes the place of the first."""
    started, _ = begun(in_parquet(good))
    lines = next_as_text(started, has_reference=True, width=60).splitlines()

    assert lines[1:5] == [
        "  ronda check eta", "  ronda check eta --backtest", f"  {started.next[1]}", f"  {started.next[2]}"
    ]  # fmt: skip
    assert "the third puts another in its place" in " ".join(line.strip() for line in lines[5:])
