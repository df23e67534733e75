"""A simulated service as it would be if nights differed only by weekday, holiday and growth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from benchmarks.replay_names import APPS, CITIES, HOUR, names_of
from benchmarks.replay_records import EVERYWHERE, KINDS, Column, Floats

REFERENCE_NIGHTS = 28
REQUESTS = 150_000
GROWTH = 1.002
CROSSES = 20
WEEKDAY_VOLUME = np.array([1.0, 0.98, 1.0, 1.02, 1.1, 1.12, 0.82])
HOLIDAYS = frozenset(
    date(2026, month, day)
    for month, day in (
        (1, 1), (2, 16), (2, 17), (4, 3), (4, 21), (5, 1), (6, 4), (9, 7), (10, 12), (11, 2), (11, 15), (11, 20), (12, 25),
    )
)  # fmt: skip
"""Brazil's national holidays of 2026, with carnival's Monday and Tuesday and Corpus Christi."""
QUANTILES = (0.001, 0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98, 0.999)


@dataclass(frozen=True)
class Plan:
    """What a service is on usual nights. A part is one city on one app, the finest piece that rows are made in.

    Attributes:
        weekdays: shape (nights,), Monday is 0; a holiday is 6, a Sunday.
        requests: expected rows, shape (nights, parts).
        belongs: 1 where a part lies in a slice, shape (slices, parts).
        shares: column -> usual shares, shape (7 weekdays, parts, size).
        rho: column -> between-night variance of a share p in one part, divided by p (1 - p).
        phi: column -> within-night clustering: how many rows share a fate.
    """

    service: str
    nights: tuple[date, ...]
    holidays: tuple[int, ...]
    weekdays: npt.NDArray[np.int64]
    requests: Floats
    slices: tuple[str, ...]
    members: Mapping[str, Mapping[str, str]]
    belongs: Floats
    columns: tuple[Column, ...]
    shares: Mapping[str, Floats]
    rho: Mapping[str, float]
    phi: Mapping[str, float]

    def usual(self, column: str, first: int, last: int) -> Floats:
        """Usual shares of the nights from `first` to `last`, shape (nights, parts, size)."""
        return self.shares[column][self.weekdays[first : last + 1]]

    def usual_in(self, column: str, where: str, first: int, last: int) -> Floats:
        """Usual shares of one slice, shape (nights, size): its parts weighted by their expected rows."""
        weight = self.requests[first : last + 1] * self.belongs[self.slices.index(where)]
        weight = weight / weight.sum(axis=1, keepdims=True)
        mixed = np.einsum("np,npk->nk", weight, self.usual(column, first, last))
        return np.asarray(mixed, dtype=np.float64)


def plan(service: str, seed: int, nights: int) -> Plan:
    """The usual nights of a service; the same for every noise, so that noises can be compared.

    Raises:
        ValueError: too few nights for a reference and something to judge after it.
    """
    if nights < REFERENCE_NIGHTS + 7:
        raise ValueError(
            f"{nights} nights asked for; the reference takes {REFERENCE_NIGHTS}, and 7 must follow"
        )
    rng = np.random.default_rng([seed, KINDS.index(service), 1])
    days = _days(rng, nights)
    holidays = tuple(i for i, day in enumerate(days) if day in HOLIDAYS)
    weekdays = np.array([6 if day in HOLIDAYS else day.weekday() for day in days])
    weights = _weights(rng)
    trend = GROWTH ** np.arange(nights) * WEEKDAY_VOLUME[weekdays]
    slices, members, belongs = _slices(rng, weights.ravel())
    columns, shares, rho, phi = _features(rng, service, weights.ravel())
    return Plan(
        service, days, holidays, weekdays, REQUESTS * trend[:, None] * weights.ravel(),
        slices, members, belongs, columns, shares, rho, phi,
    )  # fmt: skip


def _days(rng: np.random.Generator, nights: int) -> tuple[date, ...]:
    start = date(2026, 1, 5) + timedelta(days=int(rng.integers(0, 100)))
    return tuple(start + timedelta(days=i) for i in range(nights))


def _weights(rng: np.random.Generator) -> Floats:
    """Shares of the requests, shape (cities, apps); cities lie evenly on a log scale, 67 to 1."""
    city = np.geomspace(1.0, 0.015, len(CITIES))
    app = np.array([0.36, 0.33, 0.24, 0.07])
    weight = city[:, None] * app * np.exp(rng.normal(0, 0.15, (len(CITIES), len(APPS))))
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _slices(
    rng: np.random.Generator, weights: Floats
) -> tuple[tuple[str, ...], dict[str, Mapping[str, str]], Floats]:
    """All rows, each city, each app, and 20 crosses from small to large; the smallest has about 50 rows."""
    pairs = [(city, app) for city in CITIES for app in APPS]
    by_size = [i for i in np.argsort(weights) if weights[i] * REQUESTS >= 40]
    groups = np.array_split(np.array(by_size), CROSSES)
    named = sorted(int(group[0] if n == 0 else rng.choice(group)) for n, group in enumerate(groups))
    members: dict[str, Mapping[str, str]] = {EVERYWHERE: {}}
    members |= {city: {"city": city} for city in CITIES} | {app: {"app": app} for app in APPS}
    members |= {f"{pairs[i][0]} × {pairs[i][1]}": {"city": pairs[i][0], "app": pairs[i][1]} for i in named}
    belongs = [
        [float(of.get("city", city) == city and of.get("app", app) == app) for city, app in pairs]
        for of in members.values()
    ]
    return tuple(members), members, np.array(belongs)


def _features(
    rng: np.random.Generator, service: str, weights: Floats
) -> tuple[tuple[Column, ...], dict[str, Floats], dict[str, float], dict[str, float]]:
    numbers, categories = names_of(service)
    made = {name: _number(rng, name, len(weights)) for name in numbers}
    made |= {name: _category(rng, name, len(weights)) for name in categories}
    effect = np.exp(rng.uniform(math.log(2), math.log(50), len(made)))  # the design effect at 5,000 rows
    phi = 1 + rng.uniform(0, 1, len(made))
    rho = (effect - phi) / (5000 - 1)
    return (
        tuple(column for column, _ in made.values()),
        {name: shares for name, (_, shares) in made.items()},
        dict(zip(made, rho.tolist(), strict=True)),
        dict(zip(made, phi.tolist(), strict=True)),
    )


def _number(rng: np.random.Generator, name: str, parts: int) -> tuple[Column, Floats]:
    """A number: normal or lognormal, each part and weekday a little shifted, cut at the reference's quantiles."""
    z = np.array([NormalDist().inv_cdf(q) for q in QUANTILES])
    spread = rng.uniform(0.3, 0.8)
    scale = math.sqrt(math.expm1(spread**2)) * math.exp(spread**2 / 2)
    edges = z if rng.random() < 0.5 or name == HOUR else np.exp(spread * z) / scale
    shift = _weekly(rng, 0.08)[:, None] + rng.normal(0, 0.15, parts)
    below = _normal_cdf(z[1:-1] - shift[..., None])
    ends = np.ones((*shift.shape, 1))
    bands = np.diff(np.concatenate([0 * ends, below, ends], axis=-1))
    return Column(name, "number", len(QUANTILES) + 1, edges), _with_gaps(rng, bands)


