"""Why rows are set aside: every row is counted once, under the first reason that holds."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.window import Night, night_of
from store.count import CELLS, Counted, count
from store.grid import NumberGrid, Segment
from store.statement import KEPT, Reading, Rule, Selection

ZONE = "America/New_York"
NIGHT = night_of(date(2013, 6, 24), ZONE)
NUMBER = NumberGrid((Segment(-1.0, 0.0, 4), Segment(0.0, 1.0, 8), Segment(1.0, 100.0, 5)))
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


NULLABLE_ID = st.one_of(st.none(), st.sampled_from(["", "a", "b", "c", "d", "e", "f", "g", "h"]))
ROW = st.tuples(
    NULLABLE_ID,
    st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 1.0, 2.0, 23.999, 24.0, 30.0])),
    st.one_of(st.none(), st.sampled_from([-5.0, -1.0, 0.0, 0.5, 7.0, 7.5, math.nan, math.inf])),
    st.one_of(st.none(), st.sampled_from(["x", "y", "z", ""])),
)
RULES = (
    Rule("number_missing", "number", "missing"),
    Rule("number_below_min", "number", "below", -1.0),
    Rule("number_above_max", "number", "above", 7.0),
    Rule("word_not_allowed", "word", "not_allowed", ("x", "y")),
)


def reasons_by_hand(rows: list[Any]) -> tuple[Counter[str], Counter[Any]]:  # noqa: C901 -- a plain list of rules
    """The rules as a loop over rows: reason -> rows, and the kept values of `number`."""
    far = math.inf

    def order(row: Any) -> Any:
        _, hours, number, word = row
        outside = hours is None or not 0 <= hours < 24
        place = (number is None, number is not None and math.isnan(number), 0.0 if number is None else number)
        digest = (word is None, "" if word is None else hashlib.md5(word.encode()).hexdigest())  # noqa: S324 -- as the engines do
        return (
            outside,
            far if hours is None else hours,
            (place[0], place[1], 0 if place[1] else place[2]),
            digest,
        )

    copies: dict[str, list[int]] = {}
    for n, row in enumerate(rows):
        if row[0] is not None:
            copies.setdefault(row[0], []).append(n)
    later = {n for group in copies.values() for n in sorted(group, key=lambda n: order(rows[n]))[1:]}
    reasons: Counter[str] = Counter()
    kept: Counter[Any] = Counter()
    for n, (request_id, hours, number, word) in enumerate(rows):
        if request_id in {None, ""}:
            reason = "request_id_missing"
        elif hours is None:
            reason = "time_missing"
        elif not 0 <= hours < 24:
            reason = "outside_night"
        elif n in later:
            reason = "request_id_duplicated"
        elif number is None:
            reason = "number_missing"
        elif number < -1:
            reason = "number_below_min"
        elif number > 7:
            reason = "number_above_max"
        elif word not in {None, "x", "y"}:
            reason = "word_not_allowed"
        else:
            reason = KEPT
            kept["nan" if math.isnan(number) else number] += 1
        reasons[reason] += 1
    return reasons, kept


@given(st.lists(ROW, max_size=30))
@settings(max_examples=60)
def test_every_row_is_counted_once_by_the_first_reason(
    opened: Any, tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    """In random worlds read = kept + quarantined, by the reasons a plain loop finds; the first broken rule names it."""
    folder = tmp_path_factory.mktemp("world")
    ids, hours, numbers, words = zip(*rows, strict=True) if rows else ((), (), (), ())
    made = table(
        list(ids), [None if h is None else at(h) for h in hours],
        number=pa.array(numbers, pa.float64(), from_pandas=False), word=pa.array(words, pa.string()),
    )  # fmt: skip
    readings: dict[str, Reading] = {"number": "number", "word": "category"}
    with opened("parquet", folder, "", made) as source:
        found = count(source, selection(readings, *RULES), {"number": NUMBER}, {})
    reasons, kept = reasons_by_hand(rows)
    assert found.reasons == dict(sorted(reasons.items()))
    assert found.rows_read == len(rows)
    assert pc.sum(found.cells["rows"]).as_py() == (sum(kept.values()) or None)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.reason)
def test_each_rule_alone(opened: Any, tmp_path: Path, rule: Rule) -> None:
    """Every rule sets aside the rows that break it and none else; NaN and null break no range."""
    numbers = pa.array(
        [None, math.nan, -1.0, -1.1, 7.0, 7.1, math.inf, -math.inf], pa.float64(), from_pandas=False
    )
    rows = table(
        [f"r{n}" for n in range(8)],
        [at()] * 8,
        number=numbers,
        word=["x", "y", None, "X", "", "x ", "z", "x"],
    )
    broken = {
        "number_missing": {"r0"}, "number_below_min": {"r3", "r7"}, "number_above_max": {"r5", "r6"},
        "word_not_allowed": {"r3", "r4", "r5", "r6"},
    }[rule.reason]  # fmt: skip
    with opened("parquet", tmp_path, "", rows) as source:
        found = count(source, selection({"number": "number", "word": "category"}, rule), {}, {})
    assert found.reasons == {"kept": 8 - len(broken), rule.reason: len(broken)}
    assert set(found.quarantine[rule.reason]) == broken


def test_text_declared_a_number_is_parsed_row_by_row(
    on_every_engine: Any, tmp_path: Path, postgres_database: str
) -> None:
    """A number written as text is counted; what is none is set aside as the wrong type, and null is null."""
    texts = ["1", " 2 ", "1e1", "abc", None, "", "NaN", "1,5"]
    rows = table([f"r{n}" for n in range(8)], [at()] * 8, amount=texts)
    chosen = selection({"amount": "parsed"}, Rule("amount_wrong_type", "amount", "wrong_type"))
    found = on_every_engine(tmp_path, postgres_database, rows, chosen, {"amount": NUMBER}, {})
    assert found.reasons == {"amount_wrong_type": 3, "kept": 5}
    assert found.quarantine == {"amount_wrong_type": ("r3", "r5", "r7")}
    assert dict(zip(found.cells["cell"].to_pylist(), found.cells["rows"].to_pylist(), strict=True)) == {
        13: 3, NUMBER.null: 1, NUMBER.null + 1: 1,
    }  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_nan_among_plain_numbers_is_nan(
    opened: Any, tmp_path: Path, postgres_database: str, engine: str
) -> None:
    """Parquet's statistics leave NaN out: it must not be taken for one of the numbers between them, nor out of range."""
    rows = table(
        ["a", "b", "c"], [at()] * 3, number=pa.array([-1.0, math.nan, 0.5], pa.float64(), from_pandas=False)
    )
    chosen = selection({"number": "number"}, Rule("number_above_max", "number", "above", 0.25))
    with opened(engine, tmp_path, postgres_database, rows) as source:
        found = count(source, chosen, {"number": NUMBER}, {})
    assert found.reasons == {"kept": 2, "number_above_max": 1}
    assert found.cells["cell"].to_pylist() == [1, NUMBER.null + 1]


