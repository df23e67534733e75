"""Which deployments served a night, as its log shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from monitoring.verdicts.since import Began
from services.columns import DEPLOYMENT_COLUMNS
from services.personal import masked
from services.window import Night
from store.deployments import DeploymentRow

PEOPLE = ("author", "approved_by")
MOST = 100
"""More combinations than this in one night are no deployments: some column holds another thing."""


def deployment_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of a view that tell deployments apart, and who made them."""
    return tuple(name for name in (*DEPLOYMENT_COLUMNS, *PEOPLE) if name in columns)


def seen(service: str, served: pa.Table) -> tuple[tuple[DeploymentRow, int], ...]:
    """The deployments of a night with the requests each served, the busiest first; at most `MOST`.

    A value that looks like personal data is masked: these columns are shown on pages.

    Args:
        served: the rows of `store.statement.served`.
    """
    if not any(name in served.column_names for name in DEPLOYMENT_COLUMNS):
        return ()
    found: list[tuple[DeploymentRow, int]] = []
    for row in served.slice(0, MOST).to_pylist():
        told = {name: masked(row.get(name, "")) for name in (*DEPLOYMENT_COLUMNS, *PEOPLE)}
        found.append((_deployment(service, row["first_seen"], told), int(row["requests"])))
    return tuple(found)


def main_version(deployments: Sequence[tuple[DeploymentRow, int]]) -> str:
    """The model version that served most requests; empty if the log does not say."""
    requests: dict[str, int] = {}
    for deployment, count in deployments:
        requests[deployment.model_version] = requests.get(deployment.model_version, 0) + count
    return max(requests, key=lambda version: (requests[version], version), default="")


def began(
    serving: Sequence[tuple[DeploymentRow, int]], known: Sequence[DeploymentRow], nights: Sequence[Night]
) -> Began | None:
    """Since when what serves most requests of the last night has served, in nights.

    A night belongs to what served most of it: one in whose second half it began belongs to neither side.

    Args:
        serving: the deployments of the last night.
        known: those of nights before, as their logs show, and those that were announced.
        nights: the nights that are compared, rising.

    Returns:
        None where the log does not say, or where nothing is known to have served before it.
    """
    if not serving:
        return None
    start, end = _start(serving, known, nights[-1].end), nights[-1].end
    main = _main(serving)
    if not any(row.source == "log" and _key(row) != main and row.started_at < start < end for row in known):
        return None
    since = [night for night in nights if start < night.start + (night.end - night.start) / 2]
    shared = [night for night in nights if night not in since and start < night.end]
    return Began(len(since), len(shared))


def _start(
    serving: Sequence[tuple[DeploymentRow, int]], known: Sequence[DeploymentRow], until: datetime
) -> datetime:
    """When it was first seen, or announced for the last time: what is rolled back to begins again."""
    main = _main(serving)
    seen_at = [row.started_at for row in (*known, *(row for row, _ in serving)) if _key(row) == main]
    told = [row.started_at for row in known if row.source == "deploy" and _key(row) == main]
    return max([min(seen_at), *(at for at in told if at < until)])


def _main(serving: Sequence[tuple[DeploymentRow, int]]) -> tuple[str, ...]:
    requests: dict[tuple[str, ...], int] = {}
    for row, count in serving:
        requests[_key(row)] = requests.get(_key(row), 0) + count
    return max(requests, key=lambda key: (requests[key], key))


def _key(row: DeploymentRow) -> tuple[str, ...]:
    return tuple(getattr(row, name) for name in DEPLOYMENT_COLUMNS)


def _deployment(service: str, started_at: datetime, told: Mapping[str, str]) -> DeploymentRow:
    return DeploymentRow(
        service,
        started_at,
        model_version=told["model_version"],
        prompt_version=told["prompt_version"],
        adapter=told["adapter"],
        variant=told["variant"],
        commit_sha=told["commit_sha"],
        author=told["author"],
        approved_by=told["approved_by"],
    )
