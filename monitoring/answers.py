"""The shell of answers: what a person said of an incident is kept, incidents are folded anew, and its thread says so.

Nothing is sent here: what is to be said goes into the outbox, in the transaction that records the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring import stands, thread_words
from monitoring.incident import What
from monitoring.incidents import Unfolded
from monitoring.known import Pair
from monitoring.message import Payload
from monitoring.stands import keys_of
from monitoring.text import term
from monitoring.thread_rows import close, free, key_of, message_row, open_again, text_of
from monitoring.waking import lie_down, wake_again
from services.errors import UsageError
from services.model import Service
from store import incidents, outbox
from store.incidents import AnswerRow, IncidentRow, TakenBackRow
from store.outbox import MessageRow
from store.state import Connection

AHEAD = timedelta(days=92)
"""What is quiet has an end that people still remember: no answer holds for longer."""

AFTER: frozenset[What] = frozenset({"real", "expected", "noise"})
"""What may be said of an incident that is over."""

_ENDS = {"noise", "resolved"}
_SEEN_ANYWAY = {"taken", "real"}  # a reaction says it to everybody who reads the thread


@dataclass(frozen=True)
class Answered:
    """What an answer came to.

    Attributes:
        incident: as it stands now.
        is_new: false if this answer was known already; then nothing was changed.
        raised: the floors that stand higher for what it is made of, in floors.
        gone: messages that were taken back, since nobody got them and they no longer hold.
    """

    incident: IncidentRow
    is_new: bool
    raised: Mapping[Pair, float]
    gone: tuple[MessageRow, ...] = ()


@dataclass(frozen=True)
class TakenBack:
    """What became of an answer that was taken back.

    Attributes:
        incident: as it stands now.
        said: what does not count any more.
        gone: messages that were taken back as well, since nobody got them and they no longer hold.
        is_new: false if it had been taken back before; then nothing was changed.
    """

    incident: IncidentRow
    said: AnswerRow | TakenBackRow
    gone: tuple[MessageRow, ...] = ()
    is_new: bool = True


def answer(connection: Connection, service: Service, row: AnswerRow) -> Answered:
    """Keep what a person said of an incident, and let the incident and its thread follow it.

    Args:
        connection: of `state.writing`.
        row: the answer; one whose key is known changes nothing.

    Raises:
        UsageError: there is no such incident, it is none any more, it is over, or the answer's end is no night that
            it can hold until.
        StateError: the state fails.
    """
    before = _answerable(connection, service, row)
    is_new = incidents.answer(connection, row)
    stood = stands.read(connection, service)
    unfolded = stood.now()
    raised = raised_of(before, unfolded)
    if not is_new:
        return Answered(before, is_new, raised)
    mine = _kept(connection, stood, unfolded, row.number, row.at)
    words = thread_words.raised_words(service.language, raised)
    ended, gone = False, list[MessageRow]()
    if mine.state == "resolved" and row.what in _ENDS:
        said = thread_words.said(service, row.what, row.by, raised=words)
        end = thread_words.End(said, row.by, was_it_real=row.what == "noise")
        ended = close(connection, service, mine, mine.last, row.at, end)
        gone = lie_down(connection, service, mine, mine.last, row.at)
    if not ended and not (row.source == "slack" and row.what in _SEEN_ANYWAY):
        said_too = thread_words.answered(service, row.what, row.by, row.until, row.reason, raised=words)
        reply(connection, service, mine, f"answer/{row.key}", said_too, row.at)
    return Answered(mine, is_new, raised, tuple(gone))


def take_back(
    connection: Connection,
    service: Service,
    row: AnswerRow,
    at: datetime,
    by: str = "",
    *,
    wake: bool = False,
) -> TakenBack | None:
    """Let what a person said of an incident count no more, since it was taken back; None if it is not known.

    What it raised, muted or ended stands again as if it had not been said; the record keeps who took it back.

    Args:
        connection: of `state.writing`.
        at: when it was found to be taken back.
        by: who took it back; whoever said it, if it is left out.
        wake: whether there is a webhook that critical incidents go to.

    Raises:
        StateError: the state fails.
    """
    before = incidents.incident_of(connection, row.service, row.number)
    known = row.service, row.number, row.key
    if before is None or not incidents.take_answer_back(connection, *known, by or row.by, at):
        return None
    stood = stands.read(connection, service)
    mine = _kept(connection, stood, stood.now(), row.number, at)
    if row.source == "command":
        said = thread_words.undone(service, row.what, row.by, by or row.by)
        reply(connection, service, mine, f"answer/{row.key}/back", said, at)
    elif row.what not in _SEEN_ANYWAY:
        reply(
            connection, service, mine, f"answer/{row.key}/back", thread_words.taken_back(service, row.by), at
        )
    gone: list[MessageRow] = []
    if before.state == "resolved" and mine.state not in {"resolved", "withdrawn"}:
        open_again(connection, service, before, at)
        gone = wake_again(connection, service, before, mine, at) if wake else []
    return TakenBack(mine, row, tuple(gone))


def undo(
    connection: Connection, service: Service, number: int, by: str, at: datetime, *, wake: bool = False
) -> TakenBack:
    """Take back what was said last of an incident by command; what was taken back before stays so.

    Args:
        connection: of `state.writing`.
        by: who takes it back.
        wake: whether there is a webhook that critical incidents go to.

    Raises:
        UsageError: there is no such incident, or nothing was said of it by command.
        StateError: the state fails.
    """
    name = service.service
    known = {each.number: each for each in incidents.incidents_of(connection, name)}
    mine = _incident(service, known, number)
    said = [each for each in incidents.answers_of(connection, name) if _by_command(each, number)]
    back = [each for each in incidents.answers_back_of(connection, name) if _by_command(each, number)]
    if not said and not back:
        raise UsageError(
            f"{name}, incident {number}: nothing was said of it by command, so that there is nothing to take back. A "
            "reaction in Slack is taken back by taking it away."
        )
    if not said or (back and back[-1].at > said[-1].at):
        return TakenBack(mine, back[-1], is_new=False)
    done = take_back(connection, service, said[-1], at, by, wake=wake)
    assert done is not None  # it was read in this transaction
    return done


def reply(
    connection: Connection, service: Service, mine: IncidentRow, stem: str, said: Payload, at: datetime
) -> str:
    """Put an answer into an incident's thread; returns its key, or '' if there is no thread.

    Args:
        stem: what its key is after that of the thread; a number follows where that is taken.
    """
    root = outbox.message_of(connection, key_of(mine.service, mine.number))
    if root is None:
        return ""
    key = free(connection, f"{root.key}/{stem}")
    row = message_row(key, text_of(said), service=service, night=mine.last, at=at, action="reply", about=root)
    outbox.put(connection, row)
    return key


def raised_of(incident: IncidentRow, unfolded: Unfolded) -> dict[Pair, float]:
    """The floors that noise raised of what an incident is made of."""
    pairs = {(key.measure, key.feature) for key in keys_of(incident)}
    return {pair: floors for pair, floors in (unfolded.raised or {}).items() if pair in pairs}


def is_ahead(until: date, today: date) -> bool:
    """Whether a night is one that an answer of today can hold until: tonight, or one of the next 92.

    >>> is_ahead(date(2026, 6, 1), date(2026, 6, 1)), is_ahead(date(2026, 5, 31), date(2026, 6, 1))
    (True, False)
    """
    return today <= until <= today + AHEAD


def today_of(service: Service, at: datetime) -> date:
    """The day it is in a service's time zone."""
    return at.astimezone(ZoneInfo(service.time_zone)).date()


