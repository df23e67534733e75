"""Reading what people answered in Slack: what is looked at, and what becomes of what Slack refuses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ronda import reactions
from ronda.reactions import MOST, read_answers
from ronda.watch_nights import watch_all
from services.home import Home
from slack_reactions import react, say, unreact
from store import outbox
from store.incidents import answers_of, incidents_of, keep_incident
from store.outbox import MessageRow
from store.state import State, open_state, reading, writing
from told_incidents import judge, morning_after, moved, night_after, service

CHANNEL, ANA = "C0SHOP00000", "U0ANA00001"
ITS = service()
FILE = "service: shop\nowner: '@team'\nslack: '#shop'\nsource: log\nrequests: sql/shop/r.sql\n"
UNTIL = night_after(9).isoformat()


@dataclass
class Desk:
    """A state with an incident in Slack, and a clock that sleeping moves."""

    home: Home
    state: State
    server: Any
    now: datetime = field(default_factory=lambda: morning_after(0))

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def read(self, **given: Any) -> dict[str, list[str]]:
        """Read the answers once."""
        plain = {"sleep": self.sleep, "services": [ITS], "home": self.home, "timeout": 0.5}
        return read_answers(state=self.state, clock=lambda: self.now, **(plain | given))

    def post(self, number: int = 1, state: Any = "sent") -> str:
        """Let an incident's message be in the channel; its ts."""
        ts = str(self.server._add(CHANNEL, f"incident {number}")["ts"])
        row = MessageRow(
            f"incident/shop/{number}", "incident", "shop", "#shop", "{}", self.now, self.now, night_after(0)
        )
        with writing(self.state) as connection:
            outbox.put(connection, row)
            outbox.settle(connection, row, state, now=self.now, channel_id=CHANNEL, ts=ts)
        return ts

    def copy(self, number: int, **more: Any) -> None:
        """Let there be another incident like the first."""
        with writing(self.state) as connection:
            first = incidents_of(connection, "shop")[0]
            keep_incident(connection, type(first)(**(vars(first) | {"number": number, "id": 0} | more)))

    @property
    def said(self) -> list[tuple[int, str, str]]:
        """What was kept of whom."""
        with reading(self.state) as connection:
            return [(row.number, row.what, row.by) for row in answers_of(connection, "shop")]


@pytest.fixture
def desk(tmp_path: Path, slack_server: Any) -> Desk:
    """A home with a token, and an incident of one bad night."""
    for path, text in (("services/shop.yaml", FILE), ("sql/shop/r.sql", "SELECT 1\n")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'var' / 'ronda.db'}"
    home = Home(tmp_path, url, str(tmp_path / "lake"), b"k" * 16, slack_server.token, slack_server.url)
    state = open_state(url)
    judge(state, ITS, 0, moved())
    return Desk(home, state, slack_server)


def test_without_the_scope_nothing_is_read_and_late_nights_are_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One call, one sentence that says what to do, and no error; the watch puts its messages all the same."""
    for number in (1, 2, 3):
        if number > 1:
            desk.copy(number)
        desk.post(number)
    desk.server.scopes.remove("reactions:read")
    monkeypatch.setenv("RONDA_HOME", str(desk.home.root))
    monkeypatch.setenv("RONDA_SLACK_TOKEN", desk.server.token)
    monkeypatch.setenv("RONDA_SLACK_URL", desk.server.url)
    (desk.home.root / "services/torn.yaml").write_text("slack: '#shop'\nservice: [", encoding="utf-8")
    found = watch_all()
    assert len(found["late"]) == 3
    assert len(found["unwatched"]) == 1
    assert len(found["unread"]) == 1
    assert "reactions:read" in found["unread"][0]
    assert capsys.readouterr().err == f"{found['unread'][0]}\n"
    assert len(desk.server.calls_of("reactions.get")) == 1


@pytest.mark.parametrize(
    ("step", "calls", "why"),
    [
        (("status", 500), 3, "status 500"),
        (("garbage",), 3, "no JSON"),
        (("rate", 5), 3, "asks to wait"),
        (("rate", 600), 1, "asks to wait 600 seconds"),
        (("error", "token_revoked"), 1, "token_revoked"),
    ],
)
def test_what_ails_slack_ends_the_run(
    desk: Desk, capsys: pytest.CaptureFixture[str], step: tuple[Any, ...], calls: int, why: str
) -> None:
    """It is tried for a while, told once, and what is there stays as it is; the next run reads all."""
    react(desk.server, CHANNEL, desk.post(), "eyes", ANA)
    desk.copy(2)
    desk.post(2)
    desk.server.script("reactions.get", *[step] * calls)
    (sentence,) = desk.read()["unread"]
    assert why in sentence
    assert desk.server.token not in capsys.readouterr().err
    assert (len(desk.server.calls_of("reactions.get")), desk.said) == (calls, [])
    assert desk.read() == {"answered": [f"incident/shop/1/answer/slack/eyes/{ANA}"]}


def test_a_message_that_is_gone_hides_no_other(desk: Desk) -> None:
    """Somebody deleted it: that is told, its answers stay, and the others are read."""
    ts = desk.post()
    react(desk.server, CHANNEL, ts, "white_check_mark", ANA)
    desk.read()
    desk.copy(2)
    react(desk.server, CHANNEL, desk.post(2), "white_check_mark", ANA)
    desk.server.messages[CHANNEL] = [each for each in desk.server.messages[CHANNEL] if each["ts"] != ts]
    found = desk.read()
    assert [sentence.partition(" could")[0] for sentence in found["unread"]] == [
        "The answers to shop, incident 1"
    ]
    assert sorted(desk.said) == [(1, "real", ANA), (2, "real", ANA)]


def test_only_what_people_may_still_answer_is_looked_at(desk: Desk) -> None:
    """Not what ended long ago, nor what a night took back, nor what is in no channel; and without a token nothing."""
    ended = {"state": "resolved", "resolved": night_after(1) - timedelta(days=14)}
    desk.copy(2, **ended)
    desk.copy(3, **(ended | {"resolved": night_after(1) - timedelta(days=15)}))
    desk.copy(4, state="withdrawn")
    desk.copy(5)
    expected = {desk.post(1), desk.post(2)}
    for number, state in ((3, "sent"), (4, "sent"), (5, "unknown")):
        desk.post(number, state)
    assert desk.read() == {}
    assert {each["timestamp"] for each in desk.server.calls_of("reactions.get")} == expected
    asked = len(desk.server.calls)
    home = desk.home
    silent = Home(home.root, home.state_url, home.lake_url, home.hash_key, "", home.slack_url)
    assert desk.read(home=silent) == {}
    assert len(desk.server.calls) == asked


def test_a_run_has_an_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty incidents at most, the latest first; and none is begun when the time is used up."""
    desk.post(1)
    for number in range(2, MOST + 3):
        desk.copy(number, last=night_after(1) if number > 2 else night_after(0))
    newest = {desk.post(number) for number in range(2, MOST + 3)}
    desk.read()
    asked = [each["timestamp"] for each in desk.server.calls_of("reactions.get")]
    assert len(asked) == MOST
    assert set(asked) < newest
    real = reactions.slack.reactions

    def slow(*given: Any) -> Any:
        desk.sleep(40)
        return real(*given)

    monkeypatch.setattr(reactions.slack, "reactions", slow)
    desk.read(wait_seconds=60.0)
    assert len(desk.server.calls_of("reactions.get")) == MOST + 2


