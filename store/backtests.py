"""What the rules in force would have said of a service's past: the last backtest of each service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from store import rows
from store.tables import backtests


@dataclass(frozen=True)
class BacktestRow:
    """One replay of a service's history. `id` is 0 until it is recorded.

    Attributes:
        reference_sha: `references.ReferenceRow.content_sha` of what the nights were compared with.
        nights: how many nights were replayed.
        result: canonical JSON of what it found.
    """

    service: str
    reference_sha: str
    nights: int
    result: str
    recorded_at: datetime
    id: int = 0


def keep_backtest(connection: sa.Connection, row: BacktestRow) -> None:
    """Record a service's backtest in place of the one before."""
    values = rows.values_of(row)
    statement = rows.insert(connection, backtests).values(**values)
    changed = {name: statement.excluded[name] for name in values if name != "service"}
    connection.execute(statement.on_conflict_do_update(index_elements=["service"], set_=changed))


def drop_backtest(connection: sa.Connection, service: str, unless: str) -> None:
    """Forget a service's backtest, unless it was made with the reference of this `content_sha`."""
    connection.execute(
        sa.delete(backtests).where(backtests.c.service == service, backtests.c.reference_sha != unless)
    )


def backtest_of(connection: sa.Connection, service: str) -> BacktestRow | None:
    """The last backtest of a service, or None if there was none."""
    statement = rows.select_as(backtests, BacktestRow).where(backtests.c.service == service)
    return next(iter(rows.fetch(connection, statement, BacktestRow)), None)
