"""Incidents as a fold over nights: what opens, goes on, ends, comes back, and what people's answers make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.incident import Answer, What
from monitoring.incidents import LEFT_OUT, RAISED, nights_apart, unfold
from monitoring.known import Known
from monitoring.records import OF
from monitoring.verdicts.incidents import Key, Moved
from services.model import Planned, Service

FIRST = date(2026, 5, 4)
CITY = f"city{OF}Recife"


def service(**given: Any) -> Service:
    """A service of which only what incidents need is filled in."""
    plain: dict[str, Any] = {"service": "shop", "critical": ("errors",), "planned": ()}
    return Service.model_construct(**(plain | given))


def moved(measure: str, feature: str = "", part: str = "", floors: float = 5.0, **given: Any) -> Moved:
    """A finding that needs no second night unless its chance says otherwise."""
    plain: dict[str, Any] = {"chance": 0.0, "whole": 0.0, "share": 1.0, "alone": 0.0, "up": True}
    return Moved(Key(measure, feature, part), "tonight", floors, **(plain | given))


def nights(*each: list[Moved]) -> dict[date, list[Moved]]:
    """Nights one after the other."""
    return {FIRST + timedelta(days=n): of for n, of in enumerate(each)}


def answer(what: What, after: int, number: int = 1, **given: Any) -> Answer:
    """What somebody said so many days after the first night."""
    return Answer(number, what, FIRST + timedelta(days=after), "@ana", **given)


def test_what_users_feel_leads_and_has_the_severity_of_the_service_file() -> None:
    """Errors are critical here, an outcome is told by itself, inputs alone are minor and never speak."""
    [errors] = unfold(service(), nights([moved("errors"), moved("distribution", "price", floors=9)])).lines[
        :1
    ]
    assert (errors.severity, errors.lead.key.measure, errors.speaks) == ("critical", "errors", True)
    [outcome] = unfold(service(), nights([moved("outcome")])).lines
    assert (outcome.severity, outcome.speaks) == ("major", True)
    [inputs] = unfold(service(), nights([moved("distribution", "price")])).lines
    assert (inputs.severity, inputs.speaks) == ("minor", False)


def test_one_slight_night_is_no_incident_and_two_of_three_are() -> None:
    """What could be chance needs a second night; what was felt on a night that speaks anyway goes along."""
    slight = moved("outcome", floors=1.5, alone=0.01)
    assert not unfold(service(), nights([slight])).lines
    [found] = unfold(service(), nights([slight], [], [slight])).lines
    assert (found.first, found.opened) == (FIRST, FIRST + timedelta(days=2))
    [along] = unfold(service(), nights([slight, moved("null_share", "wind", floors=6)])).lines
    assert along.lead.key.measure == "outcome"
    assert {key.measure for key in along.keys} == {"outcome", "null_share"}


def test_it_ends_after_three_quiet_nights_and_comes_back_under_its_number() -> None:
    """Two ends apart it is the same incident, opened again."""
    quiet: list[Moved] = []
    found = unfold(service(), nights([moved("errors")], quiet, quiet, quiet))
    assert (found.lines[0].state, found.lines[0].resolved) == ("resolved", FIRST + timedelta(days=3))
    assert not found.tonight
    [back] = unfold(service(), nights([moved("errors")], quiet, quiet, quiet, [moved("errors")])).lines
    assert (back.number, back.state, back.reopened, len(back.seen)) == (1, "open", 1, 2)


def test_what_opens_again_takes_nothing_from_what_is_open() -> None:
    """Errors went along with an open incident: they are its own, also on a night on which an older one opens again."""
    quiet: list[Moved] = []
    slight = moved("errors", floors=1.5, alone=0.01)
    old, now = [moved("errors"), moved("volume")], [moved("outcome"), slight]
    first, second = unfold(service(), nights(old, quiet, quiet, quiet, now, old)).lines
    assert (first.state, first.reopened, first.lead.key.measure) == ("open", 1, "volume")
    assert (second.state, second.last, second.lead.key.measure) == (*("open", first.last), "errors")
    assert (first.back, first.begins, second.begins) == (first.last, True, False)


@pytest.mark.parametrize("what", ["expected", "muted"])
def test_a_mute_has_an_end(what: What) -> None:
    """Until its last night it does not speak, and then it does."""
    said = (answer(what, 1, until=FIRST + timedelta(days=2), reason="sale"),)
    every = [moved("errors")]
    during = unfold(service(), nights(every, every, every), said).lines[0]
    after = unfold(service(), nights(every, every, every, every), said).lines[0]
    assert (during.state, during.speaks, during.until) == ("muted", False, FIRST + timedelta(days=2))
    assert (after.state, after.speaks) == ("open", True)


def test_a_week_that_still_holds_it_does_not_keep_it_open() -> None:
    """What single nights showed is over when they show it no more; what only a week can show goes on by the week."""
    echo = replace(moved("errors", floors=2), comparison="week")
    nights_of = nights([moved("errors")], [moved("errors")], [echo], [echo], [echo])
    [over] = unfold(service(), nights_of).lines
    assert (over.state, over.last) == ("resolved", FIRST + timedelta(days=1))
    [slow] = unfold(service(), nights([echo], [echo], [echo])).lines
    assert (slow.state, slow.last) == ("open", FIRST + timedelta(days=2))


def test_noise_ends_it_and_raises_its_floor() -> None:
    """As much as before is not told again; a quarter more is. Its nights stay part of what is usual."""
    said = (answer("noise", 1),)
    same = unfold(service(), nights([moved("errors", floors=4)], [moved("errors", floors=4)]), said)
    assert same.lines[0].state == "resolved"
    assert same.raised == {("errors", ""): 4 * RAISED}
    assert not same.lines[0].is_tonight
    more = unfold(service(), nights([moved("errors", floors=4)], [moved("errors", floors=5.1)]), said)
    assert more.lines[0].is_tonight
    assert not nights_apart(same.lines, FIRST + timedelta(days=2))


def test_taken_is_acknowledged_until_it_comes_back() -> None:
    """Who took it weeks ago is not asked of what opens again."""
    said = (answer("taken", 1),)
    every, quiet = [moved("errors")], []
    taken = unfold(service(), nights(every, every), said).lines[0]
    assert (taken.state, taken.taken_by, taken.speaks) == ("acknowledged", "@ana", True)
    assert unfold(service(), nights(every, every, quiet, quiet, quiet, every), said).lines[0].state == "open"


def test_resolved_by_hand_is_over_unless_it_goes_on() -> None:
    """What is seen on a later night opens it again."""
    said = (answer("resolved", 1),)
    assert unfold(service(), nights([moved("errors")], []), said).lines[0].state == "resolved"
    again = unfold(service(), nights([moved("errors")], [], [moved("errors")]), said).lines[0]
    assert (again.state, again.reopened) == ("open", 1)


def test_what_is_planned_opens_nothing() -> None:
    """The planned change is named; what it does not affect still opens an incident."""
    sale = Planned(first=FIRST, what="Black Friday", affects=("volume",))
    found = unfold(service(planned=(sale,)), nights([moved("volume"), moved("errors")]))
    assert [line.lead.key.measure for line in found.lines] == ["errors"]
    assert found.expected == {Key("volume", "", ""): "Black Friday"}


def test_nights_apart_are_those_of_the_incident_and_not_for_ever() -> None:
    """What lasts longer than four weeks is the new usual."""
    lines = unfold(service(), nights(*[[moved("errors", part=CITY)]] * 40)).lines
    apart = nights_apart(lines, FIRST + timedelta(days=40))
    assert apart == {("errors", ""): frozenset(FIRST + timedelta(days=n) for n in range(LEFT_OUT))}


def test_a_number_stays_when_a_night_is_judged_anew() -> None:
    """An incident that opens a night later is the same; one that is gone says so; a new one takes a free number."""
    known = [Known(7, FIRST, frozenset({("errors", "")})), Known(8, FIRST, frozenset({("volume", "")}))]
    found = unfold(service(), nights([], [moved("errors")], [moved("outcome")]), known=known)
    assert {line.number: line.lead.key.measure for line in found.lines} == {7: "errors", 9: "outcome"}
    assert found.gone == (8,)


_KEYS = st.sampled_from(
    [("errors", ""), ("volume", ""), ("null_share", "wind"), ("distribution", "price"), ("outcome", "")]
)
_NIGHT = st.lists(st.tuples(_KEYS, st.sampled_from(["", CITY]), st.floats(1, 20)), max_size=4)


@given(st.lists(_NIGHT, min_size=1, max_size=12))
def test_nothing_that_speaks_is_without_a_number_and_no_number_is_twice(each: list[Any]) -> None:
    """Whatever moves: numbers are told apart, the last night is no later than tonight, and folding again is the same."""
    made = nights(*[[moved(*pair, part, floors) for pair, part, floors in of] for of in each])
    found = unfold(service(), made)
    assert len({line.number for line in found.lines}) == len(found.lines)
    assert all(line.first <= line.opened <= line.last <= max(made) for line in found.lines)
    recorded = [
        Known(line.number, line.opened, frozenset((k.measure, k.feature) for k in line.keys))
        for line in found.lines
    ]
    assert unfold(service(), made, known=recorded).lines == found.lines
