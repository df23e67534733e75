"""The shell of a release: reads outcomes and requests night by night, calls the steps, writes one dataset.

The lake is written before the state and the manifest after all other files, so a run that is killed in
between is made whole by the next one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feedback import card
from feedback.export import (
    Provenance,
    dressed,
    facts_of,
    manifest_bytes,
    manifest_of,
    refuse_features,
    schema_of,
    version_of,
)
from feedback.extract import OUTCOMES, curated
from feedback.records import RULE_KEY, LabelRule, NightRows, Released, Wanted, rule_of
from feedback.rows import BlockFile, block_file, read_parquet, streamed, tally, with_duplicates
from services.errors import NightError, SourceError, UsageError
from services.window import Window, longer, night_of
from store.canonical import canonical_json
from store.duck import Connection
from store.query import REQUESTS
from store.releases import OutcomeRow, ReleaseRow, latest_outcomes, record_release, releases_of
from store.source import Source
from store.state import reading, writing
from store.statement import KEPT, Reading, Selection, marked
from store.watch import Watch

DATA, CARD, MANIFEST = "data/train.parquet", "README.md", "manifest.json"
_PREDICTION: Mapping[str, Reading] = {"number": "number", "category": "category"}


def release(watch: Watch, window: Window, wanted: Wanted, recorded_at: datetime) -> Released:
    """Make a dataset of all requests of a window whose outcome is known, and record it.

    Nights without recorded outcomes are left out and named in the manifest. The same inputs give the same
    version and the same bytes; a version that was recorded before is not written again. Memory does not
    grow with the number of rows.

    Raises:
        UsageError: the service has no outcome, or a feature is not one that may be released.
        NightError: no night of the window has outcomes, their rule is another one, or no row is left.
        SourceError: the source cannot be reached, or a feature is missing in it.
        StateError: state or lake refuse.
    """
    rule = _rule(watch)
    refuse_features(watch.service.service, wanted.features)
    with reading(watch.state) as connection:
        outcomes = latest_outcomes(connection, watch.service.service, window.first, window.last)
    if not outcomes:
        raise _nothing_mature(watch, window, rule)
    with TemporaryDirectory(prefix="ronda-release-") as name:
        folder = Path(name)
        facts = _collect(watch, window, wanted, rule, outcomes, folder)
        version = version_of(facts)
        (folder / CARD).write_text(card.render(facts, version), encoding="utf-8")
        files = {path: folder / path for path in (DATA, CARD)}
        return _record(watch, window, facts, version, files, recorded_at)


def _rule(watch: Watch) -> LabelRule:
    if watch.service.outcome is None:
        raise UsageError(
            f"{watch.service.service}: its service file has no `outcome`, so nothing can be labelled. Add one, "
            "such as outcome: {event: thumb, positive: value == up, window: 1d}"
        )
    return rule_of(watch.service.outcome)


def _nothing_mature(watch: Watch, window: Window, rule: LabelRule) -> NightError:
    service = watch.service
    first = night_of(window.first, service.time_zone)
    closes = longer(first, rule.window).end
    return NightError(
        f"{service.service}, {window.first} to {window.last}: none of these nights has outcomes yet. Those of "
        f"{window.first} are complete at {closes:%Y-%m-%d %H:%M} UTC, and are made with the night of "
        f"{longer(first, rule.window).last}: run that one, then release again."
    )


def _collect(
    watch: Watch, window: Window, wanted: Wanted, rule: LabelRule, outcomes: list[OutcomeRow], folder: Path
) -> dict[str, Any]:
    """Write the rows of all nights, in order, and say what they are."""
    with watch.source({REQUESTS: night_of(outcomes[0].night, watch.service.time_zone)}) as source:
        prediction = _PREDICTION.get(source.columns(REQUESTS).get("prediction", ""), "number")
    schema = schema_of(wanted.features, prediction)
    with block_file(folder / DATA, schema) as file:
        nights = [_append(watch, wanted, rule, row, file, schema, folder) for row in outcomes]
        rows_sha = file.finish()
    facts = facts_of(watch.service, window, wanted, rule, nights, schema, rows_sha)
    if not facts["rows_kept"]:
        reasons = ", ".join(f"{reason} {rows}" for reason, rows in facts["counts"].items())
        raise NightError(
            f"{watch.service.service}, {window.first} to {window.last}: no request is left to learn from: "
            f"{reasons or 'there is no request at all'}."
        )
    return facts


def _append(
    watch: Watch,
    wanted: Wanted,
    rule: LabelRule,
    row: OutcomeRow,
    file: BlockFile,
    schema: pa.Schema,
    folder: Path,
) -> NightRows:
    """Join one night's requests with their outcomes and write those that are kept."""
    origin = Provenance(row.service, rule.name, row.content_sha, row.night)
    counts, labels, versions, joined = Counter[str](), Counter[str](), Counter[str](), 0
    with _joined(watch, wanted, rule, row, folder) as (connection, selection):
        for rows in streamed(connection, curated(selection), folder):
            counts += tally(rows["left_out"])
            joined += pc.sum(rows["joined"]).as_py() or 0
            kept = dressed(rows.filter(pc.equal(rows["left_out"], KEPT)), schema, origin, watch.home.hash_key)
            labels += tally(kept["label"].cast(pa.string()))
            versions += tally(kept["model_version"])
            file.append(kept)
    return NightRows(row, counts, labels, versions, joined)


