"""From distances and judgements to findings.

With enough nights behind it a finding is what `monitoring.verdict` judged, given the service's own variation. Before
that it is `drifted` when the change from the reference is larger than the floor after taking off what chance alone would
show, and `inconclusive` when chance alone could look like the floor and the change is not far beyond it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from monitoring.records import ALL_ROWS, NUMBERS, Finding, Measure, Score, Slice, Verdict
from services.model import Service

REFERENCE = "reference"
CLEAR = 3.0
"""An effect this many times the noise is no chance, however small the floor: a column that turns all null, say."""


Key = tuple[Measure, str, Slice]
"""Measure, feature and slice."""


def decide(service: Service, found: Iterable[Score], judged: Iterable[Finding]) -> list[Finding]:
    """One finding per score; then those of numbers, which no score is of, and of shares that moved in a slice.

    The effect that is held against the floor is sqrt(effect² − noise²): on average the noise is what two
    samples of the same traffic differ by. The floor is the feature's own, else the service's floor for its
    kind; shares have the share floor.

    Args:
        judged: what is known given the nights before; empty while they are too few.
    """
    known = {_key(each): each for each in judged}
    told = {_key(score): _judge(service, score, known.get(_key(score))) for score in found}
    return [*told.values(), *(each for key, each in known.items() if key not in told and _is_kept(each))]


def not_computed(reasons: Iterable[tuple[str, str]]) -> list[Finding]:
    """A finding for each (feature, reason) that could not be compared at all."""
    return [
        Finding("distribution", feature, ALL_ROWS, REFERENCE, "not_computed", reason=reason)
        for feature, reason in reasons
    ]


def _key(of: Score | Finding) -> Key:
    return of.measure, of.feature, of.slice


def _is_kept(finding: Finding) -> bool:
    """Whether a finding without a score is told: hundreds of slices that moved by nothing are not."""
    whole, moved = finding.slice == ALL_ROWS, finding.verdict == "drifted"
    return moved or whole if finding.measure in NUMBERS else moved and not whole and _is_share(finding)


def _is_share(finding: Finding) -> bool:
    return finding.measure in {"null_share", "unseen_share"}


def _judge(service: Service, score: Score, known: Finding | None) -> Finding:
    floor = _floor(service, score)
    verdict, reason = _verdict(service, score, floor)
    if known is not None and reason in {"", "chance_reaches_floor"}:
        verdict, reason = known.verdict, known.reason
    # a number that never varied is judged by the places it went to, and shown as the share that left
    visible = known.visible if known is not None and known.unit == score.unit else None
    return Finding(
        score.measure, score.feature, score.slice, REFERENCE, verdict,
        effect=None if np.isnan(score.effect) else score.effect, floor=floor, unit=score.unit,
        reference_value=score.reference_value, current_value=score.current_value,
        rows_reference=score.rows_reference, rows_current=score.rows_current,
        direction=score.direction, reason=reason,
        against=known.against if known else (), visible=visible,
        p_value=known.p_value if known else None, q_value=known.q_value if known else None,
    )  # fmt: skip


def _verdict(service: Service, score: Score, floor: float) -> tuple[Verdict, str]:
    whole = score.slice == ALL_ROWS
    if not score.rows_reference:
        # a slice may be new, but a feature without any reference rows has nothing to be compared with
        return ("not_computed", "empty_in_reference") if whole else ("inconclusive", "new_slice")
    if not score.rows_current:
        return ("not_computed", "all_null") if whole else ("inconclusive", "no_rows")
    if min(score.rows_reference, score.rows_current) < service.enough.rows:
        return "inconclusive", "too_few_rows"
    if score.noise >= floor and score.effect < CLEAR * score.noise:
        return "inconclusive", "chance_reaches_floor"
    beyond_chance = np.sqrt(max(0.0, score.effect**2 - score.noise**2))
    return ("drifted", "") if beyond_chance > floor else ("stable", "")


def _floor(service: Service, score: Score) -> float:
    if score.measure != "distribution" or score.unit == "share":
        return service.floors.share
    own = service.rule(score.feature).floor
    if own is not None:
        return own
    return service.floors.number if score.unit == "sd" else service.floors.category
