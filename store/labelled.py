"""Outcomes by slice: a night's requests joined with their labels where the rows live, and only counts come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from store.count import slice_values
from store.duck import arrow
from store.grid import CategoryGrid
from store.source import Source
from store.statement import KEPT, REASON, Selection, duplicated_ids, judged, marked

_LABELS = "ronda_labels"


@dataclass(frozen=True)
class LabelCount:
    """How many of a slice's requests have a label, and how many of these the positive one."""

    dimension: str
    value: str
    mature: int
    positive: int


def label_counts(
    source: Source, selection: Selection, labels: Path, slices: Mapping[str, CategoryGrid]
) -> list[LabelCount]:
    """Labels counted in every slice, in one scan of the slice columns.

    Args:
        source: with the requests of the night that the labels belong to.
        selection: `request_id`, `time` and the slice columns of that night.
        labels: a Parquet file with `request_id` and `label` (1, 0, or null without a label).
        slices: dimension -> its values; others count as `other`.
    """
    repeated = int(source.fetch(duplicated_ids(selection))["ids"][0].as_py())
    selection = replace(selection, duplicates=repeated > 0)
    with source.staged(marked(selection)) as connection:
        place = str(labels).replace("'", "''")
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {_LABELS} AS FROM read_parquet('{place}')")
        table = arrow(connection, _counted(selection, slices))
    return sorted(_named(table, slices), key=lambda each: (each.dimension, each.value))


def _counted(selection: Selection, slices: Mapping[str, CategoryGrid]) -> sa.Select[Any]:
    rows = judged(selection)
    labels = sa.table(_LABELS, sa.column("request_id", sa.Text), sa.column("label", sa.Integer))
    cells = (
        sa.select(
            *[grid.cell(rows.c[name]).label(f"s_{n}") for n, (name, grid) in enumerate(slices.items())],
            labels.c.label,
        )
        .select_from(rows.join(labels, labels.c.request_id == rows.c.request_id))
        .where(rows.c[REASON] == KEPT, labels.c.label.is_not(None))
        .subquery("cells")
    )
    keys = [cells.c[f"s_{n}"] for n in range(len(slices))]
    counts = sa.func.count().label("mature"), sa.func.sum(cells.c.label).label("positive")
    return sa.select(*keys, *counts).group_by(sa.func.grouping_sets(*[sa.tuple_(key) for key in keys]))


def _named(table: pa.Table, slices: Mapping[str, CategoryGrid]) -> Iterator[LabelCount]:
    for n, (dimension, grid) in enumerate(slices.items()):
        own = table.filter(pc.is_valid(table[f"s_{n}"]))
        counts = (own[name].cast(pa.int64()).to_pylist() for name in ("mature", "positive"))
        names = slice_values(own[f"s_{n}"], grid).to_pylist()
        yield from (LabelCount(dimension, *each) for each in zip(names, *counts, strict=True))
