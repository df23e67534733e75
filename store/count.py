"""Counting a window: the statement is run, and its rows become a long table of counts per cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from services.errors import NightError
from store.duck import arrow
from store.grid import CategoryGrid, Grid
from store.source import Source
from store.statement import KEPT, Selection, counted, duplicated_ids, marked, quarantined, total

COLUMNS_A_PASS = 50  # wider grouping sets fail instead of spilling when memory is short
CELLS = pa.schema([
    ("column", pa.string()), ("dimension", pa.string()), ("value", pa.string()), ("cell", pa.int32()), ("rows", pa.int64()),
])  # fmt: skip
"""A profile in long form: one row per column, slice and cell that has rows. All rows are the slice ('', '')."""


@dataclass(frozen=True)
class Counted:
    """What one window of a log holds.

    Attributes:
        reasons: reason -> rows; `kept` is one of them, and their sum is `rows_read`.
        cells: the counts of the kept rows, in the form of `CELLS`, sorted.
        quarantine: reason -> up to `sample` request ids, never values.
        rows_read: every row of the window, counted on its own.
    """

    reasons: Mapping[str, int]
    cells: pa.Table
    quarantine: Mapping[str, tuple[str, ...]]
    rows_read: int

    @property
    def rows_kept(self) -> int:
        """The rows that were counted."""
        return self.reasons.get(KEPT, 0)


def count(
    source: Source,
    selection: Selection,
    grids: Mapping[str, Grid],
    slices: Mapping[str, CategoryGrid],
    sample: int = 100,
) -> Counted:
    """Count a window: every column in `grids`, over all rows and in every slice.

    Repeated ids are looked for first, so that a log without any pays for no sorting.

    Raises:
        SourceError: the source refuses a statement.
        NightError: the rows by reason are not all the rows there are.
    """
    rows_read = int(source.fetch(total(selection))["rows"][0].as_py())
    repeated = int(source.fetch(duplicated_ids(selection))["ids"][0].as_py())
    selection = replace(selection, duplicates=repeated > 0)
    reasons: dict[str, int] = {}
    parts: list[pa.Table] = []
    for names in _passes(list(grids)):
        some = {name: grids[name] for name in names}
        table = _run(source, selection, some, slices)
        reasons = _reasons(table)  # every pass counts them anew, from the same rows
        _hold(source.service, selection, rows_read, reasons)
        parts += list(_long(table, some, slices))
    quarantine = _quarantine(source, selection, sample) if set(reasons) - {KEPT} else {}
    cells = pa.concat_tables(parts) if parts else CELLS.empty_table()
    cells = cells.sort_by([(name, "ascending") for name in CELLS.names[:-1]])
    return Counted(reasons, cells, quarantine, rows_read)


def _hold(service: str, selection: Selection, rows_read: int, reasons: Mapping[str, int]) -> None:
    """Hold that read = kept + set aside by reason, each side counted by a statement of its own."""
    if sum(reasons.values()) != rows_read:
        told = ", ".join(f"{reason} {rows}" for reason, rows in reasons.items()) or "none"
        raise NightError(
            f"{service}, {selection.window.first} to {selection.window.last}: {rows_read} rows were read, but "
            f"{sum(reasons.values())} are accounted for ({told}). Did the log change meanwhile? Run it again."
        )


def _passes(names: list[str]) -> list[list[str]]:
    # without any column one pass is still made: the rows by reason are wanted
    return [names[first : first + COLUMNS_A_PASS] for first in range(0, max(len(names), 1), COLUMNS_A_PASS)]


def _run(
    source: Source, selection: Selection, grids: Mapping[str, Grid], slices: Mapping[str, CategoryGrid]
) -> pa.Table:
    read = {"request_id", "time", *grids, *slices, *(rule.column for rule in selection.rules)}
    narrow = selection if selection.duplicates else _only(selection, read)
    with source.staged(marked(narrow)) as connection:
        return arrow(connection, counted(narrow, grids, slices))


def _only(selection: Selection, names: set[str]) -> Selection:
    return replace(
        selection, columns={name: read for name, read in selection.columns.items() if name in names}
    )


def _quarantine(source: Source, selection: Selection, per_reason: int) -> dict[str, tuple[str, ...]]:
    with source.staged(marked(selection)) as connection:
        rows = arrow(connection, quarantined(selection, per_reason))
    found: dict[str, tuple[str, ...]] = {}
    for reason, request_id in zip(rows["reason"].to_pylist(), rows["request_id"].to_pylist(), strict=True):
        found[reason] = (*found.get(reason, ()), request_id)
    return found


def _reasons(table: pa.Table) -> dict[str, int]:
    rows = table.filter(pc.is_valid(table["reason"]))
    return dict(sorted(zip(rows["reason"].to_pylist(), rows["rows_read"].to_pylist(), strict=True)))


def _long(
    table: pa.Table, grids: Mapping[str, Grid], slices: Mapping[str, CategoryGrid]
) -> Iterator[pa.Table]:
    table = table.filter(pc.greater(table["rows_kept"], 0))
    for n, (column, grid) in enumerate(grids.items()):
        own = table.filter(pc.is_valid(table[f"f_{n}"]))
        cells = _codes(own[f"f_{n}"], grid)
        own = own.append_column("cell", cells)
        everywhere = own
        for s, (dimension, values) in enumerate(slices.items()):
            label = own[f"s_{s}"]
            inside = own.filter(pc.is_valid(label))
            yield _part(inside, column, dimension, slice_values(inside[f"s_{s}"], values))
            everywhere = everywhere.filter(pc.is_null(everywhere[f"s_{s}"]))
        yield _part(everywhere, column, "", pa.array([""] * everywhere.num_rows, pa.string()))


def slice_values(labels: pa.ChunkedArray, grid: CategoryGrid) -> pa.Array:
    """The names of a slice's values, from the cell labels that its SQL yields."""
    return pa.array(grid.labels).take(_codes(labels, grid))


def _codes(labels: pa.ChunkedArray, grid: Grid) -> pa.Array:
    whole = labels.combine_chunks()
    if not isinstance(grid, CategoryGrid):
        return whole.cast(pa.int32())
    return pc.index_in(whole.cast(pa.string()), pa.array(list(grid.codes), pa.string())).cast(pa.int32())


def _part(rows: pa.Table, column: str, dimension: str, values: Any) -> pa.Table:
    size = rows.num_rows
    return pa.table(
        [
            pa.array([column] * size, pa.string()),
            pa.array([dimension] * size, pa.string()),
            values,
            rows["cell"],
            rows["rows_kept"].cast(pa.int64()),
        ],
        schema=CELLS,
    )
