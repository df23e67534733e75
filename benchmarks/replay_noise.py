"""How nights differ from one another: true shares and levels that move from night to night, in four ways.

A night's shares are the usual ones times factors of mean 1, scaled to add up to 1. Half of the variance comes
from factors that are common to all parts of a feature, half from factors of each part alone.
With factors of variance v / p, free of one another, a share p varies by v p (1 - p), as of a Dirichlet draw.
"""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist

import numpy as np

from benchmarks.replay_records import Floats

CORRELATION = 0.6
"""Of one night with the night before, where nights are autocorrelated."""
MOST = 1.0
"""The largest variance of a factor: a share much rarer than rho varies by its own size and not by more."""


def night_shares(noise: str, usual: Floats, overall: Floats, rho: float, rng: np.random.Generator) -> Floats:
    """The true shares of each night.

    Args:
        noise: one of `NOISE`.
        usual: shape (nights, parts, cells).
        overall: usual shares of all parts together, shape (cells,).
        rho: variance of a share p between the nights of one part, divided by p (1 - p).

    Returns:
        Shape (nights, parts, cells); adds up to 1 over the cells.
    """
    nights, parts, cells = usual.shape
    signs = _balanced_signs(overall, rng)
    storm = _storms(rng, nights)[:, None, None]
    alone = usual.mean(axis=0)
    moved = usual * _factors(
        noise, np.broadcast_to(overall, (1, cells)), rho / 2, (nights, 1, cells), signs, storm, rng
    )
    moved = moved / moved.sum(axis=-1, keepdims=True)
    moved = moved * _factors(noise, alone, rho / 2, (nights, parts, cells), signs, storm, rng)
    return np.asarray(moved / moved.sum(axis=-1, keepdims=True), dtype=np.float64)


def night_levels(noise: str, nights: int, parts: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Deviations of a level from usual, each of mean 0 and variance 1.

    Returns:
        What is common to all parts, shape (nights, 1), and what is of each part alone, shape (nights, parts).
        Along one direction, parts move by one number each night, some up and some down.
    """
    shapes = (nights, 1), (nights, parts)
    if noise == "direction":
        sign = rng.choice([-1.0, 1.0], parts)
        return rng.normal(size=(nights, 1)), rng.normal(size=(nights, 1)) * sign
    if noise == "autocorrelated":
        common, alone = (_autocorrelated(rng, shape) for shape in shapes)
        return common, alone
    storm = _storms(rng, nights)[:, None] if noise == "heavy_tails" else np.ones((nights, 1))
    return rng.normal(size=shapes[0]) * storm, rng.normal(size=shapes[1]) * storm


def _factors(
    noise: str,
    shares: Floats,
    rho: float,
    shape: tuple[int, int, int],
    signs: Floats,
    storm: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Factors of mean 1 that make shares vary by rho p (1 - p), shape (nights, parts, cells)."""
    nights, parts, _ = shape
    variance = np.minimum(rho / shares, MOST)
    if noise == "dirichlet":
        return rng.standard_gamma(1 / variance, shape) * variance
    if noise == "direction":
        # One number moves all cells at once, so scaling to 1 takes nothing off: 1 - p is part of the factor.
        return _stretch(rng.normal(size=(nights, parts, 1)) * signs, variance * (1 - shares), heavy=False)
    if noise == "heavy_tails":
        return _stretch(rng.normal(size=shape) * storm, variance, heavy=True)
    return _stretch(_autocorrelated(rng, shape), variance, heavy=False)


def _stretch(deviation: Floats, variance: Floats, *, heavy: bool) -> Floats:
    """Deviations of variance 1 as positive factors of mean 1 and the given variance."""
    scales, means, variances = _moments(heavy=heavy)
    scale = np.interp(variance, variances, scales)
    return _positive(scale * deviation) / np.interp(scale, scales, means)


def _positive(x: Floats) -> Floats:
    """1 + x above 0 and exp(x) below: never negative, and a storm is not blown up as exp(x) would be."""
    return np.where(x < 0, np.exp(np.minimum(x, 0.0)), 1 + x)


@lru_cache(maxsize=2)
def _moments(*, heavy: bool) -> tuple[Floats, Floats, Floats]:
    """Scales, with the mean and the relative variance of `_positive(scale · deviation)`, by quantiles."""
    at = (np.arange(400) + 0.5) / 400
    normal = np.array([NormalDist().inv_cdf(float(q)) for q in at])
    deviation = np.outer(normal, student_quantile(at)).ravel() if heavy else normal
    deviation = deviation / deviation.std()
    scales = np.concatenate([[0.0], np.geomspace(0.005, 4, 60)])
    made = [_positive(scale * deviation) for scale in scales]
    means = np.array([m.mean() for m in made])
    return scales, means, np.array([m.var() for m in made]) / means**2


def student_quantile(q: Floats) -> Floats:
    """Quantiles of Student's t with 4 degrees of freedom, scaled to variance 1.

    Source: Shaw, "Sampling Student's T distribution", J. Comput. Finance 9 (2006).

    >>> student_quantile(np.array([0.5, 0.975])).round(4).tolist()
    [0.0, 1.9632]
    """
    alpha = 4 * q * (1 - q)
    root = np.cos(np.arccos(np.sqrt(alpha)) / 3) / np.sqrt(alpha)
    quantile = np.sign(q - 0.5) * 2 * np.sqrt(np.maximum(root - 1, 0.0))
    return np.asarray(quantile / np.sqrt(2), dtype=np.float64)


def _storms(rng: np.random.Generator, nights: int) -> Floats:
    """How wild each night is: Student's t with 4 degrees of freedom, scaled to variance 1."""
    return np.asarray(rng.standard_t(4, nights) / np.sqrt(2), dtype=np.float64)


def _autocorrelated(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    made = rng.normal(size=shape)
    for night in range(1, shape[0]):
        made[night] = CORRELATION * made[night - 1] + np.sqrt(1 - CORRELATION**2) * made[night]
    return made


def _balanced_signs(shares: Floats, rng: np.random.Generator) -> Floats:
    """Which cells gain and which lose along a direction, so that gains and losses nearly cancel."""
    size = np.sqrt(shares * (1 - shares))
    signs = np.zeros(len(size))
    total = rng.normal(0, 0.01)
    for cell in np.argsort(-size):
        signs[cell] = -1.0 if total > 0 else 1.0
        total += signs[cell] * size[cell]
    return signs
