"""How long changes of a known size would have gone unnoticed: put into stored nights, and judged as nights are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitoring.bands import Bands
from monitoring.incidents import nights_apart, unfold
from monitoring.planted import Change, change_of, planted
from monitoring.records import ALL_ROWS, OF, Finding, Measure
from monitoring.replayed import History, Replay, judge, until
from monitoring.series import RATIOS
from monitoring.shifted import Shift, is_known, mature_rows, shift_of, shifted
from monitoring.verdicts.incidents import Key
from services.model import Service

Subject = tuple[Measure, str, int]
"""Measure, feature and the place of the slice: what is changed."""
TOLD: tuple[Measure, ...] = ("outcome", *RATIOS)
"""What is changed in the numbers of a night, not in its counts."""
TIMES = (1, 2, 4)
"""A change is so many floors large: as small as is worth telling, and what must be plain."""
WITHIN = 7
"""Nights that it lasts."""
MOST_STARTS = 3
REPLAYS = 14
"""Nights that one key and start take, with all sizes, on the average: what is found early is not looked at again."""
RECENT = 28
"""A change begins on one of so many last nights, where the bank is as full as it will be."""


@dataclass(frozen=True)
class Delay:
    """What became of one change, from each of a few nights on.

    Attributes:
        slice: dimension and value with `records.OF` between; empty for all rows.
        floor: of the service file, in `unit`; the change is `times` as large.
        within: nights that were looked at.
        late: nights after its own on which the measure is told; nights are counted from there.
        seen: nights until the first finding, 1 for the very night, for each start; None where there was none.
        told: nights until an incident was open; None where none was.
        pages: whether that incident has a message of its own; else it is a line in the morning.
    """

    measure: str
    feature: str
    slice: str
    floor: float
    unit: str
    times: int
    within: int
    seen: tuple[int | None, ...]
    told: tuple[int | None, ...]
    pages: bool
    late: int = 0


def keys_of(service: Service, history: History) -> tuple[Subject, ...]:
    """What is changed, at most fifteen, what users feel first; of features the busiest one of each kind.

    Over all rows, in a slice of middle size, and in the smallest one that has rows enough for a verdict; the outcome in
    the first two, and one of the other numbers over all rows.
    """
    counted, told = _counted(service, history), _told(service, history)
    return (
        *told[:1],
        *(each for each in counted if not each[2]),
        *told[1:],
        *(each for each in counted if each[2]),
    )


def _counted(service: Service, history: History) -> tuple[Subject, ...]:
    columns = [each for each in history.layout if each.column != "status"]
    busiest = [name for kind in ("number", "category") if (name := _busiest(history, columns, kind))]
    features: list[tuple[Measure, str]] = [("distribution", name) for name in busiest]
    own: list[tuple[Measure, str]] = [*features]
    if "prediction" in {each.column for each in columns} - set(busiest):
        own.append(("distribution", "prediction"))
    if busiest:
        own.append(("null_share", busiest[0]))
    errors: list[tuple[Measure, str]] = [("errors", "")] if len(columns) < len(history.layout) else []
    whole: list[tuple[Measure, str]] = [*own, *errors, ("volume", "")] if history.layout else []
    found = [(measure, feature, 0) for measure, feature in whole]
    for slot in _slots(service, history):
        found += [(measure, feature, slot) for measure, feature in (*features, *errors)]
    return tuple(found)


def _told(service: Service, history: History) -> tuple[Subject, ...]:
    """The outcome and one ratio over all rows, and the outcome in a slice of middle size."""
    last = max(history.judged, default=0)

    def known(measure: Measure, slot: int = 0) -> bool:
        return any(is_known(history, measure, slot, n) for n in history.judged if n > last - RECENT)

    found: list[Subject] = [("outcome", "", 0)] if known("outcome") else []
    ratio = next((measure for measure in RATIOS if known(measure)), None)
    found += [(ratio, "", 0)] if ratio else []
    rows = mature_rows(history) if found else {}
    enough = sorted((slot for slot in rows if rows[slot] >= service.enough.rows), key=lambda n: (-rows[n], n))
    enough = [slot for slot in enough if known("outcome", slot)]
    middle: list[Subject] = [("outcome", "", enough[len(enough) // 2])] if enough else []
    return (*found, *middle)


def starts_of(history: History, base: Replay) -> tuple[int, ...]:
    """Nights on which a change begins, a few days apart: where least moved by itself, else the latest.

    Where numbers are known on some of them, on these: a change of an outcome cannot begin before there is one.
    """
    judged = [n for n in history.judged if history.dates[n] in base.moved]
    full = [n for n in judged if n + WITHIN <= len(history.dates)]
    for measure in TOLD:
        full = [n for n in full if is_known(history, measure, 0, n)] or full
    if not full:
        return tuple(judged[:1])

    def calm(start: int) -> tuple[int, int]:
        days = history.dates[max(start - 2, 0) : start + WITHIN]
        return sum(len(base.moved.get(day, ())) for day in days), -start

    found: list[int] = []
    for start in sorted(full[-RECENT:], key=calm):
        if len(found) < MOST_STARTS and all(abs(start - other) > 1 for other in found):
            found.append(start)
    return tuple(sorted(found))


def delays(
    service: Service,
    history: History,
    base: Replay,
    keys: Sequence[Subject],
    starts: Sequence[int],
) -> tuple[tuple[Delay, ...], int]:
    """Every change that can be made so large, and how many nights were judged for it.

    Args:
        base: the same nights as they were.
    """
    known = {
        (each.measure, each.feature, each.slice): each
        for night in sorted(base.findings)
        for each in base.findings[night]
    }
    found, replays = [], 0
    for measure, feature, slot in keys:
        finding = known.get((measure, feature, history.slices[slot]))
        if finding is None or finding.floor is None:
            continue
        for times in TIMES:
            tries = []
            for start in starts:
                change = _change(history, (measure, feature, slot), start, times * finding.floor)
                if change is not None:
                    tries.append(_Try(service, history, base, _key(finding), change, start))
            runs = [each.run() for each in tries]
            replays += sum(each.nights for each in runs)
            if runs:
                late = history.delay if measure == "outcome" else 0
                found.append(_delay(finding, times, tries, runs, late))
    return tuple(found), replays


def _change(history: History, key: Subject, start: int, effect: float) -> Change | Shift | None:
    measure, feature, slot = key
    if measure in TOLD:
        known = is_known(history, measure, slot, start)
        return shift_of(history, measure, slot, start, effect) if known else None
    usual = history.counts[history.since(start) : start, slot].sum(axis=0).astype(np.float64)
    return change_of(history.layout, measure, feature, slot, usual, effect)


@dataclass(frozen=True)
class _Run:
    """What one start came to, and how many nights were judged for it."""

    seen: int | None
    told: int | None
    pages: bool
    nights: int


@dataclass(frozen=True)
class _Try:
    """One change from one night on."""

    service: Service
    history: History
    base: Replay
    key: Key
    change: Change | Shift
    start: int

    @property
    def places(self) -> range:
        """The nights that it lasts."""
        return range(self.start, min(self.start + WITHIN, len(self.history.dates)))

    def run(self) -> _Run:
        """Judge its nights until an incident is open."""
        history, service = self._changed(), self.service
        moved = until(self.base.moved, history.dates[self.start])
        lines = unfold(service, moved).lines
        seen = None
        for n, place in enumerate(self.places, 1):
            night = history.dates[place]
            moved[night] = judge(service, history, history.counts, place, nights_apart(lines, night)).moved
            lines = unfold(service, moved).lines
            if any(each.key == self.key for each in moved[night]):
                seen = seen or n
                mine = [each for each in lines if each.is_tonight and self.key in each.keys]
                if mine:
                    return _Run(seen, n, any(each.speaks for each in mine), n)
        return _Run(seen, None, False, len(self.places))

    def _changed(self) -> History:
        history, change = self.history, self.change
        if isinstance(change, Shift):
            return shifted(change, history, self.places)
        counts, lasts = history.counts.copy(), slice(self.places.start, self.places.stop)
        counts[lasts] = planted(change, counts[lasts], history.slices, history.layout)
        return replace(history, counts=counts)


def _delay(finding: Finding, times: int, tries: Sequence[_Try], runs: Sequence[_Run], late: int) -> Delay:
    assert finding.floor is not None
    return Delay(
        finding.measure,
        finding.feature,
        _key(finding).slice,
        finding.floor,
        finding.unit,
        times,
        within=min(len(each.places) for each in tries),
        seen=tuple(each.seen for each in runs),
        told=tuple(each.told for each in runs),
        pages=any(each.pages for each in runs),
        late=late,
    )


def _key(finding: Finding) -> Key:
    where = finding.slice
    return Key(
        finding.measure, finding.feature, "" if where == ALL_ROWS else f"{where.dimension}{OF}{where.value}"
    )


def _busiest(history: History, columns: Sequence[Bands], kind: str) -> str:
    """The feature of a kind with the most values; the prediction is one where there is no other."""
    start, found = 0, {}
    for each in history.layout:
        if each in columns and each.kind == kind:
            own = history.counts[:, 0, start : start + each.size - 1]
            found[each.column] = (each.column != "prediction", int(own.sum()))
        start += each.size
    return max(sorted(found), key=lambda name: found[name], default="")


def _slots(service: Service, history: History) -> Iterator[int]:
    """A slice of middle size and the smallest one, among those with rows enough for a verdict."""
    rows = rows_of(history)
    enough = [
        slot
        for slot in sorted(range(1, len(rows)), key=lambda n: (-rows[n], n))
        if rows[slot] >= service.enough.rows
    ]
    yield from dict.fromkeys((enough[len(enough) // 2], enough[-1])) if enough else ()


def rows_of(history: History) -> list[float]:
    """Rows of each slice on a usual night."""
    found, start = np.zeros(history.counts.shape[:2]), 0
    for each in history.layout:
        found = np.maximum(found, history.counts[..., start : start + each.size].sum(axis=-1))
        start += each.size
    return [float(each) for each in np.median(found, axis=0)]
