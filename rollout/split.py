"""The rows of a release, parted by night into those that are trained on and those that are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from rollout.records import Part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

NIGHT, LABEL, PREDICTION = "night", "label", "prediction"


@dataclass(frozen=True)
class Split:
    """A release in two parts by time.

    Attributes:
        features: the columns that a model may use.
        trained, held_out: the rows, in the release's order: features, `night`, `label`, `prediction`.
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
    """Held-out rows that were served with a prediction.

    Attributes:
        features: what the new model is given.
        labels, nights: of each row; nights in ISO form.
        probabilities: what was served; None if it is not all between 0 and 1.
        without_prediction: the other held-out rows, which are left out.
    """

    features: pd.DataFrame
    labels: npt.NDArray[np.int8]
    nights: npt.NDArray[np.str_]
    probabilities: npt.NDArray[np.float64] | None
    without_prediction: int


def served(split: Split) -> Served:
    """The held-out rows that have a prediction; a logged NaN is none."""
    rows = split.held_out
    numbers = pa.types.is_floating(rows[PREDICTION].type)
    there = rows.filter(pc.invert(pc.is_null(rows[PREDICTION], nan_is_null=True)))
    probabilities = there[PREDICTION].to_numpy() if numbers else None
    if probabilities is not None and not ((probabilities >= 0) & (probabilities <= 1)).all():
        probabilities = None
    if probabilities is not None and ((probabilities == 0) | (probabilities == 1)).all():
        probabilities = None  # answers yes or no: log loss would count each error as a certainty
    return Served(
        features=there.select(list(split.features)).to_pandas(),
        labels=there[LABEL].to_numpy(),
        nights=there[NIGHT].cast(pa.string()).to_numpy().astype(str),
        probabilities=probabilities,
        without_prediction=rows.num_rows - there.num_rows,
    )
