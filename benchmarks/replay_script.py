"""The scripted incidents of a world: which, when, and which deployments there are beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

import benchmarks.replay_kinds as features
import benchmarks.replay_kinds_series as series
from benchmarks.replay_names import CITY, HOUR, LANGUAGE
from benchmarks.replay_records import KINDS, NOISE, Incident
from benchmarks.replay_service import REFERENCE_NIGHTS, Plan
from benchmarks.replay_step import Scene, Step

QUIET = 3
"""Fewest nights between two sudden incidents."""
EVERY, ASSISTANT = KINDS, ("assistant",)


@dataclass(frozen=True)
class Variant:
    """A kind of incident in one of its forms.

    Attributes:
        lengths: how many nights it may last.
        slow: it comes over weeks, and sudden ones may happen meanwhile.
        volume: it moves volume, so no other one that does may happen meanwhile.
        saturday: it begins on a Saturday.
    """

    build: Callable[[Scene], Step]
    services: Sequence[str] = EVERY
    lengths: tuple[int, ...] = (3, 3, 4, 4, 5, 6, 7, 8, 10)
    slow: bool = False
    volume: bool = False
    saturday: bool = False


SLOW = (
    Variant(partial(features.ageing, columns=1), lengths=(26, 28, 30, 34), slow=True),
    Variant(partial(features.ageing, columns=3), lengths=(26, 28, 30, 34), slow=True),
    Variant(series.traffic_growth, lengths=(20,), slow=True, volume=True),
)
SUDDEN = (
    Variant(features.null_spike),
    Variant(features.null_spike_in_slice),
    Variant(features.schema_rename),
    Variant(features.unit_change),
    Variant(features.unit_change_in_slice),
    Variant(features.default_fill),
    Variant(features.stale_by_a_day),
    Variant(features.new_city, ("eta", "recommender"), volume=True),
    Variant(features.category_renamed),
    Variant(features.feature_stops),
    Variant(features.clock_shift),
    Variant(features.bot_flood, volume=True),
    Variant(features.promotion_weekend, lengths=(2,), volume=True, saturday=True),
    Variant(features.language_mix, ASSISTANT),
    Variant(features.language_mix_unseen, ASSISTANT),
    *(
        Variant(partial(features.feature_shift, floors=floors, in_slice=in_slice))
        for floors in (1.0, 2.0, 4.0)
        for in_slice in (False, True)
    ),
    Variant(series.slice_drops, volume=True),
    Variant(series.feed_stops, volume=True),
    Variant(series.sampling_bug, volume=True),
    Variant(series.duplicated_rows),
    Variant(series.deploy_with_error),
    Variant(series.latency_up),
    Variant(series.guardrail_drop),
    Variant(series.label_delay_grows),
    Variant(series.label_flip),
    Variant(series.label_flip_unseen),
    Variant(series.cost_up, ASSISTANT),
    Variant(series.prompt_longer, ASSISTANT),
    Variant(series.refusals, ASSISTANT),
    Variant(series.refusals_unseen, ASSISTANT),
    Variant(series.empty_answers, ASSISTANT),
)
Placed = tuple[Variant, int, int]
"""A variant with its first and last night."""


def script(plan: Plan, noise: str, seed: int) -> tuple[Step, ...]:
    """The incidents of a world, in order of their first night."""
    rng = np.random.default_rng([seed, KINDS.index(plan.service), NOISE.index(noise), 2])
    first = first_night(len(plan.nights))
    placed = _placed(rng, chosen(plan.service, noise, seed, len(plan.nights)), first, plan)
    columns = {c.name: c for c in plan.columns if c.name not in {CITY, HOUR, LANGUAGE}}
    numbers = rng.permutation([name for name, c in columns.items() if c.kind == "number"])
    categories = rng.permutation([name for name, c in columns.items() if c.kind == "category"])
    steps = []
    for i, (variant, start, last) in enumerate(placed):
        own = [tuple(columns[str(n)] for n in names[3 * i : 3 * i + 3]) for names in (numbers, categories)]
        steps.append(variant.build(Scene(plan, rng, start, last, own[0], own[1])))
    return tuple(sorted(steps, key=lambda s: s.incident.first))


def first_night(nights: int) -> int:
    """The first night that an incident may begin on: 60 of 120, half of fewer, never in the reference."""
    return 60 if nights >= 120 else max(REFERENCE_NIGHTS + 2, nights // 2)


def chosen(service: str, noise: str, seed: int, nights: int) -> tuple[Variant, ...]:
    """What happens in a world: the four noises of a service share its variants out among them.

    In 60 nights there are seven or eight sudden ones, and in three of four worlds a slow one; in fewer nights
    fewer.
    """
    rng = np.random.default_rng([seed, KINDS.index(service), 3])
    room, turn = nights - first_night(nights), NOISE.index(noise)
    slow = [SLOW[i] for i in rng.permutation(len(SLOW))][turn : turn + 1]
    slow = [variant for variant in slow if max(variant.lengths) + 2 <= room]
    fit = [variant for variant in SUDDEN if service in variant.services]
    mine = [fit[i] for i in rng.permutation(len(fit))][turn :: len(NOISE)]
    return (*slow, *mine[: min(8, round(8 * room / 60))])


def _placed(rng: np.random.Generator, variants: Sequence[Variant], first: int, plan: Plan) -> list[Placed]:
    """Nights for all variants; if they do not fit after many tries, the last one is left out."""
    while variants:
        for attempt in range(2000):
            # Long ones are tried first; where nothing fits, all are kept short.
            placed = _tried(rng, variants, first, plan, longest=max(3, 10 - attempt // 250))
            if placed is not None:
                return placed
        variants = variants[:-1]
    return []


def _tried(
    rng: np.random.Generator, variants: Sequence[Variant], first: int, plan: Plan, longest: int
) -> list[Placed] | None:
    placed, end = [], len(plan.nights)
    for variant in (v for v in variants if v.slow):
        length = int(rng.choice(variant.lengths))
        start = int(rng.integers(first, end - length + 1))
        placed.append((variant, start, start + length - 1))
    sudden, night = [v for v in variants if not v.slow], first + int(rng.integers(0, 2))
    for i in rng.permutation(len(sudden)):
        variant = sudden[i]
        while variant.saturday and night < end and plan.nights[night].weekday() != 5:
            night += 1
        last = night + min(int(rng.choice(variant.lengths)), longest) - 1
        if last >= end or (
            variant.volume and any(v.volume and a <= last and night <= b for v, a, b in placed)
        ):
            return None
        placed.append((variant, night, last))
        night = last + 1 + QUIET + int(rng.integers(0, 2))
    return placed


def deployments(steps: Sequence[Step], nights: int, rng: np.random.Generator) -> Mapping[int, str]:
    """Night -> the version that begins to serve on it: three or four harmless ones beside those of incidents.

    Harmless ones keep away from sudden incidents, so that nobody has to guess which of two things it was.
    """
    near = {n for s in steps for n in _around(s.incident)} | {s.incident.last + 1 for s in steps if s.deploys}
    free = [n for n in range(REFERENCE_NIGHTS + 2, nights - 1) if n not in near]
    late = [n for n in free if n >= first_night(nights)]
    fresh = set(_some(rng, late, int(rng.integers(1, 3))))
    fresh |= set(_some(rng, [n for n in free if n not in fresh], max(2, 3 - len(fresh))))
    guilty = {s.incident.first: s.incident.last for s in steps if s.deploys}
    made: dict[int, str] = {}
    serving = 1
    for number, night in enumerate(sorted(fresh | set(guilty)), start=2):
        made[night] = f"v{number}"
        if night not in guilty:
            serving = number
        elif guilty[night] + 1 < nights:
            made[guilty[night] + 1] = f"v{serving}"
    return dict(sorted(made.items()))


def _around(incident: Incident) -> range:
    """Nights on which a deployment would be suspected of a sudden incident."""
    return range(incident.first - 2, incident.last + 1) if incident.ramp == 0 else range(0)


def _some(rng: np.random.Generator, nights: Sequence[int], number: int) -> list[int]:
    return [int(n) for n in rng.permutation(nights)[:number]]
