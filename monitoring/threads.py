"""The shell of threads: each incident has one message, kept true night by night, and what happens is answered in it.

Nothing is sent here: what is to be said goes into the outbox, in the transaction that records the night or the answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitoring import message, thread_words
from monitoring.explain import explain
from monitoring.incident import IncidentLine, ranked
from monitoring.speaking import speaking
from monitoring.story import Story
from monitoring.thread_rows import Night, close, key_of, replace_root, row_of, text_of
from monitoring.waking import lie_down, wake
from services.model import Service
from store import outbox
from store.canonical import canonical_json
from store.incidents import IncidentRow, keep_incident
from store.ledger import NightRow
from store.outbox import MessageRow
from store.state import Connection

THERE = {"sent", "written"}
"""States of a message that people surely have."""
LONG_OVER = 30  # nights, after which an end was told and nothing is about it
JUDGED = 7
"""A service without a backtest tells in the morning what it would have said, until so many nights were judged."""


@dataclass(frozen=True)
class Said:
    """What a night came to beside what is in the outbox now.

    Attributes:
        gone: messages that were taken back.
        waits: incidents that wait for the morning, each with why.
    """

    gone: tuple[MessageRow, ...] = ()
    waits: tuple[tuple[IncidentLine, str], ...] = ()


def follow(connection: Connection, night: Night) -> Said:
    """Let the threads of a service say what a night, and all nights after it, make of its incidents."""
    gone: list[MessageRow] = []
    waits: list[tuple[IncidentLine, str]] = []
    rows = dict(night.rows)
    for line in speaking(night.page):
        mine = rows.get(line.number)
        if mine is None or mine.state == "withdrawn":  # nights after it say otherwise
            continue
        known = outbox.message_of(connection, key_of(mine.service, mine.number))
        if known is not None and mine.state in {"muted", "resolved"}:  # somebody said so, or nights after it
            continue
        rows[line.number], taken, why = _spoken(connection, night, line, mine, rows)
        gone += taken
        waits += [(line, why)] if why else []
    new = [line for line in ranked(night.page.incidents or ()) if _is_new_minor(line)]
    waits += [(line, "again" if line.back == line.night else "minor") for line in new]
    for number, mine in rows.items():
        if mine.state == "resolved" and mine.resolved and (night.row.night - mine.resolved).days > LONG_OVER:
            continue
        kept, taken = _settled(connection, night, _without_tonight(night, mine))
        gone += taken
        if kept != night.rows[number]:
            keep_incident(connection, kept)
    return Said(tuple(gone), tuple(waits))


def _spoken(
    connection: Connection,
    night: Night,
    line: IncidentLine,
    mine: IncidentRow,
    rows: Mapping[int, IncidentRow],
) -> tuple[IncidentRow, list[MessageRow], str]:
    """Let an incident that speaks tonight say so; gives it as it is now, what was taken back, and why it waits."""
    key, before = key_of(mine.service, mine.number), json.loads(mine.detail or "{}")
    story, known = explain(night.page, line), outbox.message_of(connection, key)
    again = known is not None and _is_told(connection, night, known, before)
    said = _first(night, story, _heard_at(connection, night, key) if again else night.row.recorded_at)
    silent = not night.tell and (known is None or known.state in THERE)
    noted = thread_words.facts(night.page, story, before, "" if silent else said)
    mine = replace(mine, detail=canonical_json(noted).decode())
    why = _why_not(night, mine, rows)
    if known is None and why:
        return replace(mine, told="digest") if night.tell else mine, [], why
    gone = _post(connection, night, line, story, mine, said, again=again)
    return mine if known is None and silent else replace(mine, told="post"), gone, ""


def _is_told(connection: Connection, night: Night, known: MessageRow, before: thread_words.Facts) -> bool:
    """Whether the thread, or the message before anybody got it, said something of this very night."""
    day = night.row.night
    noted = day.isoformat() in before.get("nights", {})
    return (
        noted or known.night == day or outbox.message_of(connection, _reply_key(known.key, day)) is not None
    )


def _heard_at(connection: Connection, night: Night, key: str) -> datetime:
    """When people heard what this night made of an incident, if they did."""
    last = [each for each in outbox.thread_of(connection, key) if each.action in {"post", "update"}][-1]
    is_heard = last.night == night.row.night and not outbox.hold(connection, key)
    return last.recorded_at if is_heard else night.row.recorded_at


def _without_tonight(night: Night, mine: IncidentRow) -> IncidentRow:
    """An incident without what was noted of this night, if the night as it is judged now does not show it."""
    day, known = night.row.night.isoformat(), json.loads(mine.detail or "{}")
    seen = {line.number for line in night.page.incidents or () if line.is_tonight}
    if mine.number in seen or day not in known.get("nights", {}):
        return mine
    return replace(mine, detail=canonical_json(thread_words.without(known, day)).decode())


def _is_new_minor(line: IncidentLine) -> bool:
    return line.severity == "minor" and line.is_tonight and line.state == "open" and line.begins


def _why_not(night: Night, mine: IncidentRow, rows: Mapping[int, IncidentRow]) -> str:
    """Why an incident has no message of its own: `would`, `budget`; empty if it may have one."""
    if mine.told == "post" or mine.measure == "schema":
        return ""
    if night.judged < JUDGED and not night.backtested:
        return "would"
    week = mine.opened.isocalendar()[:2]
    spent = sum(
        each.told == "post" and each.severity != "critical" and each.opened.isocalendar()[:2] == week
        for each in rows.values()
    )
    return "budget" if mine.severity != "critical" and spent >= night.service.budget else ""


def _post(
    connection: Connection,
    night: Night,
    line: IncidentLine,
    story: Story,
    mine: IncidentRow,
    said: str,
    *,
    again: bool,
) -> list[MessageRow]:
    """Post an incident's message, or make it say what this night says.

    Args:
        again: whether this night was told before.
    """
    key, row, service = key_of(mine.service, mine.number), night.row, night.service
    known = outbox.message_of(connection, key)
    if known is None:
        if not night.tell:
            return []
        due_at = row.recorded_at if mine.severity == "critical" else _morning(service, row)
        outbox.put(connection, row_of(night, key, said, due_at=due_at))
    elif _newest(mine) > row.night.isoformat():  # later nights have made it say what holds now
        _why(connection, night, key)
        return []
    elif outbox.amend(connection, key, said, channel=service.slack, unknown=service.slack_unknown):
        if mine.severity == "critical":
            outbox.hasten(connection, key, row.recorded_at)
    elif not night.tell and known.state in THERE:
        return []
    else:
        if replace_root(connection, service, row, key, said, f"{key}/{row.night}") and again:
            _why(connection, night, key)
        answer = text_of(thread_words.went_on(night.page, line, story, back=line.back == line.night))
        reply = row_of(night, _reply_key(key, row.night), answer, action="reply", about=known)
        if again:  # its answer may not have been sent yet
            outbox.amend(connection, reply.key, answer, channel=reply.channel, unknown=reply.unknown)
        else:
            outbox.put(connection, reply)
    wake(connection, night, line, story, mine)
    return _files(connection, night, line, key)


def _newest(mine: IncidentRow) -> str:
    """The last night that an incident's message was told of."""
    return str(max(json.loads(mine.detail)["nights"]))


