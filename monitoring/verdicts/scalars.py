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
from monitoring.verdicts.shares import SMOOTHING
from monitoring.verdicts.since import harmonic, mixture


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
    deployment, eve = _deployed(values, nights, bank)
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
        eve=eve,
        since=np.full(len(point), bank.since_nights, dtype=np.float64),
        past=past(nights.before(), _squared, size[:, :-1], _cases(values.unit, level, size[:, -1])),
    )


def _last_night(values: Values, in_a_row: bool) -> Distance:
    size, part, point = (each[:, -2:] for each in (values.size, values.part, values.point))
    known = (size > 0).all(axis=1) & (size.shape[1] > 1) & in_a_row
    now, before = ((point[:, n], part[:, n], size[:, n]) for n in (-1, 0))
    found = _distance(values.unit, now, before, known.astype(np.float64))
    return replace(found, size=harmonic(size))


def _deployed(values: Values, nights: Laid, bank: Bank) -> tuple[Distance | None, Distance | None]:
    """The nights since a deployment beside the bank before it, and the last one before it beside those of its kind."""
    if bank.began is None:
        return None, None
    if not bank.since_nights:
        return unknown(values.size[:, 0].shape), unknown(values.size[:, 0].shape)
    point, size = values.point, values.size
    since, eve = bank.since, bank.eve
    known = (size > 0).astype(np.float32)
    known[:, since] *= without_storm(_squared(nights.residual[:, since]), size[:, since] > 0)
    there = bank.before_it(size)
    now = _together(values, known, since)
    if values.unit == "share":
        usual, many = mixture(
            values.part[..., np.newaxis], size, there, bank.kind, size[:, since] * known[:, since]
        )
        # chance goes by the requests of as many nights as those before are as good as
        whole = (size * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1) * many
        before = _angle(usual[..., 0] * whole, whole, values.toward), usual[..., 0] * whole, whole
    else:
        usual, many = mixture(
            point[..., np.newaxis],
            np.ones_like(size),
            there,
            bank.kind,
            np.asarray(known[:, since], dtype=np.float64),
        )
        before = usual[..., 0], np.zeros_like(now[0]), (size * there).sum(axis=1)
    at = point[:, eve], values.part[:, eve], size[:, eve]
    kept = point[:, eve] - nights.residual[:, eve, :, 0], np.zeros_like(at[1]), size[:, eve]
    return (
        _distance(values.unit, now, before, many),
        _distance(values.unit, at, kept, nights.nights[:, eve]),
    )


def past_of_values(values: Values, kind: Ints) -> Past:
    """How the reference's own nights differ, and its weeks.

    Args:
        values: nights of the reference.
        kind: shape (nights,).
    """
    there = (values.size > 0).astype(np.float32)
    whole, _, whole_size = _together(values, there, slice(None))
    starts = range(0, len(kind) // WEEK * WEEK, WEEK)
    weeks = [_together(values, there, slice(start, start + WEEK))[0] for start in starts]
    blocks = np.zeros((len(whole), len(weeks), whole.shape[1]))
    for n, week in enumerate(weeks):
        blocks[:, n] = (week - whole) ** 2
    a_night = values.size.mean(axis=1) if len(kind) else whole_size
    cases = _cases(values.unit, np.sin(whole / 2) ** 2, a_night)
    nights = laid(values.point[..., np.newaxis], there, kind)
    return past(nights, _squared, values.size, cases, (blocks, by_week(values.size)))


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
