"""Looking at a reference's columns: what their values are, and so which grid each gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.grids import category_grid, number_grid
from monitoring.records import Kind
from services.model import Service
from services.personal import PersonalHit, could_be_personal, looks_personal_values
from services.slices import crosses, parts_of
from store.grid import NULL, CategoryGrid, Grid

MOST_VALUES = 1000
"""A column of text with more different values than this is no category, unless the service file says so."""
KEPT_CELLS = 100
"""A cross keeps this many of its most frequent cells, half of what a column keeps: every slice is counted and kept for
every feature, on every night."""


@dataclass(frozen=True)
class Survey:
    """What was chosen from one look at the data.

    Attributes:
        grids: column -> grid.
        ignored: column -> why it is not counted.
    """

    grids: Mapping[str, Grid]
    ignored: Mapping[str, str]


def categories(service: Service, table: pa.Table, columns: tuple[str, ...]) -> Survey:
    """Grids of text columns from their most frequent values (the rows of `store.statement.frequent`).

    A column whose values look like personal data is never kept, whatever the service file says: its values
    would stand in tables and on pages. Nor is a cross that it is part of.
    """
    grids: dict[str, Grid] = {}
    ignored: dict[str, str] = {}
    for n, name in enumerate(columns):
        own = table.filter(pc.is_valid(table[f"c_{n}"]))
        values = [value for value in own[f"c_{n}"].to_pylist() if not value.startswith("\x1f")]
        distinct = int(pc.max(own["values_in_all"]).as_py() or 0) - (NULL in own[f"c_{n}"].to_pylist())
        hit = looks_personal_values(values)
        if hit:
            ignored[name] = hit.reason
        elif distinct > MOST_VALUES and service.rule(name).type != "category" and name not in service.slices:
            ignored[name] = "too_many_values"
        else:
            # a single value that is somebody's e-mail or CPF never becomes a label: its rows are counted as other
            safe = [value for value in values if not any(map(could_be_personal, _said(service, name, value)))]
            # a status that is fine needs a cell even before it was ever seen, or it would count as an error
            fine = service.status_ok if name == "status" else ()
            most = KEPT_CELLS if name in crosses(service.slices) else None
            grids[name] = category_grid(safe[:most], distinct, fine)
    return _without_parts(service, grids, ignored)


def _said(service: Service, name: str, value: str) -> tuple[str, ...]:
    """What a value says of a request: that of a cross says several things."""
    return (value, *parts_of(value)) if name in crosses(service.slices) else (value,)


def _without_parts(service: Service, grids: dict[str, Grid], ignored: dict[str, str]) -> Survey:
    """Without the crosses of columns that are left out, for the same reason."""
    out = {
        name: [part for part in parts if part not in grids]
        for name, parts in crosses(service.slices).items()
        if name in grids or name in ignored
    }
    why = {name: ignored[gone[0]] for name, gone in out.items() if gone and gone[0] in ignored}
    kept = {name: grid for name, grid in grids.items() if not out.get(name)}
    return Survey(kept, ignored | why)


def numbers(sample: pa.Table) -> Survey:
    """Grids of number columns from a sample of the reference's rows, all columns as doubles."""
    grids: dict[str, Grid] = {}
    ignored: dict[str, str] = {}
    for name in sample.column_names:
        values = sample[name].drop_null().to_numpy()
        found = _personal(_long_digits(values))
        if found:
            ignored[name] = found
        else:
            grids[name] = number_grid(values)
    return Survey(grids, ignored)


def of_kind(kinds: Mapping[str, Kind], grids: Mapping[str, Grid]) -> dict[str, Kind]:
    """The kinds of the features that have a grid."""
    return {name: kind for name, kind in kinds.items() if name in grids}


def slice_grids(survey: Survey, slices: tuple[str, ...]) -> dict[str, CategoryGrid]:
    """The grids of the slice dimensions among a survey's."""
    found = {name: survey.grids[name] for name in slices if name in survey.grids}
    return {name: grid for name, grid in found.items() if isinstance(grid, CategoryGrid)}


def _personal(numbers: list[str]) -> str:
    """Why long numbers are left out: many of them, or most of the few there are, could be a CPF, phone or card."""
    hit = looks_personal_values(numbers)
    if hit:
        return hit.reason
    kinds = [kind for number in numbers if (kind := could_be_personal(number))]
    return PersonalHit(kinds[0], None, "content").reason if 2 * len(kinds) > len(numbers) else ""


def _long_digits(values: np.ndarray) -> list[str]:
    """Numbers long enough to be a CPF, phone or card, as text; shorter ones are not."""
    with np.errstate(invalid="ignore"):
        whole = values[(values >= 1e9) & (values < 1e16) & (values == np.floor(values))]
    return [str(number) for number in np.unique(whole)[:10_000].astype(np.int64).tolist()]
