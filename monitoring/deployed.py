"""Which deployments served a night, as its log shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import pyarrow as pa

from monitoring.verdicts.since import Deployed
from services.columns import DEPLOYMENT_COLUMNS
from services.personal import masked
from store.deployments import DeploymentRow, ServedRow

PEOPLE = ("author", "approved_by")
SHARED = 0.1
"""From this part of a night's requests on, a deployment that is not the busiest is more than a trial."""
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


def serving(deployments: Sequence[tuple[DeploymentRow, int]]) -> tuple[ServedRow, ...]:
    """What served a night, one for each deployment, whoever made it; the busiest first."""
    found: dict[tuple[str, ...], ServedRow] = {}
    for row, count in deployments:
        each = ServedRow(
            row.model_version, row.prompt_version, row.adapter, row.variant, row.commit_sha, count
        )
        before = found.get(_key(each))
        found[_key(each)] = each if before is None else replace(each, requests=before.requests + count)
    return tuple(sorted(found.values(), key=lambda each: (-each.requests, _key(each))))


def deployed(
    tonight: date, serves: Sequence[ServedRow], before: Mapping[date, Sequence[ServedRow]]
) -> Deployed | None:
    """Since when what serves most requests of a night has done so.

    Nights that it served less of, but no less than `SHARED`, are of neither side: a canary is no deployment yet, and what
    was there before it no longer alone.

    Args:
        serves: what served the night, the busiest first.
        before: what served the nights before, as far as that is recorded.

    Returns:
        None where the log does not say, or where nothing is known to have served before it.
    """
    if not serves:
        return None
    first, shared = tonight, set[date]()
    for night in sorted(before, reverse=True):
        requests = {_key(row): row.requests for row in before[night]}
        own = requests.get(_key(serves[0]), 0)
        if own == max(requests.values()) and not shared:
            first = night
        elif own >= SHARED * sum(requests.values()):
            shared.add(night)
        else:
            return Deployed(first, frozenset(shared))
    return None


def _key(row: ServedRow) -> tuple[str, ...]:
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
