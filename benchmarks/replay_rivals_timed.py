"""How long the real Evidently takes for one night of a simulated service: its drift preset on raw rows.

`frame` makes rows of counts; they stand for the log of the service, so that making them is not timed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.replay_records import Column, World
from benchmarks.speed_part import timed


def seconds_per_night(world: World, nights: Sequence[int], place: int = 0) -> list[float]:
    """Wall-clock seconds of each of these nights, compared with all rows of the reference, imports left out.

    Memory: about 8 bytes for a number and 20 or more for a category, times all rows of the reference, and several
    times that while Evidently works. A world of a million reference rows × 60 columns needs some gigabytes.

    Args:
        nights: places of the nights to compare.
        place: which slice's rows; 0 is all rows.

    Raises:
        ValueError: Evidently found a column without any value, on a night or in the reference.
    """
    reference = frame(world, world.reference, place)
    currents = (frame(world, [night], place) for night in nights)
    _preset()
    return [timed(partial(drift, world, current, reference))[0] for current in currents]


def drift(world: World, current: pd.DataFrame, reference: pd.DataFrame) -> dict[str, Any]:
    """What Evidently's drift preset says with default settings, as its own dictionary.

    Only the columns' types are told to it, since it would take a number of few bands for a category.
    """
    data, definition, report, preset = _preset()
    kinds = definition(
        numerical_columns=[each.name for each in world.columns if each.kind == "number"],
        categorical_columns=[each.name for each in world.columns if each.kind == "category"],
    )
    both = [data.from_pandas(rows, data_definition=kinds) for rows in (current, reference)]
    said: dict[str, Any] = report([preset()]).run(*both).dict()
    return said


def frame(world: World, nights: Sequence[int], place: int = 0, seed: int = 0) -> pd.DataFrame:
    """Raw rows of these nights together, in random order, each column by itself.

    A number is its band's midpoint, `other` infinite, null NaN. A category is a word, `other` one of them, null
    None.

    Raises:
        ValueError: the columns do not have the same number of rows.
    """
    random = np.random.default_rng(seed)
    rows = {}
    for column in world.columns:
        counts = world.counts[column.name][list(nights), place].sum(axis=0)
        rows[column.name] = random.permutation(np.repeat(_values(column), counts))
    return pd.DataFrame(rows)


def _values(column: Column) -> npt.NDArray[Any]:
    """What a row of each cell holds."""
    if column.edges is None:
        words = [f"value {cell:03}" for cell in range(column.other)]
        return np.array([*words, "other", None], dtype=object)
    middles = (column.edges[:-1] + column.edges[1:]) / 2
    return np.array([*middles, np.inf, np.nan])


def _preset() -> tuple[Any, Any, Any, Any]:
    """Evidently, imported late: it takes seconds, and reports usage unless this is set before."""
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415 - see above
    from evidently.presets import DataDriftPreset  # noqa: PLC0415 - see above

    return Dataset, DataDefinition, Report, DataDriftPreset
