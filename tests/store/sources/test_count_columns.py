"""Columns of any number, name and content, and slices of any value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from services.window import Night, night_of
from store.count import count
from store.grid import CategoryGrid, Grid, NumberGrid, Segment
from store.query import REQUESTS
from store.statement import Reading, Rule, Selection

ZONE = "America/New_York"
NIGHT = night_of(date(2013, 6, 24), ZONE)
WORDS = [
    "Recife", "", " ", "'", '"', "\\", "%", "%s", "$1", "{start}", ":x", "é", "e\u0301", "null", "other", "unseen",
    "\x1fnull", "\x1fother", "😀", "a\nb", "'; DROP TABLE requests; --",
]  # fmt: skip
ODD = [
    0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, math.nan, math.inf, -math.inf, 1.0, np.nextafter(1.0, 0),
    np.nextafter(1.0, 2), 0.25, np.nextafter(0.25, 0), 1e300,
]  # fmt: skip
NUMBER = NumberGrid((Segment(-1.0, 0.0, 4), Segment(0.0, 1.0, 8), Segment(1.0, 100.0, 5)))
WORD = CategoryGrid(tuple(word for word in WORDS if not word.startswith("\x1f"))[:15], complete=False)
ENGINES = ("parquet", "duckdb", "postgresql")


def selection(
    readings: Mapping[str, Reading], *rules: Rule, bounded: bool = True, window: Night = NIGHT
) -> Selection:
    """What is read: the given columns beside id and time."""
    return Selection({"request_id": "id", "time": "time", **readings}, window, bounded, rules)


def at(hours: float = 1.0) -> datetime:
    """A moment so many hours into the night."""
    return NIGHT.start + timedelta(hours=hours)


def table(ids: list[Any], times: list[Any], **columns: Any) -> pa.Table:
    """Rows of a log."""
    given_ = {
        name: value if isinstance(value, pa.Array) else pa.array(value) for name, value in columns.items()
    }
    return pa.table(
        {
            "request_id": pa.array(ids, pa.string()),
            "time": pa.array(times, pa.timestamp("us", "UTC")),
            **given_,
        }
    )


def odd_rows(rows: int, seed: int) -> pa.Table:
    """Rows made of everything that ever broke a count."""
    random = np.random.default_rng(seed)
    drawn = random.choice(ODD, rows)
    plain = random.standard_normal(rows) * 10.0 ** random.integers(-320, 306, rows).astype(float)
    number = np.where(random.random(rows) < 0.5, drawn, plain)
    hole = random.random((4, rows)) < 0.1
    ids = [
        None if n % 97 == 0 else "" if n % 101 == 0 else f"r{random.integers(0, rows)}" for n in range(rows)
    ]
    hours = random.uniform(-3, 27, rows)
    return table(
        ids,
        [None if n % 89 == 0 else at(h) for n, h in enumerate(hours)],
        number=pa.array(number, pa.float64(), mask=hole[0]),
        word=pa.array([WORDS[n] for n in random.integers(0, len(WORDS), rows)], pa.string(), mask=hole[1]),
        small=pa.array(random.integers(-3, 120, rows), pa.int16(), mask=hole[2]),
        real=pa.array(random.choice([*ODD[:3], 0.1, 1.0, 1e30], rows).astype(np.float32), pa.float32()),
        flag=pa.array(random.random(rows) < 0.5, pa.bool_(), mask=hole[3]),
    )


def test_more_columns_than_one_pass_holds(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """25 columns in three passes, with copies and rules, are what they are in one."""
    rows = odd_rows(400, 9)
    numbers = {f"n{k}": pc.add(rows["number"], float(k)).combine_chunks() for k in range(24)}
    wide = pa.table({name: rows[name] for name in ("request_id", "time", "word")} | numbers)
    readings: dict[str, Reading] = {"word": "category", **dict.fromkeys(numbers, "number")}
    grids: dict[str, Grid] = {"word": WORD, **dict.fromkeys(numbers, NUMBER)}
    chosen = selection(readings, Rule("n23_above_max", "n23", "above", 200.0))
    with opened("parquet", tmp_path, "", wide) as source:
        one = count(source, chosen, grids, {"word": WORD})
        monkeypatch.setattr("store.count.COLUMNS_A_PASS", 10)
        passes = count(source, chosen, grids, {"word": WORD})
    assert passes.cells.equals(one.cells)
    assert (passes.reasons, passes.quarantine) == (one.reasons, one.quarantine)
    assert len(set(passes.cells["column"].to_pylist())) == 25


def test_passes_over_clean_rows_read_only_what_they_need(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without copies each pass leaves the other columns unread, and still finds every rule's rows."""
    rows = table([f"r{n}" for n in range(9)], [at()] * 9, a=[0.5] * 9, b=[float(n) for n in range(9)])
    chosen = selection({"a": "number", "b": "number"}, Rule("b_above_max", "b", "above", 4.0))
    monkeypatch.setattr("store.count.COLUMNS_A_PASS", 1)
    with opened("parquet", tmp_path, "", rows) as source:
        found = count(source, chosen, {"a": NUMBER, "b": NUMBER}, {})
    assert found.reasons == {"b_above_max": 4, "kept": 5}
    everywhere = {
        name: pc.sum(found.cells.filter(pc.equal(found.cells["column"], name))["rows"]).as_py()
        for name in "ab"
    }
    assert everywhere == {"a": 5, "b": 5}