def _reply_key(key: str, night: date) -> str:
    return f"{key}/{night}/said"


def _why(connection: Connection, night: Night, key: str) -> None:
    """Say in the thread that a night was judged anew, and what it has that it had not."""
    about = outbox.message_of(connection, key)
    if about is None or about.state in outbox.NOT_THERE:
        return  # nobody has read what it would explain
    if not (night.tell and night.revised and night.row.revision > 1):
        return
    said = text_of(message.revised(night.page))
    stem = f"{key}/{night.row.night}/revision-{night.row.revision}"
    outbox.put(connection, row_of(night, stem, said, action="reply", about=about))


def _settled(connection: Connection, night: Night, mine: IncidentRow) -> tuple[IncidentRow, list[MessageRow]]:
    """Let the message of an incident that is over, or was none, say so, once; and none say what no night shows."""
    key = key_of(mine.service, mine.number)
    known = outbox.message_of(connection, key)
    if known is None:
        return mine, []
    if mine.state == "withdrawn":
        return _withdrawn(connection, night, mine, known)
    gone = []
    if str(night.row.night) not in json.loads(mine.detail or "{}").get("nights", {}):
        gone = outbox.take_back(connection, _reply_key(key, night.row.night))
    if not night.tell and known.state in THERE:
        return mine, gone
    if mine.state != "resolved":
        _as_it_stands(connection, night, mine, key)
        return mine, gone
    close(connection, night.service, mine, night.row.night, night.row.recorded_at, page=night.page)
    gone += lie_down(connection, night.service, mine, night.row.night, night.row.recorded_at)
    return mine, gone


