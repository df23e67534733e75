"""Threads where a review found them wrong: edits without end, pages that were never resolved, titles of another's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from assistant_night import NIGHT, Told, incidents, messages, moved, only, said
from monitoring.incident import Answer, watched_as
from monitoring.incidents import unfold
from monitoring.records import NightPage
from monitoring.verdicts.incidents import Key
from services.model import Service
from store.state import State

PAGE = "page/support_assistant/1"


@pytest.fixture
def told(state: State) -> Told:
    """The service, of which nothing was told yet."""
    return Told(state)


@pytest.fixture
def outcome(changed: NightPage) -> NightPage:
    """A night on which the outcome left its range, and nothing else."""
    return only(changed, "outcome")


def test_what_is_withdrawn_is_edited_once(told: Told, outcome: NightPage, quiet: NightPage) -> None:
    """Later nights have pages of their own, and the message stays beside the one that says why."""
    told.night(outcome, 0)
    told.night(quiet, 0, revision=2)
    assert [told.night(quiet, days) for days in (1, 2, 3)] == [[], [], []]


def test_who_was_woken_may_sleep_whatever_is_critical_since(
    told: Told, outcome: NightPage, quiet: NightPage
) -> None:
    """The service file calls it critical no more: the page that was sent is resolved all the same."""
    told.night(outcome, 0, critical=("outcome",), night={"wake": True})
    for days in (1, 2, 3):
        told.night(quiet, days, critical=(), night={"wake": True})
    ends = [row.key for row in messages(told.state) if row.action == "page"]
    assert ends == [PAGE, f"{PAGE}/over-{NIGHT + timedelta(days=3)}"]


def test_an_incident_has_its_own_title(told: Told, outcome: NightPage, changed: NightPage) -> None:
    """Errors that come while the outcome is told already: the second message is of the errors."""
    told.night(outcome, 0)
    errors = replace(changed.numbers[3], value=0.09, numerator=1_630, far=True)
    both = replace(outcome, numbers=(*outcome.numbers, errors))
    new = told.night(both, 1, also=(moved("errors", floors=9.0),))
    first = [said(row) for row in new if row.action == "post"]
    assert len(first) == 1
    assert "errors" in first[0]
    assert "thumbs up" not in first[0]


def test_a_share_that_rests_on_few_is_no_cost(told: Told, outcome: NightPage) -> None:
    """Three of a hundred, told as a bound: how many points it was would tell that they were three."""
    line = next(each for each in outcome.numbers if each.name == "outcome")
    few = replace(line, value=0.03, numerator=3, denominator=100)
    told.night(replace(outcome, numbers=(few,)), 0)
    nights = [json.loads(row.detail)["nights"] for row in incidents(told.state) if row.told == "post"]
    assert [each["points"] for known in nights for each in known.values()] == [None]


def test_noise_does_not_silence_what_is_gone() -> None:
    """A column that is gone has no size: called noise once, it is told when it is gone again."""
    service = Service.model_construct(service="shop", critical=(), planned=())
    gone = moved("schema", "age")
    answer = Answer(1, "noise", NIGHT + timedelta(days=1), "ana")
    nights = {NIGHT: [gone], NIGHT + timedelta(days=60): [gone]}
    lines = unfold(service, nights, (answer,)).lines
    assert [line.is_tonight for line in lines] == [False, True]


def test_a_feature_may_be_called_like_a_number() -> None:
    """An input named errors is an input."""
    assert watched_as(Key("distribution", "errors", "")) == "features"
    assert watched_as(Key("distribution", "prediction", "")) == "prediction"
