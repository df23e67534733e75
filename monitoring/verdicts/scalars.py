"""Rows of single numbers: shares by their angle, what is told as a ratio by its logarithm."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitoring.verdicts.lay import (
    WEEK,
    Bank,
    Laid,
    Points,
    by_week,
    laid,
    past,
    without_storm,
)
from monitoring.verdicts.rows import MOST_LOG, UNITS, Distance, Floats, Ints, Past, Rows, Unit, unknown
from monitoring.verdicts.seasons import beside_the_wave
from monitoring.verdicts.shares import SMOOTHING
from monitoring.verdicts.since import already, harmonic, mixture


@dataclass(frozen=True)
class Values:
    """One number per row, night and slice on its scale.

    Attributes:
        unit: `share` or `ratio`.
        point: angle or logarithm, shape (rows, nights, slices); never NaN.
        size: requests behind it, 0 where it is unknown, shape (rows, nights, slices).
        part: numerator of a share, shape (rows, nights, slices); else 0.
        toward: what a share is over all rows, shape (rows,): small slices are smoothed towards it.
    """

    unit: Unit
    point: Floats
    size: Floats
    part: Floats
    toward: Floats


def shares(part: Floats, whole: Floats, toward: Floats) -> Values:
    """Shares (null, unseen, errors, outcomes, a guarded share) as 2 arcsin √p, p smoothed towards `toward`.

    Args:
        part: requests that count, shape (rows, nights, slices).
        whole: requests, same shape; 0 or NaN where unknown.
        toward: between 0 and 1, shape (rows,).
    """
    known = np.isfinite(part) & (whole > 0)
    part, whole = np.where(known, part, 0.0), np.where(known, whole, 0.0)
    toward = np.nan_to_num(toward)
    return Values("share", _angle(part, whole, toward), whole, part, toward)


def ratios(value: Floats, size: Floats) -> Values:
    """What is told as a ratio (volume, latency, tokens, cost) as its logarithm.

    Args:
        value: positive; NaN where unknown, shape (rows, nights, slices).
        size: what chance goes by, same shape: the requests behind a value; of a volume, its usual one.
    """
    known = np.isfinite(value) & (value > 0) & (size > 0)
    point = np.log(np.where(known, value, 1.0))
    none = np.zeros(point.shape)
    return Values("ratio", point, np.where(known, size, 0.0), none, np.zeros(len(value)))


def of_values(values: Values, reference: Values, weeks: int, bank: Bank, floor: Floats) -> Rows:
    """Rows of one block of numbers.

    Args:
        values: nights of the bank, tonight last.
        reference: all of the reference as one night, shape (rows, 1, slices); see `whole_of`.
        weeks: how many weeks the reference is.
        floor: points of a share, or ratio less one; shape (rows,).
    """
    point, size = values.point, values.size
    there, back = bank.there(size), bank.weeks_back
    nights = laid(point[..., np.newaxis], there, bank.kind)
    usual = point[:, -1] - nights.residual[:, -1, :, 0]
    level = np.sin(usual / 2) ** 2 if values.unit == "share" else np.zeros(usual.shape)
    same = there * (bank.kind == bank.kind[-1])[np.newaxis, :, np.newaxis]
    now = point[:, -1], values.part[:, -1], size[:, -1]
    kept = usual, (values.part * same).sum(axis=1), (size * same).sum(axis=1)
    known = (size > 0).astype(np.float32)
    known[:, -WEEK:] *= without_storm(_squared(nights.residual[:, -WEEK:]), size[:, -WEEK:] > 0)
    last = _together(values, known, slice(-WEEK, None))
    before = _together(values, there, back)
    frozen = reference.point[:, 0], reference.part[:, 0], reference.size[:, 0]
    deployment, eves = _deployed(values, nights, bank)
    many = np.where(reference.size[:, 0] > 0, float(max(weeks, 1) * WEEK), 0.0)
    return Rows(
        unit=np.full(len(point), UNITS.index(values.unit)),
        dof=np.ones(len(point)),
        floor=floor,
        level=level,
        tonight=_distance(values.unit, now, kept, nights.nights[:, -1]),
        week=_distance(values.unit, last, before, there[:, back].sum(axis=1)),
        ageing=_distance(values.unit, last, frozen, many),
        last_night=_last_night(values, bank.in_a_row),
        deployment=deployment,
        eves=eves,
        since=np.full(len(point), bank.since_nights, dtype=np.float64),
        past=past(nights.before(), _squared, size[:, :-1], _cases(values.unit, level, size[:, -1])),
    )


def _last_night(values: Values, in_a_row: bool) -> Distance:
    size, part, point = (each[:, -2:] for each in (values.size, values.part, values.point))
    known = (size > 0).all(axis=1) & (size.shape[1] > 1) & in_a_row
    now, before = ((point[:, n], part[:, n], size[:, n]) for n in (-1, 0))
    found = _distance(values.unit, now, before, known.astype(np.float64))
    return replace(found, size=harmonic(size))


def _deployed(values: Values, nights: Laid, bank: Bank) -> tuple[Distance | None, Floats | None]:
    """The nights since a deployment beside the bank before it, and how much of that its eves already show."""
    shape = values.size[:, 0].shape
    if bank.began is None:
        return None, None
    if not bank.since_nights:
        return unknown(shape), np.full(shape, np.nan)
    since, known = bank.since, (values.size > 0).astype(np.float32)
    there = bank.before_it(values.size)
    known[:, since] *= without_storm(_squared(nights.residual[:, since]), values.size[:, since] > 0)
    now, before, many = _beside(values, known, there, bank.kind, since)
    eves = []
    for span in bank.eves:
        eve, as_usual, _ = _beside(values, known, there, bank.kind, span)
        eves.append(np.where(eve[2] > 0, eve[0] - as_usual[0], np.nan)[..., np.newaxis])
    return _distance(values.unit, now, before, many), already((now[0] - before[0])[..., np.newaxis], eves)


def _beside(
    values: Values, known: npt.NDArray[np.float32], there: npt.NDArray[np.float32], kind: Ints, span: slice
) -> tuple[tuple[Floats, Floats, Floats], tuple[Floats, Floats, Floats], Floats]:
    """Some nights and what they would be as usual, each as point, part and size, and of how many nights that is."""
    now, size = _together(values, known, span), values.size
    total = (size * there).sum(axis=1)
    if values.unit == "share":
        wanted = size[:, span] * known[:, span]
        mean, many = mixture(values.part[..., np.newaxis], size, there, kind, wanted, kind[span])
        # chance goes by the requests of as many nights as those before are as good as
        whole = total / np.maximum(there.sum(axis=1), 1) * many
        part = mean[..., 0] * whole
        return now, (_angle(part, whole, values.toward), part, whole), many
    wanted = np.asarray(known[:, span], dtype=np.float64)
    mean, many = mixture(values.point[..., np.newaxis], np.ones_like(size), there, kind, wanted, kind[span])
    return now, (mean[..., 0], np.zeros_like(total), total), many


def past_of_values(values: Values, kind: Ints, year: Values | None = None) -> Past:
    """How the reference's own nights differ, and its weeks.

    Args:
        values: nights of the reference.
        kind: shape (nights,).
        year: where these are of one season, all nights of the year that it is of: its weeks are what differs.
    """
    there = (values.size > 0).astype(np.float32)
    whole, _, whole_size = _together(values, there, slice(None))
    weeks, sizes = _weeks_of(values if year is None else year)
    left = weeks - whole[:, np.newaxis] if year is None else beside_the_wave(weeks)
    a_night = values.size.mean(axis=1) if len(kind) else whole_size
    cases = _cases(values.unit, np.sin(whole / 2) ** 2, a_night)
    nights = laid(values.point[..., np.newaxis], there, kind)
    return past(nights, _squared, values.size, cases, (left**2, sizes))


def _weeks_of(values: Values) -> tuple[Floats, Floats]:
    """Point and size of each whole week, shape (rows, weeks, slices)."""
    there, nights = (values.size > 0).astype(np.float32), values.size.shape[1]
    starts = range(0, nights // WEEK * WEEK, WEEK)
    points = [_together(values, there, slice(start, start + WEEK))[0] for start in starts]
    shape = (values.size.shape[0], len(starts), values.size.shape[2])
    return np.stack(points, axis=1) if points else np.zeros(shape), by_week(values.size)


def whole_of(values: Values) -> Values:
    """All nights of a reference as one: shapes (rows, nights, slices) to (rows, 1, slices)."""
    point, part, size = _together(values, (values.size > 0).astype(np.float32), slice(None))
    return Values(values.unit, point[:, np.newaxis], size[:, np.newaxis], part[:, np.newaxis], values.toward)


def _together(values: Values, there: npt.NDArray[np.float32], nights: slice) -> tuple[Floats, Floats, Floats]:
    """Point, part and size of several nights together: a share of their sums, a ratio by its mean logarithm."""
    counted = there[:, nights]
    part, size = ((each[:, nights] * counted).sum(axis=1) for each in (values.part, values.size))
    if values.unit == "share":
        return _angle(part, size, values.toward), part, size
    many = np.maximum(counted.sum(axis=1), 1)
    return (values.point[:, nights] * counted).sum(axis=1) / many, part, size


def _angle(part: Floats, whole: Floats, toward: Floats) -> Floats:
    usual = SMOOTHING * toward.reshape(len(toward), *(1,) * (part.ndim - 1))
    found: Floats = 2 * np.arcsin(np.sqrt(np.clip((part + usual) / (whole + SMOOTHING), 0, 1)))
    return found


def _distance(
    unit: Unit, now: tuple[Floats, Floats, Floats], other: tuple[Floats, Floats, Floats], nights: Points
) -> Distance:
    """How far two sides lie apart, each as point, part and size."""
    known = (now[2] > 0) & (other[2] > 0) & (nights > 0)
    difference = np.where(known, now[0] - other[0], np.nan)
    if unit == "share":
        effect = np.abs(np.sin(now[0] / 2) ** 2 - np.sin(other[0] / 2) ** 2)
    else:
        effect = np.expm1(np.minimum(np.abs(difference), MOST_LOG))
    return Distance(
        square=difference**2,
        effect=np.where(known, effect, np.nan),
        up=difference > 0,
        size=now[2],
        nights=np.where(known, nights, 0.0),
        part=now[1],
        other_part=other[1],
        other_size=other[2],
    )


def _squared(residual: Points) -> npt.NDArray[np.float32]:
    return (residual[..., 0] ** 2).astype(np.float32)


def _cases(unit: Unit, level: Floats, size: Floats) -> Floats:
    return level * size if unit == "share" else np.full(level.shape, np.inf)
