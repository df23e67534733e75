"""What a page says, before it has a key."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from webhook_server import an_event


def test_what_an_event_says() -> None:
    """The fields of PagerDuty's Events API v2, and no key."""
    assert an_event(link="https://ronda.example/night.html", component="dep_delay") == {
        "event_action": "trigger",
        "dedup_key": "ronda/flight_delay/7",
        "payload": {
            "summary": "late flights went up",
            "source": "flight_delay",
            "severity": "critical",
            "timestamp": "2013-06-14T02:05:00-03:00",
            "component": "dep_delay",
            "custom_details": {"since": "2013-06-14", "requests": 31_000},
        },
        "links": [{"href": "https://ronda.example/night.html", "text": "What ronda found"}],
    }
    severities = [an_event(severity=each)["payload"]["severity"] for each in ("critical", "major", "minor")]
    assert severities == ["critical", "error", "warning"]


@pytest.mark.parametrize("link", ["/var/lake/night.html", "javascript:alert(1)", "file:///etc/passwd"])
def test_a_place_that_is_no_address(link: str) -> None:
    """It can be read, and not clicked."""
    found = an_event(link=link)

    assert found["links"] == []
    assert found["payload"]["custom_details"]["page"] == link


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        ("a" * 1024, "a" * 1024),
        ("a" * 1025, "a" * 1023 + "…"),
        (" late\n\tflights  ", "late flights"),
        ("to \u202egnp.exe\x00\x1b[31m", "to gnp.exe[31m"),
        ("half \ud83d an emoji", "half ? an emoji"),
        ("", "ronda/flight_delay/7"),
        ("\u200b\n", "ronda/flight_delay/7"),
    ],
    ids=lambda each: ascii(each)[:20],
)
def test_the_line_on_the_phone(summary: str, told: str) -> None:
    """One line, never empty, of what can be seen, as long as PagerDuty takes it."""
    assert an_event(summary=summary)["payload"]["summary"] == told


def test_long_keys_stay_apart() -> None:
    """255 characters name an alarm; a cut alone would make two of them one."""
    one, two = (an_event(dedup_key="x" * 300 + end)["dedup_key"] for end in "12")

    assert len(one) == len(two) == 255
    assert one != two
    assert an_event(dedup_key="x" * 255)["dedup_key"] == "x" * 255


def test_events_are_plain_json() -> None:
    """They are recorded before they are sent."""
    body = an_event(at=datetime(2013, 6, 14, tzinfo=UTC), link="https://ronda.example/")

    assert json.loads(json.dumps(body)) == body
