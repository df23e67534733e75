"""What weeks of a year differ by beside the wave of its seasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.verdicts.rows import Floats

WEEKS = 52
"""Weeks of a year."""
LEAST_WEEKS = 40
"""Fewer do not show the wave of a year."""


def beside_the_wave(weekly: npt.NDArray[Any]) -> Floats:
    """Weeks less the waves of a year and of half a year and a steady trend (least squares), made up for what the fit takes.

    What is left is how far apart two weeks of one season may lie a year apart, if nothing but slow weather came between.

    Args:
        weekly: points of consecutive weeks, shape (rows, weeks, …).

    Returns:
        The same shape; all 0 with fewer than `LEAST_WEEKS` weeks.
    """
    many = weekly.shape[1]
    if many < LEAST_WEEKS:
        return np.zeros(weekly.shape)
    turn = 2 * np.pi * np.arange(many) / WEEKS
    wave = np.stack([np.ones(many), turn, *(f(n * turn) for n in (1, 2) for f in (np.cos, np.sin))], axis=1)
    fit = wave @ np.linalg.pinv(wave)
    left = weekly - np.einsum("vw,rw...->rv...", fit, weekly)
    # the mean square of all weeks about their mean is made up by weeks / (weeks - 1) where it is used
    return np.asarray(left * np.sqrt((many - 1) / (many - wave.shape[1])), dtype=np.float64)
