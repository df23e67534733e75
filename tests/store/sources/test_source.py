"""A folder of Parquet as a source: which files are read, and what is told when they cannot be."""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.errors import SourceError
from services.window import night_of
from store.count import count
from store.grid import NumberGrid, Segment
from store.query import REQUESTS, filled
from store.source import Source, open_source
from store.statement import Reading, Selection, served

NIGHT = night_of(date(2013, 6, 24), "UTC")
NOON = datetime(2013, 6, 24, 12, tzinfo=UTC)
ALL = "SELECT * FROM requests"
PARTITIONED = "SELECT * FROM requests WHERE night >= {first_night} AND night <= {last_night}"


def opened(url: object, sql: str = ALL) -> Source:
    """A source with one query."""
    return open_source("shop", str(url), {REQUESTS: filled(sql, NIGHT, "sql/shop/requests.sql")})


def put(path: Path, **columns: Any) -> None:
    """A Parquet file of a few requests at noon."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = len(next(iter(columns.values()), [1]))
    ids = columns.pop("request_id", [f"{path.parent.name}-{n}" for n in range(size)])
    pq.write_table(pa.table({"request_id": ids, "time": [NOON] * size, **columns}), path)


def rows(source: Source, *columns: str, bounded: bool = True) -> int:
    """How many rows the view has, the named columns counted as numbers."""
    readings: dict[str, Reading] = {"request_id": "id", "time": "time", **dict.fromkeys(columns, "number")}
    grid = NumberGrid((Segment(0.0, 10.0, 10),))
    try:
        return count(source, Selection(readings, NIGHT, bounded), dict.fromkeys(columns, grid), {}).rows_kept
    finally:
        source.close()


def values(source: Source, column: str) -> list[str]:
    """The different values of a column, as text."""
    readings: dict[str, Reading] = {"request_id": "id", "time": "time", column: "category"}
    found = source.fetch(served(Selection(readings, NIGHT, True), (column,)))[column].to_pylist()
    source.close()
    return sorted(found)


def told(act: Callable[[], object]) -> str:
    """What a person reads when it fails: one line, with the service, and the same in the traceback."""
    with pytest.raises(SourceError) as caught:
        act()
    message = str(caught.value)
    assert message.startswith("shop: ")
    assert "\n" not in message
    return message


def whole_story(act: Callable[[], object]) -> str:
    """Everything a traceback would print, causes too."""
    with pytest.raises(SourceError) as caught:
        act()
    return "".join(traceback.format_exception(caught.value, limit=0))  # without lines of code


def test_a_single_file_and_nested_partitions(tmp_path: Path) -> None:
    """`<table>.parquet`, `<table>/*.parquet` and Hive folders in folders are all one table."""
    put(tmp_path / "requests.parquet", n=[1.0])
    assert rows(opened(tmp_path), "n") == 1
    other = tmp_path / "nested"
    for night in ("2013-06-23", "2013-06-24"):
        for region in ("norte", "sul"):
            put(other / "requests" / f"night={night}" / f"region={region}" / "a.parquet", n=[1.0, 2.0])
    assert rows(opened(other, PARTITIONED), "n") == 4
    assert values(opened(other, PARTITIONED), "region") == ["norte", "sul"]


def test_hidden_and_unfinished_files_are_passed_over(tmp_path: Path) -> None:
    """What a writer has not finished, or keeps for itself, is no data: it may be cut off anywhere."""
    put(tmp_path / "requests" / "a.parquet", n=[1.0])
    for name in (
        ".a.parquet",
        "_a.parquet",
        "_temporary/a.parquet",
        ".tmp/a.parquet",
        "a.parquet.partial",
        "_SUCCESS",
    ):
        path = tmp_path / "requests" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"PAR1 half")
    (tmp_path / "_requests").mkdir()
    assert rows(opened(tmp_path), "n") == 1


def test_the_nights_own_file_decides_the_columns(tmp_path: Path) -> None:
    """A column that is new tonight is seen, one that is gone is not missed, and a changed type is tonight's."""
    put(tmp_path / "requests/night=2013-06-01/a.parquet", old=[1.0], both=[1.0], price=[1.0])
    put(tmp_path / "requests/night=2013-06-24/a.parquet", new=[1.0], both=[2.0], price=["R$ 3"])
    source = opened(tmp_path, PARTITIONED)
    columns = source.columns(REQUESTS)
    assert columns == {
        "request_id": "category", "time": "time", "new": "number", "both": "number", "price": "category", "night": "time",
    }  # fmt: skip
    assert rows(source, "new", "both") == 1


