"""How far a night's counts are from the reference's, for every feature and slice at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitoring.distances import jensen_shannon, wasserstein
from monitoring.moments import mean, share, standard_deviation
from monitoring.records import Counts, Measure, Profile, Score, Slice
from store.grid import CategoryGrid, Grid, NumberGrid

Floats = npt.NDArray[np.float64]


def scores(reference: Profile, current: Profile, grids: Mapping[str, Grid]) -> list[Score]:
    """Every distance of a night: distributions in each slice, and shares of odd cells over all rows.

    A number's distribution is compared by the first Wasserstein distance over the standard deviation of the
    whole reference; a category's by the Jensen-Shannon distance over all its cells, null and unseen among
    them. A number that was constant in the reference has no standard deviation: there the share of rows that
    left its cell is told instead.

    Args:
        reference, current: profiles with the same slices; columns in `grids` are in both.
    """
    found: list[Score] = []
    for name, grid in grids.items():
        before, now = reference.counts[name], current.counts[name]
        found += _distributions(name, grid, reference.slices, before, now)
        found += _shares(name, grid, reference.slices[0], before[0], now[0])
    return found


def _distributions(
    name: str, grid: Grid, slices: tuple[Slice, ...], before: Counts, now: Counts
) -> Iterator[Score]:
    if isinstance(grid, CategoryGrid):
        effect, noise, unit = jensen_shannon(before, now), _category_noise(before, now), "js"
        values: tuple[Floats, Floats] | None = None
    else:
        before, now = before[:, : grid.ordered], now[:, : grid.ordered]
        effect, noise, unit = _number_effect(grid, before, now)
        values = mean(before, grid.midpoints), mean(now, grid.midpoints)
    rows_before, rows_now = before.sum(axis=1), now.sum(axis=1)
    for n, where in enumerate(slices):
        if not rows_before[n] and not rows_now[n] and n:
            continue  # a slice that neither side has ever seen is nothing to report
        was, is_now = (None, None) if values is None else (_known(values[0][n]), _known(values[1][n]))
        yield Score(
            "distribution", name, where, float(effect[n]), float(noise[n]), unit,
            int(rows_before[n]), int(rows_now[n]), was, is_now, _direction(was, is_now),
        )  # fmt: skip


def _number_effect(grid: NumberGrid, before: Counts, now: Counts) -> tuple[Floats, Floats, str]:
    scale = float(standard_deviation(before[0], grid.midpoints))
    if scale > 0:
        edges = grid.edges
        return wasserstein(before, now, edges) / scale, _number_noise(grid, before, now) / scale, "sd"
    home = int(before[0].argmax())
    left = 1 - share(now, [home])
    return left, np.zeros_like(left), "share"


def _shares(name: str, grid: Grid, where: Slice, before: Counts, now: Counts) -> Iterator[Score]:
    rows = int(before.sum()), int(now.sum())
    cells: dict[Measure, list[int]] = {"null_share": [grid.null]}
    if isinstance(grid, CategoryGrid):
        cells["unseen_share"] = [grid.other]
    else:
        cells["beyond_share"] = [0, grid.bins + 1, grid.null + 1, grid.null + 2, grid.null + 3]
    for measure, codes in cells.items():
        was, is_now = float(share(before, codes)), float(share(now, codes))
        spread = (was + is_now) / 2
        noise = float(np.sqrt(spread * (1 - spread) * sum(1 / n for n in rows))) if all(rows) else np.nan
        yield Score(
            measure, name, where, abs(is_now - was), noise, "share",
            *rows, _known(was), _known(is_now), _direction(was, is_now),
        )  # fmt: skip


def _category_noise(before: Counts, now: Counts) -> Floats:
    """Root mean square distance of two samples of the same categories: sqrt((K - 1) / (8 ln 2) (1/n + 1/m)).

    The divergence of two samples is nearly a quarter of their chi-square over n in nats (Lin 1991; Endres and
    Schindelin 2003), whose mean is K - 1 for K filled cells.
    """
    filled = ((before + now) > 0).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(filled - 1, 0) / (8 * np.log(2)) * _inverse_rows(before, now)))


def _number_noise(grid: NumberGrid, before: Counts, now: Counts) -> Floats:
    """Mean distance of two samples of the same numbers.

    It is sqrt(2/pi (1/n + 1/m)) times the integral of sqrt(F (1 - F)), F the cumulative share of both together.
    At each point the gap between two empirical distribution functions is nearly normal with variance
    F (1 - F) (1/n + 1/m). Source: Bobkov and Ledoux, "One-dimensional empirical measures, order statistics
    and Kantorovich transport distances", Memoirs AMS 1259 (2019), section 3.
    """
    both = before + now
    total = np.maximum(both.sum(axis=1, keepdims=True), 1)
    cumulative = np.cumsum(both[:, : grid.bins + 1], axis=1) / total  # share below each edge
    spread = np.sqrt(cumulative * (1 - cumulative))
    height = (spread[:, :-1] + spread[:, 1:]) / 2
    area = (height * np.diff(grid.edges)).sum(axis=1)
    return np.asarray(area * np.sqrt(2 / np.pi * _inverse_rows(before, now)))


def _inverse_rows(before: Counts, now: Counts) -> Floats:
    """1/n + 1/m per slice; NaN where a side has no rows, for then nothing can be said."""
    n, m = before.sum(axis=1).astype(float), now.sum(axis=1).astype(float)
    n[n == 0], m[m == 0] = np.nan, np.nan
    return np.asarray(1 / n + 1 / m)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _direction(before: float | None, now: float | None) -> Literal["", "up", "down"]:
    if before is None or now is None or before == now:
        return ""
    return "up" if now > before else "down"
