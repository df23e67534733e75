"""The records of what a night comes to, in the order in which it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from monitoring.incident import IncidentLine
from monitoring.records import DeploymentLine, NumberLine, Slice


@dataclass(frozen=True)
class Affected:
    """A slice that left its own usual range, in the number that is told first.

    `is_new` where the value has hardly been seen before: what is usual of it is then what is usual of everything.
    """

    slice: Slice
    line: NumberLine
    is_new: bool = False


@dataclass(frozen=True)
class Where:
    """Which slices are affected.

    Attributes:
        kind: `unknown` where no slice could be judged; `everywhere` when nearly all of them moved the same
            way; `some` when the rest is about as usual, `mostly` when it moved too, though less, `against` when
            some of it moved the other way, `unsure` when most of it is too small to be judged; or `none` when no
            slice alone left its range; `mix` when other slices than usual made up the traffic, and none of them moved.
        most: the slices of one dimension that matter most; one per dimension when it is everywhere.
        rest: how many more of that dimension are affected.
        against: those that moved the other way.
        affected, judged: dimension -> how many of its values, of how many that could be judged.
    """

    kind: Literal["unknown", "everywhere", "mostly", "some", "against", "unsure", "none", "mix"]
    most: tuple[Affected, ...] = ()
    rest: int = 0
    against: tuple[Affected, ...] = ()
    affected: Mapping[str, int] = field(default_factory=dict)
    judged: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """What a night comes to, in the order in which it is told: to whom, where, since when, can it wait.

    Attributes:
        state: one of `monitoring.standing.STATES`.
        lead: the number that is told first; None on a night with nothing to tell.
        others: the other numbers that left their range.
        more: about how many requests more than usual (fewer if negative); None where that makes no sense.
        expected: what the model had predicted for that night, if its predictions usually come near the outcome.
        since: the first of the nights in a row on which the lead was as far out; `nights` counts them.
        deployed: what went live within a day before `since`, if anything did.
        serving: what served most requests.
        urgent: what is told and critical; `calm`: what is critical and as usual.
        incident: what the lead is part of; None on a night that no incident speaks of.
    """

    state: str
    lead: NumberLine | None = None
    others: tuple[NumberLine, ...] = ()
    more: int | None = None
    expected: float | None = None
    where: Where = field(default_factory=lambda: Where("unknown"))
    since: date | None = None
    nights: int = 1
    deployed: DeploymentLine | None = None
    serving: DeploymentLine | None = None
    urgent: tuple[str, ...] = ()
    calm: tuple[str, ...] = ()
    incident: IncidentLine | None = None