def test_columns_that_are_constant_or_all_null(
    on_every_engine: Any, tmp_path: Path, postgres_database: str
) -> None:
    """A constant column has one cell, an all-null one its null cell, of whatever type the engine gives it."""
    rows = table(
        ["a", "b"], [at()] * 2, same=[0.5, 0.5], none=pa.array([None, None], pa.float64()),
        nothing=pa.array([None, None], pa.string()),
    )  # fmt: skip
    readings: dict[str, Reading] = {"same": "number", "none": "number", "nothing": "category"}
    grids: dict[str, Grid] = {"same": NUMBER, "none": NUMBER, "nothing": WORD}
    found = on_every_engine(tmp_path, postgres_database, rows, selection(readings), grids, {"nothing": WORD})
    everywhere = found.cells.filter(pc.equal(found.cells["dimension"], "")).to_pylist()
    assert [(r["column"], r["cell"], r["rows"]) for r in everywhere] == [
        ("none", NUMBER.null, 2), ("nothing", WORD.null, 2), ("same", 9, 2),
    ]  # fmt: skip


def test_a_hundred_thousand_categories(opened: Any, tmp_path: Path) -> None:
    """A column of 100,000 values costs the kept ones and `other`, not a cell for each."""
    words = [f"v{n}" for n in range(100_000)]
    rows = table(words, [at()] * 100_000, word=words)
    grid = CategoryGrid(tuple(words[:200]), complete=False)
    with opened("parquet", tmp_path, "", rows) as source:
        found = count(source, selection({"word": "category"}), {"word": grid}, {"word": grid})
    everywhere = found.cells.filter(pc.equal(found.cells["dimension"], ""))
    assert everywhere.num_rows == 201
    assert everywhere.filter(pc.equal(everywhere["cell"], grid.other))["rows"].to_pylist() == [99_800]


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_may_have_any_name(opened: Any, tmp_path: Path, postgres_database: str, engine: str) -> None:
    """Names that SQL, ronda or a template could stumble over are names like any other."""
    names = ["reason", "rows", "cell", "place", "order", "qualify", "pivot", "lambda", "show", 'a "b"', "100%", "{end}", "$1",
             "Ação", "Upper", "a.b", "kept", "f_0", "s_0", "x" * 63]  # fmt: skip
    rows = table(["a", "b"], [at()] * 2, **{name: [0.5, 2.0] for name in names})
    chosen = selection(dict.fromkeys(names, "number"), Rule("reason_above_max", "reason", "above", 1.0))
    with opened(engine, tmp_path, postgres_database, rows) as source:
        assert set(source.columns(REQUESTS)) == {"request_id", "time", *names}
        found = count(source, chosen, dict.fromkeys(names, NUMBER), {})
    assert found.reasons == {"kept": 1, "reason_above_max": 1}
    assert found.cells["column"].to_pylist() == sorted(names, key=str.encode)


KEYWORDS = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"


def test_every_word_duckdb_knows_is_a_column(opened: Any, tmp_path: Path) -> None:
    """No keyword of DuckDB is taken for one when a log has a column of that name."""
    words = sorted({name for (name,) in duckdb.sql(KEYWORDS).fetchall()} - {"time"})
    rows = table(["a"], [at()], **{word: [0.5] for word in words}, **{"y" * 300: [0.5]})
    readings: dict[str, Reading] = dict.fromkeys((*words, "y" * 300), "number")
    with opened("parquet", tmp_path, "", rows) as source:
        found = count(source, selection(readings), dict.fromkeys(readings, NUMBER), {})
    assert found.cells.num_rows == len(words) + 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_slice_named_like_a_label_loses_no_row(
    opened: Any, tmp_path: Path, postgres_database: str, engine: str
) -> None:
    """A city called "null" and a missing city are two slices."""
    rows = table(["a", "b", "c"], [at()] * 3, city=pa.array(["null", None, "O'Brien"]), number=[0.5] * 3)
    grid = CategoryGrid(("null", "O'Brien"))
    with opened(engine, tmp_path, postgres_database, rows) as source:
        found = count(
            source, selection({"city": "category", "number": "number"}), {"number": NUMBER}, {"city": grid}
        )
    assert found.cells["value"].to_pylist() == ["", "(null)", "O'Brien", "null"]
    assert found.cells["rows"].to_pylist() == [3, 1, 1, 1]
