"""The cell rule is arithmetic on doubles: the same on every engine, and the same as in NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from store.dialect import as_sql
from store.duck import arrow, connect
from store.grid import NULL, OTHER, CategoryGrid, NumberGrid, Segment, double, grid_from_plain, grid_to_plain

Floats = npt.NDArray[np.float64]

ODD = [
    0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-300, 1e300, -1e300, 1e308, -1e308,
    1.7976931348623157e308, -1.7976931348623157e308, math.nan, math.inf, -math.inf, 2.0**53, -(2.0**53) - 2,
]  # fmt: skip
HOSTILE = [
    "", " ", "'", '"', "''", "\\", "\\'", "%", "%s", "%%", "$1", "$$", "{start}", ":name", "?", "--", "/*", ";",
    "é", "e\u0301", "ﬁ", "fi", "null", "NULL", "other", "unseen", "(null)", "\x1fnull", "\x1fother", "\u202e", "😀",
    "a\nb", "a\tb", "</script>", "__[POSTCOMPILE_x]", "'; DROP TABLE ronda_staged; --", "x" * 5000, "É", "straße", "STRASSE",
]  # fmt: skip


def numpy_cells(grid: NumberGrid, values: Floats) -> npt.NDArray[np.int64]:
    """The rule, written once more without SQL. NaN stands for itself; null has no place in NumPy."""
    codes = np.full(len(values), grid.bins + 1, dtype=np.int64)
    open_ = np.ones(len(values), dtype=bool)

    def settle(where: npt.NDArray[np.bool_], code: Any) -> None:
        codes[where & open_] = code if np.isscalar(code) else code[where & open_]
        open_[where] = False

    settle(np.isnan(values), grid.null + 1)
    settle(values == -np.inf, grid.null + 2)
    settle(values == np.inf, grid.null + 3)
    settle(values < grid.segments[0].low, 0)
    first = 1
    with np.errstate(all="ignore"):
        for segment in grid.segments:
            steps = np.floor((values - segment.low) / segment.width)
            settle(values < segment.high, first + np.where(open_, steps, 0).astype(np.int64))
            first += segment.cells
    return codes


def beside_edges(grid: NumberGrid) -> list[float]:
    """Each edge, and the doubles next to it."""
    return [float(x) for e in grid.edges for x in (e, np.nextafter(e, -np.inf), np.nextafter(e, np.inf))]


def duck_cells(grid: NumberGrid | CategoryGrid, values: pa.Array) -> list[Any]:
    """The rule as DuckDB computes it."""
    with connect() as connection:
        connection.register("t", pa.table({"place": range(len(values)), "v": values}))
        table = sa.table("t", sa.column("place"), sa.column("v"))
        found = arrow(connection, sa.select(grid.cell(table.c.v).label("c")).order_by(table.c.place))
    return found["c"].to_pylist()  # type: ignore[no-any-return] # pyarrow ships no types


@st.composite
def grids(draw: st.DrawFn) -> NumberGrid:
    """Valid grids from the very small to the very large."""
    exponent = draw(st.integers(-280, 280))
    point = draw(st.floats(-100, 100)) * 10.0**exponent
    segments = []
    for _ in range(draw(st.integers(1, 4))):
        width = draw(st.floats(0.001, 10)) * 10.0**exponent
        high = point + width
        segments.append(Segment(point, high, draw(st.integers(1, 9))))
        point = high
    return NumberGrid(tuple(segments))


@given(grids(), st.lists(st.floats(), max_size=20))
@settings(max_examples=60)
def test_duckdb_and_numpy_agree_on_every_double(grid: NumberGrid, more: list[float]) -> None:
    """Any grid and any double, edges and their neighbours among them, give the same cell in SQL and NumPy."""
    values = np.array([*ODD, *beside_edges(grid), *more])
    codes = duck_cells(grid, pa.array(values))
    assert codes == numpy_cells(grid, values).tolist()
    assert all(0 <= code < grid.size for code in codes)


@given(grids())
@settings(max_examples=60)
def test_the_rule_keeps_to_the_edges(grid: NumberGrid) -> None:
    """The arithmetic finds the cell between the stated edges; only a double next to an edge may differ by one."""
    values = np.concatenate(
        [grid.edges, (grid.edges[:-1] + grid.edges[1:]) / 2, np.array(beside_edges(grid))]
    )
    by_edge = np.searchsorted(grid.edges, values, side="right")
    assert np.abs(numpy_cells(grid, values) - by_edge).max() <= 1
    middle = (grid.edges[:-1] + grid.edges[1:]) / 2
    assert numpy_cells(grid, middle).tolist() == list(range(1, grid.bins + 1))


def test_postgres_agrees_on_thousands_of_odd_values(postgres_database: str) -> None:
    """The same expression in PostgreSQL gives the same cells, and raises on none of the values."""
    import adbc_driver_postgresql.dbapi as adbc

    made = [
        NumberGrid((Segment(-1.0, 0.0, 3), Segment(0.0, 0.7, 7), Segment(0.7, 1e6, 9))),
        NumberGrid((Segment(0.1, 0.1 + 1e-9, 6),)),
        NumberGrid((Segment(-1e300, 1e300, 11),)),
        NumberGrid((Segment(-0.5, 23.5, 24), Segment(23.5, 1e9, 8))),
        NumberGrid((Segment(1e-290, 3e-290, 5),)),
    ]
    random = np.random.default_rng(7)
    drawn = random.standard_normal(2000) * 10.0 ** random.integers(-320, 307, 2000).astype(float)
    values = np.array([*ODD, *(x for grid in made for x in beside_edges(grid)), *drawn])
    with adbc.connect(postgres_database) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("t", pa.table({"place": np.arange(len(values)), "v": values}), mode="create")
        table = sa.table("t", sa.column("place"), sa.column("v"))
        for grid in made:
            cursor.execute(as_sql(sa.select(grid.cell(table.c.v).label("c")).order_by(table.c.place)))
            codes = cursor.fetch_arrow_table()["c"].to_pylist()
            assert codes == numpy_cells(grid, values).tolist() == duck_cells(grid, pa.array(values))


def test_null_has_its_own_cell() -> None:
    """Null is counted as null, NaN as NaN, and each infinity as itself."""
    grid = NumberGrid((Segment(0.0, 10.0, 5),))
    values = pa.array(
        [None, math.nan, -math.inf, math.inf, -1.0, 10.0, 0.0, 9.9], pa.float64(), from_pandas=False
    )
    assert duck_cells(grid, values) == [7, 8, 9, 10, 0, 6, 1, 5]
    assert grid.labels[7:] == ("null", "NaN", "-infinity", "+infinity")


def test_hostile_categories_keep_their_own_cell() -> None:
    """Quotes, signs of parameters and both spellings of é stay apart; ronda's own labels as data are `other`."""
    kept = tuple(value for value in HOSTILE if not value.startswith("\x1f"))
    grid = CategoryGrid(kept)
    codes = [grid.codes[label] for label in duck_cells(grid, pa.array([*HOSTILE, None, "new"]))]
    wanted = [kept.index(value) if value in kept else grid.other for value in HOSTILE]
    assert codes == [*wanted, grid.null, grid.other]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=8, unique=True))