def test_files_that_differ_are_named(tmp_path: Path) -> None:
    """An unbounded query over files with other columns says which column is missing."""
    put(tmp_path / "requests/night=2013-06-01/a.parquet", both=[1.0])
    put(tmp_path / "requests/night=2013-06-24/a.parquet", both=[2.0], new=[1.0])
    message = told(lambda: rows(opened(tmp_path), "new"))
    assert 'column "new" of file "' in message
    assert 'night=2013-06-01/a.parquet"; ask for nights whose files are alike' in message


def test_table_names_are_found_as_sql_finds_them(tmp_path: Path) -> None:
    """SQL does not mind capitals, so neither does the search for the folder."""
    put(tmp_path / "requests" / "a.parquet", n=[1.0])
    assert rows(opened(tmp_path, "SELECT * FROM Requests"), "n") == 1


def test_odd_signs_in_a_folder_name(tmp_path: Path) -> None:
    """A folder's name may hold quotes and signs that are patterns elsewhere."""
    folder = tmp_path / "it's [1] *log*"
    put(folder / "requests" / "a.parquet", n=[1.0])
    assert rows(opened(folder), "n") == 1


def test_a_folder_on_another_filesystem() -> None:
    """Any fsspec URL will do; memory is the one that needs no server."""
    name = uuid.uuid4().hex
    with fsspec.open(f"memory://{name}/requests/night=2013-06-24/a.parquet", "wb") as file:
        pq.write_table(pa.table({"request_id": ["a"], "time": [NOON], "n": [1.0]}), file)
    assert rows(opened(f"memory://{name}", PARTITIONED), "n") == 1


def test_a_missing_folder(tmp_path: Path) -> None:
    """The path is named, and where it comes from."""
    message = told(lambda: opened(tmp_path / "nowhere"))
    assert f"{tmp_path}/nowhere does not exist" in message
    assert "`source`" in message


def test_no_such_table(tmp_path: Path) -> None:
    """The query's file is named, and what the folder holds instead."""
    put(tmp_path / "orders" / "a.parquet", n=[1.0])
    message = told(lambda: opened(tmp_path))
    assert "sql/shop/requests.sql" in message
    assert "it holds orders" in message
    assert "it holds nothing" in told(lambda: opened(_empty(tmp_path)))


def _empty(path: Path) -> Path:
    (path / "empty").mkdir()
    return path / "empty"


def test_an_unknown_kind_of_url_hides_its_password() -> None:
    """A URL nobody here reads is refused without its password."""
    story = whole_story(lambda: opened("mysql://ronda:hunter2@db/log"))
    assert "mysql://ronda:***@db/log" in story
    assert "hunter2" not in story


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a parquet file at all" * 40])
def test_a_corrupt_file_is_named(tmp_path: Path, content: bytes) -> None:
    """Half a file, none at all, or another format: the message names the file."""
    path = tmp_path / "requests" / "night=2013-06-24" / "a.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert "night=2013-06-24/a.parquet" in told(lambda: rows(opened(tmp_path, PARTITIONED)))


def test_a_file_that_breaks_off_in_the_middle(tmp_path: Path) -> None:
    """A good footer over bad pages fails while it is read, and is told like any other fault."""
    path = tmp_path / "requests" / "a.parquet"
    put(path, n=[float(n) for n in range(50_000)])
    content = bytearray(path.read_bytes())
    content[2000:300_000] = b"\xff" * 298_000
    path.write_bytes(bytes(content))
    assert "sql/shop/requests.sql" in told(
        lambda: count(
            opened(tmp_path),
            Selection({"request_id": "id", "time": "time", "n": "number"}, NIGHT, True),
            {"n": NumberGrid((Segment(0.0, 1.0, 1),))},
            {},
        )
    )
