"""Which services are watched, and since when."""

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


def services_watched(connection: sa.Connection) -> list[str]:
    """Every service that ever had a reference, and so could be judged, in alphabetical order."""
    named = sa.select(reference_profiles.c.service).distinct().order_by(reference_profiles.c.service)
    return list(connection.scalars(named))
