"""The numbers of a slice: from its own counts, beside its own past."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from monitoring.numbers import lines, measure_slices, outcome_slices
from monitoring.records import ALL_ROWS, OF, Number, Profile, Slice
from services.model import Service
from store.grid import CategoryGrid, Grid, NumberGrid, Segment
from store.labelled import LabelCount

NIGHT = date(2013, 6, 24)
SERVICE = Service.model_construct(service="shop", status_ok=("ok", "200"))
GRID = NumberGrid((Segment(0.0, 10.0, 10),))
STATUS = CategoryGrid(("ok", "timeout", "200"))


def cells(grid: Grid, **counts: int) -> np.ndarray:
    """Counts of one slice, by cell code `c<code>`."""
    out = np.zeros((1, grid.size), dtype=np.int64)
    for code, rows in counts.items():
        out[0, int(code[1:])] = rows
    return out


def test_numbers_of_each_slice() -> None:
    """From the slice's own counts alone; null is a slice as any other, the whole is none; without rows it is a volume of 0."""
    slices = (ALL_ROWS, Slice("city", "Recife"), Slice("city", "null"), Slice("city", "Natal"))
    status = [
        cells(STATUS, c0=20, c1=9, c4=3),
        cells(STATUS, c0=12, c1=6, c4=2),
        cells(STATUS, c0=8, c1=3, c4=1),
    ]
    prediction = [cells(GRID, c1=12, c10=20), cells(GRID, c10=20), cells(GRID, c1=12)]
    counts = {
        "status": np.concatenate([*status, cells(STATUS)]),
        "prediction": np.concatenate([*prediction, cells(GRID)]),
    }
    grids: dict[str, Grid] = {"status": STATUS, "prediction": GRID}
    recife, null = f"city{OF}Recife", f"city{OF}null"
    assert measure_slices(SERVICE, Profile(slices, counts), grids) == [
        Number("volume.slice", recife, 20.0, 20, None),
        Number("errors.slice", recife, 0.3, 6, 20),
        Number("prediction.slice", recife, 9.5, None, 20),
        Number("volume.slice", null, 12.0, 12, None),
        Number("errors.slice", null, 0.25, 3, 12),
        Number("prediction.slice", null, 0.5, None, 12),
        Number("volume.slice", f"city{OF}Natal", 0.0, 0, None),
    ]
    volumes = measure_slices(SERVICE, Profile(slices, {"status": counts["status"]}), {})
    assert [(number.name, number.value) for number in volumes] == [
        ("volume.slice", 20.0),
        ("volume.slice", 12.0),
        ("volume.slice", 0.0),
    ]


def test_outcomes_of_each_slice() -> None:
    """The positive among those that have a label, null among the slices; none positive is a share of 0."""
    counts = [LabelCount("city", "Recife", 40, 10), LabelCount("city", "null", 8, 0)]
    assert outcome_slices(counts) == [
        Number("outcome.slice", f"city{OF}Recife", 0.25, 10, 40),
        Number("outcome.slice", f"city{OF}null", 0.0, 0, 8),
    ]


def test_a_slice_reads_as_the_whole_does() -> None:
    """Its share in percent, its volume as a count; its past is its own, not its neighbour's."""
    day = NIGHT - timedelta(days=1)
    recife, natal = f"city{OF}Recife", f"city{OF}Natal"
    tonight = [Number(f"{name}.slice", recife, 0.5) for name in ("volume", "errors", "outcome", "prediction")]
    past = {
        day: [
            Number("errors.slice", natal, 0.9),
            Number("errors.slice", recife, 0.1),
            Number("errors", "", 0.2),
        ]
    }
    found = lines(tonight, NIGHT, past, 1, prediction_is_share=True)
    assert [each.format for each in found] == ["count", "share", "share", "share"]
    assert found[1].history == ((day, 0.1),)
