"""Counts of many nights with known φ and τ², and how they are laid out: what the tests of verdicts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from monitoring.verdicts.judge import Verdicts, judge
from monitoring.verdicts.lay import WEEK, Bank
from monitoring.verdicts.rows import NATS, UNITS, Floats, Rows
from monitoring.verdicts.scalars import Values, of_values, past_of_values, whole_of
from monitoring.verdicts.shares import Scale, bands, of_counts, past_of_counts, roots
from monitoring.verdicts.variation import Variation, fitted

Counts = npt.NDArray[np.int64]
FLOOR = 0.1
EDGES = stats.norm.ppf(np.linspace(0, 1, 21)[1:-1])
"""Inner edges of twenty bands of a normal number, in its standard deviations."""


def with_all(parts: Counts) -> Counts:
    """Slices of shape (rows, nights, slices, …) with their sum before them."""
    return np.concatenate([parts.sum(axis=2, keepdims=True), parts], axis=2)


def usual(rng: np.random.Generator, rows: int, cells: int = 10) -> Floats:
    """Usual shares of categories, shape (rows, 1, 1, cells)."""
    return rng.dirichlet(np.full(cells, 5.0), size=(rows, 1, 1)).astype(np.float64)


def categories(
    rng: np.random.Generator, shares: Floats, sizes: Any, nights: int, tau2: Any = 0.002, phi: int = 1
) -> Counts:
    """Counts whose nights differ by Dirichlet factors: squares of 2√p have the mean φ/n + τ² per direction.

    Args:
        shares: usual ones, broadcasts with (rows, nights, slices, cells).
        sizes: requests of each slice, shape (slices,).
        tau2: broadcasts with (rows, nights, slices, cells).
        phi: requests come in clumps of so many.
    """
    shape = (len(shares), nights, len(sizes), shares.shape[-1])
    moved = np.broadcast_to(shares, shape)
    drawn = rng.standard_gamma(np.maximum(moved / tau2, 1e-6))
    drawn = drawn / drawn.sum(axis=-1, keepdims=True)
    clumps = np.broadcast_to(np.asarray(sizes) // phi, shape[:-1])
    return rng.multinomial(clumps, drawn) * phi


def numbers(rng: np.random.Generator, means: Floats, sizes: Any) -> Counts:
    """Counts in bands of normal numbers with means of shape (rows, nights, slices)."""
    below = stats.norm.cdf(EDGES - means[..., np.newaxis])
    shares = np.diff(np.concatenate([0 * below[..., :1], below, 0 * below[..., :1] + 1], axis=-1), axis=-1)
    return rng.multinomial(np.broadcast_to(sizes, means.shape), shares / shares.sum(axis=-1, keepdims=True))


def widths(rows: int) -> Floats:
    """What the bands' edges count for, of a normal number: half the bands beside each, ends cut at three."""
    wide = np.diff(np.concatenate([[-3.0], EDGES, [3.0]]))
    return np.broadcast_to((wide[:-1] + wide[1:]) / 2, (rows, len(wide) - 1))


def moved(shares: Floats, effect: Any, cell: int = 0) -> Floats:
    """Shares at so large a Jensen-Shannon distance, towards one cell; shapes (…, cells) and (…)."""
    one = np.eye(shares.shape[-1])[cell]
    low, high = np.zeros(shares.shape[:-1]), np.ones(shares.shape[:-1])
    for _ in range(50):
        middle = (low + high) / 2
        mixed = shares + middle[..., np.newaxis] * (one - shares)
        square = (4 * (np.sqrt(mixed) - np.sqrt(shares)) ** 2).sum(axis=-1)
        far = square > NATS * np.asarray(effect) ** 2
        low, high = np.where(far, low, middle), np.where(far, middle, high)
    return np.asarray(shares + low[..., np.newaxis] * (one - shares), dtype=np.float64)


@dataclass(frozen=True)
class Setting:
    """Rows of one night, the variation of the reference, and which rows are named numbers."""

    rows: Rows
    reference: Variation
    named: npt.NDArray[np.bool_]

    @property
    def variation(self) -> Variation:
        """Fitted to the bank."""
        return fitted(self.rows.past, self.rows.unit, self.rows.dof)

    def judged(self) -> Verdicts:
        """The verdicts."""
        return judge(self.rows, self.reference, self.named)


def bank_of(rows: int, nights: int) -> Bank:
    """All nights of one kind, all of them used."""
    return Bank(np.zeros(nights, dtype=np.int64), np.ones((rows, nights), dtype=bool))


def setting(
    counts: Counts, scale: Scale | None = None, reference: Counts | None = None, bank: Bank | None = None
) -> Setting:
    """Distributions, tonight last; the reference is the nights before unless it is given."""
    own = counts[:, :-1] if reference is None else reference
    scale = scale or roots(own[:, :, 0].sum(axis=1))
    rows, nights = counts.shape[:2]
    floor = np.full(rows, FLOOR)
    bank = bank or bank_of(rows, nights)
    laid = of_counts(scale, counts, own.sum(axis=1), own.shape[1] // WEEK, bank, floor)
    past = past_of_counts(scale, own, np.zeros(own.shape[1], dtype=np.int64))
    return Setting(laid, fitted(past, laid.unit, laid.dof), np.zeros(rows, dtype=bool))


def band_setting(counts: Counts, reference: Counts | None = None) -> Setting:
    """The same of numbers."""
    return setting(counts, bands(widths(len(counts))), reference)


def value_setting(values: Values, floor: float, named: bool = True, bank: Bank | None = None) -> Setting:
    """Single numbers, tonight last."""
    rows, nights, _ = values.point.shape
    own = Values(values.unit, values.point[:, :-1], values.size[:, :-1], values.part[:, :-1], values.toward)
    weeks = (nights - 1) // WEEK
    laid = of_values(values, whole_of(own), weeks, bank or bank_of(rows, nights), np.full(rows, floor))
    past = past_of_values(own, np.zeros(nights - 1, dtype=np.int64))
    unit = np.full(rows, UNITS.index(values.unit))
    return Setting(laid, fitted(past, unit, np.ones(rows)), np.full(rows, named))
