"""Nights of a service that has numbers and no features: what the tests of its series are made of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.compared import Nights
from monitoring.records import ALL_ROWS, Finding, Slice
from monitoring.series import Series
from monitoring.verdict import Judgement, judged_against
from services.model import Service

Floats = npt.NDArray[np.float64]
SLICES = (ALL_ROWS, *(Slice("city", each) for each in ("Recife", "Natal", "Salvador", "Fortaleza")))
TONIGHT = date(2026, 5, 12)
"""A Tuesday, and no holiday in Brazil."""
MATURE = 3000


def service(**more: Any) -> Service:
    """A service file with the shipped floors: 2 points of share, and a fifth of what is told as a ratio."""
    given: dict[str, Any] = {
        "service": "shop", "owner": "@team", "slack": "#team", "source": "log", "requests": "sql/r.sql",
        "status_ok": ["ok"], "floors": {"number": 0.1, "category": 0.1, "share": 0.02, "volume": 0.2},
        "enough": {"rows": 200, "history_nights": 28}, "critical": [], "morning": [], "schedule": "30 2 * * *",
        "morning_at": "08:00", "late_after": "30m", "slack_unknown": "repeat", "release": {"nights": 28, "every": 7},
        "time_zone": "UTC", "retention": dict.fromkeys(("profiles", "pages", "quarantine", "releases"), "30d"),
    }  # fmt: skip
    return Service.model_validate(given | more)


def dates_of(many: int) -> tuple[date, ...]:
    """So many nights, the last of them tonight."""
    return tuple(TONIGHT - timedelta(days=n) for n in range(many - 1, -1, -1))


def outcomes(rates: Floats, seed: int = 7, delay: int = 0) -> Series:
    """Outcomes drawn for every city at rates of shape (nights, cities), and their sum over all rows."""
    part = np.random.default_rng(seed).binomial(MATURE, rates).astype(np.float64)
    part = np.concatenate([part.sum(axis=1, keepdims=True), part], axis=1)
    whole = np.full(part.shape, float(MATURE))
    whole[:, 0] *= len(SLICES) - 1
    return Series("outcome", "", "share", part / whole, part, whole, 0.02, delay)


def latencies(last: Floats, many: int = 29, measure: Any = "latency_ms", feature: str = "") -> Series:
    """About 80 every night over all rows; on the last nights times a factor."""
    usual = 80 * np.random.default_rng(8).lognormal(0, 0.03, many)
    usual[many - len(last) :] *= last
    value = np.full((many, len(SLICES)), np.nan)
    value[:, 0] = usual
    whole = np.where(np.isnan(value), 0.0, 5000.0)
    return Series(measure, feature, "ratio", value, np.zeros(value.shape), whole, 0.2)


def judged(
    *series: Series,
    apart: dict[tuple[str, str], frozenset[date]] | None = None,
    holidays: Collection[date] = (),
    **more: Any,
) -> Judgement:
    """The verdicts of the last night."""
    many = len(series[0].value)
    none = np.zeros((many, len(SLICES), 0), dtype=np.int32)
    nights = Nights(
        (), dates_of(many), none, none[0].astype(np.int64), (), none[:0], series=series, apart=apart or {}
    )
    return judged_against(service(**more), SLICES, nights, holidays)


def over_all(found: Judgement, measure: str) -> Finding:
    """The finding of a number over all rows."""
    (one,) = [each for each in found.findings if (each.measure, each.slice) == (measure, ALL_ROWS)]
    return one
