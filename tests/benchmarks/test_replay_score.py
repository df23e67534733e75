"""Scoring on hand-made worlds: what makes a page right, what is missed, and what the figures count."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from benchmarks.replay_figures import harmless, summary
from benchmarks.replay_records import EVERYWHERE, Column, Incident, Series, World
from benchmarks.replay_score import Page, Run, Scored, explains, is_told, names, score

NIGHTS, FIRST, LAST = 60, 30, 34
MEMBERS = {
    EVERYWHERE: {},
    "recife": {"city": "recife"},
    "salvador": {"city": "salvador"},
    "ios": {"app": "ios"},
    "recife × ios": {"city": "recife", "app": "ios"},
}
ALL, TINY = EVERYWHERE, "recife × ios"


def incident(kind: str = "feature_shift", columns: tuple[str, ...] = ("a",), **other: Any) -> Incident:
    """One of nights 30 to 34, over all rows, of two floors, unless told otherwise."""
    usual = {"first": FIRST, "last": LAST, "slice": ALL, "effect": 0.2, "floors": 2.0}
    return Incident(kind, columns=columns, **(usual | other))


def world(*incidents: Incident, **other: Any) -> World:
    """Two features, errors that are known at once and outcomes that are known three nights later."""
    nothing = np.zeros((NIGHTS, len(MEMBERS)))
    made = World(
        service="eta",
        noise="direction",
        nights=tuple(date(2026, 1, 5) + timedelta(days=n) for n in range(NIGHTS)),
        slices=tuple(MEMBERS),
        members=MEMBERS,
        reference=range(28),
        columns=(Column("a", "category", 5), Column("b", "category", 5)),
        counts={},
        series=(
            Series("errors", "share", 0.02, nothing, nothing),
            Series("outcome", "share", 0.02, nothing, nothing, delay=3),
        ),
        holidays=(),
        deployments={},
        incidents=incidents,
        duplicated={},
        noise_floors={"a": 0.2, "b": 0.9},
    )
    return replace(made, **other)


def page(place: int, *columns: str, where: str = ALL, memory: int = 0) -> Page:
    """A page of a night."""
    return Page(place, columns or ("a",), where, memory)


def scored(of: World, *pages: Page, findings: tuple[tuple[int, str, str], ...] = (), **other: Any) -> Scored:
    """What these pages are worth to somebody who judges from night 28 on."""
    return score(of, Run(pages, frozenset(findings), 0.5, 28, **other))


@pytest.mark.parametrize(
    ("told", "right"),
    [
        (page(29), False), (page(30), True), (page(34), True), (page(35), False),
        (page(32, "b"), False), (page(32, "b", "a"), True), (page(32, "null:a"), True), (page(32, "outcome"), False),
        (page(36, memory=2), True), (page(37, memory=2), False), (page(29, memory=9), False),
    ],
)  # fmt: skip
def test_a_page_is_right_on_a_night_of_the_incident_that_names_its_column(told: Page, right: bool) -> None:
    """No night sooner, none later than the page's data reach back, and the columns' nulls are theirs."""
    assert explains(world(), incident(), told) is right


@pytest.mark.parametrize(
    ("where", "told", "right"),
    [
        ("recife", ALL, True), ("recife", "recife", True), ("recife", "ios", True), ("recife", TINY, True),
        ("recife", "salvador", False), (TINY, "salvador", False), (TINY, "ios", True), (ALL, "salvador", True),
    ],
)  # fmt: skip
def test_a_page_is_right_where_its_slice_shares_rows(where: str, told: str, right: bool) -> None:
    """The same column in a slice that shares no row with the incident's is a false page."""
    assert explains(world(), incident(slice=where), page(31, where=told)) is right


def test_the_right_slice_alone_does_not_make_a_page_right() -> None:
    """Another column in the very slice of an incident did not move."""
    assert not explains(world(), incident(slice="recife"), page(31, "b", where="recife"))


@pytest.mark.parametrize(
    ("told", "right"),
    [
        (page(32, "outcome"), False), (page(33, "outcome"), True), (page(37, "outcome"), True),
        (page(38, "outcome"), False), (page(39, "outcome", memory=5), True), (page(40, "outcome", memory=5), False),
        (page(31, "a"), True), (page(35, "a"), False),
    ],
)  # fmt: skip
def test_a_delayed_column_shows_nothing_before_it_is_known(told: Page, right: bool) -> None:
    """Outcomes of nights 30 to 34 are seen on 33 to 37; the delay is part of a page's memory and not added to it."""
    assert explains(world(), incident(columns=("outcome", "a")), told) is right


