"""What people answer to incidents in Slack: reactions to their messages, and dates in their threads.

👀 they look after it, ✅ it was real, 🔁 it is expected (until when is asked, and read in the thread), 🔕 it was nothing.
A reaction that is taken away is an answer that is taken back. Whatever Slack does is told, and never raised.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeVar

from monitoring import answers, copies, slack, thread_words
from monitoring.incident import What
from monitoring.message import Payload
from monitoring.sending import Patience
from monitoring.slack import Bot, Reactions, Replies
from monitoring.thread_rows import key_of
from services.errors import UsageError
from services.home import Home
from services.model import Service
from store import outbox
from store.incidents import AnswerRow, IncidentRow, answers_of, incidents_of
from store.outbox import MessageRow
from store.state import State, reading, writing

MOST = 50
"""Incidents that are looked at in one run, the latest first."""
STILL = timedelta(days=14)
"""So long after its end an incident is still asked about."""

EMOJI: dict[str, What] = {
    "eyes": "taken",
    "white_check_mark": "real",
    "heavy_check_mark": "real",
    "repeat": "expected",
    "arrows_counterclockwise": "expected",
    "no_bell": "noise",
}
"""Slack's name of a reaction -> what it says."""
_KEYS: dict[What, str] = {
    "taken": "eyes",
    "real": "white_check_mark",
    "expected": "repeat",
    "noise": "no_bell",
}
_TRIES, _PAUSE = 3, 5.0
_EXAMPLE = timedelta(days=7)  # from today, what the question after an end gives as an example
_NO_SCOPE = "Slack says missing_scope"
_DAY = re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])")
_DAY_PT = re.compile(r"(?<![\d/])(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})(?![\d/])")

_Read = TypeVar("_Read", Reactions, Replies)


@dataclass(frozen=True)
class _Thread:
    """An incident whose message is in Slack, what hangs below it, and what people answered there before."""

    service: Service
    incident: IncidentRow
    root: MessageRow
    asked: tuple[MessageRow, ...]
    known: dict[str, AnswerRow]

    @property
    def name(self) -> str:
        return f"{self.service.service}, incident {self.incident.number}"


@dataclass
class _Run:
    """One run: who speaks, how long it may take, and what it came to."""

    home: Home
    state: State
    bot: Bot
    clock: Callable[[], datetime]
    patience: Patience
    until: datetime
    answered: list[str] = field(default_factory=list)
    unread: dict[str, None] = field(default_factory=dict)  # sentences, each once
    stopped: bool = False


def read_answers(
    home: Home,
    state: State,
    services: Iterable[Service],
    clock: Callable[[], datetime],
    *,
    sleep: Callable[[float], None] = time.sleep,
    wait_seconds: float = 60.0,
    timeout: float = 10.0,
) -> dict[str, list[str]]:
    """Read what people answered to incidents that are open, or ended in the last 14 days, and keep it.

    Read again, it changes nothing. What could not be read is told on standard error, a sentence each, and read by the
    next run.

    Args:
        wait_seconds: for how long at most, all in all; a call that hangs ends after `timeout`.

    Returns:
        `answered`: the incident and key of each answer that was kept, asked about or taken back, and `unread`: what
        was in the way. Neither is there if it is empty.

    Raises:
        StateError: the state fails.
    """
    if not home.slack_token:
        return {}
    began = clock()
    bot, patience = Bot(home.slack_token, home.slack_url, timeout), Patience(wait_seconds, sleep)
    run = _Run(home, state, bot, clock, patience, began + timedelta(seconds=wait_seconds))
    threads = [thread for service in services for thread in _threads(state, service, began)]
    threads.sort(key=lambda each: (each.incident.last, each.root.id), reverse=True)
    for thread in threads[:MOST]:
        if run.stopped or clock() > run.until:
            break
        _look(run, thread)
    for sentence in run.unread:  # standard output is the command line's own
        print(sentence, file=sys.stderr)
    found = {"answered": run.answered, "unread": list(run.unread)}
    return {name: each for name, each in found.items() if each}


def _threads(state: State, service: Service, now: datetime) -> list[_Thread]:
    name, today = service.service, answers.today_of(service, now)
    found = []
    with reading(state) as connection:
        said = answers_of(connection, name)
        for incident in incidents_of(connection, name):
            ended = incident.resolved if incident.state == "resolved" else None
            if incident.state == "withdrawn" or (ended is not None and today - ended > STILL):
                continue
            sent = outbox.thread_of(connection, key_of(name, incident.number))
            if not sent or not (sent[0].state == "sent" and sent[0].channel_id and sent[0].ts):
                continue
            root, asked = sent[0], tuple(each for each in sent if each.key.startswith(f"{sent[0].key}/ask/"))
            own = {
                each.key: each for each in said if (each.number, each.source) == (incident.number, "slack")
            }
            found.append(_Thread(service, incident, root, asked, own))
    return found


