"""The extraction queries that `init` writes: canonical names, what is left out and why, in the source's dialect."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow.compute as pc

from monitoring import text
from monitoring.survey import MOST_VALUES
from ronda.check_personal import kinds_in, suspects_in
from ronda.guess import SECONDS, snake
from ronda.look import Look, Table
from services.columns import REQUEST_COLUMNS, REQUIRED_FEEDBACK_COLUMNS
from store.inspect import quoted

_PLACEHOLDER = re.compile(r"\{(?:start|end|first_night|last_night)\}")
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")
_CANNOT = "its name holds a placeholder; rename it in a view"
_MOSTLY_DIFFERENT = 0.5  # more different values than half the rows: an id or free text
_ENOUGH = 50  # of fewer rows many a category has most values once
_SLICE_VALUES = range(2, 13)


@dataclass(frozen=True)
class Chosen:
    """What becomes of the columns of a request table.

    Attributes:
        canonical: canonical column -> SQL that yields it.
        features: name in the view -> SQL that yields it.
        slices: features of few values, the fewest first.
        left_out: column of the table -> why.
    """

    canonical: Mapping[str, str]
    features: Mapping[str, str]
    slices: tuple[str, ...]
    left_out: Mapping[str, str]


def choose(table: Table, look: Look, found: Mapping[str, str], partition: str | None) -> Chosen:
    """Sort the columns of a request table into canonical ones, features, and those left out.

    Args:
        found: canonical column -> column of the table.
        partition: the column the table is divided by, if it is.
    """
    canonical = {name: expression(name, column, table.kinds[column], look) for name, column in found.items()}
    if partition and "night" not in canonical and partition not in found.values():
        canonical["night"] = quoted(partition)
    used = {*found.values(), *([partition] if partition else [])}
    left_out: dict[str, str] = {}
    features: dict[str, str] = {}
    raw: dict[str, str] = {}
    for column, kind in table.kinds.items():
        if column in used:
            continue
        why = _why_not(column, kind, look)
        if why:
            left_out[column] = why
        else:
            name = _named(column, {*canonical, *REQUEST_COLUMNS, *features})
            features[name], raw[name] = quoted(column), column
    few = {name: len(look.values(raw[name])) for name in features if table.kinds[raw[name]] == "category"}
    slices = sorted(
        (name for name, values in few.items() if values in _SLICE_VALUES), key=lambda name: (few[name], name)
    )
    return Chosen(canonical, features, tuple(slices[:2]), left_out)


def can_stand(name: str) -> bool:
    """Whether a name can stand in a query: one that holds a placeholder would be filled in.

    >>> can_stand("say {hi}"), can_stand("the {start}")
    (True, False)
    """
    return _PLACEHOLDER.search(name) is None


def expression(canonical: str, column: str, kind: str, look: Look) -> str:
    """The SQL that yields a canonical column from a column of the table."""
    name = quoted(column)
    if canonical in {"time", "known_at"} and kind == "category":
        return f"CAST({name} AS TIMESTAMPTZ)"
    if canonical in {"time", "known_at"} and kind == "number":
        largest = max((abs(float(value)) for value in look.values(column)[:100]), default=0.0)
        unit = next((unit for limit, unit in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)) if largest > limit), 1.0)
        return f"to_timestamp({name} / {unit:.1f})"
    if snake(column) in SECONDS.get(canonical, ()):
        return f"{name} * 1000"
    return name


def requests_sql(table: Table, chosen: Chosen, bound: Sequence[str]) -> str:
    """The text of `requests.sql`. `bound` is what `bounds` gave."""
    lines = [
        "-- One row per request. The names after AS are ronda's own; every other column is a candidate feature.",
        "-- Edit it as you like, in the source's own SQL; `ronda check` says what became of it.",
        *_select({**chosen.canonical, **chosen.features}),
        *_left_out(chosen.left_out),
        f"FROM {_table(table)}",
        *bound,
    ]
    return "\n".join(lines) + "\n"


def feedback_sql(table: Table, columns: Mapping[str, str], look: Look, partition: str | None) -> str:
    """The text of `feedback.sql`, with what is missing made of what is there."""
    kinds = table.kinds
    made = {name: expression(name, column, kinds[column], look) for name, column in columns.items()}
    made.setdefault("type", "'feedback'")
    made.setdefault("known_at", made["time"])
    one = (f"CAST({made[name]} AS TEXT)" for name in ("request_id", "type", "time"))
    made.setdefault("event_id", " || ':' || ".join(one))
    order = (
        *(name for name in REQUIRED_FEEDBACK_COLUMNS if name != "value"),
        *(["value"] if "value" in made else []),
    )
    lines = [
        "-- One row per thing a user did with an answer. `time` is when, `known_at` when the log had it.",
        *_select({name: made[name] for name in order}),
        f"FROM {_table(table)}",
    ]
    if partition:
        day = quoted(partition)
        lines += [
            f"WHERE {made['known_at']} >= {{start}} AND {made['known_at']} < {{end}}",
            f"    AND {day} >= CAST({{start}} AS DATE) - 1 AND {day} <= CAST({{end}} AS DATE) + 1",
        ]
    return "\n".join(lines) + "\n"


def bounds(look: Look, time: str, chosen: Chosen, partition: str | None, time_zone: str) -> list[str]:
    """The WHERE of `requests.sql`: by partition where there is one, else a comment on how to have one."""
    if partition is None:
        # the placeholders must not stand here as they are: they would be filled in, comment or not
        return [
            "-- Rows are cut to the night by `time`. A large table is read faster if the query says so itself:",
            f"-- add WHERE {_comment(chosen.canonical['time'])} >= START AND … < END, with start and end in small letters and braces.",
        ]
    day = quoted(partition)
    if agrees(look, time, partition, time_zone):
        return [f"WHERE {day} >= {{first_night}} AND {day} <= {{last_night}}"]
    moment = chosen.canonical["time"]
    return [
        "-- The partitions are not days of the service's time zone: a day more is read on both sides, then cut by time.",
        f"WHERE {day} >= {{first_night}} - 1 AND {day} <= {{last_night}} + 1",
        f"    AND {moment} >= {{start}} AND {moment} < {{end}}",
    ]


def _why_not(column: str, kind: str, look: Look) -> str:
    if not can_stand(column):
        return _CANNOT
    values = look.values(column)
    personal = kinds_in(column, values) or (suspects_in(values) if kind == "category" else [])
    if personal:
        return f"looks like {', '.join(personal)}"
    if kind not in {"number", "category"}:
        return "neither a number nor a category"
    if snake(column) == "id" or snake(column).endswith("_id"):
        return "looks like an id"
    rows = len(look.rows) - look.rows[column].null_count
    if kind == "category" and (
        len(values) > MOST_VALUES or (rows >= _ENOUGH and len(values) > _MOSTLY_DIFFERENT * rows)
    ):
        return "too many different values"
    return ""


def _named(column: str, taken: Collection[str]) -> str:
    """The name in the view: the column's own if it is a plain word and free, else one made of its words."""
    lower = {name.lower() for name in taken}
    name = column if _PLAIN_NAME.fullmatch(column) else snake(column) or "column"
    name = name if _PLAIN_NAME.fullmatch(name) else f"c_{name}"
    tries = (name if n == 1 else f"{name}_{n}" for n in range(1, len(lower) + 2))
    return next(each for each in tries if each.lower() not in lower)


