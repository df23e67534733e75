"""Which of many tests are findings, when few of those may be false."""

from __future__ import annotations

import numpy as np

from monitoring.verdicts.rows import Flags, Floats


def discoveries(chances: Floats, rate: float) -> tuple[Flags, Floats]:
    """Which of many tests are discoveries at a false-discovery rate, and each one's adjusted probability.

    Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B 57 (1995): q of the i-th smallest of m is
    the least over j >= i of m p / j.

    Args:
        chances: probabilities of any shape; NaN where nothing was tested. Infinite ones are tests that cannot pass.
        rate: at most this share of the discoveries is expected to be false.

    >>> found, adjusted = discoveries(np.array([0.001, 0.04, np.nan, 0.9]), 0.05)
    >>> found.tolist(), adjusted.round(3).tolist()
    ([True, False, False, False], [0.003, 0.06, nan, 0.9])
    """
    flat = chances.ravel()
    adjusted = np.full(flat.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(flat))
    order = tested[np.argsort(flat[tested], kind="stable")]
    scaled = flat[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    found = np.nan_to_num(adjusted, nan=2.0) <= rate
    return found.reshape(chances.shape), adjusted.reshape(chances.shape)
