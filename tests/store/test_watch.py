"""One service under watch: its doors open together, close again, and show no password."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.errors import ServiceFileError, SourceError
from services.home import Home, home_from
from services.window import night_of
from store.query import FEEDBACK, REQUESTS
from store.statement import Selection, total
from store.watch import open_watch

NIGHT = night_of(date(2013, 6, 24), "UTC")
FILE = """
service: shop
owner: "@team"
slack: "#team"
source: {source}
requests: sql/requests.sql
feedback: sql/feedback.sql
"""


def home_with(folder: Path, source: str = "log") -> Home:
    """A home with one service, its queries and a log of one request."""
    for name in ("services", "sql", "log"):
        (folder / name).mkdir()
    (folder / "services" / "shop.yaml").write_text(FILE.format(source=source))
    (folder / "sql" / "requests.sql").write_text(
        "SELECT * FROM requests WHERE time >= {start} AND time < {end};"
    )
    (folder / "sql" / "feedback.sql").write_text("SELECT * FROM feedback")
    moment = datetime(2013, 6, 24, 12, tzinfo=UTC)
    for table, key in (("requests", "request_id"), ("feedback", "event_id")):
        pq.write_table(pa.table({key: ["a"], "time": [moment]}), folder / "log" / f"{table}.parquet")
    return home_from({"RONDA_HOME": str(folder)})


def test_a_watch_opens_what_a_round_needs(tmp_path: Path) -> None:
    """State, lake and source are there; the source's views are the ones asked for, filled in for their windows."""
    watch = open_watch("shop", home_with(tmp_path))
    with watch.source({REQUESTS: NIGHT, FEEDBACK: NIGHT}) as source:
        assert set(source.queries) == {REQUESTS, FEEDBACK}
        assert source.queries[REQUESTS].bounded
        assert not source.queries[FEEDBACK].bounded
        assert source.queries[REQUESTS].file == "sql/requests.sql"
        chosen = Selection({"request_id": "id", "time": "time"}, NIGHT, bounded=True)
        assert source.fetch(total(chosen)).to_pylist() == [{"rows": 1}]
    assert watch.lake is not None
    watch.state.dispose()


def test_the_source_is_closed_behind_a_step(tmp_path: Path) -> None:
    """Also when the step fails: no file or connection stays open."""
    watch = open_watch("shop", home_with(tmp_path))
    with pytest.raises(ZeroDivisionError), watch.source({REQUESTS: NIGHT}) as source:
        raise ZeroDivisionError
    with pytest.raises((SourceError, duckdb.ConnectionException)):
        source.columns(REQUESTS)
    watch.state.dispose()


def test_a_missing_query_is_told(tmp_path: Path) -> None:
    """The service file's key and the path are in the message."""
    home = home_with(tmp_path)
    (tmp_path / "sql" / "requests.sql").unlink()
    with pytest.raises(ServiceFileError, match=r"sql/requests\.sql"):
        open_watch("shop", home)


def test_a_missing_variable_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that names the source is in the message."""
    monkeypatch.delenv("SHOP_URL", raising=False)
    with pytest.raises(SourceError, match="SHOP_URL, which is not set"):
        open_watch("shop", home_with(tmp_path, "${SHOP_URL}"))


def test_a_password_is_in_no_repr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch that is printed shows no password, and neither does the failure to connect."""
    monkeypatch.setenv("SHOP_URL", "postgresql://ronda:hunter2@127.0.0.1:1/log")
    watch = open_watch("shop", home_with(tmp_path, "${SHOP_URL}"))
    assert "hunter2" not in repr(watch)
    with pytest.raises(SourceError) as caught, watch.source({REQUESTS: NIGHT}):
        pass
    assert "hunter2" not in str(caught.value)
    watch.state.dispose()
