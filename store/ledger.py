"""What was found, night by night: nights with their counts, numbers and findings.

Rows are only ever added. A night that is run again with the same content writes nothing; with other content
(late rows, say) it becomes a new revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal

import sqlalchemy as sa

from store import rows
from store.deployments import ServedRow
from store.incidents import MoveRow
from store.rows import Recorded
from store.tables import findings, moves, night_counts, nights, numbers, quarantine, served


@dataclass(frozen=True)
class NightRow:
    """One night as it was judged. `id` and `revision` are 0 until it is recorded.

    Attributes:
        reference_id: `references.ReferenceRow.id` of what it was compared with.
        profile_path, page_path, snapshot_path: places in the lake; `''` if there is none.
        changed: what changed against the revision before, in words; `''` for the first.
        page_sha: sha256 of the page, whose name does not say what is in it.
        standing: what the night came to, in one word.
        headline: what it was told with; empty if there was nothing to tell.
        moved: how many features moved over all rows.
    """

    service: str
    night: date
    content_sha: str
    window_start: datetime
    window_end: datetime
    reference_id: int
    rows_read: int
    rows_kept: int
    recorded_at: datetime
    profile_path: str = ""
    page_path: str = ""
    snapshot_path: str = ""
    changed: str = ""
    standing: str = ""
    headline: str = ""
    page_sha: str = ""
    moved: int = 0
    revision: int = 0
    id: int = 0


@dataclass(frozen=True)
class NumberRow:
    """One number of a night, such as `null_share` of `wind_speed`; `subject` is `''` for the whole night.

    A share keeps what it was made of, so that several nights can be added up.
    """

    name: str
    subject: str
    value: float | None
    numerator: float | None = None
    denominator: float | None = None


@dataclass(frozen=True)
class FindingRow:
    """One verdict on (measure, feature, slice, comparison).

    Attributes:
        slice, slice_value: `''` for all rows.
        effect, floor, reference_value, current_value: in `unit`; None where not computed.
        reason: why it is `inconclusive` or `not_computed`, as a short constant.
        detail: canonical JSON of whatever else a page shows.
    """

    measure: str
    feature: str
    comparison: str
    outcome: Literal["stable", "drifted", "inconclusive", "not_computed"]
    slice: str = ""
    slice_value: str = ""
    effect: float | None = None
    floor: float | None = None
    rows_reference: int | None = None
    rows_current: int | None = None
    unit: str = ""
    direction: str = ""
    reason: str = ""
    reference_value: float | None = None
    current_value: float | None = None
    low: float | None = None
    high: float | None = None
    effective_rows: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class QuarantineRow:
    """A request that was not judged, and why. Its values are kept nowhere."""

    request_id: str
    reason: str


def latest_night(connection: sa.Connection, service: str, night: date) -> NightRow | None:
    """The latest revision of a night, or None if it was never judged."""
    return rows.latest(connection, nights, NightRow, {"service": service, "night": night})


def last_night(connection: sa.Connection, service: str, until: date) -> NightRow | None:
    """The last night that was judged of those up to `until`, which is included, in its latest revision."""
    statement = (
        rows.select_as(nights, NightRow)
        .where(nights.c.service == service, nights.c.night <= until)
        .order_by(nights.c.night.desc(), nights.c.revision.desc())
        .limit(1)
    )
    return next(iter(rows.fetch(connection, statement, NightRow)), None)


def services_of(connection: sa.Connection) -> list[str]:
    """Every service that ever had a night, by name."""
    return list(connection.scalars(sa.select(nights.c.service).distinct().order_by(nights.c.service)))


def nights_of(connection: sa.Connection, service: str) -> list[NightRow]:
    """Every night of a service in its latest revision, oldest first."""
    statement = rows.select_as(nights, NightRow).where(
        nights.c.service == service, rows.is_newest(nights, "service", "night")
    )
    return rows.fetch(connection, statement.order_by(nights.c.night), NightRow)


def nights_since(connection: sa.Connection, service: str, first: date, until: date) -> list[NightRow]:
    """The nights from `first` on and before `until`, each in its latest revision, oldest first."""
    statement = rows.select_as(nights, NightRow).where(
        nights.c.service == service,
        nights.c.night >= first,
        nights.c.night < until,
        rows.is_newest(nights, "service", "night"),
    )
    return rows.fetch(connection, statement.order_by(nights.c.night), NightRow)


def record_night(
    connection: sa.Connection,
    row: NightRow,
    counts: Mapping[str, int],
    *,
    quarantined: Iterable[QuarantineRow] = (),
    measured: Iterable[NumberRow] = (),
    found: Iterable[FindingRow] = (),
    moved: Iterable[MoveRow] = (),
    served_by: Iterable[ServedRow] = (),
) -> Recorded:
    """Record a night with all its parts as the next revision, or nothing at all if its content is known.

    Args:
        connection: of `state.writing`.
        row: the night; what its `content_sha` covers is the caller's choice.
        counts: rows by reason, `kept` among them; they add up to `row.rows_read`.
        quarantined: a bounded sample of the requests that were not judged.
        measured: the night's numbers.
        found: its findings.
        moved: those of them that incidents are made of.
        served_by: what served its requests.

    Raises:
        StateError: the counts do not add up.
    """
    rows.check_counts(f"service {row.service}, night {row.night}", row.rows_read, row.rows_kept, counts)
    key = {"service": row.service, "night": row.night}
    recorded = rows.append_revision(connection, nights, key, rows.values_of(row))
    if not recorded.is_new:
        return recorded
    owner = {"night_id": recorded.id}
    rows.add_counts(connection, night_counts, owner, counts)
    of_a_night = (
        (quarantine, quarantined),
        (numbers, measured),
        (findings, found),
        (moves, moved),
        (served, served_by),
    )
    for table, parts in of_a_night:
        rows.add_parts(connection, table, owner, map(vars, parts))
    return recorded


def show_again(connection: sa.Connection, night_id: int, row: NightRow) -> None:
    """Record what the page of a night says since it was written anew, beside another history.

    Args:
        row: of its columns `standing`, `headline`, `moved` and `page_sha` are kept.
    """
    shown = {name: getattr(row, name) for name in ("standing", "headline", "moved", "page_sha")}
    connection.execute(sa.update(nights).where(nights.c.id == night_id).values(shown))


def counts_of(connection: sa.Connection, night_id: int) -> dict[str, int]:
    """Rows of a night by reason, `kept` among them."""
    return rows.read_counts(connection, night_counts, {"night_id": night_id})


def quarantine_of(connection: sa.Connection, night_id: int) -> list[QuarantineRow]:
    """The sample of a night's requests that were not judged."""
    statement = rows.select_as(quarantine, QuarantineRow).where(quarantine.c.night_id == night_id)
    return rows.fetch(connection, statement.order_by(*quarantine.primary_key), QuarantineRow)


