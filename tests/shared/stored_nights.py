"""Stored nights of a small service, drawn from shares that are known: what the tests of backtests are made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from monitoring.bands import Bands
from monitoring.records import ALL_ROWS, Slice
from monitoring.replayed import History

FIRST = date(2026, 1, 5)
"""A Monday."""
WIDTHS = (0.5, 0.5, 0.5, 0.5, 0.5)
NUMBER = (0.1, 0.15, 0.25, 0.25, 0.15, 0.09, 0.0, 0.01)
CATEGORY = (0.5, 0.3, 0.15, 0.05, 0.0, 0.0)
STATUS = (0.97, 0.03, 0.0, 0.0)
SIZES = (6000, 2500, 1200, 300)
"""Requests a night of the cities that slices are made of; apps have two thirds and one third of all."""


def layout(numbers: int = 1, categories: int = 1) -> tuple[Bands, ...]:
    """Numbers of six bands, categories of four values, and the statuses."""
    return (
        *(Bands(f"number_{n}", "number", (), 8, WIDTHS) for n in range(numbers)),
        *(Bands(f"place_{n}", "category", (), 6) for n in range(categories)),
        Bands("status", "category", (), 4),
    )


def slices(sizes: tuple[int, ...] = SIZES) -> tuple[Slice, ...]:
    """All rows, then cities, then two apps."""
    cities = (Slice("city", f"c{n}") for n in range(len(sizes)))
    return (ALL_ROWS, *cities, Slice("app", "ios"), Slice("app", "android"))


def shares_of(bands: Bands) -> tuple[float, ...]:
    """The shares its nights are drawn from."""
    return STATUS if bands.column == "status" else NUMBER if bands.kind == "number" else CATEGORY


def history(
    nights: int = 35,
    seed: int = 3,
    *,
    tau: float = 0.0,
    rough: Mapping[str, float] | None = None,
    numbers: int = 1,
    categories: int = 1,
    sizes: tuple[int, ...] = SIZES,
    reference: int = 28,
) -> History:
    """Nights whose shares differ by lognormal factors, and are the same in all slices.

    Args:
        tau: spread of the factors; `rough` that of single columns.
        reference: so many of the nights are those of the reference, the first ones.
    """
    rng = np.random.default_rng(seed)
    columns = layout(numbers, categories)
    found = np.zeros((nights, 1 + len(sizes) + 2, sum(each.size for each in columns)), dtype=np.int32)
    for night in range(nights):
        start, many = 0, rng.poisson(np.array(sizes) * rng.lognormal(0, 0.03))
        for each in columns:
            spread = (rough or {}).get(each.column, tau)
            share = np.array(shares_of(each)) * rng.lognormal(0, spread, each.size)
            cities = rng.multinomial(many, share / share.sum())
            whole = cities.sum(axis=0)
            ios = rng.binomial(whole, 2 / 3)
            found[night, :, start : start + each.size] = [whole, *cities, ios, whole - ios]
            start += each.size
    dates = tuple(FIRST + timedelta(days=n) for n in range(nights))
    own = found[:reference]
    return History(
        columns, slices(sizes), dates, found, own.sum(axis=0, dtype=np.int64), dates[:reference], own
    )
