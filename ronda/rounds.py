"""The parts of a round, each run alone: by the command line one after the other, in Airflow as tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import feedback.night
import monitoring.night
from feedback.records import Matured
from monitoring.night import refuse_unfinished
from monitoring.record import Written
from ronda.partition import night_in
from services.errors import NightError, RondaError, StateError
from services.home import Home, home_from
from services.model import Service
from services.read import read_service
from services.window import Night, Window
from store.releases import ReleaseRow, releases_of
from store.state import State, open_state, reading, writing
from store.troubles import TroubleRow, note_trouble
from store.watch import Watch, watch_over

Clock = Callable[[], datetime]


def begin(
    name: str, context: Mapping[str, Any], clock: Clock, connection: Callable[[str], str] | None = None
) -> tuple[Watch, Night]:
    """The service under watch and the night that a run is for.

    Args:
        name: the service's.
        context: of the task; see `ronda.partition.night_in`.
        connection: gives the URL of one of Airflow's connections.

    Raises:
        RondaError: the service file is wrong, the run has no night, or source, state or lake cannot be opened.
    """
    home = home_from()
    service = read_service(name, home)
    night = night_in(context, service)
    return watched(service, home, [night], clock, connection), night


def watched(
    service: Service,
    home: Home,
    nights: Sequence[Night],
    clock: Clock,
    connection: Callable[[str], str] | None = None,
) -> Watch:
    """A service under watch, for some nights.

    Raises:
        SourceError: its source is named by something that is not set; noted as the trouble of those of the nights
            that are over.
        StateError: state or lake cannot be opened.
    """
    state = open_state(home.state_url)
    over = [night for night in nights if night.end <= clock()]
    with _noting(state, service, over, clock):
        return watch_over(service, home, state, connection)


def mature(watch: Watch, night: Night, clock: Clock) -> Matured | None:
    """Make the outcomes that become old enough with a night; see `feedback.night.mature`.

    Raises:
        RondaError: it is noted as the night's trouble, unless it is that the night is not over.
    """
    refuse_unfinished(watch.service.service, night, clock())
    with _noting(watch.state, watch.service, [night], clock):
        return feedback.night.mature(watch, night, clock())


def judge(watch: Watch, night: Night, clock: Clock, *, tell: bool = True) -> Written:
    """Judge a night and record it; see `monitoring.night.run`.

    Raises:
        RondaError: it is noted as the night's trouble, unless it is that the night is not over.
    """
    # before the noting: who tries a night too early must not leave a reason for its being late
    refuse_unfinished(watch.service.service, night, clock())
    with _noting(watch.state, watch.service, [night], clock):
        return monitoring.night.run(watch, night, clock(), tell=tell)


@contextmanager
def _noting(state: State, service: Service, nights: Sequence[Night], clock: Clock) -> Iterator[None]:
    """Keep what went wrong with some nights: it is the reason given when one of them is told to be late."""
    try:
        yield
    except Exception as error:
        kind, known = type(error).__name__, isinstance(error, RondaError)
        for night in nights:
            # a library's own words are kept nowhere: they may quote what users wrote
            broke_off = f"{service.service}, {night.name}: the run broke off ({kind}). Its log says where."
            _note(
                state,
                TroubleRow(service.service, night.date, kind, str(error) if known else broke_off, clock()),
            )
        raise


def _note(state: State, row: TroubleRow) -> None:
    with suppress(StateError), writing(state) as connection:  # the first error is the one to tell
        note_trouble(connection, row)


def woken_by(events: Iterable[Any]) -> str:
    """The version of the newest dataset that events of Airflow name; empty if none does.

    Who wakes a run by hand, in Airflow's pages or by REST, makes an event that names no dataset.
    """
    given = [(event.extra or {}).get("version") for event in events]
    return next((each for each in reversed(given) if each and isinstance(each, str)), "")


def release_of(watch: Watch, window: Window, version: str = "") -> ReleaseRow:
    """The dataset of this version, or else the newest one of exactly these nights.

    Raises:
        NightError: there is none.
    """
    service = watch.service.service
    with reading(watch.state) as connection:
        known = releases_of(connection, service)
    if version:
        found = [row for row in known if row.version == version]
    else:
        found = [row for row in known if (row.window_start, row.window_end) == (window.start, window.end)]
    if version and not found:
        raise NightError(f"{service}: there is no dataset {version[:80]}, which this run was woken by.")
    if not found:
        raise NightError(
            f"{service}, {window.first} to {window.last}: there is no dataset of these nights. Make it first: "
            f"ronda release {service} --from {window.first} --to {window.last}"
        )
    return found[-1]


def plain_outcomes(night: Night, made: Matured | None) -> dict[str, Any]:
    """What `mature` came to, as counts and a path."""
    if made is None:
        return {"night": night.name, "outcomes_of": None}
    row = made.row
    return {
        "night": night.name,
        "outcomes_of": row.night.isoformat(),
        "is_new": made.is_new,
        "counts": dict(made.counts),
        "positive": row.positive,
        "path": row.path,
    }


def plain_night(written: Written) -> dict[str, Any]:
    """What `judge` came to, as counts and a path."""
    row = written.row
    return {
        "night": row.night.isoformat(),
        "revision": written.recorded.revision,
        "is_new": written.recorded.is_new,
        "standing": row.standing,
        "rows": row.rows_read,
        "kept": row.rows_kept,
        "page": row.page_path,
    }
