"""What is usual of a number leaves out the nights inside its own incident, wherever it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from statistics import fmean
from typing import Any

import pytest

from monitoring.amounts import blurred, usual, usual_value
from monitoring.explain import explain
from monitoring.numbers import set_apart
from monitoring.page import beside_usual
from monitoring.records import OF, NightPage, NumberLine
from monitoring.telling import Told, tell
from page_incidents import incident, key

NIGHT = date(2026, 5, 12)
CALM: list[float | None] = [0.014, 0.016, 0.015, 0.014, 0.016, 0.015]
RECIFE = f"city{OF}Recife"


def inside(nights: int) -> dict[tuple[str, str], frozenset[date]]:
    """The last nights, set apart of errors."""
    return {("errors", ""): frozenset(NIGHT - timedelta(days=n) for n in range(1, nights + 1))}


def told_of(page: NightPage, make: Any, nights: int, calm: list[float | None]) -> Told:
    """What is said of errors that have been at 26 % for some nights, after calm ones."""
    line = make.number_line("errors", 0.26, [*calm, *[0.26] * nights], numerator=260, denominator=1000)
    lead = incident(3, key("errors"), seen=nights + 1)
    page = replace(page, numbers=(line,), places=(), incidents=(lead,))
    page = beside_usual(page, inside(nights))
    return tell(page, explain(page))


@pytest.mark.parametrize("calm", [CALM, CALM * 4])
def test_figures_stay_put_while_an_incident_lasts(
    changed: NightPage, make: Any, calm: list[float | None]
) -> None:
    """Its second, third and fifth night are held against the same as its first, few nights known or many."""
    told = [told_of(changed, make, nights, calm) for nights in (1, 2, 4)]
    assert {each.change for each in told} == {"1.5\u00a0% → 26.0\u00a0%"}
    assert len({each.headline for each in told}) == 1
    assert "17 times" in told[0].headline
    assert {
        f"On none of the last {len(calm)} usual nights was it above 1.6\u00a0%." in t.much for t in told
    } == {True}
    assert "as far from usual" not in told[2].much


def test_a_slice_leaves_them_out_as_the_whole_does(changed: NightPage, make: Any) -> None:
    """The part of the traffic that the incident is in has the same nights set apart."""
    place = make.number_line("errors.slice", 0.26, [*CALM * 2, 0.26, 0.26], subject=RECIFE, denominator=1000)
    page = beside_usual(replace(changed, places=(place,)), inside(2))
    assert page.places[0].usual is not None
    assert page.places[0].usual[0] == pytest.approx(0.015)


def test_a_late_outcome_is_set_apart_by_its_own_nights(changed: NightPage, make: Any) -> None:
    """An incident is dated by the nights that tell it: what lies inside it was told so, of nights before."""
    line = make.number_line("outcome", 0.5, [*CALM * 2, 0.5, 0.5])
    day = timedelta(days=1)
    line = replace(
        line, of_night=NIGHT - day, history=tuple((night - day, value) for night, value in line.history)
    )
    page = replace(changed, night=NIGHT, numbers=(line,), places=())
    found = beside_usual(page, {("outcome", ""): inside(2)["errors", ""]}).numbers[0]
    assert found.apart == {NIGHT - 2 * day, NIGHT - 3 * day}
    assert found.usual is not None
    assert found.usual[0] == pytest.approx(0.015)


def test_nights_that_are_left_alone_are_all_there_is(make: Any) -> None:
    """Where fewer than three are left, or none was known before, nothing is set apart."""
    line = make.number_line("errors", 0.26, [0.01, 0.02, *[0.26] * 8])
    assert set_apart(line, inside(8)["errors", ""]).apart == frozenset()
    assert set_apart(line, inside(8)["errors", ""]).usual == pytest.approx(line.usual)
    assert set_apart(line, inside(7)["errors", ""]).usual == pytest.approx((0.29 / 3, 0.1156), abs=1e-4)
    assert set_apart(set_apart(line, inside(7)["errors", ""]), ()).usual == pytest.approx(line.usual)
    young = make.number_line("errors", 0.26, [0.01, 0.02, 0.01, 0.26])
    assert set_apart(young, inside(1)["errors", ""]).usual is None


def test_small_counts_are_blurred_among_the_usual_nights_alone(make: Any) -> None:
    """What stands in for a hidden night is of usual nights, and so is the whole it is a bound of."""
    past: list[float | None] = [0.003, *[0.02] * 7, 0.4, 0.4]
    parts = tuple((round(1000 * value), 1000) for value in past if value is not None)
    line: NumberLine = set_apart(
        make.number_line("errors", 0.4, past, parts=parts, numerator=400, denominator=1000),
        inside(2)["errors", ""],
    )
    mean = fmean([0.005, *[0.02] * 7])
    assert usual_value(line) == pytest.approx(mean)
    assert blurred(line).usual == pytest.approx((mean, 0.00496), abs=1e-5)
    assert usual(line, "en") == "1.8\u00a0%"


def test_a_small_count_that_is_set_apart_does_not_tell_the_one_that_is_not(make: Any) -> None:
    """One night of 1 to 9 errors is told the same whatever it was, though another lies inside the incident."""
    said = set()
    for few in range(1, 10):
        counts = [*[40] * 9, few, 8]
        parts = tuple((count, 1000) for count in counts)
        made = make.number_line(
            "errors", 0.4, [count / 1000 for count in counts], parts=parts, numerator=400, denominator=1000
        )
        said.add(usual_value(set_apart(made, inside(1)["errors", ""])))
    assert len(said) == 1
