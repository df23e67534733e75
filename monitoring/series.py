"""The numbers of a service night by night, as arrays: its outcome, its speed, its cost, and what the team guards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitoring.records import OF, Measure, Number, Slice
from services.model import Service

Floats = npt.NDArray[np.float64]
Unit = Literal["share", "ratio"]

RATIOS: tuple[Measure, ...] = ("latency_ms", "first_token_ms", "tokens_in", "tokens_out", "cost")
"""Numbers that are told as a ratio, over all rows: the 95th percentile of times, the mean of what is paid for."""
NOTHING = 0.001
"""A ratio of 0 has no logarithm: it counts as this part of what is usual, which is far enough for any floor."""
OUTCOME_IN_SLICE = "outcome.slice"
"""What the outcome of one slice is called among a night's numbers."""

Named = Mapping[tuple[str, str], Number]
"""The numbers of one night by name and subject."""


@dataclass(frozen=True)
class Series:
    """One number of the service on the nights that are compared, tonight last.

    Attributes:
        feature: the name of a guard; else empty.
        value: as it is stored, shape (nights, slices); NaN where it is unknown.
        part, whole: of a share what it is made of; of a ratio `whole` are the requests behind it; same shape, 0 where
            the value is unknown.
        floor: smallest change worth telling: points of a share, ratio less one.
        delay: nights after its own on which a value is told.
    """

    measure: Measure
    feature: str
    unit: Unit
    value: Floats
    part: Floats
    whole: Floats
    floor: float
    delay: int = 0


def series_of(
    service: Service,
    slices: Sequence[Slice],
    nights: Sequence[tuple[date, Sequence[Number]]],
    outcomes: Mapping[date, Number],
    delay: int,
) -> tuple[Series, ...]:
    """What is known tonight, beside the same of the nights before; a number that tonight does not have is none.

    A slice that a night has no number of is unknown on it, not zero. Ratios are known over all rows only; below 0 they
    are unknown.

    Args:
        slices: what the second axis is, all rows first.
        nights: the nights that are compared, rising and tonight last, each with its numbers, if it has any.
        outcomes: night of the requests -> their outcome over all rows.
        delay: how many nights after its own a night's outcome is told.
    """
    known = [(night, {(each.name, each.subject): each for each in numbers}) for night, numbers in nights]
    found: list[Series] = []
    if nights[-1][0] - timedelta(days=delay) in outcomes:
        found.append(_outcome(service, slices, known, outcomes, delay))
    by_name = [each for _, each in known]
    found += [
        _ratio(service, measure, "", by_name, len(slices))
        for measure in RATIOS
        if (measure, "") in by_name[-1]
    ]
    return (*found, *_guards(service, by_name, len(slices)))


def _outcome(
    service: Service,
    slices: Sequence[Slice],
    known: Sequence[tuple[date, Named]],
    outcomes: Mapping[date, Number],
    delay: int,
) -> Series:
    subjects = [f"{each.dimension}{OF}{each.value}" for each in slices]
    table = [
        [
            outcomes.get(night - timedelta(days=delay)),
            *(named.get((OUTCOME_IN_SLICE, subject)) for subject in subjects[1:]),
        ]
        for night, named in known
    ]
    return Series("outcome", "", "share", *_parts(table), service.floors.share, delay)


def _guards(service: Service, nights: Sequence[Named], slices: int) -> Iterator[Series]:
    """What the team guards: shares where a night says what they are made of, else ratios."""
    for name in sorted(subject for measure, subject in nights[-1] if measure == "guard"):
        numbers = [each.get(("guard", name)) for each in nights]
        if not _is_share(numbers):
            yield _ratio(service, "guard", name, nights, slices)
            continue
        table = [[each, *[None] * (slices - 1)] for each in numbers]
        yield Series("guard", name, "share", *_parts(table), _floor_of(service, name, service.floors.share))


def _is_share(numbers: Sequence[Number | None]) -> bool:
    """Whether the last known one has a denominator, and none is above 1, as orders per visit may be."""
    known = [each for each in numbers if each is not None and each.value is not None]
    return bool(known and known[-1].denominator) and all(0 <= (each.value or 0.0) <= 1 for each in known)


def _ratio(service: Service, measure: Measure, feature: str, nights: Sequence[Named], slices: int) -> Series:
    """Over all rows. Requests behind a number that does not say how many are those of its night."""
    value, whole = np.full((len(nights), slices), np.nan), np.zeros((len(nights), slices))
    for n, named in enumerate(nights):
        number = named.get((measure, feature))
        if number is None or number.value is None or not 0 <= number.value < np.inf:
            continue
        volume = named.get(("volume", ""))
        value[n, 0] = number.value
        whole[n, 0] = number.denominator or (volume and volume.value) or 1.0
    above = value[value > 0]
    value[value == 0] = NOTHING * np.median(above) if above.size else np.nan
    floor = service.floors.volume
    if measure == "guard":
        floor = _floor_of(service, feature, floor)
    return Series(measure, feature, "ratio", value, np.zeros(value.shape), whole, floor)


def _parts(table: Sequence[Sequence[Number | None]]) -> tuple[Floats, Floats, Floats]:
    """Value, part and whole of shares, shape (nights, slices)."""
    shape = len(table), len(table[0])
    part, whole = np.zeros(shape), np.zeros(shape)
    for n, row in enumerate(table):
        for slot, number in enumerate(row):
            if number is None or number.value is None or not number.denominator:
                continue
            whole[n, slot] = number.denominator
            exact = number.numerator
            part[n, slot] = number.value * number.denominator if exact is None else exact
    value = np.divide(part, whole, out=np.full(shape, np.nan), where=whole > 0)
    return value, part, whole


def _floor_of(service: Service, guard: str, usual: float) -> float:
    given = service.guards.get(guard)
    return usual if given is None or given.floor is None else given.floor
