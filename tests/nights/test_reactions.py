"""Nights told in Slack and answered there: the real slack_sdk, and a server on this machine that behaves like Slack."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from monitoring.slack_body import key_of
from ronda import reactions, sending
from ronda.roster import services_on_watch
from services.home import home_from
from shop_changes import fail_half
from slack_reactions import react, say, unreact
from store.incidents import IncidentRow, incidents_of
from store.lake import open_lake
from store.state import open_state, reading

CHANNEL, ANA, BRUNO = "C0SHOP00000", "U0ANA00001", "U0BRUNO002"
Ronda = Callable[..., tuple[int, str, str]]


def root_in(server: Any) -> Any:
    """The one message of the incident; on Mondays the week has one of its own."""
    (message,) = (each for each in server.said("shop") if key_of(each) == "incident/shop/1")
    return message


@dataclass
class Team:
    """Who reads the channel: nights are judged in the morning after them, and watched at nine."""

    shop: Any
    server: Any
    now: datetime

    def judge(self, day: date) -> None:
        """Judge a night on which half of all requests failed, and send what it says."""
        self.now = datetime.combine(day + timedelta(days=1), time(8, 30), tzinfo=UTC)
        self.shop.write_night(day, fail_half)
        self.shop.run(day, self.now)
        self.send()

    def watch(self) -> dict[str, list[str]]:
        """Read what was answered and send what is due, as the watch does every quarter of an hour."""
        self.now += timedelta(minutes=15)
        home = home_from()
        services = services_on_watch(home)[0].values()
        found = reactions.read_answers(
            home, open_state(home.state_url), services, lambda: self.now, sleep=lambda _: None
        )
        self.send()
        return found

    def send(self) -> None:
        """Send what is due."""
        home = home_from()
        sending.send(open_state(home.state_url), open_lake(home.lake_url), home, lambda: self.now)

    @property
    def root(self) -> Any:
        """The incident's one message."""
        return root_in(self.server)

    @property
    def thread(self) -> list[str]:
        """What was answered to it in words, and by whom a file was not."""
        return [each["text"] for each in self.server.thread(self.root["ts"], "shop") if each["text"]]

    def react(self, name: str, user: str = ANA) -> None:
        """Let somebody react to the incident's message."""
        react(self.server, CHANNEL, self.root["ts"], name, user)

    def say(self, text: str, user: str = BRUNO) -> None:
        """Let somebody write in its thread."""
        say(self.server, CHANNEL, self.root["ts"], user, text)

    @property
    def incident(self) -> IncidentRow:
        """The one there is."""
        with reading(open_state(home_from().state_url)) as connection:
            (row,) = incidents_of(connection, "shop")
        return row

    @property
    def rows(self) -> dict[str, list[Any]]:
        """All that was recorded of incidents and messages."""
        with sqlite3.connect(self.shop.root / "var/ronda.db") as connection:
            tables = ("incidents", "incident_answers", "messages")
            return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


@pytest.fixture
def team(loud: Any, slack_server: Any) -> Team:
    """The shop after a night that was told."""
    made = Team(loud, slack_server, datetime.now(UTC))
    made.judge(loud.night)
    return made


def test_eyes_are_read_by_the_watch_of_the_command_line(
    loud: Any, slack_server: Any, call_ronda: Ronda
) -> None:
    """Whoever looks after it is named by `ronda incident`; the watch says nothing of it in the channel."""
    assert call_ronda("night", "shop", "--date", loud.night.isoformat())[0] == 0
    message = root_in(slack_server)
    before = len(slack_server.thread(message["ts"], "shop"))
    react(slack_server, CHANNEL, message["ts"], "eyes::skin-tone-3", ANA)
    code, _, wrong = call_ronda("night", "shop", "--send-only")
    assert (code, wrong) == (0, "")
    code, said, _ = call_ronda("incident", "shop", "--json")
    (shown,) = json.loads(said)["incidents"]
    assert (code, shown["state"], shown["taken_by"]) == (0, "acknowledged", ANA)
    assert len(slack_server.thread(message["ts"], "shop")) == before


