"""Nine months of real flights, night by night: every message there would have been, for a person to agree with or not.

    python -m benchmarks.nine_months

The demonstration's service, with the first quarter of 2013 as its reference, judges the nights of April to December.
Takes about a quarter of an hour on two cores. What a person says of each message stands in `docs/nine-months.md`.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from demo.__main__ import MODEL_VERSION, SERVICE, TRAINED, set_defaults
from demo.flight_delay import write_logs
from monitoring.freeze import freeze
from ronda import nights
from ronda.progress import shown
from services.home import home_from
from services.window import nights_between, window_between
from store.incidents import IncidentRow, incidents_of
from store.state import reading
from store.watch import open_watch

NIGHTS = date(2013, 4, 1), date(2013, 12, 31)


def main() -> None:
    """Judge the nights in a folder of their own, which is removed in the end, and print the table."""
    with tempfile.TemporaryDirectory(prefix="ronda-nine-months-") as folder:
        os.environ |= {
            "RONDA_STATE": f"sqlite:///{folder}/ronda.db",
            "RONDA_LAKE": f"{folder}/lake",
            "RONDA_OUTBOX": f"{folder}/outbox",
            "FLIGHTS_URL": f"{folder}/flights",
        }
        set_defaults()
        write_logs(Path(os.environ["FLIGHTS_URL"]), progress=lambda said: print(said, flush=True))
        watch = open_watch(SERVICE, home_from())
        zone = watch.service.time_zone
        freeze(watch, MODEL_VERSION, window_between(*TRAINED, zone), _clock())
        wanted = list(nights_between(*NIGHTS, zone))
        with shown(SERVICE, len(wanted), quiet=False) as told:
            done = nights.go_round(watch, wanted, _clock, told)
        errors = [each.error for each in done if each.error is not None]
        if errors:
            raise errors[0]
        with reading(watch.state) as connection:
            print(table(incidents_of(connection, SERVICE)))


def table(rows: Iterable[IncidentRow]) -> str:
    """The incidents that had a message of their own, as a table in Markdown, and how many others there were."""
    every = list(rows)
    told = [row for row in every if row.told == "post"]
    lines = ["| incident | first night | nights | severity | what | figure |", "|---|---|---|---|---|---|"]
    for row in told:
        known = json.loads(row.detail or "{}")
        figure = next((each["change"] for each in known.get("nights", {}).values()), "")
        lines.append(
            f"| {row.number} | {row.first} | {row.seen} | {row.severity} | {known.get('headline', '')} | {figure} |"
        )
    minor = sum(row.severity == "minor" for row in every)
    return "\n".join(
        [*lines, "", f"{len(told)} messages; {minor} incidents of inputs alone, for the morning."]
    )


def _clock() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
