"""Which deployments served a night, as its log shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from services.columns import DEPLOYMENT_COLUMNS
from services.personal import masked
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