def test_the_sample_of_ids_is_bounded_and_holds_no_values(
    on_every_engine: Any, opened: Any, tmp_path: Path, postgres_database: str
) -> None:
    """At most so many ids a reason: those with the smallest md5, the same in any order of rows."""
    rows = table([f"r{n}" for n in range(500)], [at()] * 500, word=["joao@example.com"] * 500)
    chosen = selection({"word": "category"}, Rule("word_not_allowed", "word", "not_allowed", ("x",)))
    found = on_every_engine(tmp_path, postgres_database, rows, chosen, {}, {}, 7)
    first = sorted((hashlib.md5(f"r{n}".encode()).hexdigest(), f"r{n}") for n in range(500))[:7]  # noqa: S324 -- as the engines do
    assert found.quarantine == {"word_not_allowed": tuple(sorted(name for _, name in first))}
    assert "joao" not in repr(found.quarantine) + repr(found.cells.to_pydict()) + repr(dict(found.reasons))
    backwards = rows.take(pa.array(range(499, -1, -1)))
    with opened("parquet", tmp_path, "", backwards) as source:
        assert count(source, chosen, {}, {}, 7).quarantine == found.quarantine


def test_counted_says_what_was_read() -> None:
    """Rows read are all reasons together; rows kept are one of them, and none when it is missing."""
    empty = CELLS.empty_table()
    assert Counted({"kept": 3, "time_missing": 2}, empty, {}, 5).rows_read == 5
    assert Counted({"time_missing": 2}, empty, {}, 2).rows_kept == 0
    assert datetime(2013, 6, 24, 4, tzinfo=UTC) == NIGHT.start
