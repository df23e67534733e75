"""The shell that makes a reference: looks at the data a model was trained on, chooses grids, counts, freezes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from monitoring import bank, frozen, survey
from monitoring.bands import banded
from monitoring.extract import Layout, layout
from monitoring.frozen import Frozen
from monitoring.night import deployments_in
from monitoring.profile import summarise
from monitoring.records import Kind
from monitoring.survey import Survey
from monitoring.validate import rules
from services.errors import NightError
from services.window import Window, nights_between
from store.canonical import canonical_json
from store.count import Counted, count
from store.deployments import see_deployments
from store.duck import arrow
from store.grid import CategoryGrid, Grid
from store.query import REQUESTS, TRAINING
from store.references import ReferenceRow, add_reference, latest_reference
from store.rows import Recorded
from store.source import Source
from store.state import reading, writing
from store.statement import Selection, duplicated_ids, frequent, marked, sampled, total
from store.watch import Watch

MOST_NIGHTS = 400
"""A year and some weeks."""
SAMPLE_ROWS = 50_000
"""Grids are chosen from about this many rows, the same ones on every run."""


@dataclass(frozen=True)
class Made:
    """A reference that was asked for, and whether it is new."""

    row: ReferenceRow
    frozen: Frozen
    recorded: Recorded


def freeze(
    watch: Watch,
    model_version: str,
    window: Window,
    recorded_at: datetime,
    *,
    own_traffic: bool = False,
    reason: str = "",
    new_grids: bool = False,
) -> Made:
    """Freeze the reference of a model version from the rows of a window.

    Where the service file names a training query, features are counted from what the training pipeline has,
    and only predictions and operations from the request log. Grids of an earlier reference of the service
    are kept, so that scores stay comparable, unless `new_grids`.

    Args:
        own_traffic: the window is accepted traffic of the service, not what the model was trained on.
        reason: why an existing reference of other content is replaced.

    Raises:
        NightError: the window holds too few rows to compare anything with.
        ReferenceFrozenError: the version has a reference of other content and there is no reason.
        SourceError: the source refuses, or a named column is missing.
    """
    service = watch.service
    earlier = None if new_grids else _earlier(watch)
    training = service.training is not None and not own_traffic
    views = {REQUESTS: window} | ({TRAINING: window} if training else {})
    with watch.source(views) as source:
        log = _look(watch, source, REQUESTS, window, earlier)
        parts = [log, _look(watch, source, TRAINING, window, earlier, log.slices)] if training else [log]
        # what served already then is not new on the first night that is judged
        served = deployments_in(service, source, window)
    made = _joined(parts)
    nights = _nights(watch, parts, made, window)
    if log.counted.rows_kept < service.enough.rows:
        raise NightError(
            f"{service.service}: {window.first} to {window.last} hold {log.counted.rows_kept} good rows of "
            f"{log.counted.rows_read}; a reference needs at least {service.enough.rows}. Give another --from and --to."
        )
    row = ReferenceRow(
        service=service.service,
        model_version=model_version,
        content_sha=made.content_sha,
        kind="own_traffic" if own_traffic else "training",
        window_start=window.start,
        window_end=window.end,
        rows_read=log.counted.rows_read,
        rows_kept=log.counted.rows_kept,
        path=frozen.write(watch.lake, service.service, made),
        chosen=canonical_json({"kinds": dict(made.kinds), "ignored": dict(made.ignored)}).decode(),
        recorded_at=recorded_at,
        reason=reason,
    )
    layout = bank.layout_of(service, made, made.profile)
    bank.keep_reference(watch.lake, row.path, layout, made.profile.slices, nights)
    with writing(watch.state) as connection:
        see_deployments(connection, [deployment for deployment, _ in served])
        return Made(row, made, add_reference(connection, row))


@dataclass(frozen=True)
class _Part:
    """What one view contributes to a reference."""

    kinds: Mapping[str, Kind]
    survey: Survey
    selection: Selection
    slices: Mapping[str, CategoryGrid]
    counted: Counted


def _earlier(watch: Watch) -> Frozen | None:
    with reading(watch.state) as connection:
        row = latest_reference(connection, watch.service.service)
    return None if row is None else frozen.read(watch.lake, row.path)


def _look(
    watch: Watch,
    source: Source,
    view: str,
    window: Window,
    earlier: Frozen | None,
    slices: Mapping[str, CategoryGrid] | None = None,
) -> _Part:
    service = watch.service
    columns = source.columns(view)
    query = source.queries[view]
    chosen = layout(service, columns, query.file, f"{window.first} to {window.last}")
    kept_to = rules(service, chosen.readings)
    selection = Selection(chosen.readings, window, query.bounded, kept_to, view=view, crosses=chosen.crosses)
    repeated = int(source.fetch(duplicated_ids(selection))["ids"][0].as_py())
    selection = replace(selection, duplicates=repeated > 0)
    found = _kept_grids(_surveyed(watch, source, selection, chosen), earlier)
    if slices is None:
        slices = survey.slice_grids(found, chosen.slices)
    slices = {name: grid for name, grid in slices.items() if name in chosen.slices}
    grids = {name: found.grids[name] for name in chosen.counted if name in found.grids}
    ignored = {
        name: why for name, why in (dict(chosen.ignored) | dict(found.ignored)).items() if name not in grids
    }
    counted = count(source, selection, grids, slices)
    return _Part(survey.of_kind(chosen.kinds, grids), Survey(grids, ignored), selection, slices, counted)


def _nights(
    watch: Watch, parts: list[_Part], made: Frozen, window: Window
) -> dict[date, npt.NDArray[np.int32]]:
    """The window night by night, on the reference's own grids: what its nights differ by when nothing is wrong.

    At most the last `MOST_NIGHTS` are counted: they hold every season.
    """
    layout = bank.layout_of(watch.service, made, made.profile)
    found = {}
    first = max(window.first, window.last - timedelta(days=MOST_NIGHTS - 1))
    for night in nights_between(first, window.last, watch.service.time_zone):
        own = []
        with watch.source({part.selection.view: night for part in parts}) as source:
            for part in parts:
                bounded = source.queries[part.selection.view].bounded
                selection = replace(part.selection, window=night, bounded=bounded, duplicates=False)
                own.append(replace(part, counted=count(source, selection, part.survey.grids, part.slices)))
        profile = summarise(_joined(own).cells, made.grids, made.slices)
        if any(counts[0].any() for counts in profile.counts.values()):
            found[night.date] = banded(layout, profile)
    return found


def _surveyed(watch: Watch, source: Source, selection: Selection, chosen: Layout) -> Survey:
    texts = tuple(name for name, read in selection.columns.items() if read == "category")
    numbers = tuple(name for name in chosen.counted if chosen.readings[name] in {"number", "parsed"})
    by_text, by_number = Survey({}, {}), Survey({}, {})
    if texts:
        with source.staged(marked(selection)) as connection:
            table = arrow(connection, frequent(selection, texts, survey.MOST_VALUES))
        by_text = survey.categories(watch.service, table, texts)
    if numbers:
        rows = int(source.fetch(total(selection))["rows"][0].as_py())
        with source.staged(marked(selection)) as connection:
            sample = arrow(connection, sampled(selection, numbers, SAMPLE_ROWS / max(rows, 1)))
        by_number = survey.numbers(sample)
    return Survey({**by_text.grids, **by_number.grids}, {**by_text.ignored, **by_number.ignored})


def _kept_grids(found: Survey, earlier: Frozen | None) -> Survey:
    if earlier is None:
        return found
    old: dict[str, Grid] = {**earlier.slices, **earlier.grids}
    same = {
        name: old[name] for name, grid in found.grids.items() if name in old and type(old[name]) is type(grid)
    }
    return Survey({**found.grids, **same}, found.ignored)


def _joined(parts: list[_Part]) -> Frozen:
    """One reference of several views: what the training pipeline has of a feature replaces what was logged."""
    log, *others = parts
    grids, kinds, cells, ignored = (
        dict(log.survey.grids),
        dict(log.kinds),
        log.counted.cells,
        dict(log.survey.ignored),
    )
    for other in others:
        names = [name for name in other.kinds if name in kinds]
        grids |= {name: other.survey.grids[name] for name in names}
        theirs = pc.is_in(other.counted.cells["column"], pa.array(names, pa.string()))
        ours = pc.is_in(cells["column"], pa.array(names, pa.string()))
        cells = pa.concat_tables([cells.filter(pc.invert(ours)), other.counted.cells.filter(theirs)])
    order = [
        ("column", "ascending"),
        ("dimension", "ascending"),
        ("value", "ascending"),
        ("cell", "ascending"),
    ]
    return Frozen(grids, kinds, log.slices, ignored, cells.sort_by(order))
