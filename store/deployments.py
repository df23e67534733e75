"""What served the requests: deployments as the log shows them, and as they were announced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Literal

import sqlalchemy as sa

from store import rows
from store.tables import DEPLOYED, DEPLOYMENT_KEY, LOGGED, deployments, nights, served


@dataclass(frozen=True)
class DeploymentRow:
    """What served some requests. Whatever the log does not say is `''`; an unknown share is None.

    Attributes:
        share: part of the traffic it got, 0 to 1.
        started_at: of source `log`, the earliest request seen; of source `deploy`, the announced start.
        id: 0 until it is recorded.
    """

    service: str
    started_at: datetime
    source: Literal["log", "deploy"] = "log"
    model_version: str = ""
    prompt_version: str = ""
    adapter: str = ""
    variant: str = ""
    commit_sha: str = ""
    author: str = ""
    approved_by: str = ""
    share: float | None = None
    id: int = 0


@dataclass(frozen=True)
class ServedRow:
    """What served some requests of a night. Whatever the log does not say is `''`.

    Attributes:
        requests: how many of that night.
    """

    model_version: str
    prompt_version: str
    adapter: str
    variant: str
    commit_sha: str
    requests: int


def served_before(
    connection: sa.Connection, service: str, first: date, until: date
) -> dict[date, list[ServedRow]]:
    """What served the nights from `first` on and before `until`, each in its latest revision, if its log says it."""
    kept = rows.select_as(served, ServedRow).selected_columns
    statement = (
        sa.select(nights.c.night, *kept)
        .select_from(nights.join(served, served.c.night_id == nights.c.id))
        .where(nights.c.service == service, nights.c.night >= first, nights.c.night < until)
        .where(rows.is_newest(nights, "service", "night"))
        .order_by(nights.c.night, *kept)
    )
    by_night = groupby(connection.execute(statement), key=lambda row: row.night)
    return {night: [ServedRow(*row[1:]) for row in group] for night, group in by_night}


def see_deployments(connection: sa.Connection, seen: Iterable[DeploymentRow]) -> list[DeploymentRow]:
    """Record deployments that are not known yet; returns those that changed something.

    One that the log shows exists once, and starts at its earliest request whatever order nights are run in.
    An announced one exists once for each start, since a rollback deploys the same thing again.
    """
    return [row for row in seen if _put(connection, row)]


def deployments_of(connection: sa.Connection, service: str) -> list[DeploymentRow]:
    """The deployments of a service, oldest start first."""
    statement = rows.select_as(deployments, DeploymentRow).where(deployments.c.service == service)
    return rows.fetch(
        connection, statement.order_by(deployments.c.started_at, deployments.c.id), DeploymentRow
    )


def _put(connection: sa.Connection, row: DeploymentRow) -> bool:
    """Whether the row was new, or started earlier than known."""
    statement = rows.insert(connection, deployments).values(**rows.values_of(row))
    if row.source == "log":
        statement = statement.on_conflict_do_update(
            index_elements=list(DEPLOYMENT_KEY),
            index_where=LOGGED,
            set_={"started_at": statement.excluded.started_at},
            where=statement.excluded.started_at < deployments.c.started_at,
        )
    else:
        statement = statement.on_conflict_do_nothing(
            index_elements=[*DEPLOYMENT_KEY, "started_at"], index_where=DEPLOYED
        )
    return connection.execute(statement.returning(deployments.c.id)).first() is not None
