"""False discoveries over many simulated nights: how many of a night's findings are false, in four kinds of noise.

    python -m benchmarks.discoveries --nights 1000 --json

First with the floor at zero and evidence against zero, where every finding of an unchanged key is false. Then with
the floor as it is, keys that changed by exactly the floor, and others by twice as much: a finding is false where less
than the floor is true. Services are small, and every night is judged by itself against the unchanged nights before it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.replay_noise import night_shares
from benchmarks.replay_records import NOISE
from monitoring.verdicts.judge import judge
from monitoring.verdicts.kinds import kinds
from monitoring.verdicts.lay import WEEK, Bank
from monitoring.verdicts.rows import NATS, UNITS, Flags, Floats
from monitoring.verdicts.shares import of_counts, past_of_counts, roots
from monitoring.verdicts.variation import fitted

FEATURES, CELLS, FLOOR = 20, 10, 0.1
SIZES = np.geomspace(200, 20_000, 10).astype(np.int64)
"""Requests of each slice a night."""
BACK, JUDGED = 28, 40
"""Nights of the reference and of every bank; and nights judged of one service."""
CHANGED = 0.1
"""Part of a night's slices that changed."""
EFFECTS = 1.0, 2.0
"""By how many floors: half of them by the one, half by the other."""
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Service:
    """A service without change, and what its nights would be with some.

    Attributes:
        days: of all nights.
        shares: true shares, shape (features, nights, slices, cells).
        usual: of usual nights, shape (features, 1, slices, cells).
        counts: drawn from them, the first slice all requests; shape (features, nights, 1 + slices, cells).
    """

    days: tuple[date, ...]
    shares: Floats
    usual: Floats
    counts: Counts


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.discoveries", description=__doc__)
    parser.add_argument("--nights", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args(arguments)
    result = {noise: measured(noise, asked.nights, asked.seed) for noise in NOISE}
    print(json.dumps(result, indent=2) if asked.json else table(result))


def measured(noise: str, nights: int, seed: int) -> dict[str, float]:
    """What share of findings is false in one noise, over so many nights (rounded up to whole services)."""
    services = max(-(-nights // JUDGED), 2)
    zero, floor, at_floor = [], [], []
    found = 0
    for number in range(services):
        rng = np.random.default_rng([seed, NOISE.index(noise), number])
        service = drawn(noise, rng)
        for place in range(BACK, len(service.days)):
            said, true = judged_night(service, place, rng, floor=0.0)
            zero.append(false_share(said, true <= 0))
            found += int(said.sum())
            said, true = judged_night(service, place, rng, floor=FLOOR)
            floor.append(false_share(said, true < FLOOR * (1 - 1e-6)))
            at_floor.append(false_share(said, true < FLOOR * (1 + 1e-6)))
    return {
        "nights": services * JUDGED,
        "findings_a_night": round(found / (services * JUDGED), 2),
        "false": round(float(np.mean(zero)), 4),
        "false_upper": round(upper(zero), 4),
        "below_floor": round(float(np.mean(floor)), 4),
        "below_floor_upper": round(upper(floor), 4),
        "at_or_below_floor": round(float(np.mean(at_floor)), 4),
    }


def drawn(noise: str, rng: np.random.Generator) -> Service:
    """A service of features whose nights differ by one kind of noise, more or less of it."""
    nights = BACK + JUDGED
    start = date(2026, 1, 5)
    usual = rng.dirichlet(np.full(CELLS, 3.0), size=(FEATURES, 1, 1))
    parts = rng.dirichlet(np.full(CELLS, 60.0), size=(FEATURES, 1, len(SIZES))) * CELLS * usual
    parts = parts / parts.sum(axis=-1, keepdims=True)
    shares = np.empty((FEATURES, nights, len(SIZES), CELLS))
    for feature, rho in enumerate(rng.permutation(np.geomspace(0.0003, 0.006, FEATURES))):
        own = np.broadcast_to(parts[feature], shares.shape[1:])
        overall = np.average(parts[feature, 0], axis=0, weights=SIZES)
        shares[feature] = night_shares(noise, own, overall, float(rho), rng)
    days = tuple(start + timedelta(days=n) for n in range(nights))
    return Service(days, shares, parts, counted(shares, rng))


def counted(shares: Floats, rng: np.random.Generator) -> Counts:
    """Requests drawn, with all slices together before them."""
    parts = rng.multinomial(np.broadcast_to(SIZES, shares.shape[:-1]), shares)
    return np.concatenate([parts.sum(axis=2, keepdims=True), parts], axis=2)


def judged_night(
    service: Service, place: int, rng: np.random.Generator, *, floor: float
) -> tuple[Flags, Floats]:
    """One night with planted changes: what was found, and the true effects; shapes (features, 1 + slices).

    Args:
        floor: what is judged at: 0, or `FLOOR`. Changes are planted as multiples of `FLOOR` either way.
    """
    effects = planted(rng)
    toward = np.eye(CELLS)[rng.integers(0, CELLS, FEATURES)][:, np.newaxis]
    part = reach(service.usual[:, 0], toward, effects)[..., np.newaxis]
    tonight = service.shares[:, place] * (1 - part) + part * toward
    before = service.counts[:, place - BACK : place]
    counts = np.concatenate([before, counted(tonight[:, np.newaxis], rng)], axis=1)
    days = service.days[place - BACK : place + 1]
    frozen = service.counts[:, :BACK]
    scale = roots(frozen[:, :, 0].sum(axis=1))
    bank = Bank(kinds(days, ()), np.ones((FEATURES, BACK + 1), dtype=bool))
    rows = of_counts(scale, counts, frozen.sum(axis=1), BACK // WEEK, bank, np.full(FEATURES, floor))
    past = past_of_counts(scale, frozen, kinds(service.days[:BACK], ()))
    reference = fitted(past, np.full(FEATURES, UNITS.index("js")), scale.dof)
    at = 0.5 if floor else 0.0
    verdicts = judge(rows, reference, np.zeros(FEATURES, dtype=bool), at=at)
    after = service.usual[:, 0] * (1 - part) + part * toward
    together = [np.average(each, axis=1, weights=SIZES) for each in (service.usual[:, 0], after)]
    true = np.concatenate([distance(*together)[:, np.newaxis], effects], axis=1)
    return verdicts.drifted, np.where(true > 1e-9, true, 0.0)


def planted(rng: np.random.Generator) -> Floats:
    """Effects of tonight's changes, 0 for most; shape (features, slices)."""
    shape = FEATURES, len(SIZES)
    which = rng.random(shape) < CHANGED
    return np.where(which, rng.choice(EFFECTS, shape) * FLOOR, 0.0)


def distance(one: Floats, other: Floats) -> Floats:
    """The effect that a change of shares has, on the scale of categories."""
    square = (4 * (np.sqrt(one) - np.sqrt(other)) ** 2).sum(axis=-1)
    return np.asarray(np.sqrt(square / NATS), dtype=np.float64)


def reach(shares: Floats, toward: Floats, effects: Floats) -> Floats:
    """Which part of the requests has to move to one cell for such effects, by halving."""
    low, high = np.zeros(effects.shape), np.ones(effects.shape)
    for _ in range(40):
        middle = (low + high) / 2
        far = distance(shares, shares + middle[..., np.newaxis] * (toward - shares)) > effects
        low, high = np.where(far, low, middle), np.where(far, middle, high)
    return low


def false_share(found: Flags, unchanged: Flags) -> float:
    """False findings over all findings of a night; 0 where there is none."""
    return float((found & unchanged).sum() / max(int(found.sum()), 1))


def upper(shares: Sequence[float]) -> float:
    """Upper 95 % bound of a mean over nights, of which those of one service share a bank: t over services."""
    means = np.array(shares).reshape(-1, JUDGED).mean(axis=1)
    error = means.std(ddof=1) / np.sqrt(len(means))
    return float(means.mean() + stats.t.ppf(0.95, len(means) - 1) * error)


def table(result: dict[str, dict[str, Any]]) -> str:
    """One line per noise."""
    return "\n".join(_lines(result))


def _lines(result: dict[str, dict[str, Any]]) -> Iterator[str]:
    names = list(next(iter(result.values())))
    yield f"{'noise':<16}" + "".join(f"{name.replace('_', ' '):>19}" for name in names)
    for noise, found in result.items():
        yield f"{noise:<16}" + "".join(f"{found[name]:>19,}" for name in names)


if __name__ == "__main__":
    main()