def _select(made: Mapping[str, str]) -> list[str]:
    columns = [sql if sql == quoted(name) else f"{sql} AS {quoted(name)}" for name, sql in made.items()]
    return ["SELECT", *(f"    {each}," for each in columns[:-1]), f"    {columns[-1]}"]


def _left_out(left_out: Mapping[str, str]) -> list[str]:
    return [f"    -- left out, {_comment(why)}: {_comment(column)}" for column, why in left_out.items()]


def _table(table: Table) -> str:
    name = quoted(table.name)
    return name if table.schema in {"main", "public"} else f"{quoted(table.schema)}.{name}"


def _comment(written: str) -> str:
    """Text of the source's in a comment: on one line, and nothing that would be filled in."""
    return text.short(written, 120).replace("{", "(").replace("}", ")")


def agrees(look: Look, time: str, partition: str, time_zone: str) -> bool:
    """Whether the partition of every row is the local date of its time."""
    zone = ZoneInfo(time_zone)
    pairs = look.rows.select([time, partition]).filter(pc.is_valid(look.rows[time])).to_pylist()
    return bool(pairs) and all(_local_date(pair[time], zone) == pair[partition] for pair in pairs)


def _local_date(moment: str, zone: ZoneInfo) -> str | None:
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return None
    utc = parsed if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo("UTC"))
    return utc.astimezone(zone).date().isoformat()
