"""One round: outcomes mature first, then the night is judged, then the index is written anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from monitoring import snapshot
from monitoring.numbers import IN_SLICE
from monitoring.overview import write_index
from monitoring.record import Written
from ronda import rounds
from ronda.roster import services_on_watch
from services.errors import RondaError
from services.home import Home
from services.window import Night
from store.lake import Lake
from store.state import State
from store.watch import Watch


@dataclass(frozen=True)
class Round:
    """What one night came to: either it was written, or there is an error a person can mend."""

    service: str
    night: date
    written: Written | None
    error: RondaError | None = None


def go_round(
    watch: Watch,
    nights: Iterable[Night],
    clock: Callable[[], datetime],
    told: Callable[[Round], None],
    *,
    tell: bool = True,
) -> list[Round]:
    """Run some nights of a service in order. A night that cannot be judged is told, and the next ones still run.

    Args:
        clock: the time, for when a revision was made; the only clock of a round.
        told: called with each night as it is done.
        tell: whether what nights have to say is put into the outbox, from where `ronda.sending` sends it.
    """
    done: list[Round] = []
    for night in nights:
        try:
            rounds.mature(watch, night, clock)
            done.append(
                Round(watch.service.service, night.date, rounds.judge(watch, night, clock, tell=tell))
            )
        except RondaError as error:
            done.append(Round(watch.service.service, night.date, None, error))
        told(done[-1])
    return done


def finish(watch: Watch) -> str:
    """Write the index of all services that share this one's state and lake; returns its place in the lake."""
    return index_of(watch.home, watch.state, watch.lake)


def index_of(home: Home, state: State, lake: Lake) -> str:
    """Write the index of a home's services, in the language that most of them speak; see `finish`."""
    services, broken = services_on_watch(home)
    owners = {name: service.owner for name, service in services.items()}
    # one broken file must not keep the others from the index; the file's own night tells what is wrong
    owners |= {name: f"services/{name}.yaml cannot be read" for name in broken}
    zones = {name: service.time_zone for name, service in services.items()}
    spoken = Counter(service.language for service in services.values())
    return write_index(state, lake, owners, zones, max(spoken, key=lambda each: spoken[each], default="en"))


def plain(done: Round) -> dict[str, Any]:
    """A night's result for machines: counts, verdicts and paths, never rows or values of users."""
    head: dict[str, Any] = {"service": done.service, "night": done.night.isoformat()}
    if done.written is None:
        return head | {"error": str(done.error), "kind": type(done.error).__name__}
    judged, row = done.written.judged, done.written.row
    verdicts = [finding.verdict for finding in judged.findings]
    outcome = judged.past.outcome
    return head | {
        "revision": done.written.recorded.revision,
        "is_new": done.written.recorded.is_new,
        "standing": row.standing,
        "moved": row.moved,
        "rows_read": row.rows_read,
        "rows_kept": row.rows_kept,
        "counts": dict(judged.counted.reasons),
        "findings": {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))},
        "numbers": {
            number.name + (f".{number.subject}" if number.subject else ""): number.value
            for number in judged.numbers
            if not number.name.endswith(IN_SLICE)  # their subjects are values
        },
        "outcome": None
        if outcome is None
        else {"night": outcome.night.isoformat(), "mature": outcome.mature, "positive": outcome.positive},
        "reference": judged.reference_row.model_version,
        "page": row.page_path,
    }


def render_snapshots(watch: Watch, done: Iterable[Round]) -> None:
    """Render Evidently's own report of each night from its stored snapshot, where the night's page links to it."""
    for each in done:
        if each.written is not None:
            row = each.written.row
            payload = watch.lake.get(row.snapshot_path)
            if payload:  # empty when Evidently could compare no feature; the scores beside it say why
                path = f"pages/evidently/{row.service}/{row.night.isoformat()}.html"
                watch.lake.put(path, snapshot.render(payload))


def place(watch: Watch, path: str) -> str:
    """Where a file of the lake is, for a person: its path on this disk, or its name in the object store."""
    return f"{watch.lake.root}/{path}"