def _withdrawn(
    connection: Connection, night: Night, mine: IncidentRow, known: MessageRow
) -> tuple[IncidentRow, list[MessageRow]]:
    gone = outbox.take_back(connection, known.key)
    if gone:
        mine = replace(mine, told="")
    elif not night.tell and known.state in THERE:
        return mine, []
    gone += lie_down(connection, night.service, mine, night.row.night, night.row.recorded_at)
    thread = [each for each in outbox.thread_of(connection, known.key) if each.action in {"post", "update"}]
    if thread and thread[-1].kind == outbox.WITHDRAWN:  # it says so already, beside the page that says why
        return mine, gone
    facts, heard = json.loads(mine.detail or "{}"), known.recorded_at.date()
    path = night.row.page_path.removeprefix("pages/")
    said = text_of(thread_words.withdrawn(night.service, mine.number, mine.first, heard, facts, path))
    if replace_root(
        connection, night.service, night.row, known.key, said, f"{known.key}/gone", withdrawn=True
    ):
        _why(connection, night, known.key)
    return mine, gone


def _as_it_stands(connection: Connection, night: Night, mine: IncidentRow, key: str) -> None:
    """Let a message say what the last night that shows its incident makes of it, if a night judged anew said more."""
    said = json.loads(mine.detail or "{}").get("said", {})
    holds, service = said.get(max(said, default=""), ""), night.service
    if not holds or outbox.amend(
        connection, key, holds, channel=service.slack, unknown=service.slack_unknown
    ):
        return
    if replace_root(connection, service, night.row, key, holds, f"{key}/{night.row.night}"):
        _why(connection, night, key)


def _first(night: Night, story: Story, heard_at: datetime) -> str:
    path = night.row.page_path.removeprefix("pages/")
    return text_of(message.alert(night.page, story, night.service, path, told_on=heard_at.date()))


def _files(connection: Connection, night: Night, line: IncidentLine, key: str) -> list[MessageRow]:
    """The picture of the incident's number, and the page where nothing says where pages are served."""
    about = outbox.message_of(connection, key)
    assert about is not None
    older = outbox.take_back_files(connection, key)
    chart, row = night.charts.get(line.number, ""), night.row
    if chart:
        name = f"{row.service}-{row.night}-incident-{line.number}-{chart[-12:-4]}.png"
        content = {"path": chart, "name": name, "title": f"{row.service} {row.night}"}
        stem = f"{key}/{row.night}/chart-{chart[-12:-4]}"
        outbox.put(connection, row_of(night, stem, text_of(content), action="file", about=about))
    if night.attach and not night.service.page_base_url:
        sha = row.page_sha or row.content_sha
        name = f"{row.service}-{row.night.isoformat()}-{sha[:8]}.html"
        content = {"path": row.page_path, "name": name, "title": f"{row.service} {row.night.isoformat()}"}
        outbox.put(
            connection, row_of(night, f"{key}/page-{sha[:12]}", text_of(content), action="file", about=about)
        )
    return older


def _morning(service: Service, row: NightRow) -> datetime:
    """The morning after a night, when what can wait is told; now, if that is over."""
    at = datetime.combine(
        row.night + timedelta(days=1),
        time.fromisoformat(service.morning_at),
        tzinfo=ZoneInfo(service.time_zone),
    )
    return max(at, row.recorded_at)
