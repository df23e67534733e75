"""The rows of a release, parted by night into those that are trained on and those that are held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from rollout.records import Part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

NIGHT, LABEL, PREDICTION, VERSION = "night", "label", "prediction", "model_version"

UNKNOWN = "unknown"
"""How held-out rows are counted whose version the log does not say, while it does of others."""


@dataclass(frozen=True)
class Split:
    """A release in two parts by time.

    Attributes:
        features: the columns that a model may use.
        trained, held_out: the rows, in the release's order: features, `night`, `label`, `prediction`, and
            `model_version` if the release has it.
    """

    features: tuple[str, ...]
    trained: pa.Table
    held_out: pa.Table

    @property
    def frame(self) -> pd.DataFrame:
        """What a trainer is given: features, `label` and `night`."""
        found: pd.DataFrame = self.trained.select([*self.features, LABEL, NIGHT]).to_pandas()
        return found


def split(rows: pa.Table, features: Sequence[str], held_out_nights: int) -> Split:
    """Hold out the last nights that the release has rows of, all their rows and no other.

    By time and by whole nights, as the model will be used: on days that nobody has seen. A release of
    `held_out_nights` nights or fewer leaves nothing to train on.

    Args:
        rows: of the release; at least one.
    """
    nights = pc.unique(rows[NIGHT]).sort()
    begin = nights[max(len(nights) - held_out_nights, 0)]
    later = pc.greater_equal(rows[NIGHT], begin)
    return Split(tuple(features), rows.filter(pc.invert(later)), rows.filter(later))


def part_of(rows: pa.Table) -> Part | None:
    """What some rows are; None if there are none."""
    if not rows.num_rows:
        return None
    ends = pc.min_max(rows[NIGHT]).as_py()
    nights = pc.count_distinct(rows[NIGHT]).as_py()
    return Part(ends["min"], ends["max"], nights, rows.num_rows, pc.sum(rows[LABEL]).as_py())


@dataclass(frozen=True)
class Served:
    """Held-out rows to which the version that serves now gave a prediction.

    Attributes:
        version: the model version that served last; "" if the log names none, and all rows count as one.
        features: what the new model is given.
        labels, nights: of each row; nights in ISO form.
        probabilities: what was served; None if it is not all between 0 and 1.
        without_prediction: the held-out rows without one, of whatever version; they are left out.
        other_versions: model version -> the held-out rows that it served with a prediction; left out too.
    """

    version: str
    features: pd.DataFrame
    labels: npt.NDArray[np.int8]
    nights: npt.NDArray[np.str_]
    probabilities: npt.NDArray[np.float64] | None
    without_prediction: int
    other_versions: Mapping[str, int]


def served(split: Split) -> Served:
    """The held-out rows to which the version that serves now gave a prediction; a logged NaN is none.

    Another version's rows say nothing of what the new model would replace: a mixture with them could be
    better or worse than either.
    """
    rows = split.held_out
    numbers = pa.types.is_floating(rows[PREDICTION].type)
    version = _served_last(rows)
    predicted = rows.filter(pc.invert(pc.is_null(rows[PREDICTION], nan_is_null=True)))
    there, other_versions = _of_version(predicted, version)
    probabilities = there[PREDICTION].to_numpy() if numbers else None
    if probabilities is not None and not ((probabilities >= 0) & (probabilities <= 1)).all():
        probabilities = None
    if probabilities is not None and ((probabilities == 0) | (probabilities == 1)).all():
        probabilities = None  # answers yes or no: log loss would count each error as a certainty
    return Served(
        version=version,
        features=there.select(list(split.features)).to_pandas(),
        labels=there[LABEL].to_numpy(),
        nights=there[NIGHT].cast(pa.string()).to_numpy().astype(str),
        probabilities=probabilities,
        without_prediction=rows.num_rows - predicted.num_rows,
        other_versions=other_versions,
    )


def _served_last(rows: pa.Table) -> str:
    """The model version with most rows on the last night that names any, of two the later by name; "" if none does.

    Rows without a prediction count: a version that gives none serves all the same.
    """
    if VERSION not in rows.column_names:
        return ""
    named = rows.filter(pc.not_equal(rows[VERSION].cast(pa.string()), ""))  # null is not kept either
    if not named.num_rows:
        return ""
    of_last_night = named.filter(pc.equal(named[NIGHT], pc.max(named[NIGHT])))
    counts = _counts(of_last_night)
    return max(counts, key=lambda version: (counts[version], version))


def _of_version(rows: pa.Table, version: str) -> tuple[pa.Table, dict[str, int]]:
    """The rows that a version served, and how many each other one did."""
    if not version:
        return rows, {}
    ours = pc.fill_null(pc.equal(rows[VERSION], version), fill_value=False)
    others = _counts(rows.filter(pc.invert(ours)))
    return rows.filter(ours), dict(sorted(others.items()))


def _counts(rows: pa.Table) -> Counter[str]:
    """The rows of each version."""
    counts = Counter[str]()
    for found in rows[VERSION].value_counts().to_pylist():
        counts[found["values"] or UNKNOWN] += found["counts"]
    return counts
