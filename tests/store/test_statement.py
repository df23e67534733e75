"""The statements beside the count: samples, frequent values, deployments; and that they are one text everywhere."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from noon_log import NIGHT, NOON, log
from store.dialect import as_sql
from store.duck import arrow
from store.grid import NULL, CategoryGrid, NumberGrid, Segment
from store.source import Source
from store.statement import (
    Reading,
    Rule,
    Selection,
    counted,
    duplicated_ids,
    frequent,
    marked,
    quarantined,
    sampled,
    served,
    total,
)


def selection(
    *, bounded: bool = True, duplicates: bool = False, rules: tuple[Rule, ...] = (), **read: Reading
) -> Selection:
    """Id, time, and what else is read."""
    return Selection({"request_id": "id", "time": "time", **read}, NIGHT, bounded, rules, duplicates)


def run(source: Source, chosen: Selection, statement: sa.Select[Any]) -> list[dict[str, Any]]:
    """The rows of a statement over the staged rows."""
    with source.staged(marked(chosen)) as connection:
        return list(arrow(connection, statement).to_pylist())


def test_a_sample_is_a_property_of_the_ids(url: str | Path) -> None:
    """The same ids are drawn on every engine, and a larger share holds the smaller one."""
    ids = [f"r{n}" for n in range(2000)]
    chosen = selection()
    wanted = {i for i in ids if hashlib.md5(i.encode()).hexdigest() < "19999999"}  # noqa: S324 -- as the engines do
    with log(url, request_id=ids) as source:
        tenth = {row["request_id"] for row in run(source, chosen, sampled(chosen, ("request_id",), 0.1))}
        half = {row["request_id"] for row in run(source, chosen, sampled(chosen, ("request_id",), 0.5))}
        every = run(source, chosen, sampled(chosen, ("request_id",), 7.0))
    assert tenth == wanted
    assert tenth < half
    assert len(every) == 2000
    assert abs(len(half) - 1000) < 100


def test_a_sample_holds_kept_rows_only(tmp_path: Path) -> None:
    """Rows that are set aside are in no sample, also when a feature is called `reason`."""
    rule = Rule("reason_above_max", "reason", "above", 1.0)
    chosen = selection(rules=(rule,), reason="number")
    with log(tmp_path, reason=[0.5, 2.0, None]) as source:
        found = run(source, chosen, sampled(chosen, ("reason",), 1.0))
    assert [row["reason"] for row in found] == [0.5, None]


def test_frequent_values_in_one_scan(url: str | Path) -> None:
    """Most frequent first, ties by name; null has its own word, and the number of all values is told."""
    words = ["b", "a", "a", "b", "c", None, "\x1fnull", "", ""]
    flags = [True] * 8 + [False]
    chosen = selection(word="category", flag="category")
    with log(url, word=words, flag=flags) as source:
        found = run(source, chosen, frequent(chosen, ("word", "flag"), 3))
    word = [(row["c_0"], row["rows"], row["values_in_all"]) for row in found if row["c_0"] is not None]
    flag = [(row["c_1"], row["rows"], row["values_in_all"]) for row in found if row["c_1"] is not None]
    assert word == [("", 2, 5), (NULL, 2, 5), ("a", 2, 5)]
    assert flag == [("true", 8, 2), ("false", 1, 2)]


def test_what_served_a_night(url: str | Path) -> None:
    """Each combination with its requests, most first; a missing word is an empty one, other nights are left out."""
    times = [NOON, NOON.replace(hour=3), NOON, NOON.replace(day=23)]
    versions = ["v2", "v2", None, "v1"]
    chosen = selection(model_version="category", variant="category")
    with log(url, time=times, model_version=versions, variant=["a"] * 4) as source:
        found = source.fetch(served(chosen, ("model_version", "variant"))).to_pylist()
    assert [(r["model_version"], r["variant"], r["requests"], r["first_seen"]) for r in found] == [
        ("v2", "a", 2, NOON.replace(hour=3)), ("", "a", 1, NOON),
    ]  # fmt: skip


def test_repeated_ids_are_counted_not_rows(url: str | Path) -> None:
    """Three copies of one id are one repeated id; rows without an id repeat nothing."""
    with log(url, request_id=["a", "a", "a", "b", None, None]) as source:
        assert source.fetch(duplicated_ids(selection())).to_pylist() == [{"ids": 1}]
        assert source.fetch(total(selection())).to_pylist() == [{"rows": 6}]


def test_an_unbounded_query_is_cut_by_time(url: str | Path) -> None:
    """Without a promise of the query, rows outside the half-open night, or without a time, are not read."""
    times = [NIGHT.start, NIGHT.end, None, NOON, NOON.replace(day=23)]
    with log(url, time=pa.array(times, pa.timestamp("us", "UTC"))) as source:
        assert source.fetch(total(selection(bounded=False))).to_pylist() == [{"rows": 2}]
        assert source.fetch(total(selection())).to_pylist() == [{"rows": 5}]


def test_statements_are_text_without_parameters() -> None:
    """Nothing is left to bind: percent signs stay single, backslashes too, quotes are doubled."""
    odd = CategoryGrid(("100%", "a\\b", "O'Brien", ":x", "$1", "%(y)s"))
    chosen = selection(
        duplicates=True,
        rules=(Rule("word_not_allowed", "word", "not_allowed", ("50%",)),),
        word="category",
        n="number",
    )
    grids = {"word": odd, "n": NumberGrid((Segment(0.0, 1.0, 2),))}
    text = (
        as_sql(counted(chosen, grids, {"word": odd}))
        + as_sql(quarantined(chosen, 3))
        + as_sql(marked(chosen))
    )
    assert "'100%', 'a\\b', 'O''Brien', ':x', '$1', '%(y)s'" in text
    assert "'50%'" in text
    assert "POSTCOMPILE" not in text
    assert "TIMESTAMP WITH TIME ZONE" in text


def test_a_view_is_named_by_its_selection() -> None:
    """Training features are read by the same statement from another view."""
    assert "FROM ronda_training" in as_sql(marked(replace(selection(), view="ronda_training")))


def test_only_repeated_ids_are_sorted() -> None:
    """A log without copies pays for no window function."""
    assert "row_number" not in as_sql(marked(selection()))
    assert "row_number" in as_sql(marked(selection(duplicates=True)))


def test_copies_are_ordered_without_a_databases_collation() -> None:
    """Texts are ordered by their md5: a database that sorts by a language would choose another copy."""
    text = as_sql(marked(selection(duplicates=True, n="number", word="category", price="parsed")))
    assert "typed.time, typed.n, md5(typed.word), md5(typed.price)" in text
