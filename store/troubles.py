"""Why a night has no verdict: the error of the last attempt, one for each service and night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from store import rows
from store.tables import night_troubles


@dataclass(frozen=True)
class TroubleRow:
    """What was wrong with a night the last time it was tried: the kind of error, and its words."""

    service: str
    night: date
    kind: str
    message: str
    recorded_at: datetime


def note_trouble(connection: sa.Connection, row: TroubleRow) -> None:
    """Record an attempt's error in place of the one before."""
    statement = rows.insert(connection, night_troubles).values(**rows.values_of(row))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["service", "night"],
            set_={name: statement.excluded[name] for name in ("kind", "message", "recorded_at")},
        )
    )


def trouble_of(connection: sa.Connection, service: str, night: date) -> TroubleRow | None:
    """The last error of a night, if it ever had one."""
    statement = rows.select_as(night_troubles, TroubleRow).where(
        night_troubles.c.service == service, night_troubles.c.night == night
    )
    return next(iter(rows.fetch(connection, statement, TroubleRow)), None)
