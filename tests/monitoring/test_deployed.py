"""Since when what serves a night has served it, by what served each night before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from monitoring.deployed import deployed, serving
from monitoring.verdicts.since import Began, Deployed
from store.deployments import DeploymentRow, ServedRow

TONIGHT = date(2026, 5, 20)


def row(version: str, requests: int) -> ServedRow:
    """A model version that served so many requests."""
    return ServedRow(version, "", "", "", "", requests)


def night(day: int) -> date:
    """A night of May."""
    return date(2026, 5, day)


def history(*each: Mapping[str, int]) -> dict[date, list[ServedRow]]:
    """The nights before, the last one last, with the requests of each version."""
    days = range(20 - len(each), 20)
    return {night(day): [row(*of) for of in served.items()] for day, served in zip(days, each, strict=True)}


OLD, NEW, CANARY, TRIAL = {"v1": 900}, {"v2": 900}, {"v1": 700, "v2": 200}, {"v1": 890, "v2": 10}


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ((OLD, OLD, OLD), Deployed(TONIGHT)),
        ((OLD, NEW, NEW), Deployed(night(18))),
        ((OLD, CANARY, CANARY, NEW), Deployed(night(19), frozenset({night(17), night(18)}))),
        ((OLD, TRIAL, TRIAL), Deployed(TONIGHT)),
        ((OLD, NEW, CANARY, NEW), Deployed(night(19), frozenset({night(17), night(18)}))),
        ((NEW, {"v3": 900}, NEW), Deployed(night(19))),
        ((NEW, NEW), None),
        ((CANARY, CANARY), None),
        ((), None),
    ],
)
def test_since_when_it_serves_most(before: tuple[Mapping[str, int], ...], wanted: Deployed | None) -> None:
    """A canary is of neither side and a trial of the old one's; what is rolled back to begins again; else nothing is known."""
    assert deployed(TONIGHT, [row("v2", 800), row("v1", 100)], history(*before)) == wanted


def test_a_log_that_names_no_version_has_no_deployment() -> None:
    """Nothing serves tonight, as far as the log says."""
    assert deployed(TONIGHT, (), history(OLD)) is None


def test_two_people_are_one_deployment() -> None:
    """Requests are added up whoever announced it, and the busiest stands first."""
    at = datetime(2026, 5, 20, tzinfo=UTC)
    seen = [
        (DeploymentRow("shop", at, model_version="v1", author="ana"), 300),
        (DeploymentRow("shop", at, model_version="v2"), 400),
        (DeploymentRow("shop", at, model_version="v1", author="rui"), 300),
    ]

    assert serving(seen) == (row("v1", 600), row("v2", 400))


def test_nights_are_counted_by_their_dates() -> None:
    """Of nights with gaps, and of those told some nights later, only the ones on or after the first count."""
    found = Deployed(night(18), frozenset({night(16), night(17)}))

    assert found.among([night(day) for day in (14, 15, 17, 18, 20)]) == Began(2, 1)
    assert found.among([night(day) for day in (11, 12, 13)]) == Began(0, 0)
