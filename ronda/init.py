"""`ronda init`: look at a log, and write a first service file and its queries. Nothing is overwritten."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from monitoring import text
from monitoring.extract import layout
from ronda.check_personal import suspects_in
from ronda.guess import snake
from ronda.init_choice import Feedback, chosen_table, found_feedback, named_columns
from ronda.look import Look, Place, Table, look_at, partition_of, place_of, tables_of
from ronda.starter_file import service_file
from ronda.starter_sql import Chosen, agrees, bounds, choose, requests_sql
from services.errors import UsageError
from services.field_rules import known_zone
from services.home import Home
from services.read import read_query, read_service
from services.window import night_of
from store.inspect import earliest, latest
from store.query import FEEDBACK, REQUESTS, filled
from store.source import open_source

_NAME_RULE = "Use a to z, 0 to 9 and _, beginning with a letter, 63 characters at most."
REFERENCE_NIGHTS = 28
"""Four weeks: each weekday four times, and three weeks of them can be judged by those before."""
NO_NIGHT = date(2000, 1, 1)
"""Stands in commands where a log has no time."""


@dataclass(frozen=True)
class Started:
    """What `init` wrote and why.

    Attributes:
        files: what was written, seen from the home.
        looked: the tables that were looked at, in words.
        assumed: what was guessed, one sentence each; to be read before anything else is done.
        off: what is switched off, and how to switch it on.
        next: the commands to run next, in their order, with no reference yet.
        url: what was looked at, with whatever passwords it has.
        newest: the date of its newest request.
    """

    service: str
    files: tuple[Path, ...]
    looked: tuple[str, ...]
    assumed: tuple[str, ...]
    off: tuple[str, ...]
    next: tuple[str, ...]
    url: str = field(repr=False)
    newest: date | None

    @property
    def reference(self) -> str:
        """The command that freezes a reference of a model version."""
        return self.next[1]


def init(
    name: str,
    source: str,
    home: Home,
    *,
    table: str | None = None,
    time_column: str | None = None,
    id_column: str | None = None,
    feedback_table: str | None = None,
    owner: str = "@your-team",
    slack: str = "#your-channel",
    time_zone: str = "UTC",
    environment: Mapping[str, str] | None = None,
) -> Started:
    """Write `services/<name>.yaml` and `sql/<name>/*.sql` from a look at the newest day of a log.

    Args:
        source: a folder of Parquet, a .parquet or .duckdb file, a PostgreSQL URL, `${NAME}` or `airflow:ID`.
        table, feedback_table: needed where the source has several that could be it.
        time_column, id_column: needed where their names do not tell.
        environment: where variables are looked up; the process's own by default.

    Raises:
        UsageError: the name is no name or taken, a file is there already, or something must be named.
        SourceError: the source cannot be reached, is empty, or refuses what would be written.
    """
    files = _free_files(name, home)
    _known_zone(time_zone)
    place = place_of(name, source, home, environment)
    tables = tables_of(name, place)
    requests = chosen_table(tables, table or place.table or None)
    found = named_columns(requests, {"time": time_column, "request_id": id_column})
    look = look_at(name, place, requests, found["time"])
    partition = partition_of(place, requests)
    chosen = choose(requests, look, found, partition)
    feedback = found_feedback(name, place, tables, requests, found["request_id"], feedback_table)
    active: dict[str, object] = {"service": name, "owner": owner, "slack": slack, "source": place.written}
    active["requests"] = str(files["requests"])
    if feedback:
        active["feedback"] = str(files["feedback"])
    if chosen.slices:
        active["slices"] = list(chosen.slices)
    active["time_zone"] = time_zone
    texts = {
        files["service"]: service_file(active, requests.name, feedback.event if feedback else "thumb"),
        files["requests"]: requests_sql(
            requests, chosen, bounds(look, found["time"], chosen, partition, time_zone)
        ),
    }
    if feedback:
        texts[files["feedback"]] = feedback.sql
    oldest, newest = _tried(name, home, place, texts)
    first, last = _reference_days(oldest, newest)
    _write(home, texts)
    looked = [
        f"{requests.name}: {len(requests.columns)} columns, {len(look.rows):,} rows of the newest day looked at"
    ]
    looked += [f"{feedback.table.name}: taken for the feedback"] if feedback else []
    return Started(
        name,
        tuple(texts),
        tuple(text.short(line, 200) for line in looked),
        tuple(_assumed(requests, found, chosen, look, partition, place, time_zone))
        + (feedback.assumed if feedback else ())
        + _short(first, last),
        tuple(_off(name, chosen, feedback)),
        _next(name, newest or NO_NIGHT, (first, last), look, found),
        place.url,
        newest,
    )


def _free_files(name: str, home: Home) -> dict[str, Path]:
    if re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is None:
        raise UsageError(f"{text.short(name)!r} cannot be the name of a service. {_NAME_RULE}")
    files = {
        "service": Path("services", f"{name}.yaml"),
        "requests": Path("sql", name, "requests.sql"),
        "feedback": Path("sql", name, "feedback.sql"),
    }
    there = [str(path) for path in files.values() if (home.root / path).exists()]
    if there:
        raise UsageError(
            f"{' and '.join(there)} below {home.root} would be overwritten; nothing was written. Take another name, or move "
            f"them away first. To go on with them, as after an init that was interrupted: ronda check {name}, then "
            f"ronda reference {name} --model-version V --from DATE --to DATE"
        )
    return files


def _known_zone(time_zone: str) -> None:
    try:
        known_zone(time_zone)
    except ValueError as error:
        raise UsageError(f"--time-zone: {error}") from None


def _tried(name: str, home: Home, place: Place, texts: Mapping[Path, str]) -> tuple[date | None, date | None]:
    """Read and run what is about to be written, in a home of its own; the first and the newest date of the log."""
    with tempfile.TemporaryDirectory(prefix="ronda-init-") as folder:
        trial = replace(home, root=Path(folder))
        _write(trial, texts)
        own_defaults = home.services / "_defaults.yaml"
        if own_defaults.is_file():
            (trial.services / "_defaults.yaml").write_bytes(own_defaults.read_bytes())
        service = read_service(name, trial)
        window = night_of(datetime(2000, 1, 1, tzinfo=UTC).date(), service.time_zone)
        everything = replace(window, end=datetime(9000, 1, 1, tzinfo=UTC), last=date(9000, 1, 1))
        queries = {
            REQUESTS: filled(read_query(service, trial, "requests"), everything, str(service.requests))
        }
        if service.feedback:
            queries[FEEDBACK] = filled(
                read_query(service, trial, "feedback"), everything, str(service.feedback)
            )
        opened = open_source(name, place.url, queries)
        try:
            layout(service, opened.columns(REQUESTS), str(service.requests), "newest day")
            newest = opened.fetch(latest(REQUESTS, everything.end))["latest"][0].as_py()
            oldest = opened.fetch(earliest(REQUESTS, everything.start))["earliest"][0].as_py()
            if service.feedback:
                opened.fetch(latest(FEEDBACK, everything.end))
        finally:
            opened.close()
    zone = ZoneInfo(service.time_zone)
    return oldest and oldest.astimezone(zone).date(), newest and newest.astimezone(zone).date()


def _write(home: Home, texts: Mapping[Path, str]) -> None:
    """Write all files or none; one that has appeared since is not overwritten."""
    written: list[Path] = []
    try:
        for path, content in texts.items():
            target = home.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                written.append(target)
                file.write(content)
    except OSError as error:
        for target in written:
            target.unlink(missing_ok=True)
        raise UsageError(
            f"{error.filename} cannot be written: {error.strerror}. Nothing was written."
        ) from error


def _assumed(
    table: Table,
    found: Mapping[str, str],
    chosen: Chosen,
    look: Look,
    partition: str | None,
    place: Place,
    time_zone: str,
) -> list[str]:
    said = [f"{column} is {canonical}" for canonical, column in found.items() if column != canonical]
    assumed = [f"columns: {', '.join(said)}"] if said else []
    if (
        "with" not in table.columns[found["time"]].lower()
        and "tz" not in table.columns[found["time"]].lower()
    ):
        assumed.append(f"time: {found['time']} has no time zone and is read as UTC")
    ids = look.values(found["request_id"])
    if len(ids) < len(look.rows):
        assumed.append(
            f"ids: {found['request_id']} repeats or is empty among the rows looked at; name another with --id-column"
        )
    if snake(found.get("latency_ms", "")) in {"latency", "duration"}:
        assumed.append(f"latency: {found['latency_ms']} is in milliseconds")
    assumed.append(f"nights: days in {time_zone}; change `time_zone` if your days begin elsewhere")
    if partition and agrees(look, found["time"], partition, time_zone):
        assumed.append(f"partitions: {partition} is the night a row belongs to")
    elif partition:
        assumed.append(
            f"partitions: {partition} is no day in {time_zone}, so a day more is read on both sides; if it is your local date, "
            "begin again with --time-zone"
        )
    if chosen.slices:
        assumed.append(f"slices: {', '.join(chosen.slices)}, because they have few values")
    assumed.append(
        f"features: {len(chosen.features)} columns; {len(chosen.left_out)} left out, each with its reason in requests.sql"
    )
    if place.variable:
        assumed.append(
            f"source: set the environment variable {place.variable} to what you gave here; it is written nowhere"
        )
    return [text.short(line, 400) for line in assumed]


def _off(name: str, chosen: Chosen, feedback: Feedback | None) -> list[str]:
    off = []
    if feedback is None:
        off.append(
            f"feedback: no table of it was found; write sql/{name}/feedback.sql and name it in `feedback`"
        )
    off.append("outcome: what users saw; say in `outcome` which event counts, and when it is good or bad")
    off.append("training: skew; write a query of what the training pipeline has and name it in `training`")
    if "model_version" not in chosen.canonical:
        off.append("deployments: the log names no model version; yield one AS model_version")
    if not chosen.slices:
        off.append("slices: no column of few values was found; name some in `slices`")
    return off


def _reference_days(oldest: date | None, newest: date | None) -> tuple[date, date]:
    """First and last of four weeks before the newest night, which may not be over, or of what the log has of them.

    >>> [str(day) for day in _reference_days(date(2026, 3, 12), date(2026, 4, 1))]
    ['2026-03-12', '2026-03-31']
    """
    end = newest or NO_NIGHT
    first = max(end - timedelta(days=REFERENCE_NIGHTS), oldest or date.min)
    return first, max(end - timedelta(days=1), first)


def _short(first: date, last: date) -> tuple[str, ...]:
    """What is said where the log has fewer nights than a reference should have."""
    nights, most = (last - first).days + 1, REFERENCE_NIGHTS
    said = f"reference: the log begins on {first}, so the command below takes {nights} of {most} nights"
    return (said,) if nights < most else ()


def _next(
    name: str, newest: date, reference: tuple[date, date], look: Look, found: Mapping[str, str]
) -> tuple[str, ...]:
    versions = look.values(found["model_version"]) if "model_version" in found else []
    version = versions[-1] if len(versions) == 1 and not suspects_in(versions) else "V"
    first, last = reference
    return (
        f"ronda check {name}",
        f"ronda reference {name} --model-version {shlex.quote(text.short(version))} --from {first} --to {last}",
        f"ronda night {name} --date {newest}",
    )