def _category(rng: np.random.Generator, name: str, parts: int) -> tuple[Column, Floats]:
    """A category of 5 to 20 values with Zipf-like shares; parts differ, and weekends lean towards some values."""
    values = int(rng.integers(5, 21))
    zipf = -rng.uniform(0.6, 1.1) * np.log(np.arange(1, values + 1))
    lean = _weekly(rng, 0.12)[:, None, None] * rng.normal(0, 1, values)
    shares = np.exp(zipf + lean + rng.normal(0, 0.2, (parts, values)))
    return Column(name, "category", values + 2), _with_gaps(rng, shares / shares.sum(axis=-1, keepdims=True))


def _weekly(rng: np.random.Generator, size: float) -> Floats:
    """How far each weekday lies from the middle: the week's days close together, the weekend apart."""
    profile = rng.normal(0, 0.2, 7) + np.array([0, 0, 0, 0, 0.3, 0.8, 1.0])
    return np.asarray(size * rng.uniform(0.3, 1) * profile, dtype=np.float64)


def _with_gaps(rng: np.random.Generator, shares: Floats) -> Floats:
    """The same with `other` and null behind them; of a third of the columns up to 3 % are null."""
    null = 10 ** (rng.uniform(-2.5, -1.5) if rng.random() < 1 / 3 else rng.uniform(-4, -3))
    other = 10 ** rng.uniform(-4, -2.7)
    ends = np.ones((*shares.shape[:-1], 1))
    return np.concatenate([shares * (1 - null - other), other * ends, null * ends], axis=-1)


def _normal_cdf(x: Floats) -> Floats:
    erf = np.array([math.erf(v / math.sqrt(2)) for v in x.ravel()]).reshape(x.shape)
    return np.asarray((1 + erf) / 2, dtype=np.float64)
