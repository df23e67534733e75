"""The sentences of a night: how bad, beside which past, since when and after what, and whether it can wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitoring.explain import explain
from monitoring.morning import morning_line
from monitoring.records import DeploymentLine, NightPage, NumberLine
from monitoring.telling import tell, told_with

PAST: list[float | None] = [0.20, 0.21, 0.19, 0.20, 0.22, 0.18, 0.20, 0.21, 0.19, 0.20]
SET_ASIDE = {"kept": 9_000, "outside_night": 9_166}


def test_the_sign_says_how_bad_it_is(quiet: NightPage, errors: NumberLine) -> None:
    """Red for what cannot wait, orange for what can, white where only the data are in the way."""

    def mark(*numbers: NumberLine, critical: tuple[str, ...], **given: Any) -> str:
        page = replace(quiet, numbers=numbers, critical=critical, **given)
        return tell(page, explain(page)).mark

    assert mark(errors, critical=("errors",)) == "🔴"
    assert mark(errors, critical=("volume", "schema")) == "🟠"
    assert mark(counts=SET_ASIDE, critical=("schema",)) == "⚪"
    assert mark(counts=SET_ASIDE, critical=()) == "⚪"
    gone = replace(errors, value=None)
    assert mark(gone, critical=("schema",)) == "⚪"
    assert mark(gone, critical=("errors", "schema")) == "🔴", "nobody sees whether there are errors"


@pytest.mark.parametrize(
    ("critical", "said"),
    [
        (("errors", "outcome"), "No: critical for this service (errors and the outcome)."),
        (("errors", "volume"), "No: critical for this service (errors)."),
        (("volume",), "Yes, until working hours: nothing unusual about the number of requests."),
        (("prediction",), "Yes, until working hours."),
        ((), "Yes, until working hours."),
    ],
)
def test_whether_it_can_wait(
    changed: NightPage, errors: NumberLine, make: Any, critical: tuple[str, ...], said: str
) -> None:
    """Everything critical that is told is named; else what is critical and as usual; else neither."""
    outcome = replace(errors, name="outcome")
    volume = make.number_line("volume", 1000.0, [1000.0, 1010.0] * 7, format="count")
    page = replace(changed, numbers=(errors, outcome, volume), critical=critical)
    assert tell(page, explain(page)).wait == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.6, "On none of the last 14 nights was it above 50.0\u00a0%."),
        (0.5, "Only 1 of the last 14 nights was as far from usual."),
        (0.4, "2 of the last 14 nights were as far from usual."),
        (0.04, "2 of the last 14 nights were as far from usual."),
        (0.03, "Only 1 of the last 14 nights was as far from usual."),
        (0.02, "On none of the last 14 nights was it below 3.0\u00a0%."),
    ],
)
def test_beside_the_nights_before(changed: NightPage, make: Any, value: float, said: str) -> None:
    """Further out than any of them, or how many were as far out the same way; a night as far out counts."""
    past = [*PAST, 0.5, 0.4, 0.03, 0.04]
    line = make.number_line("outcome", value, past, numerator=round(value * 1000), denominator=1000)
    page = replace(changed, numbers=(replace(line, usual=(0.2, 0.01)),))
    assert said in tell(page, explain(page)).much


def test_since_when_and_after_what(changed: NightPage, make: Any) -> None:
    """The first night of the row; what went live then, with its people; else what was there before, in brief."""
    line = make.number_line("errors", 0.9, [*PAST, 0.9, 0.85], numerator=900, denominator=1000)
    line = replace(line, usual=(0.2, 0.01))
    began = changed.night - timedelta(days=2)
    new = DeploymentLine(
        "v2", "reply 7", "lora-3", "green", "9f2c1ab4e55d", "@ana", "", f"{began}T01:30-03:00", 9
    )

    def since(*deployments: DeploymentLine) -> str:
        page = replace(changed, numbers=(line,), deployments=deployments)
        return tell(page, explain(page)).since

    row = "Sun 10 May, 3 nights in a row."
    assert (
        since(new)
        == f"{row} model v2, prompt reply 7, adapter lora-3, variant green, commit 9f2c1ab4e5 went live on Sun 10 May at 01:30 (author @ana)"
    )
    old = replace(new, started_at="2026-04-02T00:00+00:00")
    assert since(old) == f"{row} No new deployment: model v2, prompt reply 7 was serving already."
    bare = replace(old, model_version="", prompt_version="")
    assert (
        since(bare)
        == f"{row} No new deployment: adapter lora-3, variant green, commit 9f2c1ab4e5 was serving already."
    )
    assert since() == f"{row} The log does not say what served."


def test_the_first_step_after_a_deployment(changed: NightPage, make: Any) -> None:
    """It is to hold the new one against the old, unless more requests came than usual, which none can make."""
    new = DeploymentLine("v2", "", "", "", "", "", "", "2026-05-12T04:00+00:00", 900)
    for value, step in (
        (2000.0, "find out who sends the extra requests."),
        (
            500.0,
            "see whether the log is complete: ronda check support_assistant --date 2026-05-12. If it is, hold the new",
        ),
    ):
        volume = make.number_line("volume", value, [1000.0, 1010.0] * 7, format="count")
        page = replace(changed, numbers=(volume,), deployments=(new,))
        assert tell(page, explain(page)).do.startswith(f"@assist-team: {step}")


def test_a_headline_for_lists(changed: NightPage, quiet: NightPage, errors: NumberLine) -> None:
    """With its figure where there is one; a calm night has none."""
    for page, said in (
        (
            replace(changed, numbers=(errors,)),
            "2.5 times as many errors as usual (20.0\u00a0% → 50.0\u00a0%)",
        ),
        (replace(quiet, counts=SET_ASIDE), "50\u00a0% of the night's rows could not be judged"),
        (quiet, ""),
    ):
        assert told_with(page, explain(page)) == said


def test_what_the_morning_is_told(quiet: NightPage) -> None:
    """How many inputs moved; nothing of a night without any, nor before anybody knows what is usual."""
    story = explain(quiet)
    assert morning_line(quiet, story, 4) == "4 inputs moved, and nothing that users notice"
    assert morning_line(quiet, story, 0) == ""
    early = replace(quiet, numbers=tuple(replace(line, usual=None) for line in quiet.numbers))
    assert morning_line(early, explain(early), 4) == ""
    blind = replace(quiet, numbers=(), features=())
    assert morning_line(blind, explain(blind), 0) == "too little data for any verdict"
