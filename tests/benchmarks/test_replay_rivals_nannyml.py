"""NannyML's rule from counts, against what NannyML itself said of the same rows.

The values below are those of nannyml 0.13.1 (with numpy 2.4.6, scipy 1.17.1, pandas 3.1.1), installed by itself
since it is no dependency. Each night's counts were made raw rows, numbers on their bands' midpoints, nulls NaN or
None, and given to `UnivariateDriftCalculator(["x"], timestamp_column_name="at", chunk_period="D")`: fitted on the
first six nights, then asked for all nine; `value`, `upper_threshold` and `alert` of the results follow. In the
same way 717 keys of 60 random columns were equal to 3e-15.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import replay_rivals as rivals
from benchmarks.replay_rivals_nannyml import limits

REFERENCE = range(6)
EDGES = np.array([-2.0, -1.1, -0.4, 0.1, 0.2, 0.3, 3.2])
"""The fourth and fifth bands are so narrow that NannyML's last bin holds both."""
NUMBER = [
    [11, 30, 42, 38, 17, 0], [13, 27, 45, 36, 21, 0], [9, 33, 40, 41, 15, 0], [12, 29, 47, 33, 19, 0],
    [10, 31, 39, 40, 18, 0], [14, 28, 43, 37, 16, 0], [11, 29, 44, 36, 19, 0], [3, 15, 30, 55, 40, 0],
    [11, 30, 42, 38, 17, 2],
]  # fmt: skip
"""Rows in each band, night by night. The reference never has the highest band."""
CATEGORY = [
    [60, 30, 10, 0], [55, 34, 11, 0], [63, 29, 8, 0], [58, 33, 9, 0], [0, 0, 0, 0], [61, 28, 11, 0],
    [59, 31, 10, 0], [59, 30, 10, 5], [40, 45, 15, 0],
]  # fmt: skip
"""Rows of each value, the last one never seen in the reference; on the fifth night there are only nulls."""
NUMBER_SAID = [
    0.006221987290720709,
    0.026689404604738936,
    0.0385860709258775,
    0.02866126897205279,
    0.03087568192157261,
    0.029524397888618773,
    0.010117980777934278,
    0.24291346832388253,
    0.0849609301292903,
]
CATEGORY_SAID = [
    0.0074918521441797795,
    0.037822519066400724,
    0.035142858122163646,
    0.02137064790598652,
    float("nan"),
    0.02841841906333702,
    0.0038072173006222965,
    0.15651509021945956,
    0.1654012051382466,
]
NUMBER_LIMIT, CATEGORY_LIMIT = 0.056505384634604555, 0.058725384525677514
ALERTS = {"number": [7, 8], "category": [7, 8]}


def cells(counts: list[list[int]], *, number: bool) -> rivals.Cells:
    """One column in one slice."""
    middles = (EDGES[:-1] + EDGES[1:]) / 2 if number else None
    return rivals.Cells(np.array(counts)[:, None], REFERENCE, middles)


@pytest.mark.parametrize(
    ("given", "said", "limit", "alerts"),
    [
        (cells(NUMBER, number=True), NUMBER_SAID, NUMBER_LIMIT, ALERTS["number"]),
        (cells(CATEGORY, number=False), CATEGORY_SAID, CATEGORY_LIMIT, ALERTS["category"]),
    ],
    ids=["number", "category"],
)
def test_nannyml_said_the_same(given: rivals.Cells, said: Any, limit: float, alerts: list[int]) -> None:
    """Distances of all nights, the limit and the alerts are those of the package, new values and no values too."""
    found = rivals.three_deviations(given)
    assert found.value[:, 0] == pytest.approx(np.array(said), rel=1e-9, abs=1e-9, nan_ok=True)
    assert sum(limits(found.value[: REFERENCE.stop, 0])) == pytest.approx(limit, rel=1e-9)
    assert np.flatnonzero(found.flagged[:, 0]).tolist() == alerts
    assert np.array_equal(found.strength > 1, found.flagged)
