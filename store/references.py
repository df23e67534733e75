"""What nights are compared with: references, frozen per model version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from services.errors import ReferenceFrozenError, StateError
from store import rows
from store.rows import Recorded
from store.tables import deployments, models, reference_profiles


@dataclass(frozen=True)
class ReferenceRow:
    """A frozen reference. `id` and `revision` are 0 until it is recorded.

    Attributes:
        kind: `training`, or `own_traffic` where there is no training set.
        path: the profile's place in the lake.
        chosen: canonical JSON of what was chosen when it was made (grids, features, slices).
        reason: why it replaced an earlier one; `''` for the first.
    """

    service: str
    model_version: str
    content_sha: str
    kind: Literal["training", "own_traffic"]
    window_start: datetime
    window_end: datetime
    rows_read: int
    rows_kept: int
    path: str
    chosen: str
    recorded_at: datetime
    reason: str = ""
    revision: int = 0
    id: int = 0


def latest_reference(
    connection: sa.Connection, service: str, model_version: str | None = None
) -> ReferenceRow | None:
    """The reference in force for a model version; without one, the last that was recorded for the service."""
    if model_version is not None:
        key = {"service": service, "model_version": model_version}
        return rows.latest(connection, reference_profiles, ReferenceRow, key)
    statement = rows.select_as(reference_profiles, ReferenceRow).where(
        reference_profiles.c.service == service
    )
    newest = statement.order_by(reference_profiles.c.id.desc()).limit(1)
    return next(iter(rows.fetch(connection, newest, ReferenceRow)), None)


def reference_for(
    connection: sa.Connection, service: str, model_version: str, until: datetime
) -> ReferenceRow | None:
    """What requests of a model version are compared with: its own reference, or else the service's last one.

    That of a model which a retraining promoted is left out of the second until the log shows that it serves:
    promoting a model does not put it into production. It is taken only where there is no other.

    Args:
        until: the end of the night; what the log showed later does not count.
    """
    own = latest_reference(connection, service, model_version)
    if own is not None:
        return own
    shown = sa.select(deployments.c.model_version).where(
        deployments.c.service == service, deployments.c.source == "log", deployments.c.started_at < until
    )
    not_serving = sa.select(models.c.model_version).where(
        models.c.service == service, models.c.promoted, models.c.model_version.not_in(shown)
    )
    table = reference_profiles.c
    others = rows.select_as(reference_profiles, ReferenceRow).where(table.service == service)
    last = others.order_by(table.model_version.in_(not_serving), table.id.desc()).limit(1)
    return next(iter(rows.fetch(connection, last, ReferenceRow)), None)


def references_of(connection: sa.Connection, service: str) -> list[ReferenceRow]:
    """Every reference of a service that ever was in force, oldest first."""
    statement = rows.select_as(reference_profiles, ReferenceRow).where(
        reference_profiles.c.service == service
    )
    return rows.fetch(connection, statement.order_by(reference_profiles.c.id), ReferenceRow)


def reference_of(connection: sa.Connection, reference_id: int) -> ReferenceRow:
    """The reference with this id.

    Raises:
        StateError: there is none.
    """
    statement = rows.select_as(reference_profiles, ReferenceRow).where(
        reference_profiles.c.id == reference_id
    )
    for row in rows.fetch(connection, statement, ReferenceRow):
        return row
    raise StateError(
        f"There is no reference number {reference_id}. Is RONDA_STATE the database it was made in?"
    )


def add_reference(connection: sa.Connection, row: ReferenceRow) -> Recorded:
    """Freeze a reference; one with the same content again writes nothing.

    Raises:
        ReferenceFrozenError: another one is in force and `row.reason` does not say why it is replaced.
    """
    key = {"service": row.service, "model_version": row.model_version}
    before = latest_reference(connection, row.service, row.model_version)
    if before is not None and before.content_sha != row.content_sha and not row.reason.strip():
        raise ReferenceFrozenError(
            f"service {row.service}: model version {row.model_version} has a reference already (revision "
            f"{before.revision}, {before.window_start:%Y-%m-%d} to {before.window_end:%Y-%m-%d}, "
            f"{before.rows_kept} rows), and this one, of {row.rows_kept} rows, differs. "
            "To replace it give a reason, which is kept."
        )
    return rows.append_revision(connection, reference_profiles, key, rows.values_of(row))
