"""Nights that differ only in a count of 1 to 9 have the same page, byte for byte: nothing on it can tell them apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from monitoring.compare import scores
from monitoring.decide import decide
from monitoring.explain import explain
from monitoring.numbers import line
from monitoring.records import (
    ALL_ROWS,
    Counts,
    DeploymentLine,
    FeatureLine,
    Finding,
    NightPage,
    Number,
    NumberLine,
    Profile,
    Slice,
)
from monitoring.report import render
from services.model import Service
from store.grid import CategoryGrid, Grid, NumberGrid, Segment

NIGHT = date(2026, 5, 12)
KEPT, MANY = 1200, 120_000
PAST = (58, 61, 66, 55, 60, 63, 57, 62, 59, 64)
CITIES = CategoryGrid(("Recife", "Salvador", "Natal"))
PRICES = NumberGrid((Segment(0.0, 10.0, 20), Segment(10.0, 40.0, 10)))
SHOP = Service.model_validate(
    {
        "service": "shop", "owner": "@team", "slack": "#team", "source": "log", "requests": "sql/r.sql",
        "status_ok": ["ok"], "floors": {"number": 0.1, "category": 0.1, "share": 0.02, "volume": 0.2},
        "enough": {"rows": 200, "history_nights": 28}, "critical": [], "morning": [], "schedule": "30 2 * * *",
        "morning_at": "08:00", "late_after": "30m", "slack_unknown": "repeat", "release": {"nights": 28, "every": 7},
        "time_zone": "UTC", "retention": dict.fromkeys(("profiles", "pages", "quarantine", "releases"), "30d"),
    }
)  # fmt: skip


def share(name: str, tonight: tuple[int, int], *past: tuple[int, int]) -> NumberLine:
    """A share of these (in it, all) beside those of the nights before."""
    parts = [*past, tonight]
    found = [Number(name, "", part / whole if whole else None, part, whole) for part, whole in parts]
    return line(found[-1], "share", list(zip(nights(past), found, strict=False)), NIGHT)


def volume(tonight: int, *past: int) -> NumberLine:
    """Requests beside those of the nights before."""
    found = [Number("volume", "", float(rows), rows) for rows in (*past, tonight)]
    return line(found[-1], "count", list(zip(nights(past), found, strict=False)), NIGHT)


def nights(past: tuple[Any, ...]) -> list[date]:
    """The nights before, oldest first."""
    return [NIGHT - timedelta(days=n) for n in range(len(past), 0, -1)]


def feature(name: str, grid: Grid, reference: Any, current: Any) -> FeatureLine:
    """A feature with the findings that its counts come to."""
    sides: list[Counts] = [np.array(side, dtype=np.int64) for side in (reference, current)]
    before, now = (Profile((ALL_ROWS,), {name: side[np.newaxis]}) for side in sides)
    found = tuple(decide(SHOP, scores(before, now, {name: grid}), {}))
    edges = grid.edges if isinstance(grid, NumberGrid) else None
    return FeatureLine(name, "category" if edges is None else "number", "", grid.labels, *sides, edges, found)


def prices(*, null: int = 0, below: int = 0, high: int = 0) -> list[int]:
    """Counts per cell of many prices; what is missing, below the grid or high up is fewer of the lowest."""
    return [below, MANY - 29 * 3000 - null - below - high, *[3000] * 28, 3000 + high, 0, null, 0, 0, 0]


def flags(few: int) -> list[int]:
    """Counts per cell of a number that is nearly always the same."""
    return [0, KEPT - few, *[0] * 28, few, 0, 0, 0, 0, 0]


def page(**given: Any) -> NightPage:
    """A night of which everything but `given` is as ever."""
    plain: dict[str, Any] = {
        "service": "shop", "owner": "@team", "night": NIGHT, "time_zone": "UTC", "revision": 1, "language": "en",
        "rows_read": KEPT, "counts": {"kept": KEPT}, "quarantine": {}, "features": (), "deployments": (), "join": {},
        "numbers": (share("errors", (60, KEPT), *[(bad, KEPT) for bad in PAST]), volume(KEPT, *[KEPT + n for n in PAST])),
        "reference": "training", "own_traffic": False, "changed": "", "snapshot_href": "",
    }  # fmt: skip
    return NightPage(**(plain | given))


def served(version: str, requests: int) -> DeploymentLine:
    """A deployment of this version."""
    return DeploymentLine(version, "", "", "", "", "", "", "2026-05-01T14:05+00:00", requests)


def in_slice(rows: int) -> FeatureLine:
    """A feature that moved in a slice of so many rows."""
    whole = feature("price", PRICES, prices(), prices())
    moved = Finding("distribution", "price", Slice("city", "Natal"), "reference", "drifted", 1.4, 0.1, "sd",
                    rows_reference=9000, rows_current=rows)  # fmt: skip
    return replace(whole, findings=(*whole.findings, moved))


CASES: dict[str, Callable[[int], NightPage]] = {
    "errors tonight": lambda few: page(numbers=(share("errors", (few, KEPT), *[(n, KEPT) for n in PAST]),)),
    "errors tonight, few as ever": lambda few: page(
        numbers=(share("errors", (few, KEPT), *[(2 + n % 4, KEPT) for n in range(10)]),)
    ),
    "all but a few failed": lambda few: page(
        numbers=(share("errors", (KEPT - few, KEPT), *[(KEPT - 2 - n % 8, KEPT) for n in range(10)]),)
    ),
    "errors on a past night": lambda few: page(
        numbers=(share("errors", (60, KEPT), *[(n, KEPT) for n in PAST], (few, KEPT)),)
    ),
    "errors on the only past night with any": lambda few: page(
        numbers=(share("errors", (12, KEPT), *[(0, KEPT)] * 9, (few, KEPT)),)
    ),
    "errors on a past night beside one of 12": lambda few: page(
        numbers=(share("errors", (11, KEPT), *[(0, KEPT)] * 9, (12, KEPT), (few, KEPT + 7)),)
    ),
    "requests of a past night": lambda few: page(numbers=(volume(KEPT, *[KEPT + n for n in PAST], few),)),
    "a night of a few requests": lambda few: page(
        rows_read=few, counts={"kept": few}, deployments=(served("v1", few),),
        numbers=(volume(few, *[n % 5 + 2 for n in PAST]), share("errors", (few, few), *[(n % 3, n % 3 + 4) for n in PAST])),
        features=(feature("city", CITIES, (600, 400, 200, 0, 0), (few, 0, 0, 0, 0)),
                  feature("price", PRICES, prices(), [0, *[int(n < few) for n in range(30)], 0, 0, 0, 0, 0])),
    ),
    "requests of a deployment": lambda few: page(deployments=(served("v1", KEPT - few), served("v2", few))),
    "requests of two deployments": lambda few: page(
        deployments=tuple(sorted((served("v1", KEPT - 11), served("v2", few), served("v3", 11 - few)),
                                 key=lambda each: -each.requests))
    ),
    "missing values of a number": lambda few: page(
        features=(feature("price", PRICES, prices(), prices(null=few, high=20_000)),),
        numbers=(replace(share("null_share", (few, MANY), *[(n % 3, MANY) for n in PAST]), subject="price"),),
    ),
    "missing values of a category": lambda few: page(
        features=(feature("city", CITIES, (60, 40, 20, 0, 0), (60_300 - few, 39_000, 20_700, 0, few)),)
    ),
    "missing values of the reference": lambda few: page(
        features=(feature("city", CITIES, (60_300 - few, 39_000, 20_700, 0, few), (60, 40, 20, 0, 0)),)
    ),
    "rows of an unseen category": lambda few: page(
        features=(feature("city", CITIES, (60, 40, 20, 0, 0), (60_300 - few, 39_000, 20_700, few, 0)),)
    ),
    "rows of two small categories": lambda few: page(
        features=(feature("city", CITIES, (6000, 40, 41, 0, 0), (KEPT - 11, few, 11 - few, 0, 0)),)
    ),
    "an unseen category of a hundred": lambda few: page(
        features=(feature("city", CITIES, (6000, 4000, 2000, 0, 0), (67 - few, 33, 0, few, 0)),),
    ),
    "rows below the grid": lambda few: page(
        features=(feature("price", PRICES, prices(), prices(below=few, high=20_000)),)
    ),
    "rows of a flag that is set": lambda few: page(
        features=(feature("flag", PRICES, flags(900), flags(few)), feature("zero", PRICES, flags(0), flags(few)))
    ),
    "rows that were set aside": lambda few: page(
        rows_read=KEPT + few, counts={"kept": KEPT, "outside_night": few},
        quarantine={"outside_night": tuple(f"r-{n}" for n in range(few))},
    ),
    "rows that were set aside for two reasons": lambda few: page(
        rows_read=KEPT + 11, counts={"kept": KEPT, "outside_night": few, "time_missing": 11 - few},
    ),
    "positive outcomes": lambda few: page(
        numbers=(share("outcome", (few, 400), *[(few_ % 7 + 1, 400) for few_ in PAST]),),
        join={"requests": 402, "with_feedback": 402, "mature": 400, "positive": few},
    ),
    "negative outcomes": lambda few: page(
        numbers=(share("outcome", (400 - few, 400), *[(400 - n % 7 - 1, 400) for n in PAST]),),
        join={"requests": 500, "with_feedback": 450, "mature": 400, "positive": 400 - few},
    ),
    "requests without feedback": lambda few: page(
        join={"requests": 3990, "with_feedback": 3990 - few, "mature": 3970, "positive": 2150}
    ),
    "requests without an outcome": lambda few: page(
        numbers=(share("outcome", (1590, 3990 - few), *[(n, 120) for n in PAST]),),
        join={"requests": 3990, "with_feedback": 3990, "mature": 3990 - few, "positive": 1590},
    ),
    "rows of a slice": lambda few: page(features=(in_slice(KEPT - few),)),
    "rows of a small slice": lambda few: page(features=(in_slice(few),)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_the_same(case: str) -> None:
    """Whether they were 3 or 8."""
    three, eight = (CASES[case](few) for few in (3, 8))
    assert str(three) != str(eight)
    assert render(three, explain(three)) == render(eight, explain(eight))


def test_a_slice_whose_effect_is_a_few_rows_says_so(make: Any) -> None:
    """3 of 40 rows that left the one value there was are 7.5 %: not how many times the floor, and no gap either."""
    left = make.finding("flag", 3 / 40, 0.02, unit="share", slice=Slice("city", "Natal"), rows_current=40)
    moved = feature("flag", PRICES, flags(0), flags(0))
    told = page(features=(replace(moved, findings=(*moved.findings, left)),))
    html = render(told, explain(told))
    assert "<span>– ×&ensp; 81,000 → 40</span>" in html
    assert "3.8" not in html