def test_nights_are_counted_from_the_first_known_one() -> None:
    """An outcome told on its first known night is told after one night, as a feature on its own first night is."""
    both = world(incident(columns=("outcome",)), incident(columns=("a",), first=40, last=44))
    fates = scored(both, page(33, "outcome"), page(41), findings=((33, "outcome", ALL), (40, "a", ALL))).fates
    assert [(fate.found, fate.paged) for fate in fates] == [(1, 1), (1, 2)]


@pytest.mark.parametrize("kind", ["slice_drops", "sampling_bug"])
@pytest.mark.parametrize(
    ("told", "right"),
    [
        (page(31, "a"), True), (page(31, "b", where="ios"), True), (page(31, "a", where="salvador"), False),
        (page(31, "a", where="recife"), False), (page(31, "a", where=TINY), False), (page(31, "errors"), False),
        (page(31, "volume", where=TINY), True), (page(35, "a"), False),
    ],
)  # fmt: skip
def test_lost_rows_change_the_mix_where_others_are_left(kind: str, told: Page, right: bool) -> None:
    """Any feature in slices that overlap; not inside the slice itself, not elsewhere, and no other number."""
    assert explains(world(), incident(kind, ("volume",), slice="recife"), told) is right


@pytest.mark.parametrize("kind", ["new_city", "bot_flood", "feed_stops", "promotion_weekend"])
def test_other_changes_of_volume_explain_their_own_columns_only(kind: str) -> None:
    """The worlds move no other column with them, also where one of them were to hold in one slice."""
    for where in (ALL, "recife"):
        assert not explains(world(), incident(kind, ("volume",), slice=where), page(31, "a"))


def test_what_no_count_shows_is_not_missed() -> None:
    """Text, concept, no column, harmless: none has a fate, their nights are free, and their pages are false."""
    quiet = (
        incident("language_mix", (), needs="text"), incident("label_flip", (), needs="concept"),
        incident("empty", ()), incident("traffic_growth", ("volume",), harmless=True),
        incident("duplicated_rows", (), harmless=True), incident("odd", ("a",), needs="concept"),
    )  # fmt: skip
    assert [is_told(each) for each in quiet] == [False] * 6
    found = scored(world(*quiet), page(31, "a"), page(32, "volume"))
    assert found.fates == ()
    assert len(found.free) == found.nights == NIGHTS - 28
    assert [each.place for each in found.false] == [31, 32]


def test_harmless_events_are_counted_by_kind() -> None:
    """A page names one of its columns, or any where it has none; one that a real incident explains is not theirs."""
    of = world(
        incident("traffic_growth", ("volume",), harmless=True),
        incident("traffic_growth", ("volume",), harmless=True, first=40, last=44),
        incident("duplicated_rows", (), harmless=True, first=50, last=52),
        incident("duplicated_rows", (), harmless=True, first=54, last=56),
        incident("null_spike", ("a",), first=53, last=56),
        holidays=(3, 36, 37, 55),
        deployments={29: "v2", 38: "v3", 55: "v4", 57: "v3"},
    )
    found = scored(of, page(31, "a"), page(41, "volume"), page(52, "b"), page(55, "a"), page(37), page(38))
    assert harmless([found]) == {
        "deployment": {"events": 2, "paged": 1},
        "duplicated_rows": {"events": 2, "paged": 1},
        "holiday": {"events": 2, "paged": 1},
        "traffic_growth": {"events": 2, "paged": 1},
    }
    assert [each.place for each in found.false] == [31, 41, 52, 37, 38]


def test_findings_count_in_the_incident_s_nights_and_slices() -> None:
    """A finding elsewhere, of another column or after the last night is none; whoever pages has found."""
    cases = {
        (32, "null:a", "ios"): 3,
        (32, "a", "salvador"): None,
        (32, "b", "recife"): None,
        (35, "a", ALL): None,
    }
    for finding, found in cases.items():
        fate = scored(world(incident(slice="recife")), findings=(finding,)).fates[0]
        assert (fate.found, fate.paged) == (found, None)
    fate = scored(world(incident()), page(36, memory=6)).fates[0]
    assert (fate.found, fate.paged) == (7, 7)


