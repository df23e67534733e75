"""Counting a night: the same cells on every engine, with and without copies."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from services.window import Night, night_of
from store.count import CELLS, count
from store.grid import CategoryGrid, Grid, NumberGrid, Segment
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


READINGS: dict[str, Reading] = {
    "number": "number", "word": "category", "small": "number", "real": "number", "flag": "category",
}  # fmt: skip
GRIDS: dict[str, Grid] = {
    "number": NUMBER, "word": WORD, "small": NUMBER, "real": NUMBER, "flag": CategoryGrid(("true", "false")),
}  # fmt: skip


def test_every_engine_counts_the_same_cells(
    on_every_engine: Any, tmp_path: Path, postgres_database: str
) -> None:
    """3,000 hostile rows with copies, holes and strays: Parquet, DuckDB and PostgreSQL agree on every cell."""
    rules = (Rule("small_above_max", "small", "above", 100.0), Rule("word_missing", "word", "missing"))
    rows = odd_rows(3000, 1)
    found = on_every_engine(
        tmp_path,
        postgres_database,
        rows,
        selection(READINGS, *rules),
        GRIDS,
        {"word": WORD, "flag": GRIDS["flag"]},
        5,
    )
    assert found.rows_read == 3000
    assert set(found.reasons) == {
        "kept", "outside_night", "request_id_duplicated", "request_id_missing", "small_above_max", "time_missing",
        "word_missing",
    }  # fmt: skip
    everywhere = found.cells.filter(pc.equal(found.cells["dimension"], ""))
    for name in GRIDS:
        assert (
            pc.sum(everywhere.filter(pc.equal(everywhere["column"], name))["rows"]).as_py() == found.rows_kept
        )


def test_cells_are_those_of_plain_python(
    on_every_engine: Any, tmp_path: Path, postgres_database: str
) -> None:
    """Counted by hand over clean rows: the words and numbers land where a loop puts them, in each slice too."""
    numbers = [None, math.nan, -math.inf, math.inf, -1.0, -1.5, 1.0, 1e308, 0.25, 100.0, 0.0, -0.0]
    words = ["é", "e\u0301", "\x1fnull", None, "%", "'", "$1", "{start}", "😀", "", "Recife", "Recife"]
    rows = table(
        [f"r{n}" for n in range(12)], [at()] * 12,
        number=pa.array(numbers, pa.float64(), from_pandas=False), word=pa.array(words, pa.string()),
    )  # fmt: skip
    readings: dict[str, Reading] = {"number": "number", "word": "category"}
    found = on_every_engine(
        tmp_path,
        postgres_database,
        rows,
        selection(readings),
        {"number": NUMBER, "word": WORD},
        {"word": WORD},
    )
    number = [19, 20, 21, 22, 1, 0, 13, 18, 7, 18, 5, 5]
    word = [
        WORD.null if w is None else WORD.values.index(w) if w in WORD.values else WORD.other for w in words
    ]
    wanted: Counter[tuple[str, str, str, int]] = Counter()
    for n, w in zip(number, word, strict=True):
        for where in (("", ""), ("word", WORD.labels[w])):
            wanted["number", *where, n] += 1
            wanted["word", *where, w] += 1
    found_cells = {tuple(row[k] for k in CELLS.names[:-1]): row["rows"] for row in found.cells.to_pylist()}
    assert found_cells == dict(wanted)
    assert found.reasons == {"kept": 12}
    assert found.quarantine == {}


def test_differing_copies_keep_the_same_one_everywhere(
    on_every_engine: Any, tmp_path: Path, postgres_database: str
) -> None:
    """Of copies that differ, the earliest is kept, then the first by all columns, whatever the engine's collation."""
    words = ["b", "B", "á", "a", "_", None, "%", "😀"]
    ids, times, numbers, kept = [], [], [], []
    for n in range(40):
        for word in (words[n % 8], words[(n * 3 + 1) % 8], words[(n * 5 + 2) % 8]):
            ids.append(f"r{n}")
            times.append(at(1))
            numbers.append([math.nan, None, -0.0, 0.0][n % 4] if n % 3 else float(len(ids) % 2))
            kept.append(word)
    rows = table(
        ids,
        times,
        number=pa.array(numbers, pa.float64(), from_pandas=False),
        word=pa.array(kept, pa.string()),
    )
    grids: dict[str, Grid] = {"word": CategoryGrid(tuple(w for w in words if w)), "number": NUMBER}
    chosen = selection({"number": "number", "word": "category"})
    found = on_every_engine(tmp_path, postgres_database, rows, chosen, grids, {"word": grids["word"]})
    assert found.reasons == {"kept": 40, "request_id_duplicated": 80}
    shuffled = rows.take(pa.array(np.random.default_rng(3).permutation(len(rows))))
    assert on_every_engine(
        tmp_path, postgres_database, shuffled, chosen, grids, {"word": grids["word"]}
    ).cells.equals(found.cells)


def test_exact_copies_of_every_row(on_every_engine: Any, tmp_path: Path, postgres_database: str) -> None:
    """A log written twice counts each request once, and says so for the other half."""
    once = odd_rows(300, 5)
    once = once.set_column(0, "request_id", pa.array([f"r{n}" for n in range(300)]))
    one = on_every_engine(tmp_path, postgres_database, once, selection(READINGS), GRIDS, {})
    twice = on_every_engine(
        tmp_path, postgres_database, pa.concat_tables([once, once]), selection(READINGS), GRIDS, {}
    )
    assert twice.cells.equals(one.cells)
    assert twice.reasons["request_id_duplicated"] == one.rows_kept
    assert twice.rows_read == 600


@pytest.mark.parametrize("engine", ENGINES)
def test_a_copy_of_another_night_takes_nothing_from_this_one(
    opened: Any, tmp_path: Path, postgres_database: str, engine: str
) -> None:
    """An id seen the evening before is kept tonight, whether the query cuts the night itself or not."""
    rows = table(["a", "a", "b"], [at(-2), at(3), at(4)], number=[0.5, 0.25, 0.5])
    with opened(engine, tmp_path, postgres_database, rows) as source:
        wide = count(source, selection({"number": "number"}), {"number": NUMBER}, {})
    with opened(engine, tmp_path, postgres_database, rows, "SELECT * FROM requests") as source:
        cut = count(source, selection({"number": "number"}, bounded=False), {"number": NUMBER}, {})
    assert wide.reasons == {"kept": 2, "outside_night": 1}
    assert cut.reasons == {"kept": 2}
    assert wide.cells.equals(cut.cells)


def test_null_ids_are_no_copies_of_each_other(
    on_every_engine: Any, tmp_path: Path, postgres_database: str
) -> None:
    """Rows without an id are set aside for that reason alone, and never appear in the sample of ids."""
    rows = table([None, None, "", "", "a", "a"], [at()] * 6, number=[0.5] * 6)
    found = on_every_engine(
        tmp_path, postgres_database, rows, selection({"number": "number"}), {"number": NUMBER}, {}
    )
    assert found.reasons == {"kept": 1, "request_id_duplicated": 1, "request_id_missing": 4}
    assert found.quarantine == {"request_id_duplicated": ("a",), "request_id_missing": ("",)}
