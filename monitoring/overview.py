"""The index's shell: what the state knows of every service, laid out and written into the lake."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from monitoring.index import NIGHTS, IndexIncident, IndexLine, IndexNight, IndexRelease, render_index
from monitoring.standing import State as Standing
from monitoring.verdicts.incidents import Key
from services.window import dates_of
from store.incidents import AnswerRow, IncidentRow, answers_of, incidents_of
from store.lake import Lake
from store.ledger import NightRow, nights_of, services_of
from store.models import ModelRow, models_of
from store.outbox import undelivered
from store.releases import ReleaseRow, releases_of
from store.state import Connection, State, reading

_NOT_OVER = {"open", "acknowledged", "muted"}
RELEASES = 3
"""How many releases of a service the index shows, the newest first."""


def write_index(
    state: State, lake: Lake, owners: Mapping[str, str], zones: Mapping[str, str], language: str
) -> str:
    """Write the index of every service that ever had a night; returns its path in the lake.

    Args:
        owners: service -> who is told of it.
        zones: service -> its time zone.
    """
    with reading(state) as connection:
        lines = [
            _line(connection, service, owners.get(service, ""), zones.get(service, "UTC"))
            for service in services_of(connection)
        ]
        waiting = [message.error for message in undelivered(connection) if message.error]
    return lake.put("pages/index.html", render_index(lines, language, waiting).encode())


def _line(connection: Connection, service: str, owner: str, zone: str) -> IndexLine:
    nights = nights_of(connection, service)[-NIGHTS:]
    models = {model.release_version: model for model in models_of(connection, service)}
    releases = releases_of(connection, service)[-RELEASES:]
    said = answers_of(connection, service)
    incidents = [row for row in incidents_of(connection, service) if row.state in _NOT_OVER]
    return IndexLine(
        service=service,
        owner=owner,
        nights=tuple(map(_night, nights)),
        releases=tuple(_release(row, zone, models) for row in reversed(releases)),
        incidents=tuple(_incident(row, said) for row in incidents),
    )


def _incident(row: IncidentRow, said: Sequence[AnswerRow]) -> IndexIncident:
    own = [each for each in said if each.number == row.number]
    takers = [each.by for each in own if each.what == "taken"]
    untils = [each.until for each in own if each.until is not None]
    return IndexIncident(
        number=row.number,
        state=row.state,
        severity=row.severity,
        key=Key(row.measure, row.feature, row.slice),
        last=row.last,
        headline=str(json.loads(row.detail or "{}").get("headline") or ""),
        by=takers[-1] if takers and row.state == "acknowledged" else "",
        until=max(untils, default=None) if row.state == "muted" else None,
    )


def _night(row: NightRow) -> IndexNight:
    page = row.page_path.removeprefix("pages/")
    return IndexNight(row.night, cast("Standing", row.standing), row.moved, page, row.headline)


def _release(row: ReleaseRow, zone: str, models: Mapping[str, ModelRow]) -> IndexRelease:
    first, last = dates_of(row.window_start, row.window_end, zone)
    model = models.get(row.version)
    version, promoted = ("", None) if model is None else (model.model_version, model.promoted)
    return IndexRelease(row.version, first, last, row.rows_kept, version, promoted)
