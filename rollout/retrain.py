"""The shell of a retraining: reads a release, lets the company's trainer fit a model, decides, and records it.

The lake is written before the state, and what follows from a promotion after it, so a run that is killed
anywhere is made whole by the next one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from feedback.release import DATA, MANIFEST
from monitoring.freeze import freeze
from rollout import kept, scores, trainer
from rollout.records import Fitted, Retrained
from rollout.split import LABEL, NIGHT, PREDICTION, VERSION, Split, part_of, served, split
from rollout.trainer import Trainer
from services.errors import StateError, UsageError
from services.window import window_between
from store.deployments import DeploymentRow, deployments_of, see_deployments
from store.models import ModelRow, model_of, model_of_release, models_of, record_model
from store.references import latest_reference
from store.releases import ReleaseRow, releases_of
from store.state import reading, writing
from store.watch import Watch

AUTHOR = "model_retrain"
"""Who is named as the author of a deployment that a retraining made."""


def retrain(watch: Watch, release_version: str, recorded_at: datetime, *, code_commit: str = "") -> Retrained:
    """Fit a model on a release, and promote it only if it is better than what was served.

    The last `retrain.held_out_nights` nights of the release are held out; on them the new model's
    probabilities are held against those of the version that served last, as logged (see
    `rollout.scores.promote`). A promotion freezes the reference of the new version and records its deployment.
    A release is retrained once: run again, it fits and writes nothing, and gives the same result; only what a
    killed run left undone is done.

    Args:
        recorded_at: when this run happens; kept with the model and what follows from it.
        code_commit: the commit of the code that makes it; it becomes the deployment's.

    Raises:
        UsageError: there is no such release, the service file has no `retrain`, or its trainer is not there.
        StateError: the release is not what was recorded, or state or lake refuse.
        RondaError: the trainer raised, or did not give a model file and probabilities.
        NightError, SourceError: the promoted model's reference cannot be made; run again when it can.
    """
    service = watch.service.service
    with reading(watch.state) as connection:
        row = model_of_release(connection, service, release_version)
        releases = releases_of(connection, service)
    is_new = row is None
    if row is None:
        found = trainer.find(watch.service, release_version)
        made = _made(watch, _release(service, releases, release_version), found)
        row = _recorded(watch, made, recorded_at)
    if row.promoted:
        _put_in_force(watch, row, code_commit)
    return kept.read(row, is_new=is_new)


_DAY = len("2013-06-24")


@dataclass(frozen=True)
class _Made:
    """A model that was decided on and is not written yet; `fitted` is None if there was nothing to fit."""

    release_version: str
    model_version: str
    trainer: str
    promoted: bool
    reason: str
    judged: str
    fitted: Fitted | None = None


def _release(service: str, releases: list[ReleaseRow], version: str) -> ReleaseRow:
    for row in releases:
        if row.version == version:
            return row
    newest = ", ".join(row.version for row in releases[-3:]) or "none"
    raise UsageError(
        f"{service} has no release {version}. The newest ones: {newest}. Name one of them, or make one with "
        f"ronda release {service}."
    )


def _made(watch: Watch, release: ReleaseRow, found: Trainer) -> _Made:
    """Fit, score and decide; nothing is written."""
    assert watch.service.retrain is not None
    enough = watch.service.enough.rows
    parts = _split(watch, release, watch.service.retrain.held_out_nights)
    trained, held_out = part_of(parts.trained), part_of(parts.held_out)
    last = trained or held_out
    assert last is not None  # a release holds at least one row
    version = f"{last.last}-{release.version[:8]}"
    reason = scores.untrainable(trained, enough)
    if reason:
        judged = kept.written(trained, held_out)
        return _Made(release.version, version, found.name, promoted=False, reason=reason, judged=judged)
    fitted = trainer.fitted(found, parts.frame)
    rows = served(parts)
    old = new = None
    if len(rows.labels):
        predicted = trainer.probabilities(found, fitted, rows.features)
        new = scores.measure(rows.labels, predicted, rows.nights)
        if rows.probabilities is not None:
            old = scores.measure(rows.labels, rows.probabilities, rows.nights)
    promoted, reason = scores.promote(old, new, enough)
    judged = kept.written(
        trained, held_out, rows.without_prediction, rows.version, rows.other_versions, old, new
    )
    return _Made(release.version, version, found.name, promoted, reason, judged, fitted)


def _split(watch: Watch, release: ReleaseRow, held_out_nights: int) -> Split:
    manifest = json.loads(_trusted(watch, release, MANIFEST, release.manifest_sha))
    data = _trusted(watch, release, DATA, manifest["files"][DATA]["sha256"])
    features = [column["name"] for column in manifest["schema"] if column["role"] == "feature"]
    version = [VERSION] if VERSION in pq.read_schema(BytesIO(data)).names else []
    columns = [*features, NIGHT, LABEL, PREDICTION, *version]
    rows: pa.Table = pq.read_table(BytesIO(data), columns=columns)
    return split(rows, features, held_out_nights)


def _trusted(watch: Watch, release: ReleaseRow, name: str, expected: str) -> bytes:
    """A file of the release, if it is the one that was recorded."""
    content = watch.lake.get(f"{release.path}/{name}")
    found = sha256(content).hexdigest()
    if found != expected:
        raise StateError(
            f"{release.service}, release {release.version}: {name} was changed since it was released (sha256 {found}, "
            f"released was {expected}). Nothing was trained. Put the file back from a copy, or retrain another release."
        )
    return content


def _recorded(watch: Watch, made: _Made, recorded_at: datetime) -> ModelRow:
    """Write the model's file, then its row. Another run that came first is right."""
    service = watch.service.service
    path = sha = ""
    if made.fitted is not None:
        sha = sha256(made.fitted.model).hexdigest()
        # Files of one model may differ from run to run: under its own hash, none replaces one in use.
        path = f"models/{service}/{made.model_version}/{sha[:16]}/{made.fitted.file_name}"
        watch.lake.put(path, made.fitted.model)
    row = ModelRow(
        service=service,
        model_version=made.model_version,
        release_version=made.release_version,
        trainer=made.trainer,
        path=path,
        content_sha=sha,
        scores=made.judged,
        reason=made.reason,
        promoted=made.promoted,
        recorded_at=recorded_at,
    )
    with writing(watch.state) as connection:
        known = model_of_release(connection, service, made.release_version)
        if known is None:
            record_model(connection, _unless_superseded(row, models_of(connection, service)))
            known = model_of(connection, service, made.model_version)
    assert known is not None
    return known


