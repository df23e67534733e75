"""The shell of a night's outcomes: reads requests and feedback, calls the steps, writes the labels.

The lake is written before the state, so a run that is killed in between is made whole by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.compute as pc

from feedback.extract import EventSelection, event_reasons, paired, requests_of, value_kind
from feedback.outcome import labelled
from feedback.records import EVENTS, LABELS, MATURE, RULE_KEY, STATES, LabelRule, Matured, rule_of
from feedback.rows import block_file, streamed, tally, with_duplicates
from services.columns import REQUIRED_REQUEST_COLUMNS, require
from services.errors import NightError
from services.window import Night, cohort_of, longer, night_of, window_between
from store.canonical import canonical_json, sha256_of
from store.query import FEEDBACK, REQUESTS
from store.releases import OutcomeRow, latest_outcome, record_outcome
from store.source import Source
from store.state import reading, writing
from store.watch import Watch

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Labelled:
    """A labels file before it is in the lake: its place on disk, its content's sha256, and its counts."""

    file: Path
    sha: str
    requests: int
    counts: Mapping[str, int]
    positive: int


def mature(watch: Watch, night: Night, recorded_at: datetime) -> Matured | None:
    """Make and record the outcomes of the requests that become old enough with this night.

    Run again on the same log it changes nothing; feedback or requests that came late make a new revision.
    A night without requests, or a log without feedback, is recorded with the numbers it has.

    Args:
        watch: the service's.
        night: the night that is being run; the requests are those of `cohort_of(night.date, window)`.
        recorded_at: when this run happens.

    Returns:
        None if the service has no outcome.

    Raises:
        NightError: the feedback window of those requests is still open at `recorded_at`.
        SourceError: the source cannot be reached, or the feedback view is not as declared.
        StateError: state or lake refuse.
    """
    if watch.service.outcome is None:
        return None
    rule = rule_of(watch.service.outcome)
    cohort = night_of(cohort_of(night.date, rule.window), watch.service.time_zone)
    _refuse_early(watch, cohort, rule, recorded_at)
    events = _events(watch, cohort, rule)
    with TemporaryDirectory(prefix="ronda-outcomes-") as folder:
        made = _label(watch, cohort, rule, Path(folder))
        return _record(watch, cohort, rule, made, events, recorded_at)


def _refuse_early(watch: Watch, cohort: Night, rule: LabelRule, recorded_at: datetime) -> None:
    closes = longer(cohort, rule.window).end
    if recorded_at < closes:
        raise NightError(
            f"{watch.service.service}, {cohort.name}: feedback for its requests counts until {closes:%Y-%m-%d %H:%M} UTC, "
            f"and it is {recorded_at:%Y-%m-%d %H:%M}. Make its outcomes after that."
        )


def _events(watch: Watch, cohort: Night, rule: LabelRule) -> dict[str, int]:
    """What the events were that became known during the night, over the requests that they may belong to."""
    days = rule.days * _DAY
    around = window_between(cohort.first - days, cohort.last + days, watch.service.time_zone)
    with watch.source({REQUESTS: around, FEEDBACK: longer(cohort, rule.window)}) as source:
        requests = requests_of(around, source.queries[REQUESTS].bounded)
        found = source.fetch(event_reasons(requests, _selection(watch, source, rule), cohort, rule))
    counts = dict(zip(found["reason"].to_pylist(), found["events"].to_pylist(), strict=True))
    return {reason: counts.get(reason, 0) for reason in EVENTS}


def _label(watch: Watch, cohort: Night, rule: LabelRule, folder: Path) -> _Labelled:
    counts, positive = Counter[str](), 0
    schema = LABELS.with_metadata({RULE_KEY: canonical_json(rule.plain)})
    path = folder / "labels.parquet"
    with (
        watch.source({REQUESTS: cohort, FEEDBACK: longer(cohort, rule.window)}) as source,
        block_file(path, schema) as file,
    ):
        events = _selection(watch, source, rule)
        selection = requests_of(cohort, source.queries[REQUESTS].bounded)
        pairs = paired(with_duplicates(source, selection), events, rule)
        with source.staged(pairs) as connection:
            for rows in streamed(connection, labelled(rule, events.value), folder):
                counts += tally(rows["state"])
                positive += pc.sum(rows["label"]).as_py() or 0
                file.append(rows)
        sha = sha256_of({"rule": rule.plain, "rows": file.finish()})
    return _Labelled(path, sha, file.rows, {state: counts[state] for state in STATES}, positive)


def _record(
    watch: Watch,
    cohort: Night,
    rule: LabelRule,
    made: _Labelled,
    events: Mapping[str, int],
    recorded_at: datetime,
) -> Matured:
    service = watch.service.service
    path = f"outcomes/{service}/{cohort.name}-{made.sha[:16]}.parquet"
    row = OutcomeRow(
        service=service,
        night=cohort.date,
        content_sha=made.sha,
        window_seconds=int(rule.window.total_seconds()),
        requests=made.requests,
        mature=made.counts[MATURE],
        positive=made.positive,
        path=path,
        recorded_at=recorded_at,
    )
    with reading(watch.state) as connection:
        known = latest_outcome(connection, service, cohort.date)
    if known is None or known.content_sha != made.sha or not watch.lake.exists(path):
        watch.lake.put_file(path, made.file)
    with writing(watch.state) as connection:
        recorded = record_outcome(connection, row, made.counts)
        latest = latest_outcome(connection, service, cohort.date)
    assert latest is not None
    return Matured(cohort.date, latest, made.counts, events, recorded.is_new)


def _selection(watch: Watch, source: Source, rule: LabelRule) -> EventSelection:
    query, requests = source.queries[FEEDBACK], source.queries[REQUESTS]
    nights = f"{requests.window.first} to {requests.window.last}"
    found = source.columns(REQUESTS)
    require(watch.service.service, nights, requests.file, found, REQUIRED_REQUEST_COLUMNS)
    kind = value_kind(watch.service.service, nights, source.columns(FEEDBACK), query.file, rule)
    return EventSelection(query.window, query.bounded, kind)
