"""What the service file says of a night beforehand: what is expected of it, and whether it is a holiday."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from services.field_rules import holidays_of
from services.model import Planned, Service


def planned_on(service: Service, night: date) -> tuple[Planned, ...]:
    """What is planned for a night, in the order of the service file; holidays are not, see `holidays_on`."""
    return tuple(each for each in service.planned if not each.holiday and each.first <= night <= each.last)


def holidays_on(service: Service, years: Iterable[int]) -> frozenset[date]:
    """The nights of some years that are compared as Sundays are: public holidays, and planned ones."""
    wanted = frozenset(years)
    own = {day for each in service.planned if each.holiday for day in _days(each) if day.year in wanted}
    return holidays_of(service.holidays, wanted) | own


def expects(planned: Sequence[Planned], watched: str) -> str:
    """What is the first reason to expect that something watched is unusual, in the service file's words; or ''.

    >>> sale = Planned(first=date(2026, 11, 27), what="Black Friday", affects=("volume",))
    >>> expects([sale], "volume"), expects([sale], "errors")
    ('Black Friday', '')
    """
    return next((each.what for each in planned if not each.affects or watched in each.affects), "")


def _days(planned: Planned) -> list[date]:
    return [planned.first + timedelta(days=n) for n in range((planned.last - planned.first).days + 1)]
