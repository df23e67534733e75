"""`make demo`: real flights become a production log, and ronda makes its rounds over them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console

from demo.flight_delay import write_logs
from monitoring.freeze import freeze
from ronda import chosen, nights, released
from ronda.progress import shown
from services.home import home_from
from services.window import nights_between, window_between
from store.watch import Watch, open_watch

SERVICE, MODEL_VERSION = "flight_delay", "2013-03-31"
TRAINED = date(2013, 1, 1), date(2013, 3, 31)
PAST = date(2013, 5, 4), date(2013, 5, 31)  # the 28 nights that the first one is held against
NIGHTS = date(2013, 6, 1), date(2013, 7, 15)
RELEASED = date(2013, 6, 1), date(2013, 7, 14)  # the outcomes of the last night are not known yet


def main() -> None:
    """Build the log, freeze the reference, run the nights, release a dataset, and say where everything is."""
    root = Path(__file__).resolve().parent.parent
    os.environ.setdefault("RONDA_HOME", str(root))
    os.environ.setdefault("FLIGHTS_URL", str(root / "var" / "demo" / "flights"))
    screen = Console(highlight=False, soft_wrap=True)
    with _timed(screen, "1. The production log: every flight out of New York in 2013"):
        screen.print(
            f"   {write_logs(Path(os.environ['FLIGHTS_URL']), progress=lambda said: screen.print(f'   {said}'))}"
        )
    watch = open_watch(SERVICE, home_from())
    with _timed(screen, "2. The reference: what the model was trained on, January to March"):
        made = freeze(watch, MODEL_VERSION, window_between(*TRAINED, watch.service.time_zone), _clock())
        screen.print(chosen.text(made, watch.service.time_zone))
    with _timed(screen, "3. Twenty-eight nights of history, 4 to 31 May"):
        _round(watch, *PAST)
    with _timed(screen, "4. The nights, 1 June to 15 July"):
        done = _round(watch, *NIGHTS)
    with _timed(screen, "5. The dataset for the next training"):
        release = released.make(watch, window_between(*RELEASED, watch.service.time_zone), _clock())
        screen.print(released.text(watch, release))
    spoke = [
        each.night.isoformat() for each in done if each.written and each.written.row.standing == "changed"
    ]
    screen.print(f"\n{len(done)} nights. These stood out: {', '.join(spoke) or 'none'}.")
    screen.print(f"Open {nights.place(watch, nights.finish(watch))} in a browser.")


def _round(watch: Watch, first: date, last: date) -> list[nights.Round]:
    wanted = list(nights_between(first, last, watch.service.time_zone))
    with shown(SERVICE, len(wanted), quiet=False) as told:
        done = nights.go_round(watch, wanted, _clock, told)
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
