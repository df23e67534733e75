"""Pages in the outbox: first of all, whatever Slack does; in order, as often as it takes, and the key in no record."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitoring import webhook
from monitoring.slack_words import Answer
from monitoring.webhook import Pager
from store import outbox
from store.state import writing
from webhook_server import an_event

POST = "chat.postMessage"
SHORT = 0.8  # seconds: worth waiting for, and longer than a busy machine takes to answer


@pytest.fixture
def paged(office: Any, webhook_server: Any) -> Any:
    """The office with a webhook, and pages that can be put."""
    office.home = replace(office.home, webhook_url=webhook_server.url, webhook_key=webhook_server.key)
    office.webhook = webhook_server
    return office


def page(office: Any, key: str, *, about: str = "", **given: Any) -> None:
    """Record a page that is due now."""
    said = an_event(**({"dedup_key": f"ronda/{key}"} | given))
    office.put(key, payload=said, action="page", kind="page", about=about)


def test_a_page_comes_before_all_others(paged: Any) -> None:
    """Whenever it was recorded; it is sent once, without its key in the outbox."""
    order: list[str] = []
    paged.server.before_answer = lambda *_: order.append(f"slack after {len(paged.webhook.bodies)} pages")
    paged.put("1", "first")
    page(paged, "2")
    page(paged, "3")

    done = paged.run()
    assert [(each.key, each.state, each.place) for each in done] == [
        ("2", "sent", "webhook"),
        ("3", "sent", "webhook"),
        ("1", "sent", "#eta-oncall"),
    ]
    assert order == ["slack after 2 pages"]
    assert paged.webhook.actions == [("trigger", "ronda/2"), ("trigger", "ronda/3")]
    row = paged.row("2")
    assert (row.about, row.attempts, row.error, row.ts, row.channel_id) == ("", 1, "", "", "")
    assert paged.deliver() == {}
    assert len(paged.webhook.calls) == 2


def test_a_page_about_a_post_waits_for_nothing(paged: Any) -> None:
    """The post may be refused, written or gone: who is to be woken is woken."""
    paged.server.script(POST, ("error", "is_archived"))
    paged.put("1", "first")
    page(paged, "2", about="1")
    page(paged, "3", about="no such key")

    assert paged.deliver() == {"2": "sent", "3": "sent", "1": "refused"}


@pytest.mark.parametrize(
    "broken",
    [{"slack_token": ""}, {"slack_token": "a b"}, {"slack_url": "nowhere"}, {"slack_token": "xoxb-revoked"}],
    ids=str,
)
def test_a_broken_slack_holds_up_no_page(paged: Any, broken: dict[str, str]) -> None:
    """Whatever is wrong there."""
    paged.put("1", "first")
    page(paged, "2")
    done = paged.deliver(home=replace(paged.home, **broken))

    assert done["2"] == "sent"
    assert done["1"] != "sent"
    assert paged.webhook.actions == [("trigger", "ronda/2")]


@pytest.mark.parametrize(
    ("broken", "state"),
    [({"webhook_url": "http://example.com/"}, "refused"), ({"webhook_key": "not the key"}, "refused")],
    ids=str,
)
def test_a_broken_webhook_holds_up_no_message(paged: Any, broken: dict[str, str], state: str) -> None:
    """What is wrong is told, a file shows the page, and the next run tries it again."""
    page(paged, "2")
    page(paged, "3")
    paged.put("1", "first")
    done = {each.key: each for each in paged.run(home=replace(paged.home, **broken))}

    assert (done["1"].state, done["2"].state) == ("sent", state)
    assert "RONDA_WEBHOOK_" in done["2"].error
    assert done["2"].error == done["3"].error
    assert sorted(paged.files) == ["2.html", "2.json", "3.html", "3.json"]
    assert paged.deliver() == {"2": "sent", "3": "sent"}
    assert paged.files == {}


def test_pages_have_a_time_of_their_own(paged: Any) -> None:
    """A webhook that asks to wait takes nothing of the time that Slack may need."""
    paged.webhook.script(("rate", 50), ("rate", 50))
    paged.server.script(POST, ("rate", 290))
    page(paged, "2")
    paged.put("1", "first")

    assert paged.deliver() == {"2": "waiting", "1": "sent"}
    assert paged.clock.slept == [50, 290]
    assert "asks to wait 50 seconds" in paged.row("2").error
    assert paged.deliver() == {"2": "sent"}
    assert paged.row("2").error == ""


@pytest.mark.parametrize(
    "step",
    [
        ("status", 500),
        ("stored_then_status", 500),
        ("stored_then_drop",),
        ("stored_then_hang", 2.0),
        ("garbage",),
    ],
    ids=str,
)
def test_a_lost_answer_is_asked_for_again(paged: Any, step: Any) -> None:
    """In the same run, with the same key, so that nobody is woken twice; and nothing is looked for in Slack."""
    paged.webhook.script(step)
    page(paged, "2")

    assert paged.deliver(timeout=SHORT) == {"2": "sent"}
    assert len(paged.webhook.calls) == 2
    assert set(paged.webhook.actions) == {("trigger", "ronda/2")}
    assert paged.clock.slept == [5]
    assert paged.server.calls == []


def test_at_most_three_times_in_a_run(paged: Any) -> None:
    """Then it may have arrived, cannot be taken back, and the next run goes on."""
    paged.webhook.script(*[("status", 500)] * 3)
    page(paged, "2")
    paged.put("1", "first")

    assert paged.deliver() == {"2": "unknown", "1": "sent"}
    assert len(paged.webhook.calls) == 3
    assert "status 500" in paged.row("2").error
    with writing(paged.state) as connection:
        assert outbox.take_back(connection, "2") == []
    assert paged.deliver() == {"2": "sent"}


def test_what_surely_did_not_arrive_can_be_taken_back(paged: Any) -> None:
    """Nobody is woken in the morning for what was over in the night."""
    paged.webhook.script(*[("rate", 3600)])
    page(paged, "2")

    assert paged.deliver() == {"2": "waiting"}
    with writing(paged.state) as connection:
        assert [each.key for each in outbox.take_back(connection, "2")] == ["2"]
    assert paged.deliver() == {}


def test_pages_of_one_alarm_stay_in_order(paged: Any) -> None:
    """One that is late would open again what a later one resolved; other alarms do not wait."""
    paged.webhook.script(*[("status", 500)] * 3)
    page(paged, "1", dedup_key="same")
    page(paged, "2", dedup_key="same", action="acknowledge")
    page(paged, "3", dedup_key="same", action="resolve")
    page(paged, "4", dedup_key="other")

    assert paged.deliver() == {"1": "unknown", "2": "waiting", "3": "waiting", "4": "sent"}
    assert paged.row("2").error == "It waits until 1 is sent, which is unknown."
    assert paged.row("3").error == "It waits until 1 is sent, which is unknown."
    assert paged.row("2").attempts == 0
    assert paged.deliver() == {"1": "sent", "2": "sent", "3": "sent"}
    assert paged.webhook.actions[1:] == [("trigger", "same"), ("acknowledge", "same"), ("resolve", "same")]


def test_without_a_key_it_is_a_file(paged: Any) -> None:
    """What would be sent, and the line that would wake somebody; also one that may have arrived before."""
    paged.webhook.script(*[("stored_then_drop",)] * 3)
    page(paged, "1")
    assert paged.deliver() == {"1": "unknown"}
    page(paged, "2", summary="late <b>flights</b> & more")
    paged.put("3", "in Slack all the same")
    done = {each.key: each for each in paged.run(home=replace(paged.home, webhook_key=""))}

    assert {key: each.state for key, each in done.items()} == {"1": "written", "2": "written", "3": "sent"}
    assert done["2"].place == str(paged.home.outbox / "2.html")
    written = json.loads(paged.files["2.json"])
    assert written == {
        "action": "page",
        "about": "",
        **an_event(dedup_key="ronda/2", summary="late <b>flights</b> & more"),
    }
    shown = paged.files["2.html"].decode()
    assert "late &lt;b&gt;flights&lt;/b&gt; &amp; more" in shown
    assert "trigger · critical" in shown
    assert len(paged.webhook.calls) == 3


def test_a_page_that_says_nothing_holds_nobody_up(paged: Any) -> None:
    """It is refused, and told; the others are sent."""
    paged.put("1", payload=["no", "event"], action="page")
    paged.put("2", payload={"payload": 7, "dedup_key": None}, action="page")
    page(paged, "3")

    assert paged.deliver() == {"1": "refused", "2": "refused", "3": "sent"}
    assert len(paged.files) == 4


def test_a_run_that_dies_repeats_its_page(paged: Any) -> None:
    """Killed before the answer came, it is found `sending`, and sent again at once."""
    paged.webhook.script(("stored_then_hang", 60))
    page(paged, "2")
    process = paged.start()
    until = time.monotonic() + 60
    while not paged.webhook.bodies and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.communicate()

    assert paged.row("2").state == "sending"
    assert paged.deliver() == {"2": "sent"}
    assert paged.webhook.actions == [("trigger", "ronda/2")] * 2
    assert paged.clock.slept == []


@pytest.mark.parametrize(
    "step", [("quote", 400), ("quote", 500), ("redirect", 302, "http://127.0.0.1:1/"), ("garbage",)], ids=str
)
def test_no_failure_tells_the_key(
    paged: Any, step: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in rows, files, logs, records or what is printed, also where the other side quotes it back."""
    caplog.set_level(logging.DEBUG)
    paged.webhook.script(*[step] * 3)
    page(paged, "2")
    done = paged.run()
    key = paged.webhook.key

    assert done[0].state != "sent"
    assert key.encode() in paged.webhook.calls[0]["data"]
    files = [file for file in Path(paged.home.root).rglob("*") if file.is_file()]
    on_disk = b"".join(file.read_bytes() for file in files)
    printed = "".join(capfd.readouterr())
    assert b"ronda/2" in on_disk  # the page itself is there
    for told in (repr(done), repr(paged.row("2")), repr(paged.home), caplog.text, printed):
        assert key not in told
    assert key.encode() not in on_disk


def test_the_key_is_added_at_sending(paged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page that was recorded under an old key is sent with the new one."""
    given: list[Any] = []

    def take(*call: Any) -> Answer:
        given.append(call)
        return Answer("sent")

    monkeypatch.setattr(webhook, "trigger", take)
    page(paged, "2")
    paged.deliver(home=replace(paged.home, webhook_key="new"), timeout=3.0)

    [(pager, body)] = given
    assert pager == Pager(paged.webhook.url, "new", 3.0)
    assert "routing_key" not in body
