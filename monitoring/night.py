"""The shell of a night: reads the log, calls each step, writes what was found.

extract → validate → count → profile → compare → decide → numbers → snapshot → page → state. The lake is
written first and the state last, in one transaction: a night that is killed anywhere can be run again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import numpy as np

from monitoring import frozen, stands
from monitoring.bands import banded
from monitoring.bank import NIGHTS, bank_of
from monitoring.compare import scores
from monitoring.compared import Apart, Nights
from monitoring.decide import decide, not_computed
from monitoring.deployed import MOST, deployed, deployment_columns, main_version, seen, serving
from monitoring.extract import OPERATIONS, Layout, fit, layout
from monitoring.frozen import Frozen
from monitoring.guards import guards
from monitoring.history import Past, outcomes_by_cohort, past_of
from monitoring.judged import Judged
from monitoring.numbers import measure, measure_slices, outcome_slices
from monitoring.profile import slices_of, summarise
from monitoring.record import Written, write
from monitoring.records import Number, Profile, Slice
from monitoring.series import series_of
from monitoring.validate import rules
from monitoring.verdict import Judgement, judged_against
from monitoring.verdicts.since import Deployed
from services.errors import NightError, NightNotOverError, ReferenceMissingError
from services.model import Service
from services.planned import holidays_on
from services.slices import crosses, parts_of
from services.window import Night, Window, night_of
from store.count import Counted, count
from store.deployments import DeploymentRow, served_before
from store.grid import CategoryGrid
from store.labelled import LabelCount, label_counts
from store.query import REQUESTS
from store.references import ReferenceRow, reference_for
from store.source import Source
from store.state import reading
from store.statement import Reading, Selection, served
from store.watch import Watch

NONE_APART: Apart = MappingProxyType({})
"""No night is set apart."""


def run(watch: Watch, night: Night, recorded_at: datetime, *, tell: bool = True) -> Written:
    """Judge one night and record it. Run again on the same log, it changes nothing.

    Args:
        recorded_at: when this run happens; kept with a new revision, and a night must be over by then.
        tell: whether what the night has to say is put into the outbox; nobody wants to be told of the past.

    Raises:
        NightNotOverError: the night is not over.
        NightError: its log is empty.
        ReferenceMissingError: the service has no reference yet.
        SourceError: the source cannot be reached or is not as declared.
        StateError: state or lake refuse.
    """
    refuse_unfinished(watch.service.service, night, recorded_at)
    with reading(watch.state) as connection:
        apart = stands.read(connection, watch.service).apart(night.date)
    return write(watch, judge(watch, night, apart), recorded_at, tell=tell)


def refuse_unfinished(service: str, night: Night, now: datetime) -> None:
    """Hold that a night is over.

    Raises:
        NightNotOverError: it is not.
    """
    if now < night.end:
        raise NightNotOverError(
            f"{service}, {night.name}: this night is not over, it ends at {night.end:%Y-%m-%d %H:%M} UTC. "
            "Run it after that, or name an earlier --date."
        )


def judge(watch: Watch, night: Night, apart: Apart = NONE_APART) -> Judged:
    """Read a night and judge it; nothing is written.

    Args:
        apart: nights inside an incident of a measure and feature, which are no part of what is usual of it.
    """
    service = watch.service
    with watch.source({REQUESTS: night}) as source:
        columns = source.columns(REQUESTS)
        chosen = layout(service, columns, str(service.requests), night.name)
        deployments = deployments_in(service, source, night)
        row, reference = _reference(watch, night, main_version(deployments))
        grids, unfit = fit(chosen, reference.grids)
        stored = slices_of(reference.slices)
        reference = frozen.only(reference, chosen.slices)
        selection = Selection(
            chosen.readings,
            night,
            source.queries[REQUESTS].bounded,
            rules(service, chosen.readings),
            crosses=chosen.crosses,
        )
        counted = count(source, selection, grids, reference.slices)
    _must_have_rows(watch, night, counted)
    before = summarise(reference.cells, grids, reference.slices)
    current = summarise(counted.cells, grids, reference.slices)
    compared = {name: grid for name, grid in grids.items() if _is_judged(name, reference)}
    missing = [(name, why) for name, why in unfit.items() if _is_judged(name, reference)]
    past = past_of(watch, night.date, NIGHTS)
    by_slice = (
        *outcome_slices(_label_counts(watch, past, reference.slices)),
        *measure_slices(service, current, grids),
    )
    numbers = (
        *measure(service, current, grids, reference.kinds, counted.rows_kept),
        *guards(watch, night),
        *by_slice,
    )
    held = _Held(row, reference, stored, past, apart, deployments)
    judgement = _judgement(watch, night, held, current, numbers)
    findings = (
        *decide(service, scores(before, current, compared), judgement.findings),
        *not_computed(missing),
    )
    return Judged(
        night=night,
        reference_row=row,
        reference=reference,
        grids=grids,
        ignored={**chosen.ignored, **_not_told(chosen, reference, deployments)},
        counted=counted,
        before=before,
        current=current,
        findings=findings,
        numbers=numbers,
        deployments=deployments,
        past=past,
        moved=judgement.moved,
        apart=apart,
    )


@dataclass(frozen=True)
class _Held:
    """What a night is held against."""

    row: ReferenceRow
    reference: Frozen
    stored: tuple[Slice, ...]
    past: Past
    apart: Apart
    deployments: tuple[tuple[DeploymentRow, int], ...]


def _judgement(
    watch: Watch, night: Night, held: _Held, current: Profile, numbers: Sequence[Number]
) -> Judgement:
    """What the nights before say of everything that is watched; nothing while they are few."""
    before, past = held.reference.profile, held.past
    bank = bank_of(watch, night.date, held.reference, held.row.path, before, stored=held.stored)
    tonight = banded(bank.layout, current)
    dates = (*bank.nights, night.date)
    delay = (night.date - past.outcome.night).days if past.outcome else 0
    known = [*((day, past.numbers.get(day, ())) for day in bank.nights), (night.date, numbers)]
    nights = Nights(
        layout=bank.layout,
        dates=dates,
        counts=np.concatenate([bank.counts, tonight[np.newaxis]]),
        reference=banded(bank.layout, before).astype(np.int64),
        reference_dates=bank.reference_nights,
        reference_counts=bank.reference_counts,
        series=series_of(watch.service, before.slices, known, outcomes_by_cohort(past), delay),
        apart=held.apart,
        deployed=_deployed(watch, held.deployments, dates),
    )
    years = {day.year for day in (*dates, dates[0] - timedelta(days=delay), *bank.reference_nights)}
    return judged_against(watch.service, before.slices, nights, holidays_on(watch.service, years))


def _deployed(
    watch: Watch, seen: tuple[tuple[DeploymentRow, int], ...], dates: Sequence[date]
) -> Deployed | None:
    with reading(watch.state) as connection:
        before = served_before(connection, watch.service.service, dates[0], dates[-1])
    return deployed(dates[-1], serving(seen), before)


def _label_counts(watch: Watch, past: Past, slices: Mapping[str, CategoryGrid]) -> list[LabelCount]:
    """The outcomes that mature with this night, by slice of their own night's requests."""
    if past.outcome is None or not slices:
        return []
    cohort = night_of(past.outcome.night, watch.service.time_zone)
    with TemporaryDirectory(prefix="ronda-labels-") as folder, watch.source({REQUESTS: cohort}) as source:
        labels = Path(folder) / "labels.parquet"
        labels.write_bytes(watch.lake.get(past.outcome.path))
        columns = source.columns(REQUESTS)
        there = {n: grid for n, grid in slices.items() if all(part in columns for part in parts_of(n))}
        readings: dict[str, Reading] = {"request_id": "id", "time": "time"}
        readings |= dict.fromkeys(there, "category")
        selection = Selection(readings, cohort, source.queries[REQUESTS].bounded, crosses=crosses(there))
        return label_counts(source, selection, labels, there) if there else []


