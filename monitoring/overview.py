"""The index's shell: what the state knows of every service, laid out and written into the lake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from monitoring.index import NIGHTS, IndexLine, IndexNight, IndexRelease, render_index
from monitoring.standing import State as Standing
from services.window import dates_of
from store.lake import Lake
from store.ledger import NightRow, nights_of, services_of
from store.models import ModelRow, models_of
from store.outbox import undelivered
from store.releases import ReleaseRow, releases_of
from store.state import Connection, State, reading

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
    return IndexLine(
        service=service,
        owner=owner,
        nights=tuple(map(_night, nights)),
        releases=tuple(_release(row, zone, models) for row in reversed(releases)),
    )


def _night(row: NightRow) -> IndexNight:
    page = row.page_path.removeprefix("pages/")
    return IndexNight(row.night, cast("Standing", row.standing), row.moved, page, row.headline)


def _release(row: ReleaseRow, zone: str, models: Mapping[str, ModelRow]) -> IndexRelease:
    first, last = dates_of(row.window_start, row.window_end, zone)
    model = models.get(row.version)
    version, promoted = ("", None) if model is None else (model.model_version, model.promoted)
    return IndexRelease(row.version, first, last, row.rows_kept, version, promoted)
