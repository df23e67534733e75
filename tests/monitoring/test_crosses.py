"""Crosses in the steps of a night: which are read, which are kept, and where a change is said to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pytest

from monitoring.extract import Layout, layout
from monitoring.places import in_words, part_in_words
from monitoring.records import OF, NumberLine, Slice
from monitoring.survey import KEPT_CELLS, Survey, categories, slice_grids
from monitoring.validate import rules
from monitoring.where import where
from services.errors import SourceError
from services.model import Features, Service
from store.grid import CategoryGrid

CROSS = "city × app"
PAST: list[float | None] = [0.20, 0.21, 0.19, 0.20, 0.22, 0.18, 0.20, 0.21, 0.19, 0.20]


def service(**features: Any) -> Service:
    """A service that names two columns and their cross."""
    return Service.model_construct(
        service="shop",
        requests=PurePosixPath("sql/r.sql"),
        slices=("city", "app", CROSS),
        status_ok=("ok",),
        features=Features.model_validate(features),
    )


def laid(*columns: str, file: str = "sql/r.sql") -> Layout:
    """The layout of a view that has these columns of text beside id and time."""
    known = {"request_id": "category", "time": "time", **dict.fromkeys(columns, "category")}
    return layout(service(), known, file, "2013-06-24")


def test_a_cross_is_read_and_no_feature() -> None:
    """It is a slice where its columns are there, also in a training view; a column of its name is never counted."""
    found = laid("city", "app")
    assert found.slices == ("city", "app", CROSS)
    assert found.crosses == {CROSS: ("city", "app")}
    assert found.readings[CROSS] == "category"
    assert set(found.kinds) == {"city", "app"}
    named = laid("city", "app", CROSS)
    assert (named.ignored, set(named.kinds)) == ({CROSS: "reserved_name"}, {"city", "app"})
    training = laid("city", file="sql/training.sql")
    assert (training.slices, training.crosses, CROSS in training.readings) == (("city",), {}, False)
    with pytest.raises(SourceError, match="yields no column `app`"):
        laid("city")


def test_a_cross_has_no_rules() -> None:
    """No row is set aside because of what the service file says of a column that has the name of a cross."""
    its = service(rules={CROSS: {"required": True}, "city": {"required": True}})
    assert [rule.column for rule in rules(its, laid("city", "app").readings)] == ["city"]


def surveyed(cells: list[str], city: list[str]) -> Survey:
    """What becomes of the two columns and the cross, from their most frequent values."""
    columns = {"city": city, "app": ["ios"], CROSS: cells}
    rows = [
        {f"c_{n}": value, "rows": 9, "values_in_all": len(values)}
        for n, values in enumerate(columns.values())
        for value in values
    ]
    schema = pa.schema(
        [(f"c_{n}", pa.string()) for n in range(3)] + [("rows", pa.int64()), ("values_in_all", pa.int64())]
    )
    return categories(service(), pa.Table.from_pylist(rows, schema), tuple(columns))


def test_the_commonest_cells_are_kept() -> None:
    """As many as `KEPT_CELLS`, the rest is other; a cross never has too many values."""
    cities = [f"city {n}" for n in range(1200)]
    found = surveyed([f"{city} × ios" for city in cities], cities)
    grid = slice_grids(found, ("city", "app", CROSS))[CROSS]
    assert grid == CategoryGrid(tuple(f"{city} × ios" for city in cities[:KEPT_CELLS]), complete=False)
    assert surveyed(["Recife × ios"], ["Recife"]).grids[CROSS] == CategoryGrid(("Recife × ios",))


def test_no_cross_of_what_is_left_out() -> None:
    """A column of e-mails is left out with its cross, for one reason; of a few odd values only their cells are."""
    mails = [f"ana{n}@example.com" for n in range(9)]
    found = surveyed([f"{mail} × ios" for mail in mails], mails)
    assert set(found.grids) == {"app"}
    assert found.ignored[CROSS] == found.ignored["city"] != ""
    assert surveyed(["Recife × ios"], mails) == found
    few = ["52998224725", *(f"city {n}" for n in range(90))]
    kept = surveyed([f"{value} × ios" for value in few], few).grids
    assert "52998224725" not in kept["city"].labels
    assert not any("529" in label for label in kept[CROSS].labels)
    assert len(kept[CROSS].labels) == len(kept["city"].labels)


def test_a_cross_of_a_column_that_is_no_text_is_not_kept() -> None:
    """Where a part has no values to tell apart, the cross has none either."""
    table = pa.table({"c_0": ["ios × 1"], "rows": [9], "values_in_all": [1]})
    assert categories(service(), table, (CROSS,)) == Survey({}, {})


def test_places_read_as_columns_and_values() -> None:
    """A cell is told by each of its columns; what is no cell by the cross itself."""
    assert part_in_words(Slice(CROSS, "Recife × ios"), "en") == "city = Recife, app = ios"
    assert part_in_words(Slice(CROSS, f"{OF}other"), "en").startswith("city × app: ")
    assert part_in_words(Slice("city", "a × b"), "en") == "city = a × b"


def places(make: Any, shares: dict[str, float], rows: int = 300) -> list[NumberLine]:
    """Errors of every cell of three cities and two apps, and of these; `shares` of cells, the rest is as usual."""
    cells = {
        f"{c} × {a}": shares.get(f"{c} × {a}", 0.2)
        for c in ("Recife", "Natal", "Olinda")
        for a in ("ios", "web")
    }
    parts = {
        (column, value): [share for cell, share in cells.items() if value in cell.split(" × ")]
        for column, values in {"city": ("Recife", "Natal", "Olinda"), "app": ("ios", "web")}.items()
        for value in values
    }
    parts |= {(CROSS, cell): [share] for cell, share in cells.items()}
    return [
        make.number_line(
            "errors.slice", sum(own) / len(own), PAST, subject=f"{column}{OF}{value}",
            numerator=round(sum(own) * rows), denominator=len(own) * rows,
        )
        for (column, value), own in parts.items()
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        (["Recife × ios"], [Slice(CROSS, "Recife × ios")]),
        (["Recife × ios", "Recife × web"], [Slice("city", "Recife")]),
        (["Recife × ios", "Natal × ios", "Olinda × ios"], [Slice("app", "ios")]),
    ],
)
def test_the_plainest_place_that_explains_a_change(
    make: Any, errors: NumberLine, moved: list[str], told: list[Slice]
) -> None:
    """The cell if it moved alone, and its city or app if all of that moved; what is told reads as people say it."""
    found = where(errors, places(make, dict.fromkeys(moved, 0.6)))
    assert [each.slice for each in found.most] == told
    assert found.kind in {"some", "mostly"}
    assert "Recife ×" not in in_words(found, "en")


def test_a_cell_is_not_told_for_a_city_whose_rest_is_small(make: Any, errors: NumberLine) -> None:
    """The rest of the city moved, too, though its cells have too few requests to be judged; as a column they have not."""
    rows = {
        "city\x1fRecife": (0.6, 350), "city\x1fNatal": (0.2, 600), "app × city\x1fios × Recife": (0.6, 300),
        **{f"app × city\x1f{n} × Recife": (0.6, 25) for n in range(2)},
        **{f"app × city\x1f{n} × Natal": (0.2, 25) for n in range(24)},
    }  # fmt: skip
    lines = [
        make.number_line(
            "errors.slice", share, PAST, subject=name, numerator=round(share * many), denominator=many
        )
        for name, (share, many) in rows.items()
    ]
    found = where(errors, lines)
    assert (found.kind, [each.slice for each in found.most]) == ("some", [Slice("city", "Recife")])


def test_everywhere_names_no_cells(make: Any, errors: NumberLine) -> None:
    """Where all moved, the worst of each column is named once."""
    every = places(make, {f"{c} × {a}": 0.6 for c in ("Recife", "Natal", "Olinda") for a in ("ios", "web")})
    found = where(errors, every)
    assert found.kind == "everywhere"
    assert {each.slice.dimension for each in found.most} == {"city", "app"}


def test_a_cell_that_is_all_of_its_city_is_told_as_the_city(make: Any, errors: NumberLine) -> None:
    """A tie goes to the column alone."""
    own = [
        line for line in places(make, {"Recife × ios": 0.6, "Recife × web": 0.6}) if "web" not in line.subject
    ]
    city = next(line for line in own if line.subject == f"city{OF}Recife")
    same = replace(city, denominator=300, numerator=180)
    found = where(errors, [same if line is city else line for line in own])
    assert [each.slice for each in found.most] == [Slice("city", "Recife")]


@pytest.mark.parametrize(
    ("left", "told"), [(100, Slice("city", "Recife")), (700, Slice(CROSS, "Recife × ios"))]
)
def test_lost_requests(make: Any, left: int, told: Slice) -> None:
    """Of requests that stayed away the cell is told if the rest of its city came as always."""
    usual = [1000.0, 1010.0, 990.0, 1000.0, 1005.0, 995.0, 1000.0]

    def volume(value: float, at: float, subject: str = "") -> NumberLine:
        name = "volume.slice" if subject else "volume"
        past = [each * at for each in usual]
        found: NumberLine = make.number_line(
            name, value, past, subject=subject, format="count", numerator=int(value)
        )
        return found

    web = 30.0 if left == 100 else 700.0
    lead = volume(1000 + 70 + web, 2.0)
    lines = [
        volume(70 + web, 1.0, f"city{OF}Recife"), volume(1000.0, 1.0, f"city{OF}Natal"),
        volume(70.0, 0.3, f"{CROSS}{OF}Recife × ios"), volume(web, 0.7, f"{CROSS}{OF}Recife × web"),
        volume(500.0, 0.5, f"{CROSS}{OF}Natal × ios"), volume(500.0, 0.5, f"{CROSS}{OF}Natal × web"),
    ]  # fmt: skip
    assert [each.slice for each in where(lead, lines).most] == [told]
