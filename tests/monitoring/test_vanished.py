"""Incidents of columns that vanished: open while the column stays away, over once it is back, and hushed by noise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from monitoring.incident import Answer, IncidentLine, What
from monitoring.incidents import unfold
from monitoring.verdicts.incidents import Key, Moved
from services.model import Planned, Service

FIRST = date(2026, 5, 4)
NEWS = Moved(Key("schema", "price", ""), "tonight", 4.0, 0.0, 0.0, 1.0, 0.0, up=True)
AWAY = replace(NEWS, floors=1.0, chance=1.0, alone=1.0)
ROWS = replace(NEWS, key=Key("schema", "rows", ""))
NIGHT = {"N": [NEWS], "a": [AWAY], ".": list[Moved](), "r": [ROWS]}
"""A night on which it is news, on which it is away as before, on which it is there, and one of lost rows."""


def fold(nights: str, *answers: Answer, **given: Any) -> tuple[IncidentLine, ...]:
    """Incidents after nights in a row, a letter each; `-` is one that was not judged."""
    plain: dict[str, Any] = {"service": "shop", "critical": (), "planned": ()}
    moved = {FIRST + timedelta(days=n): NIGHT[letter] for n, letter in enumerate(nights) if letter != "-"}
    return unfold(Service.model_construct(**(plain | given)), moved, answers).lines


def said(what: What, after: int) -> Answer:
    """An answer to the first incident, so many days after the first night."""
    return Answer(1, what, FIRST + timedelta(days=after), "ana")


def test_it_is_open_while_the_column_stays_away() -> None:
    """Two months are no end of it; it opened once, and is seen every night."""
    [line] = fold("NNN" + "a" * 60)
    assert (line.state, line.opened, line.last, line.reopened) == (
        *("open", FIRST, FIRST + timedelta(days=62)),
        0,
    )
    assert (line.severity, line.speaks, len(line.seen)) == ("major", True, 63)


def test_it_is_over_once_the_column_is_back() -> None:
    """After three nights with it, as all else; gone again it is news again."""
    [line] = fold("NNNaaa...")
    assert (line.state, line.resolved) == ("resolved", FIRST + timedelta(days=8))
    assert fold("NNNaaa..")[0].state == "open"
    [again] = fold("NNNaaa...NNNaaa")
    assert (again.state, again.reopened) == ("open", 1)


def test_what_was_away_before_opens_nothing() -> None:
    """A column of the training set that the log never had, and one that was back before, are no incident."""
    assert fold("aaaa") == ()
    [line] = fold("N...aaaa")
    assert line.state == "resolved"


def test_resolved_by_hand_while_it_is_away_is_not_over() -> None:
    """Two more nights without the column open it again; with the column it is over."""
    [line] = fold("NNNaaaa", said("resolved", 5))
    assert (line.state, line.reopened) == ("open", 1)
    assert fold("NNNaa..", said("resolved", 5))[0].state == "resolved"


@pytest.mark.parametrize("after", [1, 2, 5])
def test_noise_hushes_it_until_it_was_back(after: int) -> None:
    """Whenever it is said, nothing more is told of that loss; of the next one all is."""
    noise = said("noise", after)
    [line] = fold("NNNaaaaaa", noise)
    assert (line.state, line.last) == ("resolved", FIRST + timedelta(days=after - 1))
    [again] = fold("NNNaaaaaa.NNNaaa", noise)
    assert (again.state, again.reopened) == ("open", 1)


def test_noise_is_of_one_loss_though_nobody_saw_it_come_back() -> None:
    """News after nights that nobody judged is another loss, and that goes on for as long as it stays away."""
    [line] = fold("NNNaa-----NNNaaaa", said("noise", 4))
    assert (line.state, line.last) == ("open", FIRST + timedelta(days=16))


def test_noise_of_one_loss_is_none_of_a_later_incident() -> None:
    """Weeks later the same column goes again: a new incident, which stays open."""
    lines = fold("NNNaaa" + "." * 30 + "NNNaaaaa", said("noise", 4))
    assert [line.state for line in lines] == ["resolved", "open"]


def test_noise_does_not_hush_lost_rows() -> None:
    """They are a share, not a column: the next night with too many of them says so."""
    assert fold("rr", said("noise", 1))[0].is_tonight


def test_planned_nights_are_no_news() -> None:
    """What is expected to be gone on its nights opens nothing later either."""
    move = Planned(first=FIRST, last=FIRST + timedelta(days=3), what="migration", affects=("schema",))
    assert fold("NNNaaaaa", planned=(move,)) == ()
