"""One night's verdicts over everything that is watched: three gates, and what could not have been seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from monitoring.verdicts import evidence, expected
from monitoring.verdicts.discoveries import discoveries
from monitoring.verdicts.expected import Expected
from monitoring.verdicts.incidents import Comparison
from monitoring.verdicts.rows import UNITS, Distance, Flags, Floats, Ints, Rows, square_of
from monitoring.verdicts.variation import Variation, fitted

RATE = 0.05
"""At most this share of a night's findings is expected to be false."""
LEAST_NIGHTS = 7.0
"""With fewer nights behind it nothing is judged: their spread says next to nothing of the next night's."""
JUDGEABLE = 4.0
"""What could not be seen at so many floors is inconclusive."""
UNSURE = 2.0
"""Where one night shows no less than so many floors, seven are looked at together."""
FAMILIES = 3
"""False discoveries are controlled in so many groups by themselves: see `_families`."""
UNLIKE = 4.0
"""Two sides are called unlike from so many times the square that usual nights lie apart: two standard deviations."""
LEAST_SINCE = 3
"""So many nights since a deployment are summed: of two, one storm would speak for both."""
HALF = 0.5
"""A deployment is not said to have begun what was there before it by so much."""
REPEATED = 30.0
"""Sums of seven nights share six with the next night's: what chance shows in one it shows in all of them, and two nights
of three are no second look. Their evidence has to hold for a month instead."""


@dataclass(frozen=True)
class Tested:
    """One comparison of everything that is watched; all of shape (rows, slices).

    Attributes:
        effect: in the row's unit, less what chance adds; NaN where unknown.
        chance: probability of such a distance without a change worth telling; NaN where nothing was tested.
        adjusted: the same, with false discoveries over its family controlled; at most `rate` is a discovery.
        alone: the same, as if nothing else had been found: the chance that any test of a night shows as much.
        visible: smallest true effect that three nights of four would have shown, in the row's unit; infinite where
            nothing can be judged.
        drifted: whether all three gates are passed.
        up: whether it rose.
    """

    effect: Floats
    chance: Floats
    adjusted: Floats
    alone: Floats
    visible: Floats
    drifted: Flags
    up: Flags


@dataclass(frozen=True)
class Verdicts:
    """Every test of a night.

    Attributes:
        tonight: tonight against nights of its kind.
        week: seven nights against the bank, where one night shows too little.
        ageing: seven nights against the reference.
        deployment: the nights since a deployment against those before it, where one night shows too little; None where
            nothing began in the last seven nights.
        unlike_last_night: whether tonight is far from the night before, whatever weekday that was; shape (rows, slices).
        unlike_before: whether it is another since the deployment than before it, same shape.
        unlike_eves: whether less than half of that was already there on the last nights before it, same shape.
        visible: the smallest effect that either of the first two could have shown, in the row's unit; shape (rows,
            slices), infinite or NaN where nothing is known.
        inconclusive: nothing drifted, and less than `JUDGEABLE` floors could not have been seen, or more than the
            floor was seen without evidence; shape (rows, slices).
        tests: how many tests false discoveries are controlled over.
    """

    tonight: Tested
    week: Tested
    ageing: Tested
    deployment: Tested | None
    unlike_last_night: Flags
    unlike_before: Flags
    unlike_eves: Flags
    visible: Floats
    inconclusive: Flags
    tests: int

    @property
    def drifted(self) -> Flags:
        """Whether any test says so, shape (rows, slices)."""
        found = self.tonight.drifted | self.week.drifted | self.ageing.drifted
        return found if self.deployment is None else found | self.deployment.drifted

    @property
    def by_name(self) -> dict[Comparison, Tested]:
        """The tests by what they compare with."""
        found: dict[Comparison, Tested] = {"tonight": self.tonight, "week": self.week, "ageing": self.ageing}
        return found if self.deployment is None else {**found, "deployment": self.deployment}


@dataclass(frozen=True)
class _Comparison:
    """A distance with what it is held against.

    Attributes:
        phi: of the nights that say what chance adds, shape (rows, 1).
        at: the null, as a share of the floor.
    """

    distance: Distance
    expected: Expected
    phi: Floats
    at: float


