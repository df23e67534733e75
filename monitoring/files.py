"""The shell that writes a night's files into the lake: profile, bands, Evidently's snapshot, page, and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from monitoring import bank, snapshot, speaking, standing, stands
from monitoring.chart import png
from monitoring.compact import compact_categories, compact_numbers
from monitoring.comparable import Compared
from monitoring.explain import explain
from monitoring.incident import noise_of
from monitoring.incidents import nights_apart
from monitoring.judged import Judged
from monitoring.page import away, beside_usual, night_page
from monitoring.profile import to_parquet
from monitoring.records import ALL_ROWS, NightPage
from monitoring.report import render
from monitoring.stands import Stands
from monitoring.story import Story
from monitoring.telling import told_with
from store.canonical import canonical_json
from store.deployments import DeploymentRow
from store.grid import CategoryGrid
from store.incidents import MoveRow
from store.ledger import NightRow
from store.watch import Watch


@dataclass(frozen=True)
class Files:
    """What was written, and what the page came to.

    Attributes:
        row: the night, with what its page came to.
        moved: what incidents are made of.
        charts: number of an incident -> place of its picture.
    """

    row: NightRow
    page: NightPage
    story: Story
    moved: tuple[MoveRow, ...]
    charts: Mapping[int, str]


def put_files(
    watch: Watch, judged: Judged, row: NightRow, known: Sequence[DeploymentRow], before: Stands
) -> Files:
    """Write profile, bands, snapshot, page and charts.

    Args:
        before: what is known of the service's incidents.

    Raises:
        StateError: the lake refuses.
    """
    watch.lake.put(row.profile_path, to_parquet(judged.counted.cells))
    layout = bank.layout_of(watch.service, judged.reference, judged.reference.profile)
    bank.keep(watch, row.profile_path, layout, judged.current)
    compared = _put_snapshot(watch, judged, row.snapshot_path)
    page = night_page(watch.service, judged, row, known, snapshot=compared)
    moved = (*judged.moved, *speaking.moves(page, away(watch.service, judged)))
    stood = before.after(row.night, moved)
    page = replace(
        beside_usual(page, nights_apart(stood.lines, row.night)),
        incidents=stood.tonight,
        raised=stood.raised or {},
        noise_of=noise_of(stood.lines),
        planned=stood.expected or {},
    )
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
    charts = {}
    for incident in speaking.speaking(page):
        told = explain(page, incident)
        picture = png(told.lead, told_with(page, told), page.language) if told.lead is not None else b""
        if picture:
            name = f"{row.night}-{incident.number}-{sha256(picture).hexdigest()[:8]}.png"
            charts[incident.number] = watch.lake.put(f"charts/{row.service}/{name}", picture)
    return Files(row, page, story, tuple(stands.move_row(each) for each in moved), charts)


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
    watch.lake.put(scores_path(path), canonical_json([vars(score) for score in made.scores]))
    return bool(made.payload)


def scores_path(snapshot_path: str) -> str:
    """Where Evidently's scores are kept as plain data, with why a feature was left out."""
    return snapshot_path.replace(".json.gz", ".scores.json")


def _compared(judged: Judged, name: str) -> Compared:
    grid = judged.grids[name]
    before, now = judged.before.counts[name][0], judged.current.counts[name][0]
    if isinstance(grid, CategoryGrid):
        return Compared(name, "category", compact_categories(before, grid), compact_categories(now, grid))
    return Compared(name, "number", compact_numbers(before, grid), compact_numbers(now, grid))
