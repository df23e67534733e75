"""Which grid each column of a reference gets, and which columns are not kept at all."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from monitoring.survey import MOST_VALUES, categories, numbers, of_kind, slice_grids
from services.model import Features, Service
from store.grid import NULL, OTHER, CategoryGrid, NumberGrid


def frequent(**columns: list[str]) -> pa.Table:
    """Rows as `store.statement.frequent` returns them: each column's values, most frequent first."""
    rows = []
    for n, values in enumerate(columns.values()):
        rows += [{f"c_{n}": value, "rows": 9, "values_in_all": len(values)} for value in values[:MOST_VALUES]]
    schema = pa.schema(
        [(f"c_{n}", pa.string()) for n in range(len(columns))]
        + [("rows", pa.int64()), ("values_in_all", pa.int64())]
    )
    return pa.Table.from_pylist(rows, schema)


def surveyed(rules: dict[str, Any] | None = None, **columns: list[str]) -> Any:
    """What becomes of text columns."""
    service = Service.model_construct(
        status_ok=("ok", "200"), features=Features.model_validate({"rules": rules or {}})
    )
    return categories(service, frequent(**columns), tuple(columns))


def test_words_become_cells() -> None:
    """Values in their order; null is no value, and neither is a word that looks like ronda's own label."""
    found = surveyed(city=["Recife", NULL, OTHER, "Olinda", ""], kind=["a"])
    assert found.grids == {
        "city": CategoryGrid(("Recife", "Olinda", ""), complete=False),
        "kind": CategoryGrid(("a",)),
    }
    assert surveyed(city=["Recife", NULL]).grids["city"].complete
    assert surveyed(city=[NULL]).grids == {"city": CategoryGrid(())}
    assert surveyed(city=[]).grids == {"city": CategoryGrid(())}


def test_too_many_values_are_no_category() -> None:
    """A column of free text is left out, unless the file says that it is a category."""
    texts = [f"text {n}" for n in range(MOST_VALUES + 1)]
    assert surveyed(note=texts).ignored == {"note": "too_many_values"}
    kept = surveyed({"note": {"type": "category"}}, note=texts).grids["note"]
    assert (len(kept.values), kept.complete) == (200, False)


def test_personal_values_are_never_kept() -> None:
    """A column of e-mails is left out whatever the file says; a single one among words never becomes a label."""
    mails = [f"p{n}@example.com" for n in range(20)]
    assert surveyed({"who": {"type": "category"}}, who=mails).ignored == {"who": "personal_data_e_mail"}
    found = surveyed(city=[f"city {n}" for n in range(300)] + ["joao@example.com"])
    assert "joao@example.com" not in repr(found)


def test_a_fine_status_has_a_cell_before_it_is_seen() -> None:
    """Otherwise the first good night would count as errors."""
    assert surveyed(status=["late"]).grids["status"].values == ("late", "ok", "200")
    assert surveyed(status=["200", "late"]).grids["status"].values == ("200", "late", "ok")


def test_numbers_get_grids_unless_they_name_people() -> None:
    """Phones and documents written as numbers are left out; ordinary ones, and none at all, have a grid."""
    sample = pa.table({
        "price": [1.5, None, 3.25], "none": pa.array([None] * 3, pa.float64()),
        "contact": [11987654321.0, 21987654321.0, 81987654321.0],
    })  # fmt: skip
    found = numbers(sample)
    assert set(found.grids) == {"price", "none"}
    assert all(isinstance(grid, NumberGrid) for grid in found.grids.values())
    assert found.ignored["contact"].startswith("personal_data_")
    assert set(numbers(sample.slice(0, 0)).grids) == {"price", "none", "contact"}


def test_slices_and_kinds_are_those_with_a_grid() -> None:
    """A dimension that was left out, or is a number, slices nothing."""
    found = surveyed(city=["a"], who=[f"p{n}@example.com" for n in range(9)])
    assert slice_grids(found, ("city", "who", "gone")) == {"city": CategoryGrid(("a",))}
    assert of_kind({"city": "category", "who": "category"}, found.grids) == {"city": "category"}
