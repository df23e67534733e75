"""The second half of the night's shell: what was found goes to the lake, then in one transaction to the state."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc

from monitoring import copies, enqueue, stands
from monitoring.deployed import serving
from monitoring.files import Files, put_files, scores_path
from monitoring.judged import Judged
from monitoring.profile import from_parquet
from monitoring.records import Finding
from monitoring.revised import changes
from monitoring.thread_rows import Night
from services.model import as_plain
from services.personal import masked
from store.backtests import backtest_of
from store.canonical import canonical_json, sha256_of, sha256_rows
from store.deployments import deployments_of, see_deployments
from store.incidents import IncidentRow, replace_moves
from store.ledger import (
    FindingRow,
    NightRow,
    NumberRow,
    QuarantineRow,
    counts_of,
    latest_night,
    record_night,
    show_again,
)
from store.rows import Recorded
from store.state import reading, writing
from store.watch import Watch


@dataclass(frozen=True)
class Written:
    """A night and where it stands now. `recorded.is_new` is false if it was known already."""

    judged: Judged
    row: NightRow
    recorded: Recorded


def write(watch: Watch, judged: Judged, recorded_at: datetime, *, tell: bool = True) -> Written:
    """Keep a judged night: profile, snapshot and page in the lake, everything else in the state.

    If the night's content is what the state already holds, nothing is written but files that went missing.
    Otherwise it becomes a new revision, which says what changed, and what it has to say goes into the outbox in
    the same transaction.

    Args:
        tell: whether anything is said of it at all. What waits to be said of it is made true either way.

    Raises:
        StateError: state or lake refuse.
    """
    service, night = watch.service.service, judged.night
    judged = _with_safe_ids(watch, judged)
    sha = identity(watch, judged)
    with reading(watch.state) as connection:
        previous = latest_night(connection, service, night.date)
        before = counts_of(connection, previous.id) if previous else {}
        known = deployments_of(connection, service)
        before_it = stands.read(connection, watch.service)
    same = previous is not None and previous.content_sha == sha
    if same and previous is not None and _is_whole(watch, previous):
        return Written(judged, previous, Recorded(previous.id, previous.revision, is_new=False))
    row = _row(watch, judged, sha, previous, _changed(watch, judged, previous, before), recorded_at)
    files = put_files(watch, judged, row, known, before_it)
    recorded = _record(watch, judged, files, previous, before_it.rows, tell=tell)
    return Written(judged, files.row, recorded)


def _record(
    watch: Watch,
    judged: Judged,
    files: Files,
    previous: NightRow | None,
    stood: Sequence[IncidentRow],
    *,
    tell: bool,
) -> Recorded:
    """Record a night, what its incidents come to and what it has to say, in one transaction.

    Args:
        previous: what was recorded of this night before; `stood`: the incidents as they stood before it.
    """
    row = files.row
    with writing(watch.state) as connection:
        see_deployments(connection, [deployment for deployment, _ in judged.deployments])
        recorded = record_night(
            connection,
            row,
            judged.counted.reasons,
            quarantined=[
                QuarantineRow(each, why) for why, ids in judged.counted.quarantine.items() for each in ids
            ],
            measured=[NumberRow(**vars(number)) for number in judged.numbers],
            found=[_finding_row(finding) for finding in judged.findings],
            moved=files.moved,
            served_by=serving(judged.deployments),
        )
        if not recorded.is_new:  # the page was lost, and what it is shown beside may have changed since
            show_again(connection, recorded.id, row)
            replace_moves(connection, recorded.id, files.moved)
        after_it = stands.read(connection, watch.service)
        incidents = stands.keep(connection, after_it, after_it.now(), row.recorded_at)
        if recorded.is_new or _says_other(previous, row) or _stand(incidents) != _stand(stood):
            its = Night(
                service=watch.service,
                page=files.page,
                row=row,
                rows={each.number: each for each in incidents},
                charts=files.charts,
                judged=sum(day < row.night for day in after_it.moves),
                backtested=backtest_of(connection, row.service) is not None,
                tell=tell,
                revised=recorded.is_new,
                attach=bool(watch.home.slack_token),
                wake=bool(watch.home.webhook_key),
            )
            gone = enqueue.night(connection, its, files.story)
            for each in gone:  # before the commit: a message that stays after all writes its files again
                copies.remove(watch.home, each)
    return recorded


def identity(watch: Watch, judged: Judged) -> str:
    """The hash of a night's canonical content: what was read, what it was compared with, what was found.

    The history it is held against is not part of it, and so neither are its findings, which follow from all this and
    from the history: a page may be older than a late revision of a night before, and `ronda night` on the same log
    changes nothing.
    """
    outcome = judged.past.outcome
    return sha256_of({
        "cells": sha256_rows(judged.counted.cells),
        "reasons": dict(judged.counted.reasons),
        "quarantine": {reason: list(ids) for reason, ids in judged.counted.quarantine.items()},
        "reference": judged.reference_row.content_sha,
        "outcome": outcome.content_sha if outcome else "",
        "service": as_plain(watch.service),
        "numbers": [vars(number) for number in judged.numbers],
        "deployments": [[d.model_version, d.prompt_version, d.adapter, d.variant, d.commit_sha, n] for d, n in judged.deployments],
    })  # fmt: skip


def _row(
    watch: Watch, judged: Judged, sha: str, previous: NightRow | None, changed: str, recorded_at: datetime
) -> NightRow:
    stem = f"{watch.service.service}/{judged.night.name}"
    same = previous is not None and previous.content_sha == sha
    revision = 1 if previous is None else previous.revision + (not same)
    return NightRow(
        service=watch.service.service,
        night=judged.night.date,
        content_sha=sha,
        window_start=judged.night.start,
        window_end=judged.night.end,
        reference_id=judged.reference_row.id,
        rows_read=judged.counted.rows_read,
        rows_kept=judged.counted.rows_kept,
        recorded_at=recorded_at,
        profile_path=f"profiles/{stem}-{sha[:16]}.parquet",
        page_path=f"pages/{stem}.html",
        snapshot_path=f"snapshots/{stem}-{sha[:16]}.json.gz",
        changed=previous.changed if previous and same else changed,
        revision=revision,
    )


def _is_whole(watch: Watch, row: NightRow) -> bool:
    files = (row.profile_path, row.snapshot_path, scores_path(row.snapshot_path))  # named by their content
    if not all(watch.lake.exists(path) for path in (*files, row.page_path)):
        return False
    # a page's name does not say its content: a run that was killed may have left another one there
    return sha256(watch.lake.get(row.page_path)).hexdigest() == row.page_sha


def _says_other(previous: NightRow | None, row: NightRow) -> bool:
    """Whether a page that was written again tells something else than it did: people are told that too."""
    return previous is not None and (previous.standing, previous.headline) != (row.standing, row.headline)


def _stand(incidents: Iterable[IncidentRow]) -> list[tuple[int, str, date]]:
    """What of incidents no message may say otherwise, though the night's own headline is what it was."""
    return [(each.number, each.state, each.last) for each in incidents]


