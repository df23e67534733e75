"""The story of a night: what is told first, for whom, since when, after which deployment, and whether it can wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from monitoring.explain import explain
from monitoring.records import DeploymentLine, NightPage, NumberLine
from monitoring.speaking import told

PAST: list[float | None] = [0.20, 0.21, 0.19, 0.20, 0.22, 0.18, 0.20, 0.21, 0.19, 0.20]
NIGHT = date(2026, 5, 12)


def test_since_counts_the_nights_in_a_row(make: Any, changed: NightPage) -> None:
    """Nights that were as far out the same way, back to the first that was not."""
    past = [*PAST * 3, 0.19, 0.9, 0.85]
    line = make.number_line("errors", 0.9, past, numerator=900, denominator=1000)
    story = explain(replace(changed, numbers=(line,)))
    assert (story.since, story.nights) == (NIGHT - timedelta(days=2), 3)
    gap = make.number_line("errors", 0.9, [*past[:-1], None], numerator=900, denominator=1000)
    assert explain(replace(changed, numbers=(gap,))).nights == 1
    other_way = make.number_line("errors", 0.9, [*PAST * 3, 0.0], numerator=900, denominator=1000)
    assert explain(replace(changed, numbers=(other_way,))).nights == 1


@pytest.mark.parametrize(
    ("started", "near"),
    [("2026-05-11T03:00+00:00", True), ("2026-05-11T02:59+00:00", False), ("2026-05-13T02:59+00:00", True),
     ("2026-05-13T03:00+00:00", False)],
)  # fmt: skip
def test_a_deployment_is_near_within_a_day_before_and_the_night(
    changed: NightPage, errors: NumberLine, started: str, near: bool
) -> None:
    """The night of 12 May in São Paulo begins at 03:00 UTC: from a day before that until its end."""
    line = DeploymentLine("v2", "", "", "", "", "", "", started, 1000)
    story = explain(replace(changed, numbers=(errors,), deployments=(line,)))
    assert (story.deployed is not None) == near
    assert story.serving == (line if started < "2026-05-12T03:00" else None), "it was not there before"


def test_a_deployment_that_was_rolled_back_is_still_named(changed: NightPage, errors: NumberLine) -> None:
    """What served only the night the change began, and serves no longer tonight, is known to the state."""
    old = DeploymentLine("v1", "", "", "", "", "", "", "2026-05-01T00:00+00:00", 1000)
    gone = DeploymentLine("v2", "", "", "", "", "", "", "2026-05-12T04:00+00:00", 0)
    story = explain(replace(changed, numbers=(errors,), deployments=(old,), known=(old, gone)))
    assert (story.deployed, story.serving) == (gone, old)


def test_what_never_varied_is_not_far_out_all_the_time(changed: NightPage, make: Any) -> None:
    """Fourteen nights of exactly as many requests, then a third less: it began tonight."""
    volume = make.number_line("volume", 783.0, [1200.0] * 14, format="count")
    story = explain(replace(changed, numbers=(volume,)))
    assert (story.since, story.nights) == (NIGHT, 1)


@pytest.mark.parametrize("name", ["errors", "prediction", "volume", "outcome", "null_share"])
def test_what_can_no_longer_be_measured_is_told(changed: NightPage, make: Any, name: str) -> None:
    """A column that vanished, or is empty tonight, is no quiet night; after three nights it is the new usual."""
    line = make.number_line(name, None, PAST, subject="seats")
    story = explain(replace(changed, numbers=(line,), critical=("errors", "schema")))
    assert (story.state, story.lead) == ("data", None)
    assert "schema" in story.urgent
    away = make.number_line(name, None, [*PAST, None, None, None], subject="seats")
    cost = make.number_line("cost", 1.0, [1.0] * 13, format="number")  # the nights were there
    assert explain(replace(changed, numbers=(away, cost))).state != "data"
    assert explain(replace(changed, numbers=(away,))).state == "data", "three days on which nothing ran"


def test_an_outcome_of_working_days_is_no_loss_on_saturdays(changed: NightPage, make: Any) -> None:
    """What the same weekday never has is a rhythm; one Saturday is not enough to say so."""
    saturday = date(2026, 5, 9)
    days = [saturday - timedelta(days=n) for n in range(28, 0, -1)]

    def state(nights: list[date]) -> str:
        rated = tuple((day, None if day.weekday() >= 5 else 0.2 + 0.01 * (day.day % 2)) for day in nights)
        volume = tuple((day, 1000.0) for day in nights)
        lines = (
            replace(make.number_line("outcome", None, PAST), history=rated, of_night=saturday),
            replace(
                make.number_line("volume", 1000.0, [1000.0] * 10, format="count"),
                history=volume,
                of_night=saturday,
            ),
        )
        return explain(replace(changed, numbers=lines)).state

    assert state(days) == "quiet"
    assert state(days[-8:]) == "data"


def test_requests_that_were_set_aside_came(quiet: NightPage, make: Any) -> None:
    """The data are what is told then, and not that fewer people asked; copies are no requests."""
    volume = make.number_line("volume", 957.0, [1200.0, 1195.0, 1205.0] * 3, format="count")
    page = replace(quiet, numbers=(volume,), rows_read=1200, critical=("volume", "schema"))
    aside = explain(replace(page, counts={"kept": 957, "price_below_min": 243}))
    assert (aside.state, aside.others, aside.urgent) == ("data", (), ("schema",))
    copies = explain(replace(page, counts={"kept": 957, "request_id_duplicated": 243}))
    assert [line.name for line in copies.others] == ["volume"]


def test_good_news_wakes_nobody(changed: NightPage, make: Any) -> None:
    """Fewer errors, and shares of a handful of requests, are no change to tell."""
    better = make.number_line("errors", 0.01, PAST, numerator=10, denominator=1000)
    thin = make.number_line("outcome", 0.9, PAST, numerator=18, denominator=20)
    assert explain(replace(changed, numbers=(better, thin))).state == "quiet"


def test_the_outcome_is_told_before_all(changed: NightPage, make: Any) -> None:
    """Outcome, errors, volume, missing values, predictions: in this order, each once."""
    lines = tuple(
        make.number_line(name, 0.9, PAST, numerator=900, denominator=1000)
        for name in ("prediction", "null_share", "volume", "latency_ms", "errors", "outcome")
    )
    assert [line.name for line in told(replace(changed, numbers=lines))] == [
        "outcome", "errors", "volume", "null_share", "prediction",
    ]  # fmt: skip


def test_slow_answers_alone_do_not_speak(changed: NightPage, make: Any) -> None:
    """Answer times, tokens and cost are marked on the page; no message is sent for them yet."""
    line = make.number_line("latency_ms", 900.0, [100.0, 101.0] * 7, format="ms")
    assert explain(replace(changed, numbers=(line,))).state == "quiet"


def test_fewer_missing_values_are_no_trouble(changed: NightPage, make: Any) -> None:
    """Only a rise speaks; if the gaps were filled with nonsense, the feature itself moved."""
    fewer = make.number_line("null_share", 0.01, PAST, subject="seats", numerator=10, denominator=1000)
    assert explain(replace(changed, numbers=(fewer,))).state == "quiet"


def test_what_is_critical_cannot_wait(changed: NightPage, errors: NumberLine, make: Any) -> None:
    """What is told and critical is urgent; what is critical, was measured and is as usual, is calm."""
    volume = make.number_line("volume", 1000.0, [1000.0, 1010.0] * 7, format="count")
    page = replace(changed, numbers=(errors, volume), critical=("volume", "errors", "schema"))
    story = explain(page)
    assert (story.urgent, story.calm) == (("errors",), ("volume",))
    patient = explain(replace(page, critical=("volume", "nulls")))
    assert (patient.urgent, patient.calm) == ((), ("volume",))


def test_rows_set_aside_are_a_matter_of_the_data(quiet: NightPage) -> None:
    """More than two in a hundred rows that could not be judged are told before anything else."""
    story = explain(replace(quiet, counts={"kept": 9_000, "outside_night": 9_166}, critical=("schema",)))
    assert (story.state, story.lead, story.urgent) == ("data", None, ("schema",))


def test_how_many_more(make: Any, changed: NightPage, errors: NumberLine) -> None:
    """Requests beyond what is usual: 30 points of a thousand."""
    assert explain(replace(changed, numbers=(errors,))).more == 300
    mean = make.number_line("prediction", 0.9, PAST, format="number")
    assert explain(replace(changed, numbers=(mean,))).more is None


def test_what_the_model_expected(changed: NightPage, make: Any) -> None:
    """The mean prediction of the night whose outcome is told, not of the night that tells it."""
    outcome = make.number_line(
        "outcome", 0.9, PAST, numerator=900, denominator=1000, of_night=NIGHT - timedelta(days=1)
    )
    prediction = make.number_line("prediction", 0.3, [*PAST[:-1], 0.25])
    assert explain(replace(changed, numbers=(outcome, prediction))).expected == 0.25
    plain = replace(prediction, format="number")
    assert explain(replace(changed, numbers=(outcome, plain))).expected is None
