"""The parts of a round, each run alone: by the command line one after the other, in Airflow as tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
from services.home import home_from
from services.window import Night, Window
from store.releases import ReleaseRow, releases_of
from store.state import reading, writing
from store.troubles import TroubleRow, note_trouble
from store.watch import Watch, open_watch

Clock = Callable[[], datetime]


def begin(
    name: str, context: Mapping[str, Any], connection: Callable[[str], str] | None = None
) -> tuple[Watch, Night]:
    """The service under watch and the night that a run is for.

    Args:
        name: the service's.
        context: of the task; see `ronda.partition.night_in`.
        connection: gives the URL of one of Airflow's connections.

    Raises:
        RondaError: the service file is wrong, the run has no night, or state or lake cannot be opened.
    """
    watch = open_watch(name, home_from(), connection)
    return watch, night_in(context, watch.service)


def mature(watch: Watch, night: Night, clock: Clock) -> Matured | None:
    """Make the outcomes that become old enough with a night; see `feedback.night.mature`.

    Raises:
        RondaError: it is noted as the night's trouble, unless it is that the night is not over.
    """
    refuse_unfinished(watch.service.service, night, clock())
    with _noting(watch, night, clock):
        return feedback.night.mature(watch, night, clock())


def judge(watch: Watch, night: Night, clock: Clock, *, tell: bool = True) -> Written:
    """Judge a night and record it; see `monitoring.night.run`.

    Raises:
        RondaError: it is noted as the night's trouble, unless it is that the night is not over.
    """
    # before the noting: who tries a night too early must not leave a reason for its being late
    refuse_unfinished(watch.service.service, night, clock())
    with _noting(watch, night, clock):
        return monitoring.night.run(watch, night, clock(), tell=tell)


@contextmanager
def _noting(watch: Watch, night: Night, clock: Clock) -> Iterator[None]:
    """Keep what went wrong with a night: it is the reason given when the night is told to be late."""
    try:
        yield
    except RondaError as error:
        _note(watch, night, type(error).__name__, str(error), clock())
        raise
    except Exception as error:
        # its words are kept nowhere: a library's error may quote what users wrote
        said = f"{watch.service.service}, {night.name}: the run broke off ({type(error).__name__}). Its log says where."
        _note(watch, night, type(error).__name__, said, clock())
        raise


def _note(watch: Watch, night: Night, kind: str, message: str, at: datetime) -> None:
    row = TroubleRow(watch.service.service, night.date, kind, message, at)
    with suppress(StateError), writing(watch.state) as connection:  # the first error is the one to tell
        note_trouble(connection, row)


def release_of(watch: Watch, window: Window) -> ReleaseRow:
    """The newest dataset of exactly these nights.

    Raises:
        NightError: there is none.
    """
    service = watch.service.service
    with reading(watch.state) as connection:
        found = [
            row
            for row in releases_of(connection, service)
            if (row.window_start, row.window_end) == (window.start, window.end)
        ]
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
