"""The few numbers a person asks for first: how many, how many failed, how slow, how much is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from statistics import fmean, pstdev
from typing import Literal

import numpy as np

from monitoring.moments import mean, quantile
from monitoring.records import ALL_ROWS, OF, Counts, Number, NumberLine, Profile
from services.columns import OPERATION_NUMBERS
from services.model import Service
from store.grid import CategoryGrid, Grid, NumberGrid
from store.labelled import LabelCount

Format = Literal["share", "count", "ms", "number"]

LEAST_NIGHTS = 7  # fewer past nights say too little about what is usual
LEAST_APART = 3  # ... unless others are set apart: then so few say more than the incident that is to be told
SLOW = 0.95  # the share of requests that were answered at least this fast


def measure(
    service: Service, profile: Profile, grids: Mapping[str, Grid], features: Iterable[str], kept: int
) -> list[Number]:
    """The numbers of one night, all computed from its counts.

    `volume` is the kept rows. `errors` is the share of requests whose status is none of the service file's
    `status_ok`; an empty status is not an error. `prediction` is a mean, times are the 95th percentile,
    tokens and cost are means. Each feature has its `null_share`.
    """
    found = [Number("volume", "", float(kept), kept, None)]
    if "status" in grids:
        found.append(_errors(service, grids["status"], profile.counts["status"][0]))
    if "prediction" in grids:
        found.append(_mean("prediction", grids["prediction"], profile.counts["prediction"][0]))
    operations = [name for name in OPERATION_NUMBERS if name in grids]
    found += [_operation(name, grids[name], profile.counts[name][0]) for name in operations]
    found += [_nulls(name, grids[name], profile.counts[name][0]) for name in features if name in grids]
    return found


IN_SLICE = ".slice"
"""Ends the name of a number that was measured in one slice; its subject is both, with `OF` between."""


def measure_slices(service: Service, profile: Profile, grids: Mapping[str, Grid]) -> list[Number]:
    """Volume, errors and prediction of every slice, from the same counts as the whole night's.

    A slice without rows has a volume of 0 and nothing else: it may be the one whose requests stopped.
    """
    found: list[Number] = []
    sized = next(iter(profile.counts.values()), None)
    for place, part in enumerate(profile.slices):
        rows = 0 if sized is None else int(sized[place].sum())
        if part == ALL_ROWS:
            continue
        subject = f"{part.dimension}{OF}{part.value}"
        own = [Number("volume", "", float(rows), rows, None)]
        if rows and "status" in grids:
            own.append(_errors(service, grids["status"], profile.counts["status"][place]))
        if rows and "prediction" in grids:
            own.append(_mean("prediction", grids["prediction"], profile.counts["prediction"][place]))
        found += [replace(number, name=number.name + IN_SLICE, subject=subject) for number in own]
    return found


def outcome_slices(counts: Iterable[LabelCount]) -> list[Number]:
    """The share of positive outcomes in every slice."""
    return [
        _share("outcome" + IN_SLICE, f"{each.dimension}{OF}{each.value}", each.positive, each.mature)
        for each in counts
    ]


def lines(
    tonight: Sequence[Number],
    night: date,
    past: Mapping[date, Sequence[Number]],
    history_nights: int,
    *,
    prediction_is_share: bool,
) -> list[NumberLine]:
    """Each number beside its own last nights, in the order given.

    Args:
        past: date -> numbers of earlier nights; a date without a recorded night counts as unknown.
        history_nights: how many nights before `night` are looked at.
        prediction_is_share: predictions are probabilities and read best as percent.
    """
    days = [night - timedelta(days=back) for back in range(history_nights, 0, -1)]
    known = {
        (day, number.name, number.subject): number for day, numbers in past.items() for number in numbers
    }
    formats: dict[str, Format] = {
        "volume": "count",
        "errors": "share",
        "null_share": "share",
        "outcome": "share",
    }
    formats |= {"latency_ms": "ms", "first_token_ms": "ms"}
    if prediction_is_share:
        formats["prediction"] = "share"
    formats |= {name + IN_SLICE: shown for name, shown in formats.items()}
    return [
        line(
            n,
            "share" if n.name == "guard" and n.denominator is not None else formats.get(n.name, "number"),
            [(day, known.get((day, n.name, n.subject))) for day in days],
            night,
        )
        for n in tonight
    ]


def line(
    number: Number, shown: Format, past: Sequence[tuple[date, Number | None]], of_night: date
) -> NumberLine:
    """One number beside the same one of the nights before, oldest first.

    What is usual is known from `LEAST_NIGHTS` nights on.
    """
    history = tuple((day, None if before is None else before.value) for day, before in past)
    values = [value for _, value in history if value is not None]
    usual = (fmean(values), pstdev(values)) if len(values) >= LEAST_NIGHTS else None
    return NumberLine(
        number.name,
        number.subject,
        number.value,
        number.numerator,
        number.denominator,
        shown,
        history,
        usual,
        of_night,
        tuple(_parts(before) for _, before in past) if shown == "share" else (),
    )


def set_apart(line: NumberLine, nights: Collection[date]) -> NumberLine:
    """A number beside what is usual of it without some nights: those of its own incident.

    Where fewer than `LEAST_APART` others are known it is beside all of them.
    """
    whole = replace(line, apart=frozenset())
    found = replace(line, apart=frozenset(day for day, _ in line.history if day in nights))
    if line.usual is None or found.apart == line.apart:
        return line
    found = found if len(found.ordinary) >= LEAST_APART else whole
    return replace(found, usual=(fmean(found.ordinary), pstdev(found.ordinary)))


def _parts(number: Number | None) -> tuple[int, int] | None:
    if number is None or number.numerator is None or number.denominator is None:
        return None  # nothing is known of that night, or it is the mean of shares
    return number.numerator, number.denominator


def _errors(service: Service, grid: Grid, counts: Counts) -> Number:
    assert isinstance(grid, CategoryGrid)
    fine = [code for code, value in enumerate(grid.values) if value in service.status_ok]
    bad = int(counts.sum() - counts[fine].sum() - counts[grid.null])
    return _share("errors", "", bad, int(counts.sum()))


def _nulls(name: str, grid: Grid, counts: Counts) -> Number:
    return _share("null_share", name, int(counts[grid.null]), int(counts.sum()))


def _share(name: str, subject: str, part: int, whole: int) -> Number:
    return Number(name, subject, part / whole if whole else None, part, whole)


def _mean(name: str, grid: Grid, counts: Counts) -> Number:
    ordered, midpoints = _ordered(grid, counts)
    return _known(name, float(mean(ordered, midpoints)), ordered)


def _operation(name: str, grid: Grid, counts: Counts) -> Number:
    if not name.endswith("_ms"):
        return _mean(name, grid, counts)
    assert isinstance(grid, NumberGrid)
    ordered, _ = _ordered(grid, counts)
    return _known(name, float(quantile(ordered, grid.edges, SLOW)), ordered)


def _ordered(grid: Grid, counts: Counts) -> tuple[Counts, np.ndarray]:
    assert isinstance(grid, NumberGrid)
    return counts[: grid.ordered], grid.midpoints


def _known(name: str, value: float, counts: Counts) -> Number:
    return Number(name, "", None if np.isnan(value) else value, None, int(counts.sum()))


def named(numbers: Iterable[Number]) -> Iterator[tuple[str, str, float | None]]:
    """The numbers as (name, subject, value), for hashing."""
    return ((n.name, n.subject, n.value) for n in numbers)
