"""Rival drift monitors by their published rules, computed from the counts of a simulated service.

Each rival is a function from a world to its `Flags`. It compares one night with the pooled nights of the reference.
It is given what raw rows would give it: a number is the midpoint of its band.

What the packages do with rows that hold no value (read in Evidently 0.7.23, NannyML 0.13.1, scipy 1.17.1):

* Evidently turns infinities into NaN and drops NaN and nulls, of numbers and of categories alike
  (`evidently.legacy.calculations.data_drift.get_one_column_drift`), so that nulls alone never make drift. When
  nothing is left of one column on one night it raises, and its whole report is lost; here only that key has no
  verdict, which is kinder to it.
* NannyML drops NaN and nulls (`nannyml.base._remove_nans`) and gives an empty night NaN, which alerts nobody. An
  infinite value would make it raise; here it is dropped, which is kinder to it.
* scipy's tests know nothing of nulls; whoever uses them drops these first, and so do we.

Unseen values of a category are one value more, named `other`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from benchmarks import replay_rivals_nannyml as nannyml
from benchmarks import replay_rivals_scores as scores
from benchmarks.replay_records import Column, World
from benchmarks.replay_rivals_ks import kolmogorov_smirnov

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]

SMALL_REFERENCE = 1000
"""Up to this many rows of the reference Evidently tests for chance; with more it measures distances."""
FEW_VALUES = 5
"""A number of at most this many distinct values is compared by Evidently as a category is."""
DRIFT_SHARE = 0.5
"""Share of columns that makes a dataset drift for Evidently."""
SIGNIFICANT = 0.05
TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Flags:
    """What a rival says of a world.

    Attributes:
        nights: whether somebody is paged, shape (nights,).
        keys: column -> whether it is flagged, shape (nights, slices).
        strength: column -> score by which what is flagged can be ranked, shape (nights, slices): 1 at the
            threshold, more beyond it; a distance as a multiple of the threshold, a p-value as its logarithm
            over the threshold's. 0 where there is no verdict.
        judgeable: share of all nights × columns × slices that get a verdict.
    """

    nights: Bools
    keys: dict[str, Bools]
    strength: dict[str, Floats]
    judgeable: float


@dataclass(frozen=True)
class Cells:
    """The cells of one column that a rival sees.

    Attributes:
        counts: shape (nights, slices, cells).
        reference: places of the nights of the reference.
        middles: midpoints of a number's bands, shape (cells,); None for a category.
    """

    counts: Whole
    reference: range
    middles: Floats | None = None


@dataclass(frozen=True)
class Scores:
    """A rival's scores of one column, each of shape (nights, slices).

    Attributes:
        value: what the package itself returns; NaN where there is no verdict.
        flagged: whether the package calls it drift.
        strength: as in `Flags`.
    """

    value: Floats
    flagged: Bools
    strength: Floats


Rule = Callable[[Cells], Scores]
Score = Callable[[Whole, Whole], Floats]


def clean(world: World, column: Column) -> Cells:
    """The cells of a column without those no package counts: null, and of a number also NaN and infinities."""
    counts = world.counts[column.name].astype(np.int64)
    if column.edges is None:
        return Cells(counts[..., : column.null], world.reference)
    middles = (column.edges[:-1] + column.edges[1:]) / 2
    return Cells(counts[..., : column.other], world.reference, middles)


def evidently(cells: Cells) -> Scores:
    """Evidently's choice of a method for a column, and what the method says.

    Source: `evidently.legacy.calculations.stattests.registry._get_default_stattest`. With more than 1,000 rows of
    the reference: Wasserstein distance for numbers of more than 5 distinct values (reference and night
    together), else Jensen-Shannon distance, drift from 0.1 on. Otherwise tests at 0.05: Kolmogorov-Smirnov for
    numbers of more than 5 distinct values, else the z-test for up to 2 values and chi-square for more.
    """
    usual, now, judged = _pairs(cells)
    value, flagged, strength = (np.full(len(usual), fill) for fill in (np.nan, False, 0.0))
    few = ((usual + now) > 0).sum(axis=1)
    large = usual.sum(axis=1) > SMALL_REFERENCE
    continuous = np.full(len(usual), cells.middles is not None) & (few > FEW_VALUES)
    chosen: list[tuple[Bools, Score, float, Callable[..., Bools]]] = [
        (large & ~continuous, _jensen_shannon, 0.1, np.greater_equal),
        (~large & continuous, kolmogorov_smirnov, SIGNIFICANT, np.less_equal),
        (~large & ~continuous & (few > 2), scores.chi_square, SIGNIFICANT, np.less),
        (~large & ~continuous & (few <= 2), scores.z_test, SIGNIFICANT, np.less),
    ]
    if cells.middles is not None:
        distance = partial(scores.wasserstein, middles=cells.middles)
        chosen.append((large & continuous, distance, 0.1, np.greater_equal))
    for where, score, threshold, beyond in chosen:
        found = score(usual[where], now[where])
        value[where], flagged[where] = found, beyond(found, threshold)
        strength[where] = _strength(found, threshold, beyond is np.greater_equal)
    return _unfolded(cells, judged, value, flagged, strength)


def psi(cells: Cells, threshold: float) -> Scores:
    """Evidently's population stability index over the cells, drift from `threshold` on."""
    usual, now, judged = _pairs(cells)
    value = scores.psi(usual, now)
    return _unfolded(cells, judged, value, value >= threshold, _strength(value, threshold, distance=True))


