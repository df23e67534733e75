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
from store.grid import NULL, CategoryGrid, Grid

MOST_VALUES = 1000
"""A column of text with more different values than this is no category, unless the service file says so."""


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
    would stand in tables and on pages.
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
            safe = [value for value in values if could_be_personal(value) is None]
            # a status that is fine needs a cell even before it was ever seen, or it would count as an error
            fine = service.status_ok if name == "status" else ()
            grids[name] = category_grid(safe, distinct, fine)
    return Survey(grids, ignored)


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
