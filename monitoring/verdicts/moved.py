"""From a night's verdicts to the findings that incidents are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from monitoring.verdicts.incidents import Key, Moved
from monitoring.verdicts.judge import Verdicts
from monitoring.verdicts.rows import Rows
from monitoring.verdicts.together import together

WORSE = {
    "volume": False,
    "errors": True,
    "null_share": True,
    "unseen_share": True,
    **dict.fromkeys(("latency_ms", "first_token_ms", "latency_p95"), True),
    **dict.fromkeys(("tokens_in", "tokens_out", "tokens", "cost"), True),
}
"""Numbers of which only one direction is bad, and whether it is up: nobody is woken because more people came, or because
answers became faster; a feature whose gaps were filled with nonsense moves as a distribution. An outcome counts both
ways: complaints that stop at once are as suspicious."""
FEW = 30
"""A slice of fewer requests makes no incident by itself, however surely it moved: nobody gets up for seven requests."""


def moved_of(
    labels: Sequence[tuple[str, str]],
    slices: Sequence[str],
    rows: Rows,
    verdicts: Verdicts,
    guards: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Moved]:
    """The findings of a night that may page; good news is left out, and hides no bad news of the same number.

    Args:
        labels: (measure, feature) of each row; a number of the service has no feature, a guard its name.
        slices: names of the slices, the empty one of all rows first.
        guards: name of a guard -> which way it gets worse: `up`, `down` or `either`.
    """
    size = rows.tonight.size
    whole = np.maximum(size[:, :1], 1.0)
    tests, names = verdicts.by_name, [feature or measure for measure, feature in labels]
    alike = together(rows.past.squares[:, :, 0], rows.unit, np.asarray(verdicts.drifted.any(axis=1)))
    for row, slot in np.argwhere(verdicts.drifted):
        measure, feature = labels[row]
        at = int(row), int(slot)
        worse = _worse(measure, feature, guards)
        bad = [n for n in tests if tests[n].drifted[at] and worse in {None, bool(tests[n].up[at])}]
        if not bad or (slot and size[at] < FEW):
            continue
        # what is seen tonight is told as of tonight, though the week or the reference may show it more surely
        name = "tonight" if "tonight" in bad else min(bad, key=lambda n: float(tests[n].chance[at]))
        test, floor = tests[name], float(rows.floor[row])
        yield Moved(
            key=Key(measure, feature, slices[slot]),
            comparison=name,
            floors=float(test.effect[at]) / floor,
            chance=float(test.chance[at]),
            whole=float(np.nan_to_num(test.effect[row, 0])) / floor,
            share=float(np.clip(size[at] / whole[row, 0], 0.0, 1.0)) if slot else 1.0,
            alone=min(float(tests[n].alone[at]) for n in bad),
            up=bool(test.up[at]),
            beside=tuple(sorted({names[n] for n in np.flatnonzero(alike[row])} - {names[row]})),
        )


def _worse(measure: str, feature: str, guards: Mapping[str, str]) -> bool | None:
    """Whether it is bad if it rises, or if it falls; None if both are."""
    if measure == "guard":
        return {"up": True, "down": False}.get(guards.get(feature, ""))
    return WORSE.get(measure)
