"""How a verdict stands in the state: its scores as canonical JSON, and the same read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from rollout.records import Part, Retrained, Scores
from store.canonical import canonical_json
from store.models import ModelRow


def written(
    trained: Part | None,
    held_out: Part | None,
    without_prediction: int = 0,
    served_version: str = "",
    other_versions: Mapping[str, int] | None = None,
    old: Scores | None = None,
    new: Scores | None = None,
) -> str:
    """What a release was judged by, as canonical JSON. Arguments as in `rollout.records.Retrained`."""
    parts = {"trained": trained, "held_out": held_out, "old": old, "new": new}
    plain: dict[str, Any] = {name: part and asdict(part) for name, part in parts.items()}
    left_out = {"without_prediction": without_prediction, "other_versions": dict(other_versions or {})}
    return canonical_json({**plain, **left_out, "served_version": served_version}).decode()


def read(row: ModelRow, *, is_new: bool) -> Retrained:
    """What was recorded of a release: the run that recorded it and every later one tell the same."""
    judged = json.loads(row.scores)
    return Retrained(
        service=row.service,
        release_version=row.release_version,
        model_version=row.model_version,
        trainer=row.trainer,
        promoted=row.promoted,
        reason=row.reason,
        trained=_part(judged["trained"]),
        held_out=_part(judged["held_out"]),
        without_prediction=judged["without_prediction"],
        # models that were recorded before versions were told apart have neither
        served_version=judged.get("served_version", ""),
        other_versions=judged.get("other_versions", {}),
        old=judged["old"] and Scores(**judged["old"]),
        new=judged["new"] and Scores(**judged["new"]),
        path=row.path,
        content_sha=row.content_sha,
        recorded_at=row.recorded_at,
        is_new=is_new,
    )


def _part(plain: Mapping[str, Any] | None) -> Part | None:
    if plain is None:
        return None
    ends = {end: date.fromisoformat(plain[end]) for end in ("first", "last")}
    return Part(**{**plain, **ends})
