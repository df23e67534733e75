"""What was learnt: the matured outcomes of each night, and the datasets released from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from services.errors import StateError
from store import rows
from store.rows import Recorded
from store.tables import outcome_counts, outcomes, release_counts, releases


@dataclass(frozen=True)
class OutcomeRow:
    """The outcomes of a night's requests. `id` and `revision` are 0 until it is recorded.

    Attributes:
        window_seconds: how long after the request feedback counted.
        requests: requests of the night that could have an outcome.
        mature: those whose outcome is known.
        positive: those of the mature ones whose outcome is the positive one.
        path: the labels' place in the lake.
    """

    service: str
    night: date
    content_sha: str
    window_seconds: int
    requests: int
    mature: int
    positive: int
    path: str
    recorded_at: datetime
    revision: int = 0
    id: int = 0


@dataclass(frozen=True)
class ReleaseRow:
    """One immutable dataset. `id` is 0 until it is recorded; `version` is a hash of the content."""

    service: str
    version: str
    window_start: datetime
    window_end: datetime
    rows_read: int
    rows_kept: int
    path: str
    manifest_sha: str
    recorded_at: datetime
    id: int = 0


def record_outcome(connection: sa.Connection, row: OutcomeRow, counts: Mapping[str, int]) -> Recorded:
    """Record a night's outcomes as the next revision, or nothing if the latest one has the same content.

    Args:
        connection: of `state.writing`.
        row: the outcomes.
        counts: requests by what became of them; they add up to `row.requests`.

    Raises:
        StateError: the numbers do not add up.
    """
    what = f"service {row.service}, outcomes of night {row.night}"
    rows.check_counts(what, row.requests, None, counts)
    if not 0 <= row.positive <= row.mature <= row.requests:
        raise StateError(
            f"{what}: {row.positive} positive of {row.mature} mature of {row.requests} requests cannot be. "
            "Nothing was recorded. This is a fault in ronda: please report it with this line."
        )
    key = {"service": row.service, "night": row.night}
    recorded = rows.append_revision(connection, outcomes, key, rows.values_of(row))
    if recorded.is_new:
        rows.add_counts(connection, outcome_counts, {"outcome_id": recorded.id}, counts)
    return recorded


def latest_outcome(connection: sa.Connection, service: str, night: date) -> OutcomeRow | None:
    """The latest revision of a night's outcomes, or None if none have been recorded."""
    return rows.latest(connection, outcomes, OutcomeRow, {"service": service, "night": night})


def latest_outcomes(connection: sa.Connection, service: str, first: date, last: date) -> list[OutcomeRow]:
    """The outcomes of the nights from `first` to `last`, both included, each in its latest revision."""
    statement = rows.select_as(outcomes, OutcomeRow).where(
        outcomes.c.service == service,
        outcomes.c.night.between(first, last),
        rows.is_newest(outcomes, "service", "night"),
    )
    return rows.fetch(connection, statement.order_by(outcomes.c.night), OutcomeRow)


def outcomes_before(
    connection: sa.Connection, service: str, night: date, nights_back: int = 28
) -> list[OutcomeRow]:
    """The outcomes of the `nights_back` dates before `night`, oldest first; missing nights are left out."""
    day = timedelta(days=1)
    return latest_outcomes(connection, service, night - nights_back * day, night - day)


def outcome_counts_of(connection: sa.Connection, outcome_id: int) -> dict[str, int]:
    """Requests of a night by what became of their outcome."""
    return rows.read_counts(connection, outcome_counts, {"outcome_id": outcome_id})


def record_release(connection: sa.Connection, row: ReleaseRow, counts: Mapping[str, int]) -> Recorded:
    """Record a release; the same one again writes nothing.

    Args:
        connection: of `state.writing`.
        row: the release.
        counts: rows by reason, `kept` among them; they add up to `row.rows_read`.

    Raises:
        StateError: the counts do not add up, or the version exists with another manifest.
    """
    what = f"service {row.service}, release {row.version}"
    rows.check_counts(what, row.rows_read, row.rows_kept, counts)
    unique = ("service", "version")
    new_id = rows.insert_unless_taken(connection, releases, rows.values_of(row), unique)
    if new_id is None:
        return Recorded(_same_release(connection, row, what), revision=1, is_new=False)
    rows.add_counts(connection, release_counts, {"release_id": new_id}, counts)
    return Recorded(new_id, revision=1, is_new=True)


def releases_of(connection: sa.Connection, service: str) -> list[ReleaseRow]:
    """Every release of a service in the order they were made."""
    statement = rows.select_as(releases, ReleaseRow).where(releases.c.service == service)
    return rows.fetch(connection, statement.order_by(releases.c.id), ReleaseRow)


def release_counts_of(connection: sa.Connection, release_id: int) -> dict[str, int]:
    """Rows of a release by reason, `kept` among them."""
    return rows.read_counts(connection, release_counts, {"release_id": release_id})


def _same_release(connection: sa.Connection, row: ReleaseRow, what: str) -> int:
    known = connection.execute(
        sa.select(releases.c.id, releases.c.manifest_sha).where(
            releases.c.service == row.service, releases.c.version == row.version
        )
    ).one()
    if known.manifest_sha != row.manifest_sha:
        raise StateError(
            f"{what} exists already with another manifest (sha256 {known.manifest_sha}, this one {row.manifest_sha}). "
            "A release never changes: compare the two manifests before you go on."
        )
    found: int = known.id
    return found
