"""Which nights a night is compared with: those of its kind."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

SEASONED = 21
"""From so many nights on, a weekday is compared with its own kind: three nights of each."""


def kinds(nights: Sequence[date], holidays: Collection[date]) -> npt.NDArray[np.int64]:
    """The kind of each night: its weekday, Monday 0, and Sunday's for a public holiday; all 0 while there are few.

    >>> from datetime import timedelta
    >>> days = [date(2026, 4, 13) + timedelta(days=n) for n in range(22)]
    >>> kinds(days, {date(2026, 4, 21)})[7:10].tolist()
    [0, 6, 2]
    >>> kinds(days[:9], ()).tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0]
    """
    if len(nights) <= SEASONED:
        return np.zeros(len(nights), dtype=np.int64)
    return np.array([6 if night in holidays else night.weekday() for night in nights], dtype=np.int64)