def test_the_first_page_says_where() -> None:
    """Of several pages the one of the first night, whatever the order they come in."""
    of = world(incident(slice="recife"))
    late = page(33, where="recife")
    assert scored(of, late, page(31, where="ios")).fates[0].right_slice is False
    assert scored(of, late, page(34)).fates[0].right_slice is True
    assert scored(of).fates[0].right_slice is None


def test_what_is_visible_is_said_by_one_and_used_for_all() -> None:
    """What a run says itself gives way to what is handed over; an effect as large as said is visible."""
    of = world(incident(), incident(first=40, last=44), incident(first=50, last=52))
    own = Run((), frozenset(), 0.5, 28, {0: 0.2, 1: 0.21})
    assert [fate.visible for fate in score(of, own).fates] == [True, False, None]
    assert [fate.visible for fate in score(of, own, {1: 0.1}).fates] == [None, True, None]
    assert [fate.visible for fate in score(of, own, {}).fates] == [None] * 3


def test_figures_of_a_hand_made_run() -> None:
    """Every rate over what it says it is over: false ones on free nights, on all nights, and by first name."""
    of = world(
        incident("null_spike", ("a",), critical=True),
        incident("feature_shift", ("b",), first=40, last=42, slice="recife"),
        incident("feature_shift", ("errors",), first=45, last=47, floors=0.5),
    )
    pages = (
        page(31, "b", "a"), page(34, "b"), page(36), page(37), page(39), page(41, "b", where="ios"), page(47, "errors"),
    )  # fmt: skip
    found = summary([scored(of, *pages, findings=((30, "a", ALL),), visible={0: 0.2, 1: 0.3})])
    free = NIGHTS - 28 - 11
    assert found == {
        "false_pages_per_month": pytest.approx(3 / free * 30),
        "false_spells_per_month": pytest.approx(2 / free * 30),
        "false_pages_per_month_all": pytest.approx(4 / 32 * 30),
        "pages_per_month": pytest.approx(7 / 32 * 30),
        "precision": pytest.approx(3 / 7),
        "precision_first_named": pytest.approx(2 / 7),
        "recall_visible": 1.0,
        "recall_all": 1.0,
        "recall_first_named": 0.5,
        "recall_features": 1.0,
        "recall_critical": 1.0,
        "judgeable": 0.5,
        "median_nights_to_finding": 2.0,
        "median_nights_to_page": 2.0,
        "p90_nights_to_page": 3.0,
        "paged_within_3": 1.0,
        "critical_nights_to_page": 2.0,
        "slice_at_1": pytest.approx(2 / 3),
        "slice_at_1_in_slices": 0.0,
        "ageing_within_21": None,
        "ageing_within_21_all": None,
        "pages": 7.0,
        "incidents": 3.0,
        "large_incidents": 2.0,
        "visible_incidents": 1.0,
        "months": pytest.approx(32 / 30),
        "free_months": pytest.approx(free / 30),
    }


def test_missed_incidents_stay_in_every_recall() -> None:
    """Of two visible ones, one missed; a slow one is in the recall and not among the sudden ones."""
    of = world(
        incident(), incident(columns=("b",), first=40, last=55, ramp=16), incident(columns=("errors",))
    )
    found = summary([scored(of, page(50, "b"), page(35), visible={0: 0.1, 1: 0.1, 2: 9.0})])
    keys = ("recall_visible", "recall_all", "recall_features", "paged_within_3", "median_nights_to_page")
    assert [found[key] for key in keys] == [0.5, pytest.approx(1 / 3), 0.5, 0.0, None]


def test_ageing_is_timed_where_nights_are_calm() -> None:
    """Night 21 is in time and night 22 is not; the row of all ageing has the restless column too."""
    slow = {"kind": "ageing", "first": 30, "last": 58, "ramp": 29}
    of = world(incident(**slow), incident(columns=("b",), **slow))
    for place, calm in ((50, 1.0), (51, 0.0)):
        found = summary([scored(of, page(place))])
        assert (found["ageing_within_21"], found["ageing_within_21_all"]) == (calm, calm / 2)


def test_nothing_to_count_is_none_and_not_zero() -> None:
    """No run, no page, no incident."""
    assert set(summary([]).values()) == {None, 0.0}
    found = summary([scored(world())])
    assert found["precision"] is found["recall_all"] is found["slice_at_1"] is None
    assert found["false_pages_per_month"] == 0.0


def test_a_null_share_is_called_by_its_column() -> None:
    """The names of measures in the records."""
    assert [names("null_share", "a"), names("unseen_share", "a"), names("volume", "")] == [
        "null:a",
        "a",
        "volume",
    ]