@contextmanager
def _joined(
    watch: Watch, wanted: Wanted, rule: LabelRule, row: OutcomeRow, folder: Path
) -> Iterator[tuple[Connection, Selection]]:
    """A connection where the night's requests are staged and its outcomes stand beside them."""
    labels = folder / "outcomes.parquet"
    labels.write_bytes(_outcomes(watch, rule, row))
    night = night_of(row.night, watch.service.time_zone)
    with watch.source({REQUESTS: night}) as source:
        selection = with_duplicates(source, _selection(watch, wanted, source, row.night))
        with source.staged(marked(selection)) as connection:
            read_parquet(connection, OUTCOMES, labels)
            yield connection, selection


def _outcomes(watch: Watch, rule: LabelRule, row: OutcomeRow) -> bytes:
    content = watch.lake.get(row.path)
    made_by = (pq.read_schema(BytesIO(content)).metadata or {}).get(RULE_KEY)
    if made_by != canonical_json(rule.plain):
        raise NightError(
            f"{row.service}, {row.night}: its outcomes were made by another rule than the service file has now "
            f"({(made_by or b'unknown').decode()}). Labels of two rules are never mixed: run the night of "
            f"{longer(night_of(row.night, watch.service.time_zone), rule.window).last} again, which makes them anew."
        )
    return content


def _selection(watch: Watch, wanted: Wanted, source: Source, night: date) -> Selection:
    columns = source.columns(REQUESTS)
    query = source.queries[REQUESTS]
    missing = [name for name in wanted.features if name not in columns]
    if missing:
        raise SourceError(
            f"{watch.service.service}, {night}: {query.file} yields no column {', '.join(missing)}, which the release "
            "is to hold. Leave it out of the features, or release nights that have it."
        )
    readings: dict[str, Reading] = {"request_id": "id", "time": "time", **wanted.features}
    if "prediction" in columns:
        readings["prediction"] = _PREDICTION.get(columns["prediction"], "number")
    readings |= {name: "category" for name in ("model_version", "user_id") if name in columns}
    return Selection(readings, query.window, query.bounded, wanted.rules)


def _record(
    watch: Watch,
    window: Window,
    facts: Mapping[str, Any],
    version: str,
    files: Mapping[str, Path],
    recorded_at: datetime,
) -> Released:
    path = f"releases/{facts['service']}/{version}"
    with reading(watch.state) as connection:
        known = [row for row in releases_of(connection, facts["service"]) if row.version == version]
    if known and watch.lake.exists(f"{path}/{MANIFEST}"):
        manifest = json.loads(watch.lake.get(f"{path}/{MANIFEST}"))
        return Released(known[0], facts["counts"], manifest, is_new=False)
    for name, file in files.items():
        watch.lake.put_file(f"{path}/{name}", file)
    written = manifest_bytes(manifest_of(facts, version, files))
    watch.lake.put(f"{path}/{MANIFEST}", written)
    row = ReleaseRow(
        service=facts["service"],
        version=version,
        window_start=window.start,
        window_end=window.end,
        rows_read=facts["rows_read"],
        rows_kept=facts["rows_kept"],
        path=path,
        manifest_sha=sha256(written).hexdigest(),
        recorded_at=recorded_at,
    )
    with writing(watch.state) as connection:
        recorded = record_release(connection, row, facts["counts"])
    return Released(row, facts["counts"], json.loads(written), recorded.is_new)
