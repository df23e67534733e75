"""Incidents for a terminal and for machines: all of a service, and one with its history."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import typer

from monitoring import stands
from monitoring.answers import raised_of
from monitoring.incident import IncidentLine
from monitoring.incidents import Unfolded
from monitoring.known import Pair
from monitoring.text import short, term
from monitoring.thread_rows import key_of
from monitoring.thread_words import raised_words
from services.errors import UsageError
from services.home import home_from
from services.read import read_service
from store import outbox
from store.incidents import AnswerRow, IncidentRow, TakenBackRow, answers_back_of, answers_of
from store.outbox import MessageRow
from store.state import open_state, reading

_OPEN = ("open", "acknowledged", "muted")
_HEADS = ("#", "state", "severity", "since", "nights", "taken by", "what")
_SPOKEN = 300


@dataclass(frozen=True)
class One:
    """An incident, what was said of it, and taken back, and its thread. `line` is None if it was withdrawn."""

    row: IncidentRow
    line: IncidentLine | None
    answers: tuple[AnswerRow, ...]
    thread: tuple[MessageRow, ...]
    back: tuple[TakenBackRow, ...] = ()

    @property
    def state(self) -> str:
        """What it is after the last night, and after all that was said."""
        return self.line.state if self.line is not None else "withdrawn"

    @property
    def verdict(self) -> str:
        """What people made of it: `real`, `noise`, `expected`, whatever was said last; '' if nobody said."""
        said = [each.what for each in self.answers if each.what in {"real", "noise", "expected"}]
        return said[-1] if said else ""


@dataclass(frozen=True)
class Shown:
    """The incidents of a service, those that are open first, the latest first among them."""

    service: str
    unfolded: Unfolded
    ones: tuple[One, ...]

    @property
    def precision(self) -> dict[str, Any]:
        """How many were real, noise or expected, and of how many that were told nobody said; the share of the real."""
        counted = [one for one in self.ones if one.state != "withdrawn"]
        verdicts = [one.verdict for one in counted]
        real, noise = verdicts.count("real"), verdicts.count("noise")
        return {
            "real": real,
            "noise": noise,
            "expected": verdicts.count("expected"),
            "not_answered": sum(not one.verdict and bool(one.row.told) for one in counted),
            "precision": real / (real + noise) if real + noise else None,
        }


def read(name: str) -> Shown:
    """Read what is known of a service's incidents, as of its last night.

    Raises:
        ServiceFileError: the service file is wrong.
        StateError: the state cannot be opened.
    """
    home = home_from()
    service = read_service(name, home)
    with reading(open_state(home.state_url)) as connection:
        stood = stands.read(connection, service)
        said, back = answers_of(connection, name), answers_back_of(connection, name)
        threads = {
            row.number: tuple(outbox.thread_of(connection, key_of(name, row.number))) for row in stood.rows
        }
    unfolded = stood.now()
    lines = {line.number: line for line in unfolded.lines}
    ones = [
        One(
            row,
            lines.get(row.number),
            tuple(each for each in said if each.number == row.number),
            threads[row.number],
            tuple(each for each in back if each.number == row.number),
        )
        for row in stood.rows
    ]
    return Shown(name, unfolded, tuple(sorted(ones, key=_place)))


def one(shown: Shown, number: int) -> One:
    """The incident of a number.

    Raises:
        UsageError: there is none.
    """
    found = next((each for each in shown.ones if each.row.number == number), None)
    if found is None:
        known = ", ".join(str(each.row.number) for each in shown.ones if each.state in _OPEN)
        raise UsageError(
            f"{shown.service} has no incident {number}. {f'Open: {known}.' if known else 'No incident is open.'}"
        )
    return found


def listed(shown: Shown) -> str:
    """All incidents, a line each, and how many of them were real."""
    if not shown.ones:
        return f"{shown.service}: no incident was ever seen."
    rows = [_HEADS, *(_cells(each) for each in shown.ones)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADS))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    still = sum(each.state in _OPEN for each in shown.ones)
    head = f"{shown.service}: {still} open of {len(shown.ones)}."
    return "\n".join([head, *(line.rstrip() for line in table), _precision(shown)])


def told(shown: Shown, each: One) -> str:
    """One incident with its nights, what was said of it, its thread, and the floors that noise raised."""
    row, line = each.row, each.line
    facts = [("state", f"{each.state}, {row.severity}{_until(each)}")]
    if line is not None:
        nights = ", ".join(map(str, line.seen))
        facts.append(("seen", f"on {_many(len(line.seen), 'night')}: {nights}"))
        facts.append(("opened", f"{line.opened}{_again(line)}"))
        facts += [("ended", str(line.resolved))] if line.resolved is not None else []
        facts += [("taken by", short(line.taken_by))] if line.taken_by else []
    facts += [("said", _answer(said)) for said in each.answers] or [("said", "nothing yet")]
    facts += [("back", _answer_back(back)) for back in each.back]
    facts.append(("thread", _thread(each)))
    raised = raised_of(row, shown.unfolded)
    facts += [("raised", raised_words("en", raised))] if raised else []
    head = f"{shown.service}, incident {row.number}: {what(row)}"
    return "\n".join([head, *(f"  {name:<9} {value}" for name, value in facts)])


def plain(shown: Shown) -> dict[str, Any]:
    """All incidents, for machines."""
    incidents = [_plain(each) for each in shown.ones]
    return {"service": shown.service, "incidents": incidents, "precision": shown.precision}


def plain_one(shown: Shown, each: One) -> dict[str, Any]:
    """One incident, for machines."""
    line, raised = each.line, raised_of(each.row, shown.unfolded)
    back = [
        {**_plain_answer(said), "back_by": said.back_by, "back_at": said.back_at.isoformat()}
        for said in each.back
    ]
    return {"service": shown.service, **_plain(each)} | {
        "seen": [day.isoformat() for day in line.seen] if line is not None else [],
        "answers": [_plain_answer(said) for said in each.answers],
        "taken_back": back,
        "thread": [{"key": m.key, "action": m.action, "state": m.state} for m in each.thread],
        "raised": [_floor(pair, floors) for pair, floors in sorted(raised.items())],
    }


def print_json(value: Any) -> None:
    """Print for machines, as all commands do."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def what(row: IncidentRow) -> str:
    """What an incident is: the headline it was told with, or what moved most."""
    headline = json.loads(row.detail or "{}").get("headline")
    if headline:
        return short(str(headline), _SPOKEN)
    feature = f" “{short(row.feature)}”" if row.feature else ""
    return f"{term('en', 'measure', row.measure)}{feature} moved"


