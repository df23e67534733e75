"""The story of a night and what came before it: deployments, earlier nights, and what the model expected of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from monitoring.explain import explain
from monitoring.records import DeploymentLine, NightPage, NumberLine
from page_incidents import incident, key

PAST: list[float | None] = [0.20, 0.21, 0.19, 0.20, 0.22, 0.18, 0.20, 0.21, 0.19, 0.20]
NIGHT = date(2026, 5, 12)


@pytest.mark.parametrize(
    ("started", "near"),
    [("2026-05-13T00:00-03:00", False), ("2026-05-12T23:59-03:00", True), ("2026-05-13T02:59", True),
     ("2026-05-13T03:00", False)],
)  # fmt: skip
def test_a_deployment_began_when_its_own_time_zone_says(
    changed: NightPage, errors: NumberLine, started: str, near: bool
) -> None:
    """The night of 12 May in São Paulo ends at 03:00 UTC; a time without a zone is UTC."""
    line = DeploymentLine("v2", "", "", "", "", "", "", started, 1000)
    story = explain(replace(changed, numbers=(errors,), deployments=(line,)))
    assert (story.deployed is not None) == near


def test_of_two_deployments_the_later_is_named(changed: NightPage, errors: NumberLine) -> None:
    """Before the change the one that serves most served; where none of tonight's did, the last that began."""
    lines = {
        started: DeploymentLine(started, "", "", "", "", "", "", f"2026-05-{started}:00+00:00", requests)
        for started, requests in (("01T04", 300), ("02T04", 700), ("11T04", 10), ("12T04", 10))
    }
    page = replace(changed, numbers=(errors,), deployments=tuple(lines.values()))
    story = explain(page)
    assert (story.deployed, story.serving) == (lines["12T04"], lines["02T04"])
    gone = replace(page, deployments=(lines["12T04"],), known=tuple(lines.values()))
    assert explain(gone).serving == lines["11T04"]


def test_the_deployment_is_of_the_night_the_change_began(changed: NightPage, make: Any) -> None:
    """Three nights ago, and not tonight's."""
    line = make.number_line("errors", 0.9, [*PAST * 3, 0.9, 0.85], numerator=900, denominator=1000)
    old, new = (
        DeploymentLine(day, "", "", "", "", "", "", f"2026-05-{day}T04:00+00:00", 500) for day in ("10", "12")
    )
    story = explain(replace(changed, numbers=(line,), deployments=(old, new)))
    assert (story.since, story.deployed) == (NIGHT - timedelta(days=2), old)


def test_an_outcome_is_far_out_sooner_in_the_past_and_in_a_slice(changed: NightPage, make: Any) -> None:
    """Two and a half deviations: one more night, and an affected slice, for an outcome and for nothing else."""
    for name, nights, kind in (("outcome", 2, "everywhere"), ("errors", 1, "none")):
        line = make.number_line(name, 0.9, [*PAST, 0.225], numerator=900, denominator=1000)
        place = make.number_line(f"{name}.slice", 0.225, PAST, subject="city\x1fRecife", denominator=200)
        line, place = replace(line, usual=(0.2, 0.01)), replace(place, usual=(0.2, 0.01))
        story = explain(replace(changed, numbers=(line,), places=(place,)))
        assert (story.nights, story.where.kind) == (nights, kind)


def test_what_is_far_out_or_young_is_not_calm(changed: NightPage, quiet: NightPage, make: Any) -> None:
    """Slow answers are urgent once something speaks; what got far better, or has no past, calms nobody."""
    outcome = make.number_line("outcome", 0.9, PAST, numerator=900, denominator=1000)
    slow = make.number_line("latency_ms", 900.0, [100.0, 101.0] * 7, format="ms")
    young = make.number_line("errors", 0.2, PAST[:6], numerator=200, denominator=1000)
    page = replace(changed, numbers=(outcome, slow, young), critical=("latency", "errors"))
    assert (explain(page).urgent, explain(page).calm) == (("latency",), ())
    assert explain(replace(page, numbers=(slow,))).urgent == (), "they do not speak alone"

    better = make.number_line("errors", 0.01, PAST, numerator=10, denominator=1000)
    half = {"kept": 9_000, "outside_night": 9_166}
    data = explain(replace(quiet, numbers=(better,), counts=half, critical=("errors",)))
    assert (data.state, data.urgent, data.calm) == ("data", (), ())


@pytest.mark.parametrize(
    ("usual", "predicted", "near"),
    [(0.2, 0.245, True), (0.2, 0.255, False), (0.8, 0.99, True), (0.8, 0.59, False), (0.04, 0.085, True),
     (0.04, 0.095, False)],
)  # fmt: skip
def test_a_prediction_of_something_else_expected_nothing(
    changed: NightPage, make: Any, usual: float, predicted: float, near: bool
) -> None:
    """Its past says whether it is of the outcome: within a quarter of it, or 5 points where that is more."""
    outcome = make.number_line("outcome", usual * 1.2, [usual] * 10, numerator=500, denominator=1000)
    prediction = make.number_line("prediction", 0.3, [predicted] * 10)
    story = explain(replace(changed, numbers=(outcome, replace(prediction, usual=(predicted, 1.0)))))
    assert story.expected == (0.3 if near else None)


def test_what_the_nights_since_a_deployment_show_began_with_it(
    changed: NightPage, errors: NumberLine
) -> None:
    """Found five nights after it went live, by all of them together, a change is told with it; found tonight it is not."""
    new, old = (
        DeploymentLine(day, "", "", "", "", "", "", f"2026-05-{day}T04:00+00:00", requests)
        for day, requests in (("07", 900), ("01", 100))
    )
    for comparison, wanted in (("deployment", new), ("tonight", None), ("week", None)):
        line = incident(1, key("errors"), comparison=comparison)
        page = replace(changed, numbers=(errors,), deployments=(old, new), incidents=(line,))
        assert explain(page).deployed == wanted
        assert explain(page, line).deployed == wanted


def test_what_is_only_told_with_an_incident_has_not_gone_on_since_it_began(
    changed: NightPage, errors: NumberLine
) -> None:
    """Errors of tonight beside values that are missing for three nights: since tonight; of the incident, since then."""
    missing = key("null_share", "wind_speed")
    for own, wanted in (((), NIGHT), ((key("errors"),), NIGHT - timedelta(days=2))):
        line = incident(7, missing, *own, seen=3)
        story = explain(replace(changed, numbers=(errors,), incidents=(line,)))

        assert story.lead is not None
        assert (story.lead.name, story.since, story.nights) == ("errors", wanted, 3 if own else 1)
