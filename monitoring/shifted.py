"""Changes of a known size, put into the outcome or another number of some nights: what a backtest looks for beside counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from monitoring.records import ALL_ROWS, OF, Measure, Number, Slice
from monitoring.replayed import History
from monitoring.series import OUTCOME_IN_SLICE
from monitoring.verdicts.judge import LEAST_NIGHTS


@dataclass(frozen=True)
class Shift:
    """One change that is put in.

    Attributes:
        strength: of an outcome the share of the requests that would not have been positive and now are; of another
            number what is added, as a part of it.
        slot: the slice it happens in; 0 are all rows.
    """

    measure: Measure
    strength: float
    slot: int


def is_known(history: History, measure: Measure, slot: int, place: int) -> bool:
    """Whether a number is told on a night, and on as many of those before it as it takes to judge it."""
    before = range(history.since(place), place)
    told = [n for n in before if _number(history, measure, slot, n)]
    return len(told) >= LEAST_NIGHTS and _number(history, measure, slot, place) is not None


def shift_of(history: History, measure: Measure, slot: int, place: int, effect: float) -> Shift | None:
    """The change of a number by so much, for the worse; None where the share it is of cannot rise so far.

    Args:
        place: the night it is told on first; what is usual are the nights before.
        effect: in the measure's unit.
    """
    if measure != "outcome":
        return Shift(measure, effect, slot)
    usual = [_number(history, measure, slot, n) for n in range(history.since(place), place)]
    part = sum(_parts(each)[0] for each in usual if each)
    whole = sum(_parts(each)[1] for each in usual if each)
    rest = 1 - part / whole if whole else 0.0
    return Shift(measure, effect / rest, slot) if effect <= rest else None


def shifted(shift: Shift, history: History, places: Collection[int]) -> History:
    """The history with a change in what is told on some nights, whole requests each.

    Over all rows an outcome rises in every slice. In one slice all rows rise by the same requests, no other slice of
    its dimension does, and those of other dimensions by their part of all requests.
    """
    numbers, outcomes = dict(history.numbers), dict(history.outcomes)
    for place in places:
        night = history.dates[place]
        if shift.measure != "outcome":
            own = numbers.get(night, ())
            numbers[night] = tuple(_raised(each, shift) for each in own)
            continue
        cohort = night - timedelta(days=history.delay)
        whole, slices = outcomes.get(cohort), numbers.get(night, ())
        more = _more(_source(whole, slices, history.slices[shift.slot]), shift.strength)
        if whole is not None:
            outcomes[cohort] = _with(whole, _more(whole, shift.strength) if not shift.slot else more)
        numbers[night] = tuple(_in_slices(slices, whole, history.slices[shift.slot], more, shift.strength))
    return replace(history, numbers=numbers, outcomes=outcomes)


def mature_rows(history: History) -> dict[int, float]:
    """Slice -> requests behind its outcome on a usual night, of those on which it is told."""
    slots = {_subject(each): slot for slot, each in enumerate(history.slices) if slot}
    found: dict[int, list[int]] = {}
    for night in history.dates:
        for each in history.numbers.get(night, ()):
            if each.name == OUTCOME_IN_SLICE and each.subject in slots and each.denominator:
                found.setdefault(slots[each.subject], []).append(each.denominator)
    return {slot: float(np.median(rows)) for slot, rows in found.items()}


def _in_slices(
    numbers: Sequence[Number], whole: Number | None, where: Slice, more: int, strength: float
) -> Iterable[Number]:
    for each in numbers:
        if each.name != OUTCOME_IN_SLICE or not each.denominator:
            yield each
        elif where == ALL_ROWS:
            yield _with(each, _more(each, strength))
        elif each.subject == _subject(where):
            yield _with(each, more)
        elif each.subject.partition(OF)[0] == where.dimension or whole is None:
            yield each
        else:
            yield _with(each, round(more * _parts(each)[1] / max(_parts(whole)[1], 1)))


def _source(whole: Number | None, slices: Iterable[Number], where: Slice) -> Number | None:
    """The number that a change begins in."""
    if where == ALL_ROWS:
        return whole
    return next((n for n in slices if n.name == OUTCOME_IN_SLICE and n.subject == _subject(where)), None)


def _number(history: History, measure: Measure, slot: int, place: int) -> Number | None:
    night: date = history.dates[place]
    numbers = history.numbers.get(night, ())
    if measure == "outcome":
        whole = history.outcomes.get(night - timedelta(days=history.delay))
        found = _source(whole, numbers, history.slices[slot])
        return found if found and found.denominator else None
    own = (each for each in numbers if (each.name, each.subject) == (measure, "") and not slot)
    return next((each for each in own if each.value is not None and each.value > 0), None)


def _parts(number: Number) -> tuple[int, int]:
    whole = number.denominator or 0
    exact = number.numerator
    return (round((number.value or 0.0) * whole) if exact is None else exact), whole


def _more(number: Number | None, strength: float) -> int:
    """Requests that become positive."""
    if number is None:
        return 0
    part, whole = _parts(number)
    return round(strength * (whole - part))


def _with(number: Number, more: int) -> Number:
    part, whole = _parts(number)
    risen = min(part + more, whole)
    return replace(number, value=risen / whole, numerator=risen) if whole else number


def _raised(number: Number, shift: Shift) -> Number:
    if (number.name, number.subject) != (shift.measure, "") or number.value is None:
        return number
    return replace(number, value=number.value * (1 + shift.strength))


def _subject(where: Slice) -> str:
    return f"{where.dimension}{OF}{where.value}"