def findings_of(connection: sa.Connection, night_id: int) -> list[FindingRow]:
    """The findings of one revision of a night, ordered by their key."""
    statement = rows.select_as(findings, FindingRow).where(findings.c.night_id == night_id)
    return rows.fetch(connection, statement.order_by(*findings.primary_key), FindingRow)


def numbers_of(connection: sa.Connection, night_id: int) -> list[NumberRow]:
    """The numbers of one revision of a night, ordered by name and subject."""
    statement = rows.select_as(numbers, NumberRow).where(numbers.c.night_id == night_id)
    return rows.fetch(connection, statement.order_by(*numbers.primary_key), NumberRow)


def numbers_before(
    connection: sa.Connection, service: str, night: date, nights_back: int = 28
) -> dict[date, list[NumberRow]]:
    """What was measured on the `nights_back` dates before `night`, oldest first.

    Each night counts in its latest revision. Dates without a recorded night are left out, not made up for
    by older ones.
    """
    statement = (
        rows.select_as(numbers, NumberRow)
        .add_columns(nights.c.night)
        .join(nights, numbers.c.night_id == nights.c.id)
        .where(nights.c.service == service, nights.c.night < night)
        .where(nights.c.night >= night - timedelta(days=nights_back))
        .where(rows.is_newest(nights, "service", "night"))
        .order_by(nights.c.night, numbers.c.name, numbers.c.subject)
    )
    by_night = groupby(connection.execute(statement), key=lambda row: row.night)
    return {day: [NumberRow(*row[:-1]) for row in group] for day, group in by_night}
