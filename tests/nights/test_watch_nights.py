"""Nights that are late are told once, once more when they come, and a file that cannot be read once a day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitoring.alert import deliver
from monitoring.text import say
from ronda import rounds
from ronda.watch_nights import watch, watch_all
from services.errors import NightError, ServiceFileError
from services.home import home_from
from services.window import night_of
from store import outbox
from store.lake import open_lake
from store.outbox import MessageRow
from store.state import open_state, reading

NOW = datetime(2026, 5, 23, 12, tzinfo=UTC)
LATE = ["late/shop/2026-05-20", "late/shop/2026-05-21", "late/shop/2026-05-22"]
QUIET: dict[str, list[str]] = {"late": [], "came": [], "unwatched": []}


def look(now: datetime = NOW) -> dict[str, list[str]]:
    home = home_from()
    return watch(home, open_state(home.state_url), now)


def judge(shop: Any, day: date) -> None:
    rounds.judge(shop.watch(), night_of(day, "UTC"), lambda: NOW)


def message(key: str) -> MessageRow:
    home = home_from()
    with reading(open_state(home.state_url)) as connection:
        found = outbox.message_of(connection, key)
    assert found is not None
    return found


def words(key: str) -> str:
    return json.dumps(json.loads(message(key).payload), ensure_ascii=False)


def test_a_late_night_is_told_once(frozen_shop: Any) -> None:
    """Each of the last three nights has one message, to the service's channel, and no second one ever."""
    assert look() == QUIET | {"late": LATE}
    assert look() == look(NOW + timedelta(hours=6)) == QUIET

    row = message(LATE[2])
    assert (row.kind, row.channel, row.night, row.unknown) == ("late", "#shop", date(2026, 5, 22), "repeat")
    assert (row.due_at, row.action, row.state) == (NOW, "post", "waiting")
    assert say("en", "late.unseen") in words(LATE[2])
    assert look(NOW + timedelta(days=1))["late"] == ["late/shop/2026-05-23"]


def test_a_night_that_is_there_is_not_late(frozen_shop: Any) -> None:
    """What was judged needs no message."""
    for day in (20, 21, 22):
        frozen_shop.write_night(date(2026, 5, day))
        judge(frozen_shop, date(2026, 5, day))
    assert look() == QUIET


def test_an_empty_night_is_told_as_empty(frozen_shop: Any) -> None:
    """The reason is what the last attempt said."""
    frozen_shop.write_night(date(2026, 5, 21), rows=0)
    with pytest.raises(NightError):
        judge(frozen_shop, date(2026, 5, 21))
    look()
    assert "the log has no rows between 2026-05-21 00:00 and 2026-05-22 00:00 UTC" in words(LATE[1])
    assert "the log has no rows" not in words(LATE[0]) + words(LATE[2])


def test_a_night_that_comes_after_all_is_answered(
    frozen_shop: Any, slack_server: Any, monkeypatch: Any
) -> None:
    """In the thread of its message it is said, once, that it came and what it came to."""
    monkeypatch.setenv("RONDA_SLACK_TOKEN", slack_server.token)
    monkeypatch.setenv("RONDA_SLACK_URL", slack_server.url)
    look()
    frozen_shop.write_night(date(2026, 5, 21))
    judge(frozen_shop, date(2026, 5, 21))
    came = f"{LATE[1]}/came"
    assert look() == QUIET | {"came": [came]}
    assert look() == QUIET
    row = message(came)
    assert (row.action, row.about, row.channel) == ("reply", LATE[1], "#shop")

    home = home_from()
    deliver(open_state(home.state_url), open_lake(home.lake_url), home, lambda: NOW, sleep=lambda _: None)
    told = [each["text"] for each in slack_server.said("shop")]
    assert sum("2" in text and "shop" in text for text in told) >= 3
    first = next(each for each in slack_server.said("shop") if each["ts"] == message(LATE[1]).ts)
    answers = slack_server.thread(first["ts"], "shop")
    assert len(answers) == 1