@settings(max_examples=60)
def test_any_text_is_counted_as_itself(texts: list[str]) -> None:
    """Whatever a kept value holds, NUL and line ends too, it comes back from SQL as itself."""
    kept = tuple(text for text in texts if not text.startswith("\x1f"))
    assert duck_cells(CategoryGrid(kept), pa.array(kept, pa.string())) == list(kept)


def test_a_category_without_values_still_tells_null_from_unseen() -> None:
    """A reference that was all null has two cells, and SQL for them."""
    assert duck_cells(CategoryGrid(()), pa.array(["a", None])) == [OTHER, NULL]


@pytest.mark.parametrize(
    "segments",
    [
        (),
        (Segment(0.0, 0.0, 1),),
        (Segment(1.0, 0.0, 1),),
        (Segment(0.0, 1.0, 0),),
        (Segment(0.0, math.nan, 1),),
        (Segment(0.0, math.inf, 1),),
        (Segment(-1.7e308, 1.7e308, 4),),
        (Segment(0.0, 1.0, 1), Segment(2.0, 3.0, 1)),
        (Segment(1e16, 1e16 + 4, 8),),
        (Segment(0.0, 5e-323, 8),),
    ],
)
def test_a_grid_that_cannot_work_is_refused(segments: tuple[Segment, ...]) -> None:
    """Gaps, falling or infinite segments, and cells too narrow for doubles are refused when a grid is made."""
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=r"segment|cells"):
        NumberGrid(segments)


def test_a_category_grid_with_doubtful_values_is_refused() -> None:
    """Two cells for one value, or a value that could be taken for ronda's own label, would miscount."""
    with pytest.raises(ValueError, match="two cells"):
        CategoryGrid(("a", "a"))
    with pytest.raises(ValueError, match="ronda's own"):
        CategoryGrid((NULL,))


@pytest.mark.parametrize("complete", [True, False])
def test_no_two_cells_have_one_label(complete: bool) -> None:
    """Values that are the words null, other, unseen, or those in brackets, leave every label its own."""
    labels = CategoryGrid(("null", "(null)", "other", "unseen"), complete).labels
    assert len(set(labels)) == len(labels) == 6


def test_a_grid_survives_being_stored() -> None:
    """Plain data and back is the same grid, also of both kinds with hostile values."""
    number = NumberGrid((Segment(-0.1, 0.2, 3), Segment(0.2, 1e300, 7)))
    category = CategoryGrid(tuple(value for value in HOSTILE if not value.startswith("\x1f")), complete=False)
    assert grid_from_plain(grid_to_plain(number)) == number
    assert grid_from_plain(grid_to_plain(category)) == category


@given(st.floats(allow_nan=False))
@settings(max_examples=60)
def test_a_literal_is_the_same_64_bits(number: float) -> None:
    """A double written into SQL is read back to the same bits, denormals too."""
    with connect() as connection:
        found = arrow(connection, sa.select(double(number).label("x")))["x"][0].as_py()
    assert np.float64(found).tobytes() == np.float64(number).tobytes()
