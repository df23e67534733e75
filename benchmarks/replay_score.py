"""What a contestant's pages were worth, held against what was done to the service.

Every rule is the same for all contestants, and where one had to be chosen it is the stricter one: a page has to
name a column that an incident moves, in a slice that shares rows with the incident's, on a night whose data show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from benchmarks.replay_records import EVERYWHERE, Incident, World

MIXES = frozenset({"sampling_bug", "slice_drops"})
"""What takes rows from one slice changes who is left where others share its rows: any column moves there, by up to
0.8 floors when half of an app is lost and 2.2 when all of it is. Other changes of volume leave the mix as it is."""


@dataclass(frozen=True)
class Page:
    """Something that would have reached a person.

    Attributes:
        place: place of the night in the world.
        columns: what it names, the plainest first; a null share as `null:<column>`.
        slice: where it says it is.
        memory: how many nights back the data reach that raised it, beside its own; a column's delay among them.
    """

    place: int
    columns: tuple[str, ...]
    slice: str
    memory: int = 0


@dataclass(frozen=True)
class Run:
    """What a contestant did on one world.

    Attributes:
        pages: in any order.
        findings: everything it noted, whether or not it paged: (night, column, slice).
        judgeable: share of (night, key) for which a change of four floors would have been seen.
        visible: incident's place -> smallest effect it said it could see there on the first full night.
        first: the first night it judged.
    """

    pages: tuple[Page, ...]
    findings: frozenset[tuple[int, str, str]]
    judgeable: float
    first: int
    visible: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Fate:
    """What became of one incident.

    Attributes:
        found, paged: after how many nights it was first seen and told; the first night that its first column is
            known of is 1; None for never.
        visible: whether somebody had said that as much could be seen; None where nobody says anything.
        right_slice: whether the first page named its slice; None without a page.
        named_first: whether any page named one of its columns first.
        feature: whether it moves the values of a feature, not only nulls or numbers of the service.
        noise_floor: what its first column varies by from night to night, in floors.
    """

    incident: Incident
    found: int | None
    paged: int | None
    visible: bool | None
    right_slice: bool | None
    named_first: bool
    feature: bool
    noise_floor: float


@dataclass(frozen=True)
class Scored:
    """One run, scored.

    Attributes:
        pages: all of them; `false` those that no incident explains.
        named_wrong: how many pages no incident explains by the column that they name first.
        nights: how many were judged; `free` those among them that belong to no incident (or a harmless one).
        fates: of all incidents that should be told.
        harmless: what nobody should be paged for, and whether somebody was: incidents by their kind, `holiday`, and
            `deployment`.
    """

    service: str
    noise: str
    pages: tuple[Page, ...]
    false: tuple[Page, ...]
    named_wrong: int
    nights: int
    free: frozenset[int]
    judgeable: float
    fates: tuple[Fate, ...]
    harmless: tuple[tuple[str, bool], ...]


def score(world: World, run: Run, visible: Mapping[int, float] | None = None) -> Scored:
    """Hold the pages of a run against the incidents of its world.

    Incidents that no count shows (`needs`, or no column) and harmless ones explain nothing and are not missed.

    Args:
        visible: what could be seen, as `Run.visible`, for a contestant that does not say so itself.
    """
    real = {place: each for place, each in enumerate(world.incidents) if is_told(each)}
    judged = range(run.first, len(world.nights))
    busy = {night for each in real.values() for night in range(each.first, each.last + 1)}
    free = frozenset(night for night in judged if night not in busy)
    false = tuple(
        page for page in run.pages if not any(explains(world, each, page) for each in real.values())
    )
    wrong = [p for p in run.pages if not any(explains(world, each, _headline(p)) for each in real.values())]
    said = run.visible if visible is None else visible
    return Scored(
        service=world.service,
        noise=world.noise,
        pages=run.pages,
        false=false,
        named_wrong=len(wrong),
        nights=len(judged),
        free=free,
        judgeable=run.judgeable,
        fates=tuple(_fate(world, run, each, said.get(place)) for place, each in real.items()),
        harmless=(*_harmless(world, false), *_calendar(world, false, free, set(real.values()))),
    )


def is_told(incident: Incident) -> bool:
    """Whether somebody should be paged: it is not harmless, and something that is counted moves."""
    return not incident.harmless and not incident.needs and bool(incident.columns)


def explains(world: World, incident: Incident, page: Page) -> bool:
    """Whether a page is about an incident.

    It has to name one of its columns (a column and its nulls are one) in a slice that shares rows with the
    incident's, and the night's data, with those that the page reaches back to, have to be of its nights: a column
    that is known after some delay shows nothing before. What changes the mix (`MIXES`) is also explained by other
    columns, where slices overlap and neither holds only rows of the incident's.
    """
    if not _overlap(world, page.slice, incident.slice):
        return False
    told = {_plain(name) for name in page.columns}
    named = [name for name in incident.columns if _plain(name) in told]
    if any(_is_in(incident, page, delay_of(world, name)) for name in named):
        return True
    mixed = incident.kind in MIXES and not _inside(world, page.slice, incident.slice)
    features = {column.name for column in world.columns}
    return mixed and bool(told & features) and _is_in(incident, page, 0)


def delay_of(world: World, name: str) -> int:
    """After how many nights a column or series is known."""
    return next((each.delay for each in world.series if each.name == name), 0)


def names(measure: str, feature: str) -> str:
    """How a measure is called in the records of a world."""
    return f"null:{feature}" if measure == "null_share" else feature or measure


def _fate(world: World, run: Run, incident: Incident, said: float | None) -> Fate:
    mine = sorted((p for p in run.pages if explains(world, incident, p)), key=lambda page: page.place)
    delays = {_plain(name): delay_of(world, name) for name in incident.columns}
    noted = [
        night
        for night, column, where in run.findings
        if (delay := delays.get(_plain(column))) is not None
        and incident.first + delay <= night <= incident.last + delay
        and _overlap(world, where, incident.slice)
    ]
    told = mine[0].place if mine else None
    first = incident.first + delay_of(world, incident.columns[0])
    seen = min((*noted, *([] if told is None else [told])), default=None)  # who pages has found
    features = {column.name for column in world.columns}
    return Fate(
        incident=incident,
        found=None if seen is None else max(seen - first + 1, 1),
        paged=None if told is None else max(told - first + 1, 1),
        visible=None if said is None else incident.effect >= said,
        right_slice=mine[0].slice == incident.slice if mine else None,
        named_first=any(explains(world, incident, _headline(page)) for page in mine),
        feature=any(name in features for name in incident.columns),
        noise_floor=world.noise_floors.get(_plain(incident.columns[0]), 0.0),
    )


def _harmless(world: World, false: Iterable[Page]) -> list[tuple[str, bool]]:
    """Harmless incidents; where nothing counted moves, any false page on their nights is about them."""
    found = []
    for each in world.incidents:
        if each.harmless:
            during = [page for page in false if each.first <= page.place <= each.last + page.memory]
            paged = [page for page in during if not each.columns or explains(world, each, page)]
            found.append((each.kind, bool(paged)))
    return found


def _calendar(
    world: World, false: Iterable[Page], free: frozenset[int], real: set[Incident]
) -> list[tuple[str, bool]]:
    """Holidays and harmless deployments on nights without an incident; one is paged by a false page that night."""
    nights = {page.place for page in false}
    back = {each.last + 1 for each in real}  # the night of a rollback
    quiet = [("holiday", n) for n in world.holidays if n in free]
    quiet += [("deployment", n) for n in world.deployments if n in free and n not in back]
    return [(kind, night in nights) for kind, night in quiet]


def _headline(page: Page) -> Page:
    return replace(page, columns=page.columns[:1])


def _is_in(incident: Incident, page: Page, delay: int) -> bool:
    return incident.first + delay <= page.place <= incident.last + max(page.memory, delay)


def _overlap(world: World, one: str, other: str) -> bool:
    """Whether two slices may share rows: they differ in no dimension that both name."""
    mine, its = world.members.get(one, {}), world.members.get(other, {})
    return all(its[key] == value for key, value in mine.items() if key in its)


def _inside(world: World, one: str, other: str) -> bool:
    """Whether all rows of one slice are rows of the other."""
    return other == EVERYWHERE or world.members.get(other, {}).items() <= world.members.get(one, {}).items()


def _plain(name: str) -> str:
    return name.removeprefix("null:")
