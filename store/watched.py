"""Since when a service is watched."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from store.tables import reference_profiles


def watched_since(connection: sa.Connection, service: str) -> datetime | None:
    """When the first reference of a service was recorded; None if it has none, and so cannot be judged."""
    first: datetime | None = connection.scalar(
        sa.select(sa.func.min(reference_profiles.c.recorded_at)).where(
            reference_profiles.c.service == service
        )
    )
    return first