def test_a_service_without_a_reference_is_not_watched(shop: Any) -> None:
    """It cannot be judged yet, so nothing is late."""
    assert look() == QUIET


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("service: torn\nslack: '#torn' # ours\nowner: \"@torn\"\nsource: [\n", "#torn"),
        ("service: torn\nslack: #torn\nowner: x\n", "#torn"),  # a comment, in YAML: the likeliest mistake
        ("service: torn\nslack: '#torn'\nsurce: x\n", "#torn"),
    ],
)
def test_a_broken_file_is_told_once_a_day(frozen_shop: Any, text: str, channel: str) -> None:
    """To the channel that its text still names; the other services are watched as ever."""
    frozen_shop.file("services/torn.yaml", text)
    assert look() == {"late": LATE, "came": [], "unwatched": ["late/torn/2026-05-22/file"]}
    assert look(NOW + timedelta(hours=11)) == QUIET
    assert look(NOW + timedelta(hours=12))["unwatched"] == ["late/torn/2026-05-23/file"]

    row = message("late/torn/2026-05-22/file")
    assert (row.channel, row.service, row.kind) == (channel, "torn", "late")
    said = words(row.key).replace("⁄", "/")
    assert "services/torn.yaml" in said
    assert say("en", "unwatched.broken") in said
    assert "run was seen" not in said


def test_a_broken_file_without_a_channel(frozen_shop: Any) -> None:
    """The channel it had before is taken; where there is none that is an error, and a secret is no channel."""
    frozen_shop.file("services/torn.yaml", "slack: xoxb-123456789012-123456789012-abcdefghijklmnopqrstuvwx\n")
    with pytest.raises(ServiceFileError, match="torn: nobody can be told, since no channel is known"):
        look()
    assert message(LATE[0]).state == "waiting"  # what could be told was told before

    frozen_shop.file("services/shop.yaml", "service: [")
    with pytest.raises(ServiceFileError, match="torn: nobody"):
        look()
    assert message("late/shop/2026-05-22/file").channel == "#shop"

    frozen_shop.file("services/_defaults.yaml", "slack: '#everybody'\n")
    frozen_shop.file("services/Torn Twice.yaml", "service: [")
    assert sorted(look()["unwatched"]) == ["late/Torn Twice/2026-05-22/file", "late/torn/2026-05-22/file"]
    row = message("late/Torn Twice/2026-05-22/file")
    assert (row.channel, row.service) == ("#everybody", "file_torn_twice")


@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_file_that_is_gone_is_told_once(frozen_shop: Any, whole_folder: bool) -> None:
    """In the channel it spoke in before, and again only if it was judged in between."""
    look()
    services = frozen_shop.root / "services"
    if whole_folder:
        services.rename(frozen_shop.root / "elsewhere")
        with pytest.raises(ServiceFileError, match="has no folder `services`"):
            look()
    else:
        (services / "shop.yaml").rename(services / "shop.yml")
        assert look() == QUIET | {"unwatched": ["late/shop/never/gone"]}
        assert "There is shop.yml; rename it to shop.yaml." in words("late/shop/never/gone")
        assert look(NOW + timedelta(days=9)) == QUIET
    row = message("late/shop/never/gone")
    assert (row.channel, row.service, row.night) == ("#shop", "shop", date(2026, 5, 22))
    assert say("en", "unwatched.gone") in words(row.key)


def test_a_file_that_is_gone_again_is_told_again(frozen_shop: Any) -> None:
    """The key is of the last night that was judged; a service that never spoke has the channel of all."""
    file = frozen_shop.root / "services/shop.yaml"
    text = file.read_text(encoding="utf-8")
    file.unlink()
    assert look() == QUIET  # no channel is known
    frozen_shop.file("services/_defaults.yaml", "slack: '#everybody'\n")
    assert look() == QUIET | {"unwatched": ["late/shop/never/gone"]}
    assert message("late/shop/never/gone").channel == "#everybody"

    frozen_shop.file("services/shop.yaml", text)
    frozen_shop.write_night(date(2026, 5, 20))
    judge(frozen_shop, date(2026, 5, 20))
    file.unlink()
    assert look() == QUIET | {"unwatched": ["late/shop/2026-05-20/gone"]}


def test_the_task_reads_the_home(frozen_shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the DAG calls takes everything from the environment and the clock."""
    monkeypatch.setattr("ronda.watch_nights.clock", lambda: NOW)
    assert watch_all() == QUIET | {"late": LATE}