def _kept(
    connection: Connection, stood: stands.Stands, unfolded: Unfolded, number: int, at: datetime
) -> IncidentRow:
    rows = stands.keep(connection, stood, unfolded, at)
    return next(each for each in rows if each.number == number)


def _answerable(connection: Connection, service: Service, row: AnswerRow) -> IncidentRow:
    name = service.service
    known = {each.number: each for each in incidents.incidents_of(connection, name)}
    mine = _incident(service, known, row.number)
    if mine.state == "withdrawn":
        raise UsageError(
            f"{name}, incident {row.number}: a night was judged anew, and it is none any more, so that nothing can be "
            f"said of it. {_open_ones(known)}"
        )
    if mine.state == "resolved" and row.what not in AFTER and not _is_known(connection, row):
        raise UsageError(
            f"{name}, incident {row.number}: it is over since {mine.resolved}; it can still be called real, expected "
            f"or noise. {_open_ones(known)}"
        )
    today = today_of(service, row.at)
    if row.what in {"expected", "muted"} and (row.until is None or not is_ahead(row.until, today)):
        raise UsageError(
            f"{name}, incident {row.number}: {row.until or 'no night'} is not a night it can be {row.what} until. Give "
            f"one from {today} to {today + AHEAD}."
        )
    return mine


def _incident(service: Service, known: Mapping[int, IncidentRow], number: int) -> IncidentRow:
    mine = known.get(number)
    if mine is None:
        raise UsageError(f"{service.service} has no incident {number}. {_open_ones(known)}")
    return mine


def _by_command(row: AnswerRow | TakenBackRow, number: int) -> bool:
    return (row.number, row.source) == (number, "command")


def _is_known(connection: Connection, row: AnswerRow) -> bool:
    answers = incidents.answers_of(connection, row.service)
    return any((each.number, each.key) == (row.number, row.key) for each in answers)


def _open_ones(known: Mapping[int, IncidentRow]) -> str:
    still = [each for each in known.values() if each.state not in {"resolved", "withdrawn"}]
    if not still:
        return "No incident is open."
    named = (f"{each.number} ({term('en', 'measure', each.measure)}, since {each.first})" for each in still)
    return f"Open: {', '.join(named)}."
