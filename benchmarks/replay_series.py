"""The series of a simulated service: volume, errors, speed, cost and outcomes, night by night."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.replay_counts import Ints, in_slices
from benchmarks.replay_moves import floor_of
from benchmarks.replay_noise import night_levels
from benchmarks.replay_records import Floats, Series
from benchmarks.replay_service import Plan
from benchmarks.replay_step import Step

DELAY = {"eta": 1, "recommender": 2, "assistant": 3}
"""Nights until an outcome is known."""
SHARES = {"errors": 0.005, "outcome": 0.2, "labels_known": 0.85, "empty_answers": 0.01, "checkout": 0.12}
"""Usual rates of the shares."""
RATE_NOISE = {"outcome": 0.007, "labels_known": 0.006, "checkout": 0.004}
"""Standard deviation of a rate from night to night, in points, of all rows; the same again in each part alone."""
ODDS_NOISE = {"errors": 0.15, "empty_answers": 0.15}
"""The same of rare shares, in log-odds."""
LEVEL_NOISE = {"volume": 0.05, "latency_p95": 0.04, "tokens": 0.025, "cost": 0.025}
"""The same of what is told as a ratio."""
SPREAD = {"latency_p95": 1.06, "tokens": 0.95, "cost": 0.95}
"""Times 1 / sqrt(requests): the standard deviation of a log level by chance within a night.

For a 95th percentile of log-normal latencies with a spread of 0.5, and for means with a spread of 0.8.
"""


def requests(plan: Plan, steps: Sequence[Step], noise: str, rng: np.random.Generator) -> Ints:
    """Rows of each night and part, shape (nights, parts): expected ones, incidents, night's noise, chance."""
    nights, parts = plan.requests.shape
    common, alone = night_levels(noise, nights, parts, rng)
    # A storm must not make a night without rows, or one with ten times as many.
    level = np.clip(LEVEL_NOISE["volume"] * (common + alone), -1, 1)
    return rng.poisson(plan.requests * np.exp(level) * _factor(plan, steps, "volume"))


def all_series(
    plan: Plan, steps: Sequence[Step], noise: str, rows: Ints, rng: np.random.Generator
) -> tuple[Series, ...]:
    """Every series of the service; those of outcomes are known after a delay, and not yet at the end."""
    delay = DELAY[plan.service]

    def rate(name: str) -> Floats:
        return _rate(plan, steps, noise, name, rng)

    def level(name: str, usual: float) -> Floats:
        return np.asarray(np.log(usual) + _level(plan, steps, noise, name, rng), dtype=np.float64)

    sums = in_slices(rows, plan.belongs)
    known = rng.binomial(rows, rate("labels_known"))
    made = [
        Series("volume", "log", floor_of("volume"), sums, sums),
        _share("errors", rng.binomial(rows, rate("errors")), rows, plan),
        _mean("latency_p95", level("latency_p95", 0.4), rows, plan, rng),
        _share("outcome", rng.binomial(known, rate("outcome")), known, plan, delay),
        _share("labels_known", known, rows, plan, delay),
        _everywhere(_share("checkout", rng.binomial(rows, rate("checkout")), rows, plan)),
    ]
    if plan.service == "assistant":
        tokens = level("tokens", 900.0)
        price = _factor(plan, steps, "cost") / _factor(plan, steps, "tokens")
        own = rng.normal(0, 0.005, (len(plan.nights), 1))
        made += [
            _share("empty_answers", rng.binomial(rows, rate("empty_answers")), rows, plan),
            _mean("tokens", tokens, rows, plan, rng),
            _mean("cost", tokens + own + np.log(0.000002 * price), rows, plan, rng),
        ]
    return tuple(made)


def _rate(plan: Plan, steps: Sequence[Step], noise: str, name: str, rng: np.random.Generator) -> Floats:
    """True share of each night and part: its usual one, the night's noise, and what incidents add."""
    nights, parts = plan.requests.shape
    common, alone = night_levels(noise, nights, parts, rng)
    odds = np.log(SHARES[name] / (1 - SHARES[name])) + rng.normal(0, 0.1, parts)
    odds = odds + ODDS_NOISE.get(name, 0.0) * (common + alone)
    rate = 1 / (1 + np.exp(-odds)) + RATE_NOISE.get(name, 0.0) * (common + alone)
    for step in steps:
        if name in step.points:
            rate[_nights(step)] += step.points[name][:, None] * _parts(plan, step)
    return np.asarray(np.clip(rate, 0.0, 1.0), dtype=np.float64)


def _level(plan: Plan, steps: Sequence[Step], noise: str, name: str, rng: np.random.Generator) -> Floats:
    """True log level of each night and part, around 0; on weekends 2 % lower."""
    nights, parts = plan.requests.shape
    common, alone = night_levels(noise, nights, parts, rng)
    weekly = -0.02 * (plan.weekdays >= 5)[:, None] + rng.normal(0, 0.15, parts)
    return weekly + LEVEL_NOISE[name] * (common + alone) + np.log(_factor(plan, steps, name))


def _factor(plan: Plan, steps: Sequence[Step], name: str) -> Floats:
    """What incidents multiply a series with, shape (nights, parts)."""
    factor = np.ones(plan.requests.shape)
    for step in steps:
        if name in step.factors:
            factor[_nights(step)] *= 1 + (step.factors[name] - 1)[:, None] * _parts(plan, step)
    return factor


def _nights(step: Step) -> slice:
    return slice(step.incident.first, step.incident.last + 1)


def _parts(plan: Plan, step: Step) -> Floats:
    """1 where an incident holds, shape (parts,)."""
    return np.asarray(plan.belongs[plan.slices.index(step.incident.slice)], dtype=np.float64)


def _share(name: str, part: Ints, whole: Ints, plan: Plan, delay: int = 0) -> Series:
    """A share of rows, summed over the parts of each slice."""
    above, below = in_slices(part, plan.belongs), in_slices(whole, plan.belongs)
    value = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    if delay:
        value[-delay:] = np.nan
    return Series(name, "share", floor_of(name), value, below, above, delay)


def _everywhere(series: Series) -> Series:
    """The same, known for all rows only."""
    assert series.part is not None
    hidden = np.arange(series.value.shape[1]) > 0
    value, whole, part = (np.where(hidden, np.nan, a) for a in (series.value, series.whole, series.part))
    return Series(series.name, series.scale, series.floor, value, whole, part, series.delay)


def _mean(name: str, logs: Floats, rows: Ints, plan: Plan, rng: np.random.Generator) -> Series:
    """A level, in a slice the geometric mean of its parts weighted by their rows; NaN without rows."""
    chance = rng.normal(size=rows.shape) * SPREAD[name] / np.sqrt(np.maximum(rows, 1))
    total, below = in_slices((logs + chance) * rows, plan.belongs), in_slices(rows, plan.belongs)
    value = np.exp(np.divide(total, below, out=np.full(below.shape, np.nan), where=below > 0))
    return Series(name, "log", floor_of(name), value, below)
