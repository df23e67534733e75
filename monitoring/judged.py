"""A night that was read and judged, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from monitoring.frozen import Frozen
from monitoring.history import Past
from monitoring.records import Finding, Number, Profile
from monitoring.verdicts.incidents import Moved
from services.window import Night
from store.count import Counted
from store.deployments import DeploymentRow
from store.grid import Grid
from store.references import ReferenceRow


@dataclass(frozen=True)
class Judged:
    """What the steps of a night found.

    Attributes:
        grids: the columns that could be counted, with their cells.
        ignored: column -> why it was not judged.
        before, current: profiles of the reference and the night on these grids.
        moved: what incidents are made of; nothing while few nights are known.
        deployments: what served the night, with the requests of each.
        apart: measure and feature -> the nights inside one of its incidents, which are no part of what is usual.
    """

    night: Night
    reference_row: ReferenceRow
    reference: Frozen
    grids: Mapping[str, Grid]
    ignored: Mapping[str, str]
    counted: Counted
    before: Profile
    current: Profile
    findings: tuple[Finding, ...]
    numbers: tuple[Number, ...]
    deployments: tuple[tuple[DeploymentRow, int], ...]
    past: Past
    moved: tuple[Moved, ...] = ()
    apart: Mapping[tuple[str, str], frozenset[date]] = field(default_factory=dict)