def test_a_check_is_real_and_a_second_run_changes_nothing(team: Team) -> None:
    """What was read is known: the same rows, and no second message; either check mark says it."""
    team.react("white_check_mark")
    team.react("heavy_check_mark")
    team.react("party_parrot")
    assert team.watch() == {"answered": ["incident/shop/1/answer/slack/white_check_mark/U0ANA00001"]}
    before, calls = team.rows, len(team.server.calls_of("chat.postMessage"))
    assert team.watch() == {}
    assert team.rows == before
    assert len(team.server.calls_of("chat.postMessage")) == calls
    assert team.incident.state == "acknowledged"


def test_expected_asks_until_when_and_holds_until_then(team: Team) -> None:
    """Asked once in the thread; the first date that can be is taken, whoever writes it; after it nights speak again."""
    night = team.shop.night
    team.say(f"until {night + timedelta(days=30)}?")  # before it was asked
    team.react("repeat")
    team.react("arrows_counterclockwise", BRUNO)
    team.watch()
    team.watch()
    asked = [text for text in team.thread if "Expected until when?" in text]
    assert len(asked) == 1
    assert (night + timedelta(days=8)).isoformat() in asked[0]
    assert team.incident.state == "open"
    for text in ("it began on 2026-05-01", "2027-01-01"):
        team.say(text)
    team.watch()
    team.watch()
    assert [text for text in team.thread if "too far ahead" in text] == [
        "That is too far ahead to be remembered. Answer with a night no later than 2026-08-11."
    ]
    team.say(f"the sale ends {night + timedelta(days=2)}.")
    team.say(f"or {night + timedelta(days=9)}")
    assert len(team.watch()["answered"]) == 2  # of both who said so
    assert team.incident.state == "muted"
    assert any("quiet until the night of Tue 12 May" in text for text in team.thread)
    said = len(team.thread)
    for days in (1, 2):
        team.judge(night + timedelta(days=days))
        assert (team.incident.state, len(team.thread)) == ("muted", said)
    team.judge(night + timedelta(days=3))
    assert team.incident.state == "open"
    assert team.thread[-1].startswith("Night 4 (Wed 13 May)")


def test_noise_raises_its_floor_and_the_next_night_is_calm(team: Team) -> None:
    """It ends at once, the thread says what it takes from now on, and as much as before is not told again."""
    team.react("no_bell")
    team.watch()
    assert team.root["text"].startswith("✅ shop: over, incident 1")
    assert f"<@{ANA}>" in json.dumps(team.root["blocks"])
    assert any("errors from" in text and "times its floor" in text for text in team.thread)
    said = team.thread
    team.judge(team.shop.night + timedelta(days=1))
    assert (team.incident.state, team.thread) == ("resolved", said)


def test_a_reaction_that_is_taken_away_is_an_answer_taken_back(team: Team) -> None:
    """The incident is open again, its message says what it said before, and the next night is told."""
    first = team.root["text"]
    for name in ("eyes", "no_bell"):
        team.react(name)
    team.watch()
    assert team.root["text"] != first
    unreact(team.server, CHANNEL, team.root["ts"], "no_bell", ANA)
    assert team.watch() == {"answered": ["incident/shop/1/answer/slack/no_bell/U0ANA00001/back"]}
    assert (team.root["text"], team.incident.state) == (first, "acknowledged")
    unreact(team.server, CHANNEL, team.root["ts"], "eyes", ANA)
    team.watch()
    assert (team.incident.state, team.rows["incident_answers"]) == ("open", [])
    said = len(team.thread)
    team.judge(team.shop.night + timedelta(days=1))
    assert len(team.thread) == said + 1


def test_what_was_resolved_and_comes_back_says_so(team: Team, call_ronda: Ronda) -> None:
    """By hand, on the command line; the same incident opens again on the next bad night, and in the same thread."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ronda.cli.clock", lambda: team.now)
        assert call_ronda("incident", "shop", "1", "--resolve", "--by", "Ana")[0] == 0
    assert team.root["text"].startswith("✅ shop: over, incident 1")
    assert any("Resolved, says Ana." in text for text in team.thread)
    team.judge(team.shop.night + timedelta(days=1))
    assert (team.incident.number, team.incident.state, team.incident.reopened) == (1, "open", 1)
    assert team.thread[-1].startswith("It is back on Mon 11 May")
    assert not team.root["text"].startswith("✅")
