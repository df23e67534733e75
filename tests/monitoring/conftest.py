"""A whole night as a page shows it, made of seeded numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitoring.records import ALL_ROWS, DeploymentLine, FeatureLine, Finding, NightPage, NumberLine, Slice
from store.grid import CategoryGrid, NumberGrid, Segment
from store.state import State, open_state

NIGHT = date(2026, 5, 12)


def number_line(name: str, value: float | None, past: list[float | None], **given: Any) -> NumberLine:
    """A number whose history ends the night before; `usual` is computed as the shell does."""
    known = [v for v in past if v is not None]
    usual = (float(np.mean(known)), float(np.std(known))) if len(known) >= 7 else None
    history = tuple((NIGHT - timedelta(days=len(past) - i), v) for i, v in enumerate(past))
    plain: dict[str, Any] = {
        "subject": "",
        "numerator": None,
        "denominator": None,
        "format": "share",
        "of_night": NIGHT,
    }
    return NumberLine(name=name, value=value, history=history, usual=usual, **(plain | given))


def finding(feature: str, effect: float | None, floor: float = 0.1, **given: Any) -> Finding:
    """A finding over all rows, drifted when its effect reaches its floor."""
    verdict = "not_computed" if effect is None else "drifted" if effect >= floor else "stable"
    plain: dict[str, Any] = {
        "measure": "distribution", "slice": ALL_ROWS, "comparison": "training", "verdict": verdict, "unit": "sd",
        "rows_reference": 81_204, "rows_current": 18_120,
    }  # fmt: skip
    return Finding(feature=feature, effect=effect, floor=floor, **(plain | given))


def category(
    name: str, reference: dict[str, int], current: dict[str, int], *findings: Finding
) -> FeatureLine:
    """A category feature; `unseen` and `null` are the last two cells."""
    labels = CategoryGrid(tuple(reference)).labels
    sides = [
        np.array([side.get(label, 0) for label in labels], dtype=np.int64) for side in (reference, current)
    ]
    return FeatureLine(name, "category", "", labels, *sides, None, findings)


def numeric(name: str, unit: str, reference: Any, current: Any, *findings: Finding) -> FeatureLine:
    """A number feature, its cells counted on a grid of three segments whose widths grow."""
    low, high = float(np.floor(reference.min())), float(np.ceil(np.quantile(reference, 0.9)))
    span = high - low
    grid = NumberGrid(
        (Segment(low, high, 40), Segment(high, high + span, 10), Segment(high + span, high + 5 * span, 8))
    )
    sides = [_counted(side, grid) for side in (reference, current)]
    return FeatureLine(name, "number", unit, grid.labels, *sides, grid.edges, findings)


def _counted(values: Any, grid: NumberGrid) -> Any:
    bins, _ = np.histogram(values, grid.edges)
    below, above = int((values < grid.edges[0]).sum()), int((values >= grid.edges[-1]).sum())
    return np.array([below, *bins, above, int(np.isnan(values).sum()), 0, 0, 0], dtype=np.int64)


def _features(rng: np.random.Generator) -> tuple[FeatureLine, ...]:
    reference, current = 81_204, 18_120
    lognormal = (rng.lognormal(1.2, 0.6, reference), rng.lognormal(1.45, 0.6, current))
    minutes = rng.normal(24, 7, reference), rng.normal(31, 9, current)
    minutes[1][:1_900] = np.nan
    cities = {
        "São Paulo": 30_000,
        "Recife": 22_000,
        "Salvador": 12_000,
        "Rio de Janeiro": 9_000,
        "Fortaleza": 5_000,
    }
    small = {f"city {i}": 400 - i for i in range(7)} | {"Xique-Xique": 4}
    cities_now = {
        "São Paulo": 5_000,
        "Recife": 7_000,
        "Salvador": 2_500,
        "Rio de Janeiro": 2_100,
        "unseen": 620,
        "null": 4,
    }
    slices = [
        finding(
            "prep_minutes", 1.4 - i / 5, slice=Slice("city", c), rows_current=3_000 - i, rows_reference=9_000
        )
        for i, c in enumerate(["Recife", "Salvador", "Olinda", "Fortaleza", "Natal", "João Pessoa", "Maceió"])
    ]
    few = [
        finding(
            "weather",
            0.3,
            slice=Slice("city", f"city {i}"),
            verdict="inconclusive",
            reason="too_few_rows",
            rows_current=i,
        )
        for i in range(37)
    ]
    return (
        numeric("prep_minutes", "min", *minutes, finding("prep_minutes", 0.83, reference_value=24.0, current_value=31.1),
                finding("prep_minutes", 0.1, 0.02, measure="null_share", unit="share", reference_value=0.004, current_value=0.1049), *slices),
        numeric("distance", "km", *lognormal, finding("distance", 0.31, reference_value=3.9, current_value=5.1)),
        category("city", cities | small, cities_now, finding("city", 0.22, unit="js")),
        category("weather", {"dry": 60_000, "rain": 21_204}, {"dry": 11_000, "rain": 7_120}, finding("weather", 0.14, unit="js"), *few),
        *(numeric(f"sensor_{i}", "°C", rng.normal(20 + i, 3, reference), rng.normal(20 + i, 3, current),
                  finding(f"sensor_{i}", 0.02 + i / 100)) for i in range(6)),
        category("app", {"ios": 41_000, "android": 40_204}, {"ios": 9_100, "android": 9_020}, finding("app", 0.01, unit="js")),
        FeatureLine("courier_score", "number", "", (), None, None, None,
                    (finding("courier_score", None, reason="all_null", floor=0.1),)),
        replace(category("weekday", {"Mon": 40_000, "Tue": 41_204}, {"Tue": 18_120}, finding("weekday", 0.7, verdict="stable")), kind="calendar"),
        replace(numeric("hour", "h", rng.normal(14, 4, reference), rng.normal(14, 4, current)), kind="calendar"),
    )  # fmt: skip


def _numbers(rng: np.random.Generator) -> tuple[NumberLine, ...]:
    def around(mean: float, spread: float) -> list[float | None]:
        return [float(v) for v in rng.normal(mean, spread, 28)]

    rating = around(0.71, 0.011)
    rating[9] = None
    nulls = [number_line("null_share", 0.001, around(0.001, 0.0003), subject=f"sensor_{i}") for i in range(6)]
    return (
        number_line("outcome", 0.54, rating, subject="thumbs up", numerator=2_150, denominator=3_981, of_night=date(2026, 5, 11)),
        number_line("prediction", 0.232, around(0.231, 0.004), format="number"),
        number_line("volume", 18_120.0, around(18_300, 420), format="count"),
        number_line("errors", 0.0004, around(0.0004, 0.0001), numerator=7, denominator=18_120),
        number_line("null_share", 0.1049, around(0.004, 0.001), subject="prep_minutes", numerator=1_900, denominator=18_120),
        *nulls,
        number_line("latency_ms", 2_104.0, around(2_080, 60), format="ms"),
        number_line("cost", 0.0113, around(0.0112, 0.0002), format="number"),
    )  # fmt: skip


@dataclass(frozen=True)
class Builders:
    """The makers of single records, for tests that need one of them."""

    number_line = staticmethod(number_line)
    finding = staticmethod(finding)
    category = staticmethod(category)
    numeric = staticmethod(numeric)


@pytest.fixture
def make() -> Builders:
    """Makers of single records."""
    return Builders()


def moved_page() -> NightPage:
    """A night on which the outcome left its range."""
    rng = np.random.default_rng(7)
    return NightPage(
        service="support_assistant", owner="@assist-team", night=NIGHT, time_zone="America/Sao_Paulo", revision=2,
        language="en", rows_read=18_166, counts={"kept": 18_120, "request_id_duplicated": 34, "outside_night": 12},
        quarantine={"request_id_duplicated": ("r-000123", "r-000977"), "outside_night": ("r-004410",)},
        numbers=_numbers(rng), features=_features(rng),
        deployments=(DeploymentLine("2026-04-02", "refund-reply v18", "", "green", "9f2c1ab", "@ana", "@rui",
                                    "2026-05-11T14:05+00:00", 18_120),),
        join={"requests": 3_990, "joined": 3_984, "mature": 3_981, "positive": 2_150},
        reference="training data of model 2026-04-02, 81,204 requests from 1 January to 31 March 2026",
        own_traffic=False, changed="34 late requests arrived", snapshot_href="2026-05-12.evidently.html",
        ignored_columns={"notes": "text"},
    )  # fmt: skip


@pytest.fixture
def changed() -> NightPage:
    """A night on which the outcome left its range."""
    return moved_page()


@pytest.fixture
def quiet() -> NightPage:
    """The same night with every number as usual and nothing set aside."""
    page = moved_page()
    return replace(page, numbers=page.numbers[1:4], revision=1, changed="", own_traffic=True, join={})


@pytest.fixture
def errors() -> NumberLine:
    """The share of errors, from a fifth on ten nights to a half."""
    past: list[float | None] = [0.20, 0.21, 0.19, 0.20, 0.22, 0.18, 0.20, 0.21, 0.19, 0.20]
    return number_line("errors", 0.5, past, numerator=500, denominator=1000)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """A state that holds nothing."""
    opened = open_state(f"sqlite:///{tmp_path / 'ronda.db'}")
    yield opened
    opened.dispose()
