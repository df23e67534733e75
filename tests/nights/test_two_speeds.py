"""When people hear of what: at once or in the morning, by a message of its own or in the morning's, and each week.

Whole nights, the real slack_sdk, and servers on this machine that behave like Slack and like PagerDuty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from monitoring.slack_body import key_of
from ronda import sending
from services.home import home_from
from shop_changes import fail_half, warmer
from store.lake import open_lake
from store.state import open_state

Change = Callable[[dict[str, Any]], None]


def slower(columns: dict[str, Any]) -> None:
    """Answers take twice as long."""
    columns["latency_ms"] = columns["latency_ms"] * 2


@dataclass
class Channel:
    """The shop, its channel and its pager."""

    shop: Any
    slack: Any
    pager: Any

    def judge(self, day: date, change: Change | None = None) -> None:
        """Judge a night at half past two of the next morning, and send what is due then."""
        self.shop.write_night(day, change)
        self.shop.run(day, at(day, time(2, 30)))
        self.send(at(day, time(2, 31)))

    def send(self, now: datetime) -> None:
        """Send what is due."""
        home = home_from()
        sending.send(open_state(home.state_url), open_lake(home.lake_url), home, lambda: now)

    def told(self) -> list[str]:
        """The first messages in the channel, oldest first, without what names a day; the week's apart."""
        keys = [key.split("/20")[0] for each in self.slack.said("shop") if (key := key_of(each)) is not None]
        return [key for key in keys if key != "week"]

    def text(self, key: str) -> str:
        """What the first message whose key begins so shows."""
        found = next(each for each in self.slack.said("shop") if (key_of(each) or "").startswith(key))
        return "\n".join(block["text"]["text"] for block in found["blocks"])


def at(day: date, clock: time) -> datetime:
    """A time of the day after a night."""
    return datetime.combine(day + timedelta(days=1), clock, tzinfo=UTC)


@pytest.fixture
def channel(nights: Any, slack_server: Any, webhook_server: Any, monkeypatch: pytest.MonkeyPatch) -> Channel:
    """The shop with fourteen nights behind it, a token and an integration key."""
    monkeypatch.setenv("RONDA_SLACK_TOKEN", slack_server.token)
    monkeypatch.setenv("RONDA_SLACK_URL", slack_server.url)
    monkeypatch.setenv("RONDA_WEBHOOK_URL", webhook_server.url)
    monkeypatch.setenv("RONDA_WEBHOOK_KEY", webhook_server.key)
    return Channel(nights, slack_server, webhook_server)


def with_lines(channel: Channel, *lines: str) -> None:
    """Add lines to the service file."""
    file = channel.shop.root / "services/shop.yaml"
    file.write_text(file.read_text() + "".join(f"{line}\n" for line in lines))


def test_what_is_critical_goes_out_at_once_and_wakes_somebody(channel: Channel) -> None:
    """Errors: in the channel and at the webhook in the same run, and nobody is woken a second time by a second night."""
    day = channel.shop.night
    channel.judge(day, fail_half)
    assert channel.told() == ["incident/shop/1"]
    assert channel.pager.actions == [("trigger", "ronda/shop/1")]
    channel.judge(day + timedelta(days=1), fail_half)
    assert channel.told() == ["incident/shop/1"]
    assert channel.pager.actions == [("trigger", "ronda/shop/1")]
    for n in range(2, 5):
        channel.judge(day + timedelta(days=n))
    assert channel.pager.actions == [("trigger", "ronda/shop/1"), ("resolve", "ronda/shop/1")]
    assert "over" in channel.text("incident/shop/1")


def test_what_can_wait_is_told_at_eight(channel: Channel) -> None:
    """Slow answers are no reason to get up: nothing at half past two, one message in the morning, nobody is woken."""
    day = channel.shop.night
    channel.judge(day, slower)
    channel.send(at(day, time(7, 59)))
    assert channel.told() == []
    channel.send(at(day, time(8)))
    assert channel.told() == ["incident/shop/1"]
    assert "times as long as usual" in channel.text("incident/shop/1")
    assert channel.pager.actions == []


def test_beyond_the_budget_it_is_a_line_of_the_morning(channel: Channel) -> None:
    """With a budget of 0 no incident that can wait has a message of its own; the morning says it, and why."""
    with_lines(channel, "budget: 0")
    day = channel.shop.night
    channel.judge(day, slower)
    channel.send(at(day, time(8)))
    assert channel.told() == ["morning"]
    assert "this week's budget is spent" in channel.text("morning")
    channel.judge(day + timedelta(days=1), fail_half)
    assert channel.told()[1:] == ["incident/shop/2"], "what is critical has no budget"


def test_inputs_alone_are_told_once(channel: Channel) -> None:
    """On the morning after they moved; not on every one on which they stay moved."""
    day = channel.shop.night
    for n in range(3):
        channel.judge(day + timedelta(days=n), warmer)
        channel.send(at(day + timedelta(days=n), time(8)))
    assert channel.told() == ["morning"]
    assert "incident 1, inputs alone: “price” moved" in channel.text("morning")


def test_what_is_planned_wakes_nobody(channel: Channel) -> None:
    """The service file said that errors were to be expected."""
    day = channel.shop.night
    with_lines(channel, f"planned: [{{from: {day}, what: moving house, affects: [errors]}}]")
    channel.judge(day, fail_half)
    channel.send(at(day, time(8)))
    assert channel.told() == []
    assert channel.pager.actions == []


def test_a_guarded_number_of_the_business_is_critical(channel: Channel) -> None:
    """Its query is read each night; when fewer are paid for than usual, the message says so in the team's words."""
    channel.shop.file(
        "sql/shop/paid.sql",
        "SELECT count(*) FILTER (WHERE price < 30) AS numerator, count(*) AS denominator FROM requests "
        "WHERE time >= {start} AND time < {end}\n",
    )
    with_lines(
        channel,
        "guards: {paid: {query: sql/shop/paid.sql, worse: down, says: fewer carts are paid for}}",
        f"planned: [{{from: {channel.shop.night}, what: inputs of the test, affects: [features]}}]",
    )
    first = channel.shop.past[0]
    for day in channel.shop.past:  # the guard is new: its past is made
        channel.shop.run(day, at(day, time(2, 30)))
    assert (channel.shop.night - first).days == 14
    channel.judge(channel.shop.night, warmer)
    assert channel.pager.actions == [("trigger", "ronda/shop/1")]
    assert "fewer carts are paid for" in channel.text("incident/shop/1")


def test_a_week_is_told_on_monday(channel: Channel) -> None:
    """Once, at eight, with what was opened and whether anybody said that it was real."""
    day = channel.shop.night  # a Sunday
    assert day.weekday() == 6
    channel.judge(day, fail_half)
    channel.send(at(day, time(8)))
    channel.send(at(day, time(9)))
    weeks = [each for each in channel.slack.said("shop") if (key_of(each) or "").startswith("week/")]
    assert len(weeks) == 1
    assert "1 incident" in channel.text("week") or "#1" in channel.text("week")