def judge(
    rows: Rows,
    reference: Variation,
    named: Flags,
    *,
    at: float = 0.5,
    rate: float = RATE,
) -> Verdicts:
    """Judge a night.

    A key (a row in a slice) drifted where three gates are passed: its distance is larger than what `at` times the
    floor explains, its effect without chance is no less than the floor, and both still hold when false discoveries
    over the night are controlled at `rate`.

    Args:
        reference: how the reference's own nights differ: a bank that ages with the service would not show it.
        named: rows that are numbers of the service (errors, volume, a guarded share), not features; shape (rows,).
        at: what evidence is held against, as a share of the floor. Ageing, which is slow, is held against 0.
        rate: false-discovery rate over the night.
    """
    variation = fitted(rows.past, rows.unit, rows.dof)
    comparisons = _comparisons(rows, variation, reference, at)
    tests = _tested(rows, comparisons, variation, _families(named, rows.level.shape[1]), rate)
    tonight, week = tests["tonight"], tests["week"]
    floor = rows.floor[:, np.newaxis]
    visible = np.minimum(tonight.visible, np.where(np.isnan(week.chance), np.inf, week.visible))
    unclear = (visible > JUDGEABLE * floor) | (np.nan_to_num(tonight.effect) >= floor)
    apart, since = expected.of_night(variation, rows.dof, rows.last_night), comparisons.get("deployment")
    none = np.zeros(rows.level.shape, dtype=bool)
    return Verdicts(
        tonight=tonight,
        week=week,
        ageing=tests["ageing"],
        deployment=tests.get("deployment"),
        unlike_last_night=_unlike(rows.last_night, apart, floor),
        unlike_before=none if since is None else _unlike(since.distance, since.expected, floor),
        unlike_eves=none if rows.eves is None else np.asarray(rows.eves < HALF),
        visible=visible,
        inconclusive=unclear & ~np.any([each.drifted for each in tests.values()], axis=0),
        tests=sum(int((~np.isnan(each.chance)).sum()) for each in tests.values()),
    )


def _comparisons(
    rows: Rows, variation: Variation, reference: Variation, at: float
) -> dict[Comparison, _Comparison]:
    """What is tested, each with what it is held against: one night first, then sums."""
    dof, phi = rows.dof, variation.phi
    found: dict[Comparison, _Comparison] = {
        "tonight": _Comparison(rows.tonight, expected.of_night(variation, dof, rows.tonight), phi, at),
        "week": _Comparison(rows.week, expected.of_week(variation, dof, rows.week), phi, at),
        "ageing": _Comparison(
            rows.ageing, expected.of_ageing(reference, dof, rows.ageing), reference.phi, 0.0
        ),
    }
    if rows.deployment is not None:
        nights = np.maximum(rows.since, 1)[:, np.newaxis]
        since = expected.of_several(variation, dof, rows.deployment, nights)
        found["deployment"] = _Comparison(rows.deployment, since, phi, at)
    return found


def _tested(
    rows: Rows,
    comparisons: Mapping[Comparison, _Comparison],
    variation: Variation,
    family: Ints,
    rate: float,
) -> dict[Comparison, Tested]:
    """All comparisons, with false discoveries over the night controlled; sums only where one night shows too little."""
    floor, held = rows.floor[:, np.newaxis], list(comparisons.values())
    # the mean of its kind has used up one of the nights; a little less than a whole night is rounding
    enough = variation.nights + 1 >= LEAST_NIGHTS - 1e-6
    wanted = np.stack([enough & (each.distance.nights > 0) & (each.distance.size > 0) for each in held])
    alpha = _shares_of_rate(wanted, family, rate)
    seen = [_visible(each, rows, wanted[n], alpha[n]) for n, each in enumerate(held)]
    unsure = seen[0] > UNSURE * floor
    for n, name in enumerate(comparisons):
        if name == "week":
            wanted[n] &= unsure
        if name == "deployment":
            wanted[n] &= unsure & (rows.since >= LEAST_SINCE)[:, np.newaxis]
    effects = [np.where(wanted[n], _effect(each), np.nan) for n, each in enumerate(held)]
    chances = [np.where(wanted[n], _chance(each, rows), np.nan) for n, each in enumerate(held)]
    gated = np.stack([_gated(effect, chance, floor) for effect, chance in zip(effects, chances, strict=True)])
    own = _shares_of_rate(~np.isnan(gated), family, rate)
    passed, adjusted = _found(gated, own, family, rate)
    alone = np.divide(gated * rate, own, out=np.full_like(gated, np.nan), where=own > 0)
    return {
        name: Tested(effects[n], chances[n], adjusted[n], alone[n], seen[n], passed[n], held[n].distance.up)
        for n, name in enumerate(comparisons)
    }


