"""The numbers of a night, from its counts alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from monitoring.numbers import line, lines, measure, measure_slices, named
from monitoring.records import ALL_ROWS, Number, Profile, Slice
from services.model import Service
from store.grid import CategoryGrid, Grid, NumberGrid, Segment

NIGHT = date(2013, 6, 24)
SERVICE = Service.model_construct(service="shop", status_ok=("ok", "200"))
GRID = NumberGrid((Segment(0.0, 10.0, 10),))
STATUS = CategoryGrid(("ok", "timeout", "200"))
GRIDS: dict[str, Grid] = {
    "status": STATUS,
    "prediction": GRID,
    "latency_ms": GRID,
    "cost": GRID,
    "price": GRID,
    "city": STATUS,
}


def cells(grid: Grid, **counts: int) -> np.ndarray:
    """Counts over all rows, by cell code `c<code>`."""
    out = np.zeros((1, grid.size), dtype=np.int64)
    for code, rows in counts.items():
        out[0, int(code[1:])] = rows
    return out


def measured(**counts: np.ndarray) -> dict[tuple[str, str], Number]:
    """The numbers of a night with these counts, by name and subject."""
    grids = {name: GRIDS[name] for name in counts}
    found = measure(SERVICE, Profile((ALL_ROWS,), counts), grids, ["price", "city"], 100)
    return {(number.name, number.subject): number for number in found}


def test_numbers_by_hand() -> None:
    """Volume, errors, means, a 95th percentile and null shares, each from its cells."""
    found = measured(
        status=cells(STATUS, c0=60, c1=5, c2=20, c3=5, c4=10),
        prediction=cells(GRID, c1=50, c10=50),
        latency_ms=cells(GRID, c1=95, c10=5),
        cost=cells(GRID, c2=100),
        price=cells(GRID, c1=75, c12=25),
        city=cells(STATUS, c0=99, c4=1),
    )
    assert found["volume", ""] == Number("volume", "", 100.0, 100, None)
    assert found["errors", ""] == Number(
        "errors", "", 0.1, 10, 100
    )  # timeout and unseen; an empty status is none
    assert found["prediction", ""] == Number("prediction", "", 5.0, None, 100)
    assert found["latency_ms", ""] == Number("latency_ms", "", 1.0, None, 100)
    assert found["cost", ""] == Number("cost", "", 1.5, None, 100)
    assert found["null_share", "price"] == Number("null_share", "price", 0.25, 25, 100)
    assert found["null_share", "city"] == Number("null_share", "city", 0.01, 1, 100)
    assert next(iter(named(found.values()))) == ("volume", "", 100.0)


@pytest.mark.filterwarnings("error")
def test_nothing_to_divide_by() -> None:
    """Empty and all-null columns give no number, and no warning."""
    found = measured(
        status=cells(STATUS), prediction=cells(GRID, c12=9), latency_ms=cells(GRID, c13=3), price=cells(GRID)
    )
    assert {name: number.value for name, number in found.items() if name[0] != "volume"} == {
        ("errors", ""): None, ("prediction", ""): None, ("latency_ms", ""): None, ("null_share", "price"): None,
    }  # fmt: skip


def test_columns_that_are_not_logged_have_no_number() -> None:
    """A log without status, prediction or cost is not said to have none of them."""
    assert set(measured(price=cells(GRID, c1=1))) == {("volume", ""), ("null_share", "price")}


def test_usual_needs_a_week() -> None:
    """Mean and standard deviation of the nights there are, from seven on; missing nights count as unknown."""
    days = [NIGHT - timedelta(days=n) for n in range(10, 0, -1)]
    number = Number("errors", "", 0.1, 1, 10)
    ten = [Number("errors", "", value, 1, 10) for value in [0.1, 0.3] * 3 + [0.2] * 4]
    six = list(zip(days, [*ten[:6], *[None] * 4], strict=True))
    seven = list(zip(days, [*ten[:7], *[None] * 3], strict=True))
    assert line(number, "share", six, NIGHT).usual is None
    usual = line(number, "share", seven, NIGHT).usual
    assert usual == pytest.approx((0.2, np.sqrt(6 / 7) * 0.1))


def test_lines_stand_beside_their_own_past() -> None:
    """Each number has the same nights behind it, oldest first, and the format a reader expects."""
    tonight = [Number("volume", "", 9.0), Number("null_share", "price", 0.1), Number("null_share", "city", 0.2),
               Number("prediction", "", 0.5), Number("latency_ms", "", 20.0), Number("cost", "", 1.0)]  # fmt: skip
    past = {
        NIGHT - timedelta(days=1): [Number("null_share", "price", 0.3)],
        NIGHT - timedelta(days=9): [Number("volume", "", 1.0)],
    }
    found = lines(tonight, NIGHT, past, 3, prediction_is_share=True)
    assert [each.format for each in found] == ["count", "share", "share", "share", "ms", "number"]
    assert found[1].history == (
        (date(2013, 6, 21), None),
        (date(2013, 6, 22), None),
        (date(2013, 6, 23), 0.3),
    )
    assert found[2].history[-1] == (date(2013, 6, 23), None)
    assert [value for _, value in found[0].history] == [None, None, None]  # nine nights ago is too long ago
    assert lines(tonight, NIGHT, past, 3, prediction_is_share=False)[3].format == "number"


def test_a_slice_without_rows_has_a_volume_of_none() -> None:
    """Its requests may be the ones that stopped; shares and means of nothing are not made up."""
    counts = {
        "status": np.zeros((3, STATUS.size), dtype=np.int64),
        "prediction": np.zeros((3, GRID.size), dtype=np.int64),
    }
    counts["status"][:2, 0] = counts["prediction"][:2, 5] = 40
    parts = (ALL_ROWS, Slice("city", "Recife"), Slice("city", "Natal"))
    found = measure_slices(SERVICE, Profile(parts, counts), {"status": STATUS, "prediction": GRID})
    assert [(n.name, n.subject, n.value) for n in found] == [
        ("volume.slice", "city\x1fRecife", 40.0),
        ("errors.slice", "city\x1fRecife", 0.0),
        ("prediction.slice", "city\x1fRecife", 4.5),
        ("volume.slice", "city\x1fNatal", 0.0),
    ]
