"""Since when what serves a night has served it, in nights."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from monitoring.deployed import began
from monitoring.verdicts.since import Began
from services.window import night_of
from store.deployments import DeploymentRow

NIGHTS = [night_of(date(2026, 5, 1) + timedelta(days=n), "UTC") for n in range(20)]


def at(day: int, hour: int) -> datetime:
    """An hour of a night of May."""
    return datetime(2026, 5, day, hour, tzinfo=UTC)


def row(version: str, day: int, hour: int = 0) -> DeploymentRow:
    """A deployment as the log shows it."""
    return DeploymentRow("shop", at(day, hour), model_version=version)


OLD = row("v1", 1)


@pytest.mark.parametrize(
    ("start", "wanted"),
    [(at(20, 0), Began(1)), (at(18, 6), Began(3)), (at(18, 14), Began(2, 1)), (at(20, 14), Began(0, 1))],
)
def test_a_night_belongs_to_what_served_most_of_it(start: datetime, wanted: Began) -> None:
    """From its first half on it is the deployment's; one in whose second half it began is neither's."""
    new = replace(row("v2", 20), started_at=start)
    assert (
        began([(replace(new, started_at=max(start, at(20, 0))), 900), (OLD, 100)], [OLD, new], NIGHTS)
        == wanted
    )


def test_what_was_first_seen_with_the_first_night_is_not_new() -> None:
    """Nothing is known to have served before it: neither on the first judged night, nor of a service that never changed."""
    assert began([(row("v1", 20), 500)], [], NIGHTS) is None
    assert began([(row("v1", 20), 500)], [OLD], NIGHTS) is None
    assert began([], [OLD], NIGHTS) is None


def test_what_serves_most_is_asked() -> None:
    """A canary is no deployment of the night yet; two people who announced one are still one deployment."""
    canary = row("v2", 20)
    assert began([(OLD, 900), (canary, 100)], [OLD], NIGHTS) is None
    twice = [replace(canary, author="ana"), replace(canary, author="rui")]
    assert began([(OLD, 400), *((each, 300) for each in twice)], [OLD], NIGHTS) == Began(1)


def test_what_is_rolled_back_to_begins_again_where_that_was_announced() -> None:
    """The log knows the old version since May began; its second start counts, and one that lies ahead does not."""
    bad = row("v2", 15)
    again, ahead = (replace(OLD, source="deploy", started_at=at(day, 2)) for day in (19, 21))
    known = [OLD, bad, again, ahead]

    assert began([(row("v1", 20), 500)], known, NIGHTS) == Began(2)
    assert began([(row("v1", 20), 500)], [OLD, bad], NIGHTS) is None
