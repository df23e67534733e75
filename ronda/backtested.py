"""What a backtest came to, for a person: four short paragraphs with their tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from statistics import median_high

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitoring import text
from monitoring.backtest import Backtest, Raised, plain
from monitoring.backtesting import record_backtest
from monitoring.delays import Delay
from monitoring.incident import slice_of
from monitoring.quieter import Beyond, Quieter, Unheld
from monitoring.verdicts.incidents import Key
from ronda.backtest_lines import counted, in_floors, name_of, place_of, said
from services.errors import UsageError
from store.canonical import canonical_json
from store.watch import Watch

MOST_ROWS = 12
"""Rows of a table that are shown; the rest are counted, and kept in the state."""
PLAIN = 4
"""A floor raised so many times hides what is told as plain now."""
_UNITS = {"js": "", "sd": " sd", "share": " points", "ratio": ""}


def nothing_yet(service: str) -> str:
    """What is said while there is no history."""
    return (
        f"{service}: there is no history to replay yet; a backtest takes eight nights on the grids of the reference. "
        "Nothing was recorded. The first seven nights arrive in the morning's message, as what would have been said; "
        f"then incidents have messages of their own. With a longer log: ronda reference {service} --from … --to …"
    )


def show(watch: Watch, now: datetime, day: datetime | None, *, as_json: bool) -> None:
    """Make a service's backtest, record it, and print it; see `monitoring.backtesting.record_backtest`.

    Raises:
        UsageError: a night was named.
    """
    if day is not None:
        raise UsageError("--backtest replays all nights that are stored: give it alone, or with --json.")
    service, found = watch.service.service, record_backtest(watch, now)
    if as_json:
        none = {"service": service, "nights": 0, "said": nothing_yet(service)}
        print(json.dumps(json.loads(canonical_json(plain(found) if found else none)), indent=2))
    else:
        shown = as_tables(found) if found else Text(nothing_yet(service))
        Console(highlight=False).print(shown)


def as_text(found: Backtest, width: int = 100) -> str:
    """The same as `as_tables` without colours, for files, pipes and tests."""
    console = Console(width=width, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as captured:
        console.print(as_tables(found))
    return captured.get()


def as_tables(found: Backtest) -> RenderableType:
    """What would have been said, how long changes go unnoticed, what can be seen, and which floors to change."""
    parts = [*_raised(found), *_delays(found), *_sights(found), *_floors(found)]
    return Group(*parts, Text(f"Recorded. {counted(found.replays, 'night')} judged in all.", style="dim"))


def _raised(found: Backtest) -> list[RenderableType]:
    minor = len(found.raised) - len(found.pages)
    more = (
        f" {counted(minor, 'change')} of inputs alone would have been told in the morning." if minor else ""
    )
    table = _table("seen", "what", "where", "how far", "told")
    shown = sorted(found.raised, key=lambda each: (not each.is_page, each.first))
    for each in shown[:MOST_ROWS]:
        table.add_row(*map(_safe, (_days(each), name_of(each.measure, each.feature), place_of(each.slice),
                                   _far(each), each.severity if each.is_page else "morning")))  # fmt: skip
    return [_heading("What would have been said"), Text(said(found) + more), *_shown(table, len(shown))]


def _delays(found: Backtest) -> list[RenderableType]:
    if not found.delays:
        return []
    within = min(each.within for each in found.delays)
    lead = (
        f"Changes put into the stored nights from {', '.join(map(str, found.starts))} on: nights until an incident is "
        f"open, the middle one of the starts; 1 is the very night."
    )
    late = max(each.late for each in found.delays)
    if late:
        lead += (
            f" The outcome is told {counted(late, 'night')} after its own: of it 1 is the first night on which the "
            "change could be told."
        )
    table = _table("what", "where", "floor", "1 floor", "2 floors", "4 floors")
    for (measure, feature, where), own in groupby(
        found.delays, key=lambda each: (each.measure, each.feature, each.slice)
    ):
        sizes = {each.times: each for each in own}
        first = next(iter(sizes.values()))
        cells = [_delay(sizes.get(times), within) for times in (1, 2, 4)]
        place = slice_of(Key("", "", where))
        table.add_row(*map(_safe, (name_of(measure, feature), place_of(place), _amount(first.floor, first.unit), *cells)))  # fmt: skip
    return [Text(), _heading("How long a change goes unnoticed"), Text(lead), table]


def _sights(found: Backtest) -> list[RenderableType]:
    lead = (
        "The smallest change of a feature that three nights of four would show, in floors, the middle one of the "
        "features; above 4 a quiet night is inconclusive."
    )
    few = len(found.sights) - len(found.usual_sights)
    if few:
        lead += (
            f" {counted(few, 'slice')} with fewer than {found.enough:,} requests on a usual night left out."
        )
    table = _table("where", "requests a night", "smallest visible")
    for each in found.usual_sights[:MOST_ROWS]:
        table.add_row(
            *map(_safe, (place_of(each.slice), text.count("en", each.rows), in_floors(each.floors)))
        )
    return [Text(), _heading("What can be seen"), Text(lead), *_shown(table, len(found.usual_sights))]


def _floors(found: Backtest) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(), _heading("Which floors to change")]
    if not found.quieter and not found.beyond and not found.unheld:
        return [*parts, Text("None: nothing was raised, and four floors would be seen everywhere.")]
    if found.quieter:
        left = len(found.left)
        rest = (
            "nothing would have been raised"
            if not left
            else f"{counted(left, 'incident')} would still have been raised"
        )
        parts.append(Text(f"Only if those nights were ordinary: with these floors {rest}."))
        table = _table("in the service file", "now", "then", "silences what began", "")
        for floor in found.quieter:
            table.add_row(*map(_safe, _quieter(floor)))
        parts.append(table)
    if found.beyond:
        parts.append(
            Text(
                "An incident seems to lie in these nights: this went too far for a floor to be proposed. If it was one, "
                "leave the floors as they are."
            )
        )
        table = _table("night", "what", "where")
        for far in found.beyond[:MOST_ROWS]:
            table.add_row(*map(_safe, _beyond(far)))
        parts += _shown(table, len(found.beyond))
    if found.unheld:
        parts.append(
            Text(
                f"{found.unheld_in_all} of {counted(found.unheld_of, 'measure')} cannot hold their floor: more than four "
                "floors may pass unseen. What can be held there is in the last column; or watch fewer slices."
            )
        )
        table = _table("what", "where", "floor", "seen from")
        for dim in found.unheld[:MOST_ROWS]:
            table.add_row(*map(_safe, _unheld(dim)))
        parts += _shown(table, found.unheld_in_all)
    return parts


def _quieter(floor: Quieter) -> Iterable[str]:
    days = [str(day) for day in floor.silences]
    shown = ", ".join(days[:3]) + (f" and {len(days) - 3} more" if len(days) > 3 else "")
    hides = (
        "hides what is plain now: look at these nights first" if floor.proposed > PLAIN * floor.now else ""
    )
    return floor.setting, f"{floor.now:g}", f"{floor.proposed:g}", shown, hides


def _beyond(far: Beyond) -> Iterable[str]:
    return str(far.night), name_of(far.measure, far.feature), place_of(far.slice)


def _unheld(dim: Unheld) -> Iterable[str]:
    seen = "nothing yet" if dim.visible is None else _amount(dim.visible, dim.unit)
    return name_of(dim.measure, dim.feature), place_of(dim.slice), _amount(dim.floor, dim.unit), seen


def _delay(each: Delay | None, within: int) -> str:
    """The middle start's nights, and of how many starts it was told at all."""
    if each is None:
        return "cannot be so far"
    known = [night for night in each.told if night is not None]
    if not known:
        return f"not in {within}"
    some = "" if len(known) == len(each.told) else f", {len(known)} of {len(each.told)}"
    return f"{median_high(known)}{some}{'' if each.pages else ', morning'}"


