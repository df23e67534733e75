"""What releases became: each model that was fitted or refused, with its scores and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from services.errors import StateError
from store import rows
from store.rows import Recorded
from store.tables import models


@dataclass(frozen=True)
class ModelRow:
    """One model made of a release. `id` is 0 until it is recorded.

    Attributes:
        trainer: the function that fitted it, as `module:function`.
        path: its place in the lake; `''` if none was fitted.
        content_sha: sha256 of its file; `''` if none was fitted.
        scores: canonical JSON of what it was judged by.
        reason: why it was promoted or not, as a short constant.
    """

    service: str
    model_version: str
    release_version: str
    trainer: str
    path: str
    content_sha: str
    scores: str
    reason: str
    promoted: bool
    recorded_at: datetime
    id: int = 0


def record_model(connection: sa.Connection, row: ModelRow) -> Recorded:
    """Record a model; the same one again writes nothing, whenever that is.

    Args:
        connection: of `state.writing`.
        row: the model.

    Raises:
        StateError: the version exists with other content.
    """
    new_id = rows.insert_unless_taken(connection, models, rows.values_of(row), ("service", "model_version"))
    if new_id is not None:
        return Recorded(new_id, revision=1, is_new=True)
    known = model_of(connection, row.service, row.model_version)
    assert known is not None
    if replace(known, id=row.id, recorded_at=row.recorded_at) != row:
        raise StateError(
            f"service {row.service}, model {row.model_version} exists already with other content (of release "
            f"{known.release_version}, file sha256 {known.content_sha or 'none'}; this one of release "
            f"{row.release_version}, {row.content_sha or 'none'}). A model never changes: nothing was recorded. "
            "If another run made it just now, run this one again, which then takes what is there."
        )
    return Recorded(known.id, revision=1, is_new=False)


def model_of(connection: sa.Connection, service: str, model_version: str) -> ModelRow | None:
    """The model of this version, or None if there is none."""
    statement = _of(service).where(models.c.model_version == model_version)
    return next(iter(rows.fetch(connection, statement, ModelRow)), None)


def model_of_release(connection: sa.Connection, service: str, release_version: str) -> ModelRow | None:
    """What became of a release, or None if it was not retrained on."""
    statement = _of(service).where(models.c.release_version == release_version)
    return next(iter(rows.fetch(connection, statement.order_by(models.c.id).limit(1), ModelRow)), None)


def models_of(connection: sa.Connection, service: str) -> list[ModelRow]:
    """Every model of a service in the order they were made."""
    return rows.fetch(connection, _of(service).order_by(models.c.id), ModelRow)


def _of(service: str) -> sa.Select[tuple[object, ...]]:
    return rows.select_as(models, ModelRow).where(models.c.service == service)
