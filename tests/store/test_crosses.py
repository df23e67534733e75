"""A cross is a column that the statement makes: the same on every engine, and counted as any other."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noon_log import NIGHT, log
from store.count import count
from store.dialect import as_sql
from store.duck import arrow
from store.grid import NULL, CategoryGrid
from store.labelled import LabelCount, label_counts
from store.source import Source
from store.statement import Selection, frequent, judged, marked, typed

LONG = tuple(f"{letter * 30}_{n}" for n, letter in enumerate("aaa"))
"""Columns whose cross has a longer name than PostgreSQL keeps."""


def crossing(*crosses: tuple[str, ...], duplicates: bool = False, read: tuple[str, ...] = ()) -> Selection:
    """A selection of crosses, and of what else is read."""
    made = {" × ".join(parts): parts for parts in crosses}
    columns: Any = {"request_id": "id", "time": "time", **dict.fromkeys((*read, *made), "category")}
    return Selection(columns, NIGHT, True, (), duplicates, crosses=made)


def values_of(source: Source, chosen: Selection, name: str) -> list[str | None]:
    """The values of a column, in the order of the ids."""
    with source.staged(marked(chosen)) as connection:
        rows = judged(chosen)
        table = arrow(connection, rows.select().order_by(rows.c.request_id))
    found: list[str | None] = table[name].to_pylist()
    return found


@pytest.mark.parametrize("duplicates", [False, True])
def test_the_value_of_a_cross(url: str | Path, duplicates: bool) -> None:
    """Its parts as text, null where one of them is, whatever their types, and whether or not they are read themselves."""
    columns = {"origin": ["JFK", "JFK", None, "", "O'Hare"], "gate": [1, None, 3, 4, 5], "late": [True] * 5}
    with log(url, **columns) as source:
        two, three = ("origin", "gate"), ("late", "origin", "gate")
        chosen = crossing(two, three, duplicates=duplicates, read=("origin",))
        assert values_of(source, chosen, "origin × gate") == ["JFK × 1", None, None, " × 4", "O'Hare × 5"]
        assert values_of(source, chosen, "late × origin × gate")[0] == "true × JFK × 1"
        assert values_of(source, crossing(two, duplicates=duplicates), "origin × gate")[0] == "JFK × 1"


def test_no_two_combinations_are_one_value(url: str | Path) -> None:
    """A sign between parts that stands in a value, at its edge or within, moves nothing from one part to another."""
    words = ["a", "a ×", "× a", "a × a", "×", " × ", "a ×× a"]
    left, right = zip(*product(words, words), strict=True)
    with log(url, left=list(left), right=list(right)) as source:
        found = values_of(source, crossing(("left", "right")), "left × right")
    assert len(set(found)) == len(words) ** 2
    assert all(value is not None and value.count("×") == 1 for value in found)
    assert found[words.index("a × a") * len(words)] == "a x a × a"


def test_names_longer_than_postgresql_keeps(url: str | Path) -> None:
    """Two crosses that differ only beyond 63 bytes of their names are two columns."""
    one, other, third = LONG
    with log(url, **{one: ["1"], other: ["2"], third: ["3"]}) as source:
        chosen = crossing((one, other), (one, third))
        assert values_of(source, chosen, f"{one} × {other}") == ["1 × 2"]
        assert values_of(source, chosen, f"{one} × {third}") == ["1 × 3"]


def test_a_cross_is_counted_in_the_same_scan(url: str | Path) -> None:
    """Cells of the cross add up to those of its columns; what has no cell of its own is other, and null is null."""
    cities, apps = ["Recife", "Natal", None] * 40, ["ios", "web", "ios", "tv"] * 30
    grids = {"app": CategoryGrid(("ios", "web", "tv"))}
    slices = {
        "city": CategoryGrid(("Recife", "Natal")),
        "city × app": CategoryGrid(("Recife × ios", "Natal × web"), False),
    }
    with log(url, city=cities, app=apps) as source:
        chosen = crossing(("city", "app"), read=("city", "app"))
        counted = count(source, chosen, grids, slices)
        with source.staged(marked(chosen)) as connection:
            most = arrow(connection, frequent(chosen, ("city", "city × app"), 3)).to_pylist()
    found: Counter[tuple[str, str]] = Counter()
    for row in counted.cells.to_pylist():
        found[row["dimension"], row["value"]] += row["rows"]
    cells = Counter(
        (city is None and "null")
        or (f"{city} × {app}" if f"{city} × {app}" in slices["city × app"].values else "other")
        for city, app in zip(cities, apps, strict=True)
    )
    assert {value: rows for (dimension, value), rows in found.items() if dimension == "city × app"} == cells
    assert set(cells) == {"Recife × ios", "Natal × web", "other", "null"}
    assert (most[0]["c_1"], most[0]["c_0"]) in {(NULL, None), (None, NULL)}
    assert {row["values_in_all"] for row in most if row["c_1"] is not None} == {7}


def test_outcomes_of_a_cross(url: str | Path, tmp_path: Path) -> None:
    """Labels are counted by its cells, though only the crosses' own columns are in the log."""
    labels = tmp_path / "labels" / "labels.parquet"
    labels.parent.mkdir()
    pq.write_table(
        pa.table({"request_id": ["r000", "r001", "r002"], "label": pa.array([1, 0, 1], pa.int8())}), labels
    )
    with log(url, city=["Recife", "Recife", None], app=["ios", "ios", "ios"]) as source:
        found = label_counts(
            source, crossing(("city", "app")), labels, {"city × app": CategoryGrid(("Recife × ios",))}
        )
    assert found == [LabelCount("city × app", "Recife × ios", 2, 1), LabelCount("city × app", "null", 1, 1)]


def test_only_what_every_engine_has() -> None:
    """Casts, REPLACE and ||, as text: no function of one engine alone; without a cross the statement is as it was."""
    text = as_sql(typed(crossing(("city", "app"))))
    made = (
        "replace(CAST(ronda_requests.city AS TEXT), '×', 'x') || ' × ' || "
        "replace(CAST(ronda_requests.app AS TEXT), '×', 'x') AS ronda_cross_0"
    )
    assert made in " ".join(text.split())
    assert "replace" not in as_sql(typed(crossing(read=("city",))))