def _look(run: _Run, thread: _Thread) -> None:
    """Read the reactions to one incident's message, and keep what is new in them."""
    read = _patiently(run, partial(slack.reactions, run.bot, thread.root.channel_id, thread.root.ts))
    if not _is_read(run, thread, read):
        # without its scope no other message can be read either, and what has no time now has none for the next
        run.stopped = read.kind != "refused" or read.error.startswith(_NO_SCOPE)
        return
    given = {
        f"slack/{_KEYS[what]}/{user}": (what, user)
        for each in read.given
        if (what := EMOJI.get(each.name)) is not None
        for user in each.users
    }
    for key, row in thread.known.items():
        if key not in given:
            _take_back(run, thread, row)
    for key, (what, user) in given.items():
        if key in thread.known:
            continue
        if what == "expected":
            _until(run, thread, key, user)
        elif what in answers.AFTER or thread.incident.state != "resolved":
            _keep(run, thread, _row(run, thread, key, what, user))


def _until(run: _Run, thread: _Thread, key: str, user: str) -> None:
    """Ask until when an incident is expected, or take the date that somebody answered."""
    if not thread.asked:
        _ask(run, thread, user)
        return
    question = thread.asked[0]  # of whoever was asked first: one answer is for all
    if question.state != "sent" or not question.ts:
        return
    since = datetime.fromtimestamp(float(question.ts), UTC)
    read = _patiently(
        run, partial(slack.replies, run.bot, thread.root.channel_id, thread.root.ts, since=since)
    )
    if not _is_read(run, thread, read):
        run.stopped = read.kind != "refused"
        return
    today = answers.today_of(thread.service, run.clock())
    days = [day for said in read.said for day in dates_in(said.text, thread.service.language)]
    until = next((day for day in days if answers.is_ahead(day, today)), None)
    if until is not None:
        _keep(run, thread, _row(run, thread, key, "expected", user, until))
    elif any(day > today for day in days):
        said = thread_words.too_far(thread.service, today + answers.AHEAD)
        _say_once(run, thread, "far/", f"far/{user}", said, run.clock())


def dates_in(text: str, language: str) -> Iterator[date]:
    """The dates somebody wrote, in their order: 2026-06-30, and in Portuguese 30/06/2026 too.

    >>> [str(day) for day in dates_in("até 30/06/2026, ou 2026-07-01", "pt")]
    ['2026-06-30', '2026-07-01']
    >>> list(dates_in("12/06/2026 or 2026-02-31", "en"))
    []
    """
    found = [(each.start(), [int(part) for part in each.groups()]) for each in _DAY.finditer(text)]
    if language == "pt":
        found += [
            (each.start(), [int(each[part]) for part in ("year", "month", "day")])
            for each in _DAY_PT.finditer(text)
        ]
    for _, (year, month, day) in sorted(found):
        try:
            yield date(year, month, day)
        except ValueError:  # no calendar has such a day: the next date may be one
            continue


def _ask(run: _Run, thread: _Thread, user: str) -> None:
    now = run.clock()
    said = thread_words.ask_until(thread.service, answers.today_of(thread.service, now) + _EXAMPLE)
    _say_once(run, thread, "ask/", f"ask/{user}", said, now)


def _say_once(run: _Run, thread: _Thread, once: str, stem: str, said: Payload, now: datetime) -> None:
    """Put an answer into a thread, unless one is there whose key begins with `once`: two may react at a time."""
    with writing(run.state) as connection:
        below = outbox.thread_of(connection, thread.root.key)
        if any(each.key.startswith(f"{thread.root.key}/{once}") for each in below):
            return
        key = answers.reply(connection, thread.service, thread.incident, stem, said, now)
    run.answered.append(key)


def _keep(run: _Run, thread: _Thread, row: AnswerRow) -> None:
    try:
        with writing(run.state) as connection:
            answered = answers.answer(connection, thread.service, row)
            for gone in answered.gone:
                copies.remove(run.home, gone)
    except UsageError as error:  # the incident became another one since it was read
        run.unread[str(error)] = None
        return
    if answered.is_new:
        run.answered.append(f"{thread.root.key}/answer/{row.key}")


def _take_back(run: _Run, thread: _Thread, row: AnswerRow) -> None:
    with writing(run.state) as connection:
        back = answers.take_back(
            connection, thread.service, row, run.clock(), wake=bool(run.home.webhook_key)
        )
        for gone in back.gone if back is not None else ():
            copies.remove(run.home, gone)
    if back is not None:
        run.answered.append(f"{thread.root.key}/answer/{row.key}/back")


def _row(run: _Run, thread: _Thread, key: str, what: What, user: str, until: date | None = None) -> AnswerRow:
    incident = thread.incident
    return AnswerRow(incident.service, incident.number, what, user, "slack", key, run.clock(), until=until)


def _patiently(run: _Run, call: Callable[[], _Read]) -> _Read:
    """Call Slack until it answers, or there is no time left."""
    for tries in range(1, _TRIES + 1):
        read = call()
        done = read.kind not in {"again", "unknown"} or tries == _TRIES or run.clock() > run.until
        if done or not run.patience.wait(read.retry_after or _PAUSE):
            break
    return read


def _is_read(run: _Run, thread: _Thread, read: Reactions | Replies) -> bool:
    if read.kind == "sent":
        return True
    is_for_all = read.kind != "refused" or read.error.startswith(_NO_SCOPE)
    subject = "The answers to incidents" if is_for_all else f"The answers to {thread.name}"
    run.unread[f"{subject} could not be read. {read.error}"] = None
    return False