def _changed(watch: Watch, judged: Judged, previous: NightRow | None, before: Mapping[str, int]) -> str:
    """What the new revision has that the one before had not."""
    language = watch.service.language
    if previous is None or not watch.lake.exists(previous.profile_path):
        return changes(language, before, judged.counted.reasons, ())
    stored = from_parquet(watch.lake.get(previous.profile_path))
    moved = [name for name in judged.grids if not _of(stored, name).equals(_of(judged.counted.cells, name))]
    return changes(language, before, judged.counted.reasons, moved)


def _of(cells: pa.Table, column: str) -> pa.Table:
    return cells.filter(pc.equal(cells["column"], column)).combine_chunks()


def _with_safe_ids(watch: Watch, judged: Judged) -> Judged:
    """The night with quarantined ids that both state and page may show."""
    found = {
        reason: tuple(sorted({_safe_id(watch, request_id) for request_id in ids}))
        for reason, ids in judged.counted.quarantine.items()
    }
    return replace(judged, counted=replace(judged.counted, quarantine=found))


def _safe_id(watch: Watch, request_id: str) -> str:
    # ids are kept, values are not; an id that is or holds somebody's e-mail or CPF is hashed with the home's key
    if masked(request_id) == request_id:
        return request_id
    return "hashed_" + hmac.new(watch.home.hash_key, request_id.encode(), "sha256").hexdigest()[:16]


def _finding_row(finding: Finding) -> FindingRow:
    return FindingRow(
        measure=finding.measure,
        feature=finding.feature,
        comparison=finding.comparison,
        outcome=finding.verdict,
        slice=finding.slice.dimension,
        slice_value=finding.slice.value,
        effect=finding.effect,
        floor=finding.floor,
        rows_reference=finding.rows_reference,
        rows_current=finding.rows_current,
        unit=finding.unit,
        direction=finding.direction,
        reason=finding.reason,
        reference_value=finding.reference_value,
        current_value=finding.current_value,
        p_value=finding.p_value,
        q_value=finding.q_value,
        detail=_detail(finding),
    )


def _detail(finding: Finding) -> str:
    """What has no column of its own; empty where the nights before say nothing."""
    if finding.visible is None and not finding.against:
        return ""
    return canonical_json({"against": list(finding.against), "visible": finding.visible}).decode()
