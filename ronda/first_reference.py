"""The first reference of a service, of its own last nights: what `ronda init` freezes and replays, if the log allows it.

It bears no model version of the log, so that whatever is frozen by hand takes its place, whichever version that names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.freeze import freeze
from ronda import backtest_lines, chosen
from ronda.init import REFERENCE_NIGHTS, Started
from services.errors import RondaError
from services.home import Home
from services.read import read_service
from services.window import window_between
from store.inspect import QUARTER, by_quarter
from store.lake import open_lake
from store.ledger import nights_since
from store.query import REQUESTS
from store.references import ReferenceRow, latest_reference
from store.state import open_state, reading
from store.watch import Watch

VERSION = "init"
"""What its model version is called."""
REASON = "ronda init was run again"
BACK = timedelta(days=56)
"""The nights it is made of lie within so many days before the newest one."""
MOST_VALUES = 270_000_000
"""What is read of these nights in about half a minute, requests times columns."""
NIGHT_ROWS = 120_000
"""A night takes as long as so many requests, however few it has."""


@dataclass(frozen=True)
class First:
    """What became of it.

    Attributes:
        said: the reference and its backtest as `ronda reference` shows them, or one sentence on why there is none; whole
            lines.
        made: whether there is one now.
    """

    said: str
    made: bool


def first_reference(started: Started, home: Home, clock: Callable[[], datetime], *, wanted: bool) -> First:
    """Freeze a reference of the newest nights of a log, and replay them; about a minute's work at most.

    What keeps it from being made is said, not raised: the files are written, and good.

    Args:
        wanted: else nothing is done and nothing said.
    """
    if not wanted:
        return First("", made=False)
    try:
        service = read_service(started.service, home)
        watch = Watch(service, home, open_state(home.state_url), open_lake(home.lake_url), started.url)
        earlier = _earlier(watch)
        if earlier is not None and not is_unused(watch):
            return _none(started, "the state knows one of a service with this name already.")
        nights, columns = _nights(watch, started.newest) if started.newest else ({}, 0)
        refused = _refused(nights, columns)
        if refused:
            return _none(started, refused)
        window = window_between(min(nights), max(nights), service.time_zone)
        reason = "" if earlier is None else REASON
        made = freeze(watch, VERSION, window, clock(), own_traffic=True, reason=reason, new_grids=True)
    except RondaError as error:
        return _none(started, str(error))
    said = chosen.text(made, service.time_zone)
    try:
        return First(f"{said}\n{backtest_lines.in_passing(watch, clock())}\n", made=True)
    except RondaError as error:
        return First(
            f"{said}\n  backtest   none: {error} Later: ronda check {started.service} --backtest\n", made=True
        )


def is_unused(watch: Watch) -> bool:
    """Whether the last reference is the one that `init` made, and no night was compared with it yet.

    Another one then chooses its own cells: there are no scores that should stay comparable.
    """
    row = _earlier(watch)
    if row is None or row.model_version != VERSION:
        return False
    with reading(watch.state) as connection:
        nights = nights_since(connection, watch.service.service, date.min, date.max)
    return not any(each.reference_id == row.id for each in nights)


def _earlier(watch: Watch) -> ReferenceRow | None:
    with reading(watch.state) as connection:
        return latest_reference(connection, watch.service.service)


def _nights(watch: Watch, newest: date) -> tuple[dict[date, int], int]:
    """Requests of the last nights that have any, and columns; the newest night is left out: it may not be over."""
    zone = watch.service.time_zone
    window = window_between(newest - BACK, newest - timedelta(days=1), zone)
    with watch.source({REQUESTS: window}) as source:
        columns, quarters = source.columns(REQUESTS), source.fetch(by_quarter(REQUESTS, window)).to_pylist()
    found: dict[date, int] = {}
    for each in quarters:
        night = datetime.fromtimestamp(int(each["quarter"]) * QUARTER, UTC).astimezone(ZoneInfo(zone)).date()
        found[night] = found.get(night, 0) + int(each["rows"])
    return {night: found[night] for night in sorted(found)[-REFERENCE_NIGHTS:]}, len(columns)


def _refused(nights: Mapping[date, int], columns: int) -> str:
    """Why these nights are not made a reference; empty if they are."""
    if len(nights) < REFERENCE_NIGHTS:
        return (
            f"it takes {REFERENCE_NIGHTS} nights with requests in the {BACK.days} days before the newest one, and the log "
            f"has {len(nights)}."
        )
    rows = sum(nights.values())
    if columns * (rows + NIGHT_ROWS * len(nights)) > MOST_VALUES:
        return (
            f"the last {REFERENCE_NIGHTS} nights hold {rows:,} requests of {columns:,} columns, and to read them takes more "
            "than a minute."
        )
    return ""


def _none(started: Started, why: str) -> First:
    return First(f"No reference was made: {why} Later: {started.reference}\n", made=False)
