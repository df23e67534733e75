"""The second half of the night's shell: what was found goes to the lake, then in one transaction to the state."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc

from monitoring import bank, copies, enqueue, snapshot, standing
from monitoring.compact import compact_categories, compact_numbers
from monitoring.comparable import Compared
from monitoring.explain import explain
from monitoring.judged import Judged
from monitoring.page import night_page
from monitoring.profile import from_parquet, to_parquet
from monitoring.records import ALL_ROWS, Finding, NightPage, Story
from monitoring.report import render
from monitoring.revised import changes
from monitoring.telling import told_with
from services.model import as_plain
from services.personal import masked
from store.canonical import canonical_json, sha256_of, sha256_rows
from store.deployments import DeploymentRow, deployments_of, see_deployments
from store.grid import CategoryGrid
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
    same = previous is not None and previous.content_sha == sha
    if same and previous is not None and _is_whole(watch, previous):
        return Written(judged, previous, Recorded(previous.id, previous.revision, is_new=False))
    row = _row(watch, judged, sha, previous, _changed(watch, judged, previous, before), recorded_at)
    row, page, story = _put_files(watch, judged, row, known)
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
        )
        if not recorded.is_new:  # the page was lost, and what it is shown beside may have changed since
            show_again(connection, recorded.id, row)
        if recorded.is_new or _says_other(previous, row):
            gone = enqueue.night(
                connection,
                watch.service,
                page,
                story,
                row,
                attach=bool(watch.home.slack_token),
                tell=tell,
                revised=recorded.is_new,
            )
            for each in gone:  # before the commit: a message that stays after all writes its files again
                copies.remove(watch.home, each)
    return Written(judged, row, recorded)


def _put_files(
    watch: Watch, judged: Judged, row: NightRow, known: Sequence[DeploymentRow]
) -> tuple[NightRow, NightPage, Story]:
    """Write profile, snapshot and page; gives the row with what the page came to, the page, and its story."""
    watch.lake.put(row.profile_path, to_parquet(judged.counted.cells))
    layout = bank.layout_of(watch.service, judged.reference, judged.reference.profile)
    bank.keep(watch, row.profile_path, layout, judged.current)
    compared = _put_snapshot(watch, judged, row.snapshot_path)
    page = night_page(watch.service, judged, row, known, snapshot=compared)
    story = explain(page)
    html = render(page, story).encode()
    watch.lake.put(row.page_path, html)
    row = replace(
        row,
        standing=story.state,
        headline=told_with(page, story),
        moved=standing.moved(page),
        page_sha=sha256(html).hexdigest(),
    )
    return row, page, story


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
    files = (row.profile_path, row.snapshot_path, _scores_path(row.snapshot_path))  # named by their content
    if not all(watch.lake.exists(path) for path in (*files, row.page_path)):
        return False
    # a page's name does not say its content: a run that was killed may have left another one there
    return sha256(watch.lake.get(row.page_path)).hexdigest() == row.page_sha


def _says_other(previous: NightRow | None, row: NightRow) -> bool:
    """Whether a page that was written again tells something else than it did: people are told that too."""
    return previous is not None and (previous.standing, previous.headline) != (row.standing, row.headline)


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


def _put_snapshot(watch: Watch, judged: Judged, path: str) -> bool:
    """Let Evidently compare the features on compact frames, and keep its snapshot; whether it could compare any."""
    overall = [f for f in judged.findings if f.measure == "distribution" and f.slice == ALL_ROWS]
    moved = {f.feature: f.effect / f.floor for f in overall if f.effect is not None and f.floor}
    names = [f.feature for f in overall if f.feature in judged.grids]
    picked = snapshot.pick(names, [moved.get(name) for name in names])
    floors = watch.service.floors
    made = snapshot.build(
        [_compared(judged, name) for name in picked],
        at=judged.night.start,
        number=floors.number,
        category=floors.category,
        enough=watch.service.enough.rows,
    )
    watch.lake.put(path, made.payload)
    watch.lake.put(_scores_path(path), canonical_json([vars(score) for score in made.scores]))
    return bool(made.payload)


def _scores_path(snapshot_path: str) -> str:
    """Where Evidently's scores are kept as plain data, with why a feature was left out."""
    return snapshot_path.replace(".json.gz", ".scores.json")


def _compared(judged: Judged, name: str) -> Compared:
    grid = judged.grids[name]
    before, now = judged.before.counts[name][0], judged.current.counts[name][0]
    if isinstance(grid, CategoryGrid):
        return Compared(name, "category", compact_categories(before, grid), compact_categories(now, grid))
    return Compared(name, "number", compact_numbers(before, grid), compact_numbers(now, grid))


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