def _unlike(distance: Distance, usual: Expected, floor: Floats) -> Flags:
    """Whether two sides lie at least the floor apart once chance is taken off, and further than usual nights do."""
    known = (distance.nights > 0) & (distance.size > 0)
    effect = np.nan_to_num(evidence.without_chance(distance, usual))
    far = np.nan_to_num(distance.square) > UNLIKE * usual.square
    return np.asarray(known & far & (effect >= floor))


def _visible(each: _Comparison, rows: Rows, wanted: Flags, alpha: Floats) -> Floats:
    """What a comparison could have shown, and infinity where it is not made."""
    unit, floor = rows.unit[:, np.newaxis], rows.floor[:, np.newaxis]
    found = evidence.visible(each.distance, each.expected, floor, unit, rows.level, alpha, at=each.at)
    return np.where(wanted, found, np.inf)


def _effect(each: _Comparison) -> Floats:
    return evidence.without_chance(each.distance, each.expected)


def _chance(each: _Comparison, rows: Rows) -> Floats:
    """Probability of each distance; of a share the larger one of its angle's and of its cases'."""
    unit, floor = rows.unit[:, np.newaxis], rows.floor[:, np.newaxis]
    null = square_of(each.at * floor, unit, rows.level)
    chance = evidence.chance_of(each.distance, each.expected, null)
    moved = np.broadcast_to(each.at * floor, chance.shape)
    few = evidence.chance_of_few(each.distance, np.maximum(each.phi, 1.0), moved)
    return np.where(unit == UNITS.index("share"), np.maximum(chance, few), chance)


def _gated(effect: Floats, chance: Floats, floor: Floats) -> Floats:
    """The probability that enters the family: infinite where the effect is below the floor."""
    return np.where((np.nan_to_num(effect) >= floor) | np.isnan(chance), chance, np.inf)


def _families(named: Flags, slices: int) -> Ints:
    """Which family a key belongs to: numbers that were asked for by name (0), features over all rows (1), slices (2).

    Each has a third of the rate, so that a service with many slices sees its error rate no worse than one with none,
    and an incident that moves hundreds of slices does not make the error rate's verdict any easier.

    Args:
        named: rows that are numbers of the service rather than features, shape (rows,).

    Returns:
        Shape (rows, slices).
    """
    family = np.full((len(named), slices), FAMILIES - 1)
    family[:, 0] = np.where(named, 0, 1)
    return family


def _shares_of_rate(tested: Flags, family: Ints, rate: float) -> Floats:
    """What of the rate each test may use by itself (Bonferroni within its family); sums of seven nights a part of it.

    Args:
        tested: shape (comparisons, rows, slices), one night first, then sums.
        family: shape (rows, slices).

    Returns:
        The same shape; 0 where nothing is tested.
    """
    part = np.where(tested, 1.0, 0.0)
    part[1:] /= REPEATED
    for each in range(FAMILIES):
        mine = np.broadcast_to(family == each, tested.shape)
        part[mine] *= rate / FAMILIES / max(float(part[mine].sum()), 1e-300)
    return part


def _found(gated: Floats, own: Floats, family: Ints, rate: float) -> tuple[Flags, Floats]:
    """Benjamini and Hochberg within each family, p over its share of the rate (Genovese et al., Biometrika 93, 2006).

    Args:
        gated: probabilities, shape (comparisons, rows, slices); NaN where nothing is tested.
        own: as of `_shares_of_rate`, same shape.
    """
    # as if all tests of a family had the same share: p times what all may use over what this one may
    even = np.divide(gated, own, out=np.full_like(gated, np.nan), where=own > 0)
    passed, adjusted = np.zeros(gated.shape, dtype=bool), np.full(gated.shape, np.nan)
    limit = rate / FAMILIES
    for each in range(FAMILIES):
        mine = np.broadcast_to(family == each, gated.shape) & ~np.isnan(even)
        many = int(mine.sum())
        if many:
            passed[mine], adjusted[mine] = discoveries(even[mine] * limit / many, limit)
    return passed, adjusted