def test_an_incident_that_is_over_cannot_be_taken_but_was_real(desk: Desk) -> None:
    """Eyes below a message that says it is over are no error, and no answer."""
    ts = desk.post()
    for days in (1, 2, 3):
        judge(desk.state, ITS, days)
    desk.now = morning_after(3)
    for name in ("eyes", "heavy_check_mark"):
        react(desk.server, CHANNEL, ts, name, ANA)
    assert desk.read() == {"answered": [f"incident/shop/1/answer/slack/white_check_mark/{ANA}"]}
    assert desk.said == [(1, "real", ANA)]


@pytest.mark.parametrize("key", ["", "an integration key"])
def test_noise_that_is_taken_away_lets_the_pager_ring_again(desk: Desk, key: str) -> None:
    """Where there is a pager: the incident goes on, and it was told that it is over."""
    its, ts, day = service(critical=["errors"]), desk.post(), night_after(0)
    payload = '{"event_action":"trigger","payload":{}}'
    page = MessageRow("page/shop/1", "page", "shop", "", payload, desk.now, desk.now, day, action="page")
    [mine] = judge(desk.state, its, 0, moved())
    with writing(desk.state) as connection:
        keep_incident(connection, replace(mine, told="post"))
        outbox.put(connection, page)
        outbox.settle(connection, page, "sent", now=desk.now)
    given = {"home": replace(desk.home, webhook_key=key), "services": [its]}
    react(desk.server, CHANNEL, ts, "no_bell", ANA)
    desk.read(**given)
    with writing(desk.state) as connection:
        over = outbox.message_of(connection, "page/shop/1/over-2026-05-11")
        assert over is not None
        outbox.settle(connection, over, "sent", now=desk.now)
    unreact(desk.server, CHANNEL, ts, "no_bell", ANA)
    desk.read(**given)
    with reading(desk.state) as connection:
        again = outbox.message_of(connection, f"{over.key}/back")
    assert (again is not None) == bool(key)


def test_a_question_that_cannot_be_read_waits(desk: Desk) -> None:
    """Without the right to read the channel it is asked, the date is not read, and that is told."""
    ts = desk.post()
    react(desk.server, CHANNEL, ts, "repeat", ANA)
    assert desk.read() == {"answered": [f"incident/shop/1/ask/{ANA}"]}
    assert desk.read() == {}  # the question is not sent yet
    with writing(desk.state) as connection:
        row = outbox.message_of(connection, f"incident/shop/1/ask/{ANA}")
        assert row is not None
        asked = desk.server._add(CHANNEL, "until when?")
        outbox.settle(connection, row, "sent", now=desk.now, channel_id=CHANNEL, ts=asked["ts"])
    say(desk.server, CHANNEL, ts, "U0BRUNO002", UNTIL)
    desk.server.scopes.remove("channels:history")
    assert "channels:history" in desk.read()["unread"][0]
    desk.server.scopes.add("channels:history")
    assert desk.read() == {"answered": [f"incident/shop/1/answer/slack/repeat/{ANA}"]}
    assert desk.said == [(1, "expected", ANA)]


@pytest.mark.parametrize(
    ("text", "language", "days"),
    [
        ("até 30/06/2026", "pt", [date(2026, 6, 30)]),
        ("until 30/06/2026", "en", []),
        ("2026-13-01, 31/02/2026 e 1/7/2026", "pt", [date(2026, 7, 1)]),
        ("build 12026-06-30-2 of 2026-06-301", "en", []),
        ("<https://x.example/2026-06-30|here>", "en", [date(2026, 6, 30)]),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, language: str, days: list[date]) -> None:
    """Only what names one day, whatever stands around it."""
    assert list(reactions.dates_in(text, language)) == days