def _not_told(
    chosen: Layout, reference: Frozen, deployments: tuple[tuple[DeploymentRow, int], ...]
) -> dict[str, str]:
    """What is not looked at though it was asked for, so that the page can say so."""
    slices = {name: "slice_not_in_reference" for name in chosen.slices if name not in reference.slices}
    return slices | ({"deployments": f"only_the_busiest_{MOST}"} if len(deployments) == MOST else {})


def _is_judged(name: str, reference: Frozen) -> bool:
    # the hour and the weekday move by nature; of the operations only the prediction is a distribution to judge
    kind = reference.kinds.get(name)
    return kind != "calendar" if kind else name == "prediction" or name not in OPERATIONS


def deployments_in(service: Service, source: Source, window: Window) -> tuple[tuple[DeploymentRow, int], ...]:
    """What served the requests of a window, as its log says, and how many; the busiest first."""
    names = deployment_columns(tuple(source.columns(REQUESTS)))
    readings: dict[str, Reading] = {"request_id": "id", "time": "time"}
    readings |= dict.fromkeys(names, "category")
    selection = Selection(readings, window, source.queries[REQUESTS].bounded)
    return seen(service.service, source.fetch(served(selection, names))) if names else ()


def _reference(watch: Watch, night: Night, version: str) -> tuple[ReferenceRow, Frozen]:
    """The reference of the version that served most requests, else the service's last one."""
    service = watch.service.service
    with reading(watch.state) as connection:
        row = reference_for(connection, service, version, night.end)
    if row is None:
        raise ReferenceMissingError(
            f"{service}, {night.name}: there is no reference to compare with. Freeze one first: "
            f"ronda reference {service} --model-version {version or 'V'} --from DATE --to DATE"
        )
    return row, frozen.read(watch.lake, row.path)


def _must_have_rows(watch: Watch, night: Night, counted: Counted) -> None:
    if not counted.rows_read:
        raise NightError(
            f"{watch.service.service}, {night.name}: the log has no rows between {night.start:%Y-%m-%d %H:%M} and "
            f"{night.end:%Y-%m-%d %H:%M} UTC. Is the pipeline that writes it late? Run the night again when it has "
            f"caught up; `ronda check {watch.service.service} --date {night.name}` shows what is there."
        )