def _unless_superseded(row: ModelRow, models: list[ModelRow]) -> ModelRow:
    """The model, not promoted if one that learnt from as late or later nights was: it was held against an older one.

    Old nights may be run again, and the same nights released anew. Versions begin with the last night of training.
    """
    newer = [
        each for each in models if each.promoted and each.model_version[:_DAY] >= row.model_version[:_DAY]
    ]
    return replace(row, promoted=False, reason="superseded") if row.promoted and newer else row


def _put_in_force(watch: Watch, row: ModelRow, code_commit: str) -> None:
    """Freeze a promoted model's reference, then record its deployment, each unless it is there.

    The deployment comes last: whoever sees it finds what it is watched by. Both bear the time of the
    decision, so that a run which finishes another's work ends as that one would have.
    """
    service = row.service
    with reading(watch.state) as connection:
        reference = latest_reference(connection, service, row.model_version)
        deployed = [each for each in deployments_of(connection, service) if each.source == "deploy"]
    trained = kept.read(row, is_new=False).trained
    assert trained is not None
    if reference is None:
        # Released rows come from the request log, so the reference must too, whatever training query there is.
        from_log = replace(watch, service=watch.service.model_copy(update={"training": None}))
        window = window_between(trained.first, trained.last, watch.service.time_zone)
        freeze(
            from_log,
            row.model_version,
            window,
            row.recorded_at,
            reason=f"trained on release {row.release_version}",
        )
    if not any(each.model_version == row.model_version for each in deployed):
        deployment = DeploymentRow(
            service,
            row.recorded_at,
            source="deploy",
            model_version=row.model_version,
            commit_sha=code_commit,
            author=AUTHOR,
        )
        with writing(watch.state) as connection:
            see_deployments(connection, [deployment])
