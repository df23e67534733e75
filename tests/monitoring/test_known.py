"""Numbers stay with their incidents when nights are folded anew: by the nights they share, and by what moved."""

from __future__ import annotations

from datetime import date, timedelta

from monitoring import stands
from monitoring.incident import Answer
from monitoring.incidents import Unfolded, unfold
from monitoring.known import Known, pairs_of
from monitoring.verdicts.incidents import Key, Moved
from services.model import Planned, Service
from store.incidents import incidents_of
from store.state import State, reading
from told_incidents import judge, moved, night_after, service

FIRST = date(2026, 5, 4)
ERRORS = Moved(Key("errors", "", ""), "tonight", 5.0, 0.0, 0.0, 1.0, 0.0, up=True)
OUTCOME = Moved(Key("outcome", "", ""), "tonight", 5.0, 0.0, 0.0, 1.0, 0.0, up=True)
Nights = dict[date, list[Moved]]


def shop(*planned: Planned) -> Service:
    """A service of which only what incidents need is filled in."""
    return Service.model_construct(service="shop", critical=(), planned=planned)


def sale(last: int, *affects: str) -> Planned:
    """A sale from the first night on."""
    return Planned.model_validate(
        {"first": FIRST, "last": FIRST + timedelta(days=last), "what": "sale", "affects": affects}
    )


def nights(*each: list[Moved]) -> Nights:
    """Nights one after the other."""
    return {FIRST + timedelta(days=n): of for n, of in enumerate(each)}


def recorded(found: Unfolded) -> list[Known]:
    """Incidents as the state has them."""
    return [Known(line.number, line.opened, pairs_of(line.keys), line.last) for line in found.lines]


def numbers(found: Unfolded) -> list[tuple[int, int]]:
    """Every incident's number, and how many days after the first night it opened."""
    return [(line.number, (line.opened - FIRST).days) for line in found.lines]


LONG = nights([OUTCOME], *[[ERRORS]] * 14)
BEFORE = unfold(shop(sale(9, "errors")), LONG)


def test_a_plan_that_is_deleted_leaves_number_and_answers() -> None:
    """The incident opens nine nights earlier and is the same: who took it still has it, and nothing is withdrawn."""
    assert numbers(BEFORE) == [(1, 0), (2, 10)]
    taken = (Answer(2, "taken", FIRST + timedelta(days=12), "ana"),)
    after = unfold(shop(), LONG, taken, recorded(BEFORE))
    assert numbers(after) == [(1, 0), (2, 1)]
    assert (after.lines[1].state, after.lines[1].taken_by, after.gone) == ("acknowledged", "ana", ())
    assert unfold(shop(), LONG, taken, recorded(after)) == after


def test_an_answer_that_ends_it_ends_it_where_it_was_given() -> None:
    """Noise raises the floor of all that it went until then, of the nights before the plan was deleted too."""
    noise = (Answer(2, "noise", FIRST + timedelta(days=12), "ana"),)
    after = unfold(shop(), LONG, noise, recorded(BEFORE))
    assert [(line.number, line.state) for line in after.lines] == [(1, "resolved"), (2, "resolved")]
    assert after.lines[1].last == FIRST + timedelta(days=11)


def test_one_number_is_of_one_incident() -> None:
    """What was one and is two now stays with the first of those that share as many nights; the other is new."""
    made = nights([], *[[ERRORS]] * 4, *[[ERRORS, OUTCOME]] * 9)
    before = unfold(shop(sale(9, "errors", "outcome")), made)
    assert numbers(before) == [(1, 10)]
    assert numbers(unfold(shop(), made, known=recorded(before))) == [(1, 1), (2, 5)]


def test_nights_must_be_shared_and_so_must_what_moved() -> None:
    """What was over before the recorded one opened is another, and so is what moved beside it."""
    made = nights([], [ERRORS], [], [], [], [], [])
    later = Known(3, FIRST + timedelta(days=6), frozenset({("errors", "")}), FIRST + timedelta(days=9))
    other = Known(4, FIRST + timedelta(days=1), frozenset({("outcome", "")}), FIRST + timedelta(days=9))
    found = unfold(shop(), made, known=[later, other])
    assert (numbers(found), found.gone) == ([(5, 1)], (3, 4))


def test_a_page_that_is_written_again_names_the_same_number(state: State) -> None:
    """Of a night that was planned too: whose incident it shows is known from the nights after it."""
    planned = Planned.model_validate(
        {"first": night_after(1), "last": night_after(7), "what": "sale", "affects": ["errors"]}
    )
    judge(state, service(), 0, moved("outcome"))
    for days in range(1, 11):
        judge(state, service().model_copy(update={"planned": (planned,)}), days, moved("errors"))
    with reading(state) as connection:
        stood = stands.read(connection, service())
        rows = incidents_of(connection, "shop")
    assert [(row.number, row.opened) for row in rows] == [(1, night_after(0)), (2, night_after(8))]
    night = night_after(3)
    assert [line.number for line in stood.after(night, stood.moves[night]).lines] == [1, 2]
    assert set(stood.apart(night)) == {("outcome", ""), ("errors", "")}