def _plain(each: One) -> dict[str, Any]:
    row, line = each.row, each.line
    until = line.until if line is not None else None
    return {
        "number": row.number,
        "state": each.state,
        "severity": row.severity,
        "since": row.first.isoformat(),
        "last": row.last.isoformat(),
        "resolved": line.resolved.isoformat() if line is not None and line.resolved else None,
        "until": until.isoformat() if until else None,
        "nights": len(line.seen) if line is not None else row.seen,
        "reopened": row.reopened,
        "taken_by": line.taken_by if line is not None else "",
        "verdict": each.verdict or None,
        "what": what(row),
    }


def _plain_answer(said: AnswerRow | TakenBackRow) -> dict[str, Any]:
    return {
        "what": said.what,
        "by": said.by,
        "source": said.source,
        "at": said.at.isoformat(),
        "until": said.until.isoformat() if said.until else None,
        "reason": said.reason,
    }


def _floor(pair: Pair, floors: float) -> dict[str, Any]:
    return {"measure": pair[0], "feature": pair[1], "floors": math.ceil(floors)}


def _place(each: One) -> tuple[bool, int]:
    return each.state not in _OPEN, -each.row.number


def _cells(each: One) -> tuple[str, ...]:
    made = _plain(each)
    names = ("number", "state", "severity", "since", "nights")
    return (*(str(made[name]) for name in names), short(made["taken_by"], 24) or "–", short(made["what"], 90))


def _precision(shown: Shown) -> str:
    counts = shown.precision
    answered = counts["real"] + counts["noise"]
    share = f" ({100 * counts['precision']:.0f} %)" if answered else ""
    said = (
        f"{counts['real']} of {answered} real{share}"
        if answered
        else "nobody said of any whether it was real"
    )
    expected = f", {counts['expected']} expected" if counts["expected"] else ""
    return f"Precision: {said}{expected}; {counts['not_answered']} not answered."


def _until(each: One) -> str:
    until = each.line.until if each.line is not None else None
    return f", until the night of {until}" if until is not None else ""


def _again(line: IncidentLine) -> str:
    return f", and {line.reopened} times again" if line.reopened > 1 else ", and once again" * line.reopened


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _answer_back(said: TakenBackRow) -> str:
    return f"{_answer(said)}; taken back by {short(said.back_by)} at {said.back_at:%Y-%m-%d %H:%M} UTC"


def _answer(said: AnswerRow | TakenBackRow) -> str:
    until = f" until {said.until}" if said.until is not None else ""
    reason = f": {short(said.reason, _SPOKEN)}" if said.reason else ""
    by = short(said.by)
    return f"{said.at:%Y-%m-%d %H:%M} UTC  {said.what}{until}, by {by} ({said.source}){reason}"


def _thread(each: One) -> str:
    if not each.thread:
        return {"digest": "none: it was told in the morning", "post": "gone from the state"}.get(
            each.row.told, "none: nobody was told"
        )
    root, *rest = each.thread
    replies = [message for message in rest if message.action == "reply"]
    waiting = sum(message.state not in {"sent", "written"} for message in each.thread)
    later = f", {waiting} not delivered yet" if waiting else ""
    return f"in {short(root.channel)}, {root.state}, {_many(len(replies), 'answer')}{later}"