def significance(cells: Cells) -> Scores:
    """Kolmogorov-Smirnov test for numbers, chi-square test of two samples for categories; p < 0.05 is drift."""
    usual, now, judged = _pairs(cells)
    test = scores.chi_square_of_two if cells.middles is None else kolmogorov_smirnov
    value = test(usual, now)
    return _unfolded(cells, judged, value, value < SIGNIFICANT, _strength(value, SIGNIFICANT, distance=False))


def three_deviations(cells: Cells) -> Scores:
    """NannyML: a night's Jensen-Shannon distance against mean + 3 standard deviations of the reference's nights.

    See `benchmarks.replay_rivals_nannyml`. The strength is the distance from the mean in threes of deviations.
    """
    nights, slices, _ = cells.counts.shape
    value, mean, reach = np.full((nights, slices), np.nan), np.full(slices, np.nan), np.full(slices, np.nan)
    for place in range(slices):
        value[:, place] = nannyml.distances(cells.counts[:, place], cells.reference, cells.middles)
        mean[place], reach[place] = nannyml.limits(value[cells.reference.start : cells.reference.stop, place])
    with np.errstate(divide="ignore", invalid="ignore"):
        strength = np.nan_to_num(np.maximum(value - mean, 0) / reach, nan=0.0, posinf=np.inf)
    return Scores(value, value > mean + reach, strength)


def _jensen_shannon(usual: Whole, now: Whole) -> Floats:
    return scores.jensen_shannon(scores.shares(usual), scores.shares(now))


def _pairs(cells: Cells) -> tuple[Whole, Whole, Bools]:
    """Reference and night of every key that has rows on both sides, and which keys these are."""
    start, stop = cells.reference.start, cells.reference.stop
    usual = np.broadcast_to(cells.counts[start:stop].sum(axis=0), cells.counts.shape)
    judged = (usual.sum(axis=2) > 0) & (cells.counts.sum(axis=2) > 0)
    return usual[judged], cells.counts[judged], judged


def _strength(value: Floats, threshold: float, distance: bool) -> Floats:
    if distance:
        return value / threshold
    found: Floats = np.log(np.maximum(np.nan_to_num(value, nan=1.0), TINY)) / np.log(threshold)
    return found


def _unfolded(cells: Cells, judged: Bools, value: Floats, flagged: Bools, strength: Floats) -> Scores:
    shape = cells.counts.shape[:2]
    found = Scores(np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_), np.zeros(shape))
    found.value[judged], found.flagged[judged], found.strength[judged] = value, flagged, strength
    return found


def _flags(world: World, rule: Rule, everywhere: bool = True, share: float = 0.0) -> Flags:
    """Apply a rule to the slice of all rows, or to every slice.

    Args:
        share: somebody is paged when at least this share of columns is flagged, in any slice; never for none.
    """
    shape = (len(world.nights), len(world.slices))
    keys, strength, judged = {}, {}, 0
    hits = np.zeros(shape, dtype=np.int64)
    for column in world.columns:
        cells = clean(world, column)
        seen = slice(0, 1 if everywhere else shape[1])
        found = rule(Cells(cells.counts[:, seen], cells.reference, cells.middles))
        flagged, score = np.zeros(shape, dtype=np.bool_), np.zeros(shape)
        flagged[:, seen], score[:, seen] = found.flagged, found.strength
        keys[column.name], strength[column.name] = flagged, score
        hits += flagged
        judged += int((~np.isnan(found.value)).sum())
    paged: Bools = np.any((hits > 0) & (hits >= share * len(world.columns)), axis=1)
    return Flags(paged, keys, strength, judged / (len(world.columns) * shape[0] * shape[1]))


def _constant(world: World, answer: bool) -> Flags:
    shape = (len(world.nights), len(world.slices))
    keys = {column.name: np.full(shape, answer) for column in world.columns}
    strength = {column.name: np.full(shape, float(answer)) for column in world.columns}
    return Flags(np.full(shape[0], answer), keys, strength, 1.0)


RIVALS: Mapping[str, Callable[[World], Flags]] = {
    "evidently_default": partial(_flags, rule=evidently),
    "evidently_dataset": partial(_flags, rule=evidently, share=DRIFT_SHARE),
    "evidently_per_slice": partial(_flags, rule=evidently, everywhere=False),
    "psi_01": partial(_flags, rule=partial(psi, threshold=0.1)),
    "psi_025": partial(_flags, rule=partial(psi, threshold=0.25)),
    "ks_p05": partial(_flags, rule=significance),
    "nannyml_3sigma": partial(_flags, rule=three_deviations),
    "always": partial(_constant, answer=True),
    "never": partial(_constant, answer=False),
}
"""Name -> the rival. All but `evidently_per_slice` look at the slice of all rows only, as each does by default."""
