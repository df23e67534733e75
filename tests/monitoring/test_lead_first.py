"""What moved over all rows leads; what moved in one slice only is told after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from monitoring.explain import explain
from monitoring.incident import ranked
from monitoring.incident_state import lead_of_night
from monitoring.records import OF, NightPage
from page_incidents import incident, key

CURITIBA = f"city{OF}Curitiba"
FEWER = key("outcome", "", CURITIBA)
ERRORS = key("errors")


def test_errors_everywhere_lead_a_night_over_an_outcome_of_one_slice() -> None:
    """Of one incident and of two; an outcome that moved everywhere as well still comes first."""
    fewer, errors, whole = (incident(n, each).lead for n, each in enumerate((FEWER, ERRORS, key("outcome"))))
    assert lead_of_night([replace(fewer, share=0.1), errors]) == errors
    assert lead_of_night([replace(fewer, share=0.1), errors, whole]).key.measure == "outcome"
    assert lead_of_night([replace(fewer, share=0.1), replace(errors, key=key("latency_ms"))]).key == FEWER
    two = incident(1, FEWER, severity="critical"), incident(2, ERRORS, severity="critical")
    assert [each.number for each in ranked(two)] == [2, 1]
    grown = incident(1, FEWER, key("outcome"), severity="critical"), two[1]
    assert [each.number for each in ranked(grown)] == [1, 2]


def test_the_headline_is_of_the_errors(changed: NightPage, make: Any) -> None:
    """The first line of the night tells the errors, and the outcome of the slice stands among the others."""
    errors = make.number_line("errors", 0.278, [0.014, 0.016] * 7, numerator=278, denominator=1000, far=True)
    outcome = make.number_line("outcome", 0.2, [0.20, 0.21] * 7, numerator=200, denominator=1000, far=False)
    place = make.number_line(
        "outcome.slice", 0.05, [0.20, 0.21] * 7, subject=CURITIBA, numerator=50, denominator=1000
    )
    page = replace(changed, numbers=(outcome, errors), places=(place,))
    apart = incident(1, FEWER, up=False), incident(2, ERRORS)
    story = explain(replace(page, incidents=apart))
    assert story.lead is not None
    assert (story.lead.name, [each.name for each in story.others]) == ("errors", ["outcome"])
    assert story.incident is not None
    assert story.incident.number == 2
