"""Making a release: what it shall hold is taken from the service's reference, or else from its columns."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from feedback.records import Released, Wanted
from feedback.release import release
from monitoring import frozen
from monitoring.extract import layout
from monitoring.validate import rules
from services.window import Window
from store.ledger import last_night
from store.query import REQUESTS
from store.references import ReferenceRow, latest_reference, reference_of
from store.state import reading
from store.watch import Watch


def make(watch: Watch, window: Window, recorded_at: datetime) -> Released:
    """Make a dataset of the matured outcomes of a window: the features that nights are judged on, and the label.

    Raises:
        RondaError: see `feedback.release.release`.
    """
    service = watch.service
    with watch.source({REQUESTS: window}) as source:
        chosen = layout(
            service, source.columns(REQUESTS), str(service.requests), f"{window.first} to {window.last}"
        )
    row = _reference(watch, window)
    kinds = chosen.kinds if row is None else frozen.read(watch.lake, row.path).kinds
    features = {name: chosen.readings[name] for name in chosen.kinds if name in kinds}
    wanted = Wanted(
        features=features,
        rules=rules(service, chosen.readings),
        code_commit=code_commit(),
        reference_sha="" if row is None else row.content_sha,
    )
    return release(watch, window, wanted, recorded_at)


def _reference(watch: Watch, window: Window) -> ReferenceRow | None:
    """What the window's last judged night was compared with.

    Not the newest reference: a retraining freezes one after the release it used, and that release must be the
    same when it is made again.
    """
    service = watch.service.service
    with reading(watch.state) as connection:
        night = last_night(connection, service, window.last)
        if night is None:
            return latest_reference(connection, service)
        return reference_of(connection, night.reference_id)


def code_commit(root: Path | None = None) -> str:
    """The commit of ronda's own code: `RONDA_COMMIT`, or what its checkout says; empty when neither is there."""
    named = os.environ.get("RONDA_COMMIT", "")
    git = (root or Path(__file__).resolve().parent.parent) / ".git"
    if named or not (git / "HEAD").is_file():
        return named
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref: "):
        return head
    ref = head.removeprefix("ref: ")
    if (git / ref).is_file():
        return (git / ref).read_text(encoding="utf-8").strip()
    packed = git / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {ref}")), "")


def plain(made: Released) -> dict[str, Any]:
    """A release as plain data."""
    row = made.row
    return {
        "service": row.service,
        "version": row.version,
        "is_new": made.is_new,
        "from": row.window_start.isoformat(),
        "to": row.window_end.isoformat(),
        "rows_read": row.rows_read,
        "rows_kept": row.rows_kept,
        "counts": dict(made.counts),
        "path": row.path,
        "manifest_sha256": row.manifest_sha,
    }


def text(watch: Watch, made: Released) -> str:
    """A release in a few lines: what it holds, what was removed and why, and where it is."""
    row = made.row
    removed = [
        f"{reason.replace('_', ' ')} {rows:,}"
        for reason, rows in made.counts.items()
        if reason != "kept" and rows
    ]
    known = "" if made.is_new else " (known already, nothing written)"
    return "\n".join([
        f"Release {row.version} of {row.service}{known}: {row.rows_kept:,} of {row.rows_read:,} requests.",
        f"  removed    {', '.join(removed) or 'none'}",
        f"  files      {watch.lake.root}/{row.path}",
    ])  # fmt: skip
