"""`make demo`: real flights become a production log, and ronda makes its rounds over them."""

from __future__ import annotations

import html
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console

from demo.flight_delay import write_logs
from monitoring.alert import Deliveries
from monitoring.freeze import freeze
from monitoring.standing import LOUD
from monitoring.thread_rows import key_of
from rollout.retrain import retrain
from rollout.shown import text as shown_model
from ronda import chosen, nights, released, sending
from ronda.progress import shown
from services.home import home_from
from services.window import nights_between, window_between
from store.incidents import incidents_of
from store.ledger import nights_of
from store.outbox import thread_of
from store.state import reading
from store.watch import Watch, open_watch

SERVICE, MODEL_VERSION = "flight_delay", "2013-03-31"
TRAINED = date(2013, 1, 1), date(2013, 3, 31)
PAST = date(2013, 5, 4), date(2013, 5, 31)  # the 28 nights that the first one is held against
NIGHTS = date(2013, 6, 1), date(2013, 7, 15)
SHOWN = date(2013, 7, 2)  # tells the outcome of 1 July
RELEASED = date(2013, 6, 1), date(2013, 7, 14)  # the outcomes of the last night are not known yet


def main() -> None:
    """Build the log, freeze the reference, run the nights, tell, release, retrain, and say where everything is."""
    set_defaults()
    screen = Console(highlight=False, soft_wrap=True)
    watch = prepare(screen, *PAST)
    sent = Deliveries()
    with _timed(screen, "4. The nights, 1 June to 15 July"):
        done = _round(watch, *NIGHTS, sent=sent)
    with _timed(screen, "5. The messages"):
        _show(watch, sent, screen)
    with _timed(screen, "6. The dataset for the next training"):
        release = released.make(watch, window_between(*RELEASED, watch.service.time_zone), _clock())
        screen.print(released.text(watch, release))
    with _timed(screen, "7. A model made of it, held against the one that served"):
        made = retrain(watch, release.row.version, _clock(), code_commit=released.code_commit())
        screen.print(shown_model(made), markup=False)
    spoke = [each.night.isoformat() for each in done if each.written and each.written.row.standing in LOUD]
    screen.print(f"\n{len(done)} nights. {len(spoke)} of them spoke: {', '.join(spoke) or 'none'}.")
    screen.print(f"Open {nights.place(watch, nights.finish(watch))} in a browser.")


def _show(watch: Watch, sent: Deliveries, screen: Console) -> None:
    """Count what the nights had to say (in files, where no token is set), and show what was said of `SHOWN`."""
    states = Counter(f"{each.kind}, {each.state}" for each in sent)
    screen.print(f"   {', '.join(f'{n} × {state}' for state, n in states.items()) or 'nothing new to say'}")
    undelivered = [
        line for line in sending.lines(sent) if not line.startswith(("Message sent", "Message written"))
    ]
    for line in undelivered:
        screen.print(line, markup=False)
    said = _said(watch)
    if said:
        blocks = json.loads(said)["blocks"]
        screen.print("\n\n".join(html.unescape(block["text"]["text"]) for block in blocks), markup=False)
        screen.print(f"   How it looks in Slack: {watch.home.outbox}", markup=False)


def _said(watch: Watch) -> str:
    """What was said of `SHOWN`, by the incident that users felt; empty if nothing was."""
    with reading(watch.state) as connection:
        rows = sorted(incidents_of(connection, SERVICE), key=lambda each: each.measure != "outcome")
        threads = [thread_of(connection, key_of(SERVICE, each.number)) for each in rows]
    said = [each for thread in threads for each in thread if each.action in {"post", "update"}]
    return next((each.payload for each in said if each.night == SHOWN), "")


def set_defaults() -> None:
    """Where the demo's home and log are, unless the environment says so."""
    root = Path(__file__).resolve().parent.parent
    os.environ.setdefault("RONDA_HOME", str(root))
    os.environ.setdefault("FLIGHTS_URL", str(root / "var" / "demo" / "flights"))


def prepare(screen: Console, first: date, last: date, *, again: bool = True) -> Watch:
    """The first three steps: the log, the reference, and the nights of history; gives the service under watch.

    Args:
        again: whether nights that are recorded are run once more, in case something changed.
    """
    with _timed(screen, "1. The production log: every flight out of New York in 2013"):
        screen.print(
            f"   {write_logs(Path(os.environ['FLIGHTS_URL']), progress=lambda said: screen.print(f'   {said}'))}"
        )
    watch = open_watch(SERVICE, home_from())
    with _timed(screen, "2. The reference: what the model was trained on, January to March"):
        made = freeze(watch, MODEL_VERSION, window_between(*TRAINED, watch.service.time_zone), _clock())
        screen.print(chosen.text(made, watch.service.time_zone))
    with _timed(screen, f"3. {(last - first).days + 1} nights of history, {first:%-d %b} to {last:%-d %b}"):
        _round(watch, first, last, again=again)
    return watch


def _round(
    watch: Watch, first: date, last: date, *, again: bool = True, sent: Deliveries | None = None
) -> list[nights.Round]:
    """Judge nights, and tell of each before the next one, as happens night by night.

    Args:
        sent: what was told is added to it; None tells nothing.
    """
    with reading(watch.state) as connection:
        known = set() if again else {row.night for row in nights_of(connection, SERVICE)}
    wanted = [
        night for night in nights_between(first, last, watch.service.time_zone) if night.date not in known
    ]
    done: list[nights.Round] = []
    with shown(SERVICE, len(wanted), quiet=False) as told:
        for night in wanted:
            done += nights.go_round(watch, [night], _clock, told, tell=sent is not None)
            if sent is not None:
                sent += sending.send(watch.state, watch.lake, watch.home, _clock)
    errors = [each.error for each in done if each.error is not None]
    if errors:
        raise errors[0]
    return done


@contextmanager
def _timed(screen: Console, title: str) -> Iterator[None]:
    screen.print(f"\n[bold]{title}[/]")
    began = time.perf_counter()
    yield
    screen.print(f"   [dim]{time.perf_counter() - began:.0f} s[/]")


def _clock() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
