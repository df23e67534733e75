"""What is planned for a night: what is expected of it, and which nights are holidays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from services.home import Home
from services.model import Service
from services.planned import expects, holidays_on, planned_on
from services.read import read_service

PLANS = """\
planned:
  - {from: 2026-11-27, to: 2026-11-30, what: sale, affects: [volume, outcome]}
  - {from: 2026-11-30, what: move}
  - {from: 2026-12-30, to: 2027-01-02, what: carnival, holiday: true}
"""


@pytest.fixture
def service(home: Home, write: Callable[..., None]) -> Callable[..., Service]:
    def read(add: str = "") -> Service:
        write(add=PLANS + add)
        return read_service("eta", home)

    return read


@pytest.mark.parametrize(
    ("night", "planned"),
    [
        (date(2026, 11, 26), []),
        (date(2026, 11, 27), ["sale"]),
        (date(2026, 11, 29), ["sale"]),
        (date(2026, 11, 30), ["sale", "move"]),
        (date(2026, 12, 1), []),
        (date(2026, 12, 31), []),
    ],
)
def test_planned_on_a_night(service: Callable[..., Service], night: date, planned: list[str]) -> None:
    """From the first night to the last, both included; a holiday is not planned, for nothing is expected of it."""
    assert [each.what for each in planned_on(service(), night)] == planned


def test_what_is_expected(service: Callable[..., Service]) -> None:
    """Only what it affects is expected, and without a word on it everything; the first reason is told."""
    sale, both = (planned_on(service(), date(2026, 11, day)) for day in (27, 30))

    assert [expects(sale, watched) for watched in ("volume", "outcome", "errors")] == ["sale", "sale", ""]
    assert [expects(both, watched) for watched in ("volume", "errors", "guards")] == ["sale", "move", "move"]
    assert expects((), "volume") == ""


def test_planned_holidays_join_the_public_ones(service: Callable[..., Service]) -> None:
    """Of the years that are asked for and no others; a sale is no holiday."""
    own = service()
    assert holidays_on(own, (2026,)) == {date(2026, 12, 30), date(2026, 12, 31)}
    assert holidays_on(own, iter((2026, 2027))) == {
        *(date(2026, 12, day) for day in (30, 31)),
        *(date(2027, 1, day) for day in (1, 2)),
    }
    brazilian = holidays_on(service("holidays: BR\n"), [2026])
    assert {date(2026, 12, 25), date(2026, 12, 30)} <= brazilian
    assert {day.year for day in brazilian} == {2026}
    assert date(2026, 11, 27) not in brazilian