def _amount(value: float, unit: str) -> str:
    """An effect in its unit.

    >>> _amount(0.02, "share"), _amount(0.1, "sd"), _amount(0.2, "ratio")
    ('2 points', '0.1 sd', '20 %')
    """
    if unit == "share":
        return f"{100 * value:.3g} points"
    return f"{100 * value:.3g} %" if unit == "ratio" else f"{value:.2g}{_UNITS.get(unit, '')}"


def _far(each: Raised) -> str:
    up = "" if each.measure == "distribution" else ("up " if each.up else "down ")
    return f"{up}{each.floors:.1f} floors"


def _days(each: Raised) -> str:
    return (
        str(each.first) if each.first == each.last else f"{each.first} to {each.last}, {each.nights} nights"
    )


def _heading(said: str) -> Text:
    return Text(said, style="bold")


def _table(*headings: str) -> Table:
    table = Table(show_edge=False, pad_edge=False, box=None, header_style="dim", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _shown(table: Table, many: int) -> Sequence[RenderableType]:
    if not many:
        return ()
    rest = many - table.row_count
    return (table, Text(f"… and {rest} more", style="dim")) if rest > 0 else (table,)


def _safe(cell: str) -> Text:
    """User text is shown as it is, never read as markup."""
    return Text(text.short(cell, 100))
