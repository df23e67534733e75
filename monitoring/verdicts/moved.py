"""From a night's verdicts to the findings that incidents are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from monitoring.verdicts.incidents import Comparison, Key, Moved
from monitoring.verdicts.judge import Verdicts
from monitoring.verdicts.rows import Rows

WORSE = {"volume": False, "errors": True, "latency_p95": True, "tokens": True, "cost": True}
"""Numbers of which only one direction is bad, and whether it is up: nobody is woken because more people came, or because
answers became faster."""


def moved_of(
    labels: Sequence[tuple[str, str]], slices: Sequence[str], rows: Rows, verdicts: Verdicts
) -> Iterator[Moved]:
    """The findings of a night that may page; good news is left out.

    Args:
        labels: (measure, feature) of each row; a number of the service has no feature.
        slices: names of the slices, the empty one of all rows first.
    """
    size = rows.tonight.size
    whole = np.maximum(size[:, :1], 1.0)
    tests = {"tonight": verdicts.tonight, "week": verdicts.week, "ageing": verdicts.ageing}
    names: tuple[Comparison, ...] = ("tonight", "week", "ageing")
    for row, slot in np.argwhere(verdicts.drifted):
        measure, feature = labels[row]
        at = int(row), int(slot)
        name = min((n for n in names if tests[n].drifted[at]), key=lambda n: float(tests[n].chance[at]))
        test, floor = tests[name], float(rows.floor[row])
        if WORSE.get(measure, bool(test.up[at])) != bool(test.up[at]):
            continue
        yield Moved(
            key=Key(measure, feature, slices[slot]),
            comparison=name,
            floors=float(test.effect[at]) / floor,
            chance=float(test.chance[at]),
            whole=float(np.nan_to_num(test.effect[row, 0])) / floor,
            share=float(np.clip(size[at] / whole[row, 0], 0.0, 1.0)) if slot else 1.0,
            alone=float(test.alone[at]),
            up=bool(test.up[at]),
        )
