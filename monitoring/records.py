"""The plain records that steps hand to one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from monitoring.incident import IncidentLine
    from monitoring.verdicts.incidents import Key

Kind = Literal["number", "category", "calendar"]
Measure = Literal[
    "distribution", "null_share", "unseen_share", "beyond_share", "outcome", "volume", "errors", "latency_ms",
    "first_token_ms", "tokens_in", "tokens_out", "cost", "guard",
]  # fmt: skip
NUMBERS: frozenset[Measure] = frozenset((
    "outcome", "volume", "errors", "latency_ms", "first_token_ms", "tokens_in", "tokens_out", "cost", "guard",
))  # fmt: skip
"""Measures that are numbers of the service, asked for by name; all others are of a feature or of the prediction."""
Against = Literal["usual", "week", "reference", "deployment", "eve", "night"]
"""What a night is held against: nights of its kind, the nights before its last seven, and the reference."""
Verdict = Literal["stable", "drifted", "inconclusive", "not_computed"]
Counts = npt.NDArray[np.int64]


class Slice(NamedTuple):
    """The rows where `dimension` has `value`; two empty words are all rows."""

    dimension: str
    value: str


ALL_ROWS = Slice("", "")

OF = "\x1f"
"""Between dimension and value in the subject of a number that was measured in one slice: no name holds it."""


@dataclass(frozen=True)
class Profile:
    """Additive counts of one window: all that verdicts are computed from.

    Attributes:
        slices: the slices that were counted, all rows first.
        counts: column name -> counts of shape (slices, cells of the column's grid).
    """

    slices: tuple[Slice, ...]
    counts: Mapping[str, Counts]


@dataclass(frozen=True)
class Score:
    """A distance and what is needed to judge it.

    Attributes:
        effect: distance in `unit`; NaN where either side has no rows.
        noise: what the distance would be on average if nothing had changed, from the sample sizes alone.
        direction: whether the mean or the share went up or down; empty for a category.
    """

    measure: Measure
    feature: str
    slice: Slice
    effect: float
    noise: float
    unit: str
    rows_reference: int
    rows_current: int
    reference_value: float | None = None
    current_value: float | None = None
    direction: Literal["", "up", "down"] = ""


@dataclass(frozen=True)
class Finding:
    """One verdict on (measure, feature, slice, comparison), with the numbers it rests on.

    Attributes:
        measure: the whole distribution, or the share of rows that are null, have a value the reference never
            had, or lie beyond its grid; or a number of the service (`NUMBERS`).
        feature: empty for a number of the service, but for a guard its name.
        effect: how far current is from reference, in `unit`; None when not computed.
        floor: the smallest effect worth telling, in the same unit.
        reference_value: what the reference has; of what only past nights are known of, what is usual on nights like it.
        reason: snake-case word for why there is no verdict; empty when there is one.
        against: which comparisons say so, the surest first, then what it is unlike beside them: the nights before the
            `deployment` that serves tonight, the last of these (`eve`), and the `night` before. Without a verdict of
            `drifted` the last alone may stand here; empty while few nights are known.
        visible: the smallest effect that would have been seen, given the nights before; None where unknown.
        p_value: probability of as much without a change worth telling.
        q_value: the same with false discoveries over the night controlled.
    """

    measure: Measure
    feature: str
    slice: Slice
    comparison: str
    verdict: Verdict
    effect: float | None = None
    floor: float | None = None
    unit: str = ""
    reference_value: float | None = None
    current_value: float | None = None
    rows_reference: int | None = None
    rows_current: int | None = None
    direction: Literal["", "up", "down"] = ""
    reason: str = ""
    against: tuple[Against, ...] = ()
    visible: float | None = None
    p_value: float | None = None
    q_value: float | None = None


@dataclass(frozen=True)
class Number:
    """One number of a night, such as the error rate, or the null share of one feature (`subject`)."""

    name: str
    subject: str
    value: float | None
    numerator: int | None = None
    denominator: int | None = None


@dataclass(frozen=True)
class NumberLine:
    """A number of this night beside its own past, as the page shows it.

    Attributes:
        format: how the value is written: a share as percent, a count, milliseconds, or as it is.
        history: (date, value) of the nights before, oldest first; None where a night has none.
        parts: what the shares of the history were made of, (numerator, denominator), in the same order; None where
            a night has none. Empty for what is no share.
        usual: mean and standard deviation of the nights that are `ordinary`; None with fewer than 7 nights.
        of_night: the night the value belongs to; an outcome matures later than the night that tells it.
        far: whether it changed, given the nights before; None where they are too few to say.
        part: the slice it was measured in; all rows if none is named.
        apart: the nights of the history inside an incident of the number's own: they are no part of what is usual.
    """

    name: str
    subject: str
    value: float | None
    numerator: int | None
    denominator: int | None
    format: Literal["share", "count", "ms", "number"]
    history: tuple[tuple[date, float | None], ...]
    usual: tuple[float, float] | None
    of_night: date
    parts: tuple[tuple[int, int] | None, ...] = ()
    far: bool | None = None
    part: Slice = ALL_ROWS
    apart: frozenset[date] = frozenset()

    @property
    def ordinary(self) -> list[float]:
        """What is known of the nights that are part of what is usual, oldest first."""
        return [value for day, value in self.history if value is not None and day not in self.apart]


@dataclass(frozen=True)
class FeatureLine:
    """One feature on the page: its finding over all rows and both distributions.

    Attributes:
        kind: number or category, or calendar (shown, never judged).
        labels: a name per cell, shape (cells,).
        reference, current: counts per cell, shape (cells,); None where not computed.
        edges: edges of the binned cells of a number, shape (bins + 1,); None for a category.
        findings: every finding about the feature, all rows first, then slices by effect.
    """

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    reference: Counts | None
    current: Counts | None
    edges: npt.NDArray[np.float64] | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class DeploymentLine:
    """A deployment that served the night."""

    model_version: str
    prompt_version: str
    adapter: str
    variant: str
    commit_sha: str
    author: str
    approved_by: str
    started_at: str
    requests: int


@dataclass(frozen=True)
class NightPage:
    """Everything the page of one night shows.

    Attributes:
        rows_read, counts: every row of the night is counted once by reason; `kept` is one of the reasons.
        quarantine: reason -> a few request ids (never values).
        join: how outcomes were joined: step -> requests, in the order of the funnel.
        reference: what the night is compared with, in words; `own_traffic` when it is not a training set.
        changed: what a new revision of the night changed, in words; empty for the first.
        snapshot_href: link to Evidently's report, rendered on demand; empty without one.
        places: outcome, volume, errors and prediction in each slice, beside their own last nights.
        says: what the positive outcome means to those it happens to, in the service file's words.
        guards: guard, and `.up` or `.down` as it gets worse -> what that means, in the service file's words.
        critical: what the service file calls critical: it cannot wait until morning.
        runbook: an address of the team's own, or empty.
        noun: what one request is, in the plural; empty for plain requests.
        known: every deployment the state knows, whether or not it served this night.
        incidents: what is seen tonight or still open, the first to be told first; None where it is not known, and
            then each number speaks for itself.
        raised: (measure, feature) -> how many times its floor it takes to be told, since people called less than that
            noise; `noise_of` is the number of the incident they called so.
        planned: what moved tonight and is expected -> what was planned, in the service file's words.
    """

    service: str
    owner: str
    night: date
    time_zone: str
    revision: int
    language: str
    rows_read: int
    counts: Mapping[str, int]
    quarantine: Mapping[str, tuple[str, ...]]
    numbers: tuple[NumberLine, ...]
    features: tuple[FeatureLine, ...]
    deployments: tuple[DeploymentLine, ...]
    join: Mapping[str, int]
    reference: str
    own_traffic: bool
    changed: str
    snapshot_href: str
    ignored_columns: Mapping[str, str] = field(default_factory=dict)
    places: tuple[NumberLine, ...] = ()
    says: str = ""
    guards: Mapping[tuple[str, str], str] = field(default_factory=dict)
    critical: tuple[str, ...] = ()
    runbook: str = ""
    noun: str = ""
    known: tuple[DeploymentLine, ...] = ()
    incidents: tuple[IncidentLine, ...] | None = None
    raised: Mapping[tuple[str, str], float] = field(default_factory=dict)
    noise_of: Mapping[tuple[str, str], int] = field(default_factory=dict)
    planned: Mapping[Key, str] = field(default_factory=dict)
